//! Mass on a spring.

use hnn_integrators::{AnalyticSeparable, Lane};

use super::{canonical_field, separable_gradient};
use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError};

/// Mass on a spring: `H = k q^2 / 2 + p^2 / (2 m)`, `q' = p / m`, `p' = -k q`.
///
/// The default, `m = 1/2` and `k = 2`, is `H = q^2 + p^2` of the HNN paper (Greydanus, Dzamba and
/// Yosinski 2019, section 3), of period pi.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `mass` | mass `m` | kg | 1/2 |
/// | `stiffness` | spring constant `k` | N/m | 2 |
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::{Hamiltonian, Spring};
/// let spring = Spring::default();
/// assert_eq!(spring.energy_state(&[3.0, 4.0])?, 25.0);
/// assert_eq!(spring.eval_state(0.0, &[3.0, 4.0])?, [8.0, -6.0]);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Spring {
    mass: f64,
    stiffness: f64,
}

impl Spring {
    /// A spring of the given mass and stiffness.
    ///
    /// # Errors
    /// If one of them is not finite and positive.
    pub fn new(mass: f64, stiffness: f64) -> Result<Self, SystemError> {
        let check = Constants("spring");
        Ok(Self {
            mass: check.positive("mass", mass)?,
            stiffness: check.positive("stiffness", stiffness)?,
        })
    }

    /// Period `2 pi sqrt(m / k)`.
    #[must_use]
    pub fn period(&self) -> f64 {
        std::f64::consts::TAU * (self.mass / self.stiffness).sqrt()
    }
}

impl Default for Spring {
    fn default() -> Self {
        Self { mass: 0.5, stiffness: 2.0 }
    }
}

impl AnalyticHamiltonian for Spring {
    type State<L: Lane> = [L; 2];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[q, p]: &[L; 2]) -> L {
        L::constant(0.5 * self.stiffness) * q * q + L::constant(0.5 / self.mass) * p * p
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &[L; 2]) -> [L; 2] {
        separable_gradient(self, x)
    }
}

impl AnalyticSeparable for Spring {
    hnn_integrators::compile_splitting_kernels!(where used);
    type Half<L: Lane> = [L; 1];

    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, &[p]: &[L; 1]) -> [L; 1] {
        [L::constant(1.0 / self.mass) * p]
    }

    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, &[q]: &[L; 1]) -> [L; 1] {
        [-(L::constant(self.stiffness) * q)]
    }
}

canonical_field!(compiled where used Spring);
