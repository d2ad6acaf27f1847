//! The system of Henon and Heiles.

use hnn_integrators::{AnalyticSeparable, Lane};

use super::{canonical_field, separable_gradient};
use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError};

/// The system of Henon and Heiles: `H = (px^2 + py^2 + x^2 + y^2) / 2 + lambda (x^2 y - y^3 / 3)`,
/// state `[x, y, px, py]`, without units.
///
/// With `lambda = 1` the motion is bounded below the energy 1/6 of the three saddles, mostly
/// regular below about 1/12, and mostly chaotic at 1/6.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `lambda` | strength of the coupling | none | 1 |
///
/// Source: Henon and Heiles, *The applicability of the third integral of motion*, Astron. J. 69
/// (1964), 73.
///
/// ```
/// use hnn_systems::{Hamiltonian, HenonHeiles};
/// let saddle: f64 = HenonHeiles::default().energy_state(&[0.0, 1.0, 0.0, 0.0])?;
/// assert!((saddle - HenonHeiles::default().escape_energy()).abs() < 1e-16);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct HenonHeiles {
    lambda: f64,
}

impl HenonHeiles {
    /// The system with another strength of the coupling.
    ///
    /// # Errors
    /// If `lambda` is negative or not finite.
    pub fn new(lambda: f64) -> Result<Self, SystemError> {
        Ok(Self { lambda: Constants("Henon-Heiles").not_negative("lambda", lambda)? })
    }

    /// Energy of the saddles, `1 / (6 lambda^2)`: above it a trajectory can escape.
    #[must_use]
    pub fn escape_energy(&self) -> f64 {
        1.0 / (6.0 * self.lambda * self.lambda)
    }
}

impl Default for HenonHeiles {
    fn default() -> Self {
        Self { lambda: 1.0 }
    }
}

impl AnalyticHamiltonian for HenonHeiles {
    type State<L: Lane> = [L; 4];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[x, y, px, py]: &[L; 4]) -> L {
        let quadratic = px * px + py * py + x * x + y * y;
        let cubic = y * (x * x - L::constant(1.0 / 3.0) * y * y);
        L::constant(0.5) * quadratic + L::constant(self.lambda) * cubic
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &[L; 4]) -> [L; 4] {
        separable_gradient(self, x)
    }
}

impl AnalyticSeparable for HenonHeiles {
    type Half<L: Lane> = [L; 2];

    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &[L; 2]) -> [L; 2] {
        *p
    }

    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, &[x, y]: &[L; 2]) -> [L; 2] {
        let lambda = L::constant(self.lambda);
        let two_lambda = lambda + lambda;
        [-(x + two_lambda * x * y), -(y + lambda * (x * x - y * y))]
    }
}

canonical_field!(HenonHeiles);
