//! A mass on a spring that swings.

use hnn_integrators::Lane;

use super::canonical_field;
use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError};

/// Elastic pendulum: a mass on a spring that also swings, in polar coordinates
/// `[r, theta, p_r, p_theta]`, `theta` from the vertical down.
///
/// `H = (p_r^2 + p_theta^2 / r^2) / (2 m) + k (r - l)^2 / 2 - m g r cos theta`.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `mass` | `m` | kg | 1 |
/// | `stiffness` | `k` | N/m | 40 |
/// | `length` | length `l` of the spring at rest | m | 1 |
/// | `gravity` | `g` | m/s^2 | 9.8 |
///
/// The state is undefined at `r = 0`. Source: Lynch, *Resonant motions of the three-dimensional
/// elastic pendulum*, Int. J. Non-Linear Mech. 37 (2002), 345, in the plane.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::ElasticPendulum;
/// let pendulum = ElasticPendulum::default();
/// let hanging = [pendulum.hanging_length(), 0.0, 0.0, 0.0];
/// let dx: Vec<f64> = pendulum.eval_state(0.0, &hanging)?;
/// assert!(dx.iter().all(|v| v.abs() < 1e-14));
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ElasticPendulum {
    mass: f64,
    stiffness: f64,
    length: f64,
    gravity: f64,
}

impl ElasticPendulum {
    /// An elastic pendulum of the given mass, stiffness, length and gravity.
    ///
    /// # Errors
    /// If the length or gravity is negative, the mass or stiffness not positive, or one of them
    /// not finite.
    pub fn new(mass: f64, stiffness: f64, length: f64, gravity: f64) -> Result<Self, SystemError> {
        let check = Constants("elastic pendulum");
        Ok(Self {
            mass: check.positive("mass", mass)?,
            stiffness: check.positive("stiffness", stiffness)?,
            length: check.not_negative("length", length)?,
            gravity: check.not_negative("gravity", gravity)?,
        })
    }

    /// Length at which the pendulum hangs at rest, `l + m g / k`.
    #[must_use]
    pub fn hanging_length(&self) -> f64 {
        self.length + self.mass * self.gravity / self.stiffness
    }
}

impl Default for ElasticPendulum {
    fn default() -> Self {
        Self { mass: 1.0, stiffness: 40.0, length: 1.0, gravity: 9.8 }
    }
}

impl AnalyticHamiltonian for ElasticPendulum {
    type State<L: Lane> = [L; 4];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[r, theta, p_r, p_theta]: &[L; 4]) -> L {
        let (turning, extension) = (p_theta / r, r - L::constant(self.length));
        L::constant(0.5 / self.mass) * (p_r * p_r + turning * turning)
            + L::constant(0.5 * self.stiffness) * extension * extension
            - L::constant(self.mass * self.gravity) * r * theta.cos()
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, &[r, theta, p_r, p_theta]: &[L; 4]) -> [L; 4] {
        let (sin, cos) = theta.sin_cos();
        let (inverse_mass, weight) =
            (L::constant(1.0 / self.mass), L::constant(self.mass * self.gravity));
        let inverse_r = L::constant(1.0) / r;
        let rate = inverse_mass * p_theta * inverse_r * inverse_r;
        let tension = L::constant(self.stiffness) * (r - L::constant(self.length));
        let by_r = tension - weight * cos - rate * p_theta * inverse_r;
        [by_r, weight * r * sin, inverse_mass * p_r, rate]
    }
}

canonical_field!(ElasticPendulum);
