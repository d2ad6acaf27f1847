//! The Kepler problem.

use std::f64::consts::TAU;

use hnn_integrators::{AnalyticSeparable, Lane};

use super::{canonical_field, separable_gradient};
use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError};

/// The Kepler problem in the plane: `H = (px^2 + py^2) / (2 m) - k / r`, state `[x, y, px, py]`.
///
/// Besides the energy it conserves the angular momentum and the direction of the ellipse.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `mass` | mass `m` of the body | kg | 1 |
/// | `strength` | `k = G M m` | N m^2 | 1 |
///
/// Source: Goldstein, *Classical Mechanics*, chapter 3.
///
/// ```
/// use hnn_systems::{Hamiltonian, Kepler};
/// let kepler = Kepler::default();
/// let start = kepler.periapsis(1.0, 0.5)?;
/// let energy: f64 = kepler.energy_state(&start)?;
/// assert!((energy + 0.5).abs() < 1e-15); // -k / (2 a)
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Kepler {
    mass: f64,
    strength: f64,
}

impl Kepler {
    /// A body of the given mass in a field of the given strength.
    ///
    /// # Errors
    /// If one of them is not finite and positive.
    pub fn new(mass: f64, strength: f64) -> Result<Self, SystemError> {
        let check = Constants("Kepler problem");
        Ok(Self {
            mass: check.positive("mass", mass)?,
            strength: check.positive("strength", strength)?,
        })
    }

    /// The state at the point nearest to the centre, on the positive x axis, of the ellipse with
    /// the given semi-major axis and eccentricity.
    ///
    /// # Errors
    /// If the axis is not positive or the eccentricity not in [0, 1).
    pub fn periapsis(&self, axis: f64, eccentricity: f64) -> Result<[f64; 4], SystemError> {
        let check = Constants("Kepler ellipse");
        check.positive("semi-major axis", axis)?;
        check.not_negative("eccentricity", eccentricity)?;
        check.positive("1 - eccentricity", 1.0 - eccentricity)?;
        let speed2 = (1.0 + eccentricity) / (1.0 - eccentricity) / axis;
        let momentum = (self.mass * self.strength * speed2).sqrt();
        Ok([axis * (1.0 - eccentricity), 0.0, 0.0, momentum])
    }

    /// Period of the ellipse with the given semi-major axis, `2 pi sqrt(m a^3 / k)`.
    #[must_use]
    pub fn period(&self, axis: f64) -> f64 {
        TAU * (self.mass * axis.powi(3) / self.strength).sqrt()
    }
}

impl Default for Kepler {
    fn default() -> Self {
        Self { mass: 1.0, strength: 1.0 }
    }
}

impl AnalyticHamiltonian for Kepler {
    type State<L: Lane> = [L; 4];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[x, y, px, py]: &[L; 4]) -> L {
        let kinetic = L::constant(0.5 / self.mass) * (px * px + py * py);
        kinetic - L::constant(self.strength) / (x * x + y * y).sqrt()
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &[L; 4]) -> [L; 4] {
        separable_gradient(self, x)
    }
}

impl AnalyticSeparable for Kepler {
    type Half<L: Lane> = [L; 2];

    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &[L; 2]) -> [L; 2] {
        p.map(|p| L::constant(1.0 / self.mass) * p)
    }

    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, &[x, y]: &[L; 2]) -> [L; 2] {
        let square = x * x + y * y;
        let pull = L::constant(-self.strength) / (square * square.sqrt());
        [pull * x, pull * y]
    }
}

canonical_field!(Kepler);
