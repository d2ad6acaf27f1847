//! Friction proportional to the momentum, for any canonical system.

use hnn_integrators::kernel::Job;
use hnn_integrators::{AnalyticField, Lane, LaneState};

use super::Pendulum;
use crate::analytic::canonical_vjp;
use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError, canonical};

/// A canonical system with friction: `q' = dH/dp`, `p' = -dH/dq - lambda p`.
///
/// Its energy is that of the system without friction; it falls at the rate
/// `lambda p . dH/dp`.
///
/// | constant | meaning | unit |
/// |---|---|---|
/// | `lambda` | damping rate | 1/s |
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::{Damped, Spring};
/// let spring = Damped::from_system(Spring::new(1.0, 4.0)?, 0.5)?;
/// let dx: Vec<f64> = spring.eval_state(0.0, &[1.0, 2.0])?;
/// assert_eq!(dx, [2.0, -4.0 - 0.5 * 2.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Damped<H> {
    system: H,
    lambda: f64,
}

impl<H: AnalyticHamiltonian> Damped<H> {
    /// Puts friction of rate `lambda` on a system.
    ///
    /// # Errors
    /// If `lambda` is negative or not finite.
    pub fn from_system(system: H, lambda: f64) -> Result<Self, SystemError> {
        let lambda = Constants("damped system").not_negative("lambda", lambda)?;
        Ok(Self { system, lambda })
    }

    /// The system without its friction.
    pub fn conservative(&self) -> &H {
        &self.system
    }

    /// The damping rate.
    #[must_use]
    pub fn lambda(&self) -> f64 {
        self.lambda
    }
}

impl<H: AnalyticHamiltonian> AnalyticHamiltonian for Damped<H> {
    type State<L: Lane> = H::State<L>;

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, x: &H::State<L>) -> L {
        self.system.energy_lanes(x)
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &H::State<L>) -> H::State<L> {
        self.system.gradient_lanes(x)
    }
}

impl<H: AnalyticHamiltonian> AnalyticField for Damped<H> {
    type State<L: Lane> = H::State<L>;

    fn kernel_f32(&self, job: &mut Job<'_, f32>) -> bool {
        H::damped_kernel_f32(self, job)
    }

    fn kernel_f64(&self, job: &mut Job<'_, f64>) -> bool {
        H::damped_kernel_f64(self, job)
    }

    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, x: &H::State<L>) -> H::State<L> {
        let mut dx = canonical(&self.system.gradient_lanes(x));
        let lambda = L::constant(self.lambda);
        for i in <H::State<L> as LaneState<L>>::DIM / 2..<H::State<L> as LaneState<L>>::DIM {
            dx.as_mut()[i] -= lambda * x.as_ref()[i];
        }
        dx
    }

    #[inline(always)]
    fn vjp_lanes<L: Lane>(&self, _t: L, x: &H::State<L>, v: &H::State<L>) -> H::State<L> {
        let mut bar = canonical_vjp(&self.system, x, v);
        let lambda = L::constant(self.lambda);
        for i in <H::State<L> as LaneState<L>>::DIM / 2..<H::State<L> as LaneState<L>>::DIM {
            bar.as_mut()[i] -= lambda * v.as_ref()[i];
        }
        bar
    }
}

/// Damped pendulum: `theta'' + lambda theta' + omega^2 sin theta = 0`.
///
/// In the coordinates of the HNN paper, `q = theta`, `p = theta' / 2`: `q' = 2 p`,
/// `p' = -(omega^2 / 2) sin q - lambda p`, with the pendulum's energy
/// `H = (omega^2 / 2) (1 - cos q) + p^2`. The default is `lambda = 0.1`, `omega^2 = 6`.
///
/// For other coordinates put friction on a [`Pendulum`] by [`Damped::from_system`].
pub type DampedPendulum = Damped<Pendulum>;

impl DampedPendulum {
    /// A damped pendulum of damping rate `lambda` (1/s) and `omega^2` (1/s^2).
    ///
    /// ```
    /// use hnn_integrators::VectorField;
    /// use hnn_systems::DampedPendulum;
    /// let pendulum = DampedPendulum::new(0.3, 6.0)?;
    /// let dx: Vec<f64> = pendulum.eval_state(0.0, &[0.0, 1.0])?;
    /// assert_eq!(dx, [2.0, -0.3]);
    /// assert!(DampedPendulum::new(f64::NAN, 6.0).is_err());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If `lambda` is negative or `omega^2` not positive, or one of them not finite.
    pub fn new(lambda: f64, omega_squared: f64) -> Result<Self, SystemError> {
        Self::from_system(Pendulum::from_omega_squared(omega_squared)?, lambda)
    }
}

impl Default for DampedPendulum {
    fn default() -> Self {
        Self { system: Pendulum::default(), lambda: 0.1 }
    }
}
