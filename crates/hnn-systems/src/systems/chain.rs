//! Chains of masses and springs.

use std::f64::consts::PI;

use hnn_integrators::{AnalyticSeparable, Lane, LaneState};

use super::{canonical_field, separable_gradient};
use crate::error::Constants;
use crate::phase_space::weighted_squares;
use crate::{AnalyticHamiltonian, PhaseSpace, SystemError};

/// A chain of `N` equal masses joined by `N + 1` equal springs between two walls, linear or as of
/// Fermi, Pasta, Ulam and Tsingou.
///
/// `H = sum p_j^2 / (2 m) + sum_(j=0..N) (k r_j^2 / 2 + alpha r_j^3 / 3 + beta r_j^4 / 4)` with
/// the extensions `r_j = q_(j+1) - q_j`, `q_0 = q_(N+1) = 0`. State `[q_1..q_N, p_1..p_N]`.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `mass` | each mass `m` | kg | 1 |
/// | `stiffness` | each spring's `k` | N/m | 1 |
/// | `alpha` | quadratic force | N/m^2 | 0 |
/// | `beta` | cubic force | N/m^3 | 0 |
///
/// Source: Fermi, Pasta and Ulam, *Studies of nonlinear problems*, LA-1940 (1955); the linear
/// chain: Goldstein, *Classical Mechanics*, section 6.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::Chain;
/// let chain = Chain::<3>::default();
/// let dx: Vec<f64> = chain.eval_state(0.0, &[0.0, 1.0, 0.0, 0.0, 0.0, 2.0])?;
/// assert_eq!(dx, [0.0, 0.0, 2.0, 1.0, -2.0, 1.0]);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Chain<const N: usize> {
    mass: f64,
    stiffness: f64,
    alpha: f64,
    beta: f64,
}

impl<const N: usize> Chain<N> {
    /// A linear chain of the given mass and stiffness.
    ///
    /// # Errors
    /// If one of them is not finite and positive.
    pub fn new(mass: f64, stiffness: f64) -> Result<Self, SystemError> {
        let check = Constants("chain");
        let mass = check.positive("mass", mass)?;
        let stiffness = check.positive("stiffness", stiffness)?;
        Ok(Self { mass, stiffness, ..Self::default() })
    }

    /// The same with nonlinear springs, of Fermi, Pasta, Ulam and Tsingou's alpha and beta models.
    ///
    /// # Errors
    /// If `beta` is negative, or one of them not finite.
    pub fn with_nonlinearity(self, alpha: f64, beta: f64) -> Result<Self, SystemError> {
        let check = Constants("chain");
        let alpha = check.finite("alpha", alpha)?;
        Ok(Self { alpha, beta: check.not_negative("beta", beta)?, ..self })
    }

    /// Angular frequency of the linear chain's normal mode `k = 1..N`, in rad/s:
    /// `2 sqrt(k / m) sin(pi k / (2 (N + 1)))`.
    #[must_use]
    pub fn mode_frequency(&self, mode: usize) -> f64 {
        let quarter_turns = mode as f64 / (N + 1) as f64;
        2.0 * (self.stiffness / self.mass).sqrt() * (0.5 * PI * quarter_turns).sin()
    }

    /// Shape of the normal mode `k = 1..N`, of length 1:
    /// `q_j = sqrt(2 / (N + 1)) sin(pi j k / (N + 1))`.
    #[must_use]
    pub fn mode_shape(&self, mode: usize) -> [f64; N] {
        let (scale, turn) = ((2.0 / (N + 1) as f64).sqrt(), PI * mode as f64 / (N + 1) as f64);
        std::array::from_fn(|j| scale * ((j + 1) as f64 * turn).sin())
    }

    /// The springs' extensions at position `j = 0..=N`.
    #[inline(always)]
    fn extension<L: Lane>(q: &[L; N], j: usize) -> L {
        match j {
            0 => q[0],
            j if j == N => -q[N - 1],
            j => q[j] - q[j - 1],
        }
    }
}

impl<const N: usize> Default for Chain<N> {
    fn default() -> Self {
        const { assert!(N > 0, "a chain needs at least one mass") };
        Self { mass: 1.0, stiffness: 1.0, alpha: 0.0, beta: 0.0 }
    }
}

impl<const N: usize> AnalyticHamiltonian for Chain<N> {
    type State<L: Lane> = PhaseSpace<L, 1, N>;

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, x: &PhaseSpace<L, 1, N>) -> L {
        let [half_k, third, quarter] =
            [self.stiffness / 2.0, self.alpha / 3.0, self.beta / 4.0].map(L::constant);
        let mut energy = weighted_squares(x.momenta(), &[0.5 / self.mass; N]);
        for j in 0..=N {
            let r = Self::extension(&x.positions()[0], j);
            energy += (half_k + (third + quarter * r) * r) * r * r;
        }
        energy
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &PhaseSpace<L, 1, N>) -> PhaseSpace<L, 1, N> {
        separable_gradient(self, x)
    }
}

impl<const N: usize> AnalyticSeparable for Chain<N> {
    type Half<L: Lane> = [L; N];

    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &[L; N]) -> [L; N] {
        p.map(|p| L::constant(1.0 / self.mass) * p)
    }

    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, q: &[L; N]) -> [L; N] {
        let [k, alpha, beta] = [self.stiffness, self.alpha, self.beta].map(L::constant);
        let tension = |j| {
            let r = Self::extension(q, j);
            (k + (alpha + beta * r) * r) * r
        };
        let mut left = tension(0);
        LaneState::from_fn(|j| {
            let right = tension(j + 1);
            right - std::mem::replace(&mut left, right)
        })
    }
}

canonical_field!(Chain<N>, const N: usize);
