//! The two forms of the Stoermer-Verlet method.

use super::splitting_method;

splitting_method! {
    /// The Stoermer-Verlet method in velocity form (half a kick, a drift, half a kick), also
    /// called leapfrog: order 2, symmetric, one force a step.
    ///
    /// Verlet, *Phys. Rev.* 159 (1967), 98; Hairer, Lubich, Wanner, *Acta Numerica* 12 (2003), 399.
    VelocityVerlet, "velocity Verlet", 2, Kick, [0.5, 1.0, 0.5]
}

splitting_method! {
    /// The Stoermer-Verlet method in position form (half a drift, a kick, half a drift): order 2,
    /// symmetric, one force a step.
    ///
    /// Sources as for [`VelocityVerlet`].
    PositionVerlet, "position Verlet", 2, Drift, [0.5, 1.0, 0.5]
}
