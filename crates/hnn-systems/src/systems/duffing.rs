//! Duffing's oscillator.

use hnn_integrators::{AnalyticField, Lane};

use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError, canonical};

/// Duffing's oscillator: `q'' + delta q' + alpha q + beta q^3 = gamma cos(omega t)`, `p = q'`, of
/// unit mass.
///
/// Energy `H = p^2 / 2 + alpha q^2 / 2 + beta q^4 / 4`, conserved without damping and forcing.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `alpha` | linear stiffness | 1/s^2 | -1 |
/// | `beta` | cubic stiffness | 1/(m^2 s^2) | 1 |
/// | `delta` | damping rate | 1/s | 0 |
/// | `gamma` | amplitude of the forcing | m/s^2 | 0 |
/// | `omega` | its angular frequency | rad/s | 1 |
///
/// The default is the double well with minima at `q = -1, 1`. Source: Duffing 1918; Guckenheimer
/// and Holmes, *Nonlinear Oscillations*, section 2.2.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::Duffing;
/// let at_rest: Vec<f64> = Duffing::default().eval_state(0.0, &[1.0, 0.0])?;
/// assert_eq!(at_rest, [0.0, 0.0]);
/// let forced = Duffing::default().with_damping(0.3)?.with_forcing(0.5, 1.2)?;
/// assert_eq!(forced.eval_state(0.0, &[1.0, 1.0])?, [1.0, 0.2]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Duffing {
    alpha: f64,
    beta: f64,
    delta: f64,
    gamma: f64,
    omega: f64,
}

impl Duffing {
    /// The oscillator without damping and forcing; `alpha` and `beta` may be negative.
    ///
    /// # Errors
    /// If one of them is not finite.
    pub fn new(alpha: f64, beta: f64) -> Result<Self, SystemError> {
        let check = Constants("Duffing's oscillator");
        let (alpha, beta) = (check.finite("alpha", alpha)?, check.finite("beta", beta)?);
        Ok(Self { alpha, beta, ..Self::default() })
    }

    /// The same with damping.
    ///
    /// # Errors
    /// If `delta` is negative or not finite.
    pub fn with_damping(self, delta: f64) -> Result<Self, SystemError> {
        let delta = Constants("Duffing's oscillator").not_negative("delta", delta)?;
        Ok(Self { delta, ..self })
    }

    /// The same with the forcing `gamma cos(omega t)`.
    ///
    /// # Errors
    /// If one of them is not finite.
    pub fn with_forcing(self, gamma: f64, omega: f64) -> Result<Self, SystemError> {
        let check = Constants("Duffing's oscillator");
        let (gamma, omega) = (check.finite("gamma", gamma)?, check.finite("omega", omega)?);
        Ok(Self { gamma, omega, ..self })
    }
}

impl Default for Duffing {
    fn default() -> Self {
        Self { alpha: -1.0, beta: 1.0, delta: 0.0, gamma: 0.0, omega: 1.0 }
    }
}

impl AnalyticHamiltonian for Duffing {
    type State<L: Lane> = [L; 2];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[q, p]: &[L; 2]) -> L {
        let square = q * q;
        let well = L::constant(0.5 * self.alpha) + L::constant(0.25 * self.beta) * square;
        L::constant(0.5) * p * p + well * square
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, &[q, p]: &[L; 2]) -> [L; 2] {
        [(L::constant(self.alpha) + L::constant(self.beta) * q * q) * q, p]
    }
}

impl AnalyticField for Duffing {
    type State<L: Lane> = [L; 2];

    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, x: &[L; 2]) -> [L; 2] {
        let [dq, dp] = canonical(&self.gradient_lanes(x));
        let forcing = L::constant(self.gamma) * (L::constant(self.omega) * t).cos();
        [dq, dp - L::constant(self.delta) * x[1] + forcing]
    }
}
