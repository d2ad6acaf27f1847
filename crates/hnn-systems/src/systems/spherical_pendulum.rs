//! A pendulum that swings in all directions.

use hnn_integrators::Scalar;

use crate::error::Constants;
use crate::{ConstrainedSystem, Rods, SystemError, Weights};

/// A point mass on a massless rod from the origin, in Cartesian coordinates
/// `[x, y, z, p_x, p_y, p_z]`, `z` upwards: `H = |p|^2 / (2 m) + m g z`, `|q| = l`.
///
/// Energy and `x p_y - y p_x`, the angular momentum about the vertical, are constant. Source: Landau and
/// Lifshitz, *Mechanics*, section 14, problem 1.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::SphericalPendulum;
/// let pendulum = SphericalPendulum::<f64>::spherical(2.0, 1.0, 9.81)?;
/// // Hanging at rest: the rod carries the weight.
/// let dx: Vec<f64> = pendulum.eval_state(0.0, &[0.0, 0.0, -1.0, 0.0, 0.0, 0.0])?;
/// assert!(dx.iter().all(|slope| slope.abs() < 1e-14));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub type SphericalPendulum<T = f64> = ConstrainedSystem<Weights<3, 1>, Rods<3, 1, 1>, T>;

impl<T: Scalar> SphericalPendulum<T> {
    /// From the mass in kg, the length in m, and gravity in m/s^2.
    ///
    /// # Errors
    /// If mass or length is not positive, gravity negative, or one of them not finite.
    pub fn spherical(mass: f64, length: f64, gravity: f64) -> Result<Self, SystemError> {
        let gravity = Constants("spherical pendulum").not_negative("gravity", gravity)?;
        Self::new(Weights([mass * gravity]), Rods::chain([length])?, &[mass; 3])
    }
}
