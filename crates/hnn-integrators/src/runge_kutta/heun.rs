//! Heun's method of order 2.

use super::{Tableau, explicit_method};

explicit_method! {
    /// Heun's method of order 2, the explicit trapezoidal rule: two stages.
    ///
    /// `x(t + h) = x + h/2 (f(t, x) + f(t + h, x + h f(t, x)))`. Not Heun's method of order 3,
    /// which bears the same name (Heun, *Z. Math. Phys.* 45, 1900).
    Heun,
    Tableau { name: "Heun 2", order: 2, a: &[1.0], b: &[0.5, 0.5], c: &[0.0, 1.0] }
}
