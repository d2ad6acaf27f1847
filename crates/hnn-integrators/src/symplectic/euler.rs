//! The symplectic Euler method.

use super::splitting_method;

splitting_method! {
    /// The symplectic Euler method (a kick, then a drift): order 1, one force a step.
    ///
    /// Hairer, Lubich, Wanner, *Geometric Numerical Integration*, I.1.2; de Vogelaere (1956).
    SymplecticEuler, "symplectic Euler", 1, Kick, [1.0, 1.0]
}
