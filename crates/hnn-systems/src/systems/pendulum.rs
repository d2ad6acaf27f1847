//! The pendulum.

use hnn_integrators::kernel::{self, Job};
use hnn_integrators::{AnalyticSeparable, Lane};

use super::{DampedPendulum, canonical_field, separable_gradient};
use crate::error::Constants;
use crate::{AnalyticHamiltonian, SystemError};

/// Pendulum: `H = G (1 - cos q) + p^2 / (2 J)`, `q' = p / J`, `p' = -G sin q`.
///
/// `q` is the angle from the vertical down in rad, `p = J q'` the angular momentum. The default,
/// `J = 1/2` and `G = 3`, is `H = 3 (1 - cos q) + p^2` of the code of the HNN paper (Greydanus,
/// Dzamba and Yosinski 2019), that is `theta'' + 6 sin theta = 0` with `p = theta' / 2`.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `inertia` | moment of inertia `J = m l^2` | kg m^2 | 1/2 |
/// | `torque` | largest torque of the weight, `G = m g l` | N m | 3 |
///
/// ```
/// use hnn_systems::{Hamiltonian, Pendulum};
/// let upright = [std::f64::consts::PI, 0.0];
/// assert_eq!(Pendulum::default().energy_state(&upright)?, 6.0);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Pendulum {
    inertia: f64,
    torque: f64,
}

impl Pendulum {
    /// A pendulum of moment of inertia `J` and largest torque of the weight `G`.
    ///
    /// # Errors
    /// If one of them is not finite and positive.
    pub fn new(inertia: f64, torque: f64) -> Result<Self, SystemError> {
        let check = Constants("pendulum");
        Ok(Self {
            inertia: check.positive("inertia", inertia)?,
            torque: check.positive("torque", torque)?,
        })
    }

    /// `theta'' + omega^2 sin theta = 0` in the coordinates of the HNN paper, `p = theta' / 2`:
    /// `H = omega^2 (1 - cos q) / 2 + p^2`.
    ///
    /// # Errors
    /// If `omega^2` is not finite and positive.
    pub fn from_omega_squared(omega_squared: f64) -> Result<Self, SystemError> {
        let check = Constants("pendulum");
        let omega_squared = check.positive("omega squared", omega_squared)?;
        Self::new(0.5, 0.5 * omega_squared)
    }

    /// `omega^2 = G / J` of small oscillations, in 1/s^2.
    #[must_use]
    pub fn omega_squared(&self) -> f64 {
        self.torque / self.inertia
    }

    /// Energy of the separatrix, `2 G`: above it the pendulum turns over.
    #[must_use]
    pub fn separatrix_energy(&self) -> f64 {
        2.0 * self.torque
    }
}

impl Default for Pendulum {
    fn default() -> Self {
        Self { inertia: 0.5, torque: 3.0 }
    }
}

impl AnalyticHamiltonian for Pendulum {
    type State<L: Lane> = [L; 2];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[q, p]: &[L; 2]) -> L {
        let height = L::constant(1.0) - q.cos();
        L::constant(self.torque) * height + L::constant(0.5 / self.inertia) * p * p
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &[L; 2]) -> [L; 2] {
        separable_gradient(self, x)
    }

    #[inline(never)]
    fn damped_kernel_f32(damped: &DampedPendulum, job: &mut Job<'_, f32>) -> bool {
        kernel::run_essential(damped, job)
    }

    #[inline(never)]
    fn damped_kernel_f64(damped: &DampedPendulum, job: &mut Job<'_, f64>) -> bool {
        kernel::run(damped, job)
    }
}

impl AnalyticSeparable for Pendulum {
    hnn_integrators::compile_splitting_kernels!();
    type Half<L: Lane> = [L; 1];

    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, &[p]: &[L; 1]) -> [L; 1] {
        [L::constant(1.0 / self.inertia) * p]
    }

    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, &[q]: &[L; 1]) -> [L; 1] {
        [-(L::constant(self.torque) * q.sin())]
    }
}

canonical_field!(compiled Pendulum);
