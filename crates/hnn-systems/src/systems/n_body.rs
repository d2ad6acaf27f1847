//! Bodies that attract each other.

use hnn_integrators::{AnalyticSeparable, Lane};

use super::{canonical_field, separable_gradient};
use crate::error::Constants;
use crate::phase_space::weighted_squares;
use crate::{AnalyticHamiltonian, Particles, PhaseSpace, SystemError};

/// `N` bodies in `D` dimensions that attract each other by gravity:
/// `H = sum_i |p_i|^2 / (2 m_i) - sum_(i<j) G m_i m_j / sqrt(|q_i - q_j|^2 + eps^2)`.
///
/// The state goes axis by axis, `[x_1..x_N, y_1..y_N, .., px_1..px_N, py_1..py_N, ..]`, as in the
/// data of the HNN paper's code (Greydanus, Dzamba and Yosinski 2019), whose two and three bodies
/// in the plane the defaults are.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `masses` | `m_i` | kg | 1 each |
/// | `gravity` | `G` | N m^2/kg^2 | 1 |
/// | `softening` | `eps`, the distance below which the attraction fades | m | 0 |
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::NBody;
/// // Two bodies at x = -1, 1: each is pulled by 1/4.
/// let dx: Vec<f64> = NBody::<2>::default().eval_state(0.0, &[-1.0, 1.0, 0.0, 0.0, 0.0, 0.0, 0.5, -0.5])?;
/// assert_eq!(dx, [0.0, 0.0, 0.5, -0.5, 0.25, -0.25, 0.0, 0.0]);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct NBody<const N: usize, const D: usize = 2> {
    masses: [f64; N],
    gravity: f64,
    softening: f64,
}

impl<const N: usize, const D: usize> NBody<N, D> {
    /// Bodies of the given masses, with the constant of gravity `G`, without softening.
    ///
    /// # Errors
    /// If one of them is not finite and positive.
    pub fn new(masses: [f64; N], gravity: f64) -> Result<Self, SystemError> {
        let check = Constants("N-body problem");
        for mass in masses {
            check.positive("mass", mass)?;
        }
        Ok(Self { masses, gravity: check.positive("gravity", gravity)?, softening: 0.0 })
    }

    /// The same with softened encounters.
    ///
    /// # Errors
    /// If the softening is negative or not finite.
    pub fn with_softening(self, softening: f64) -> Result<Self, SystemError> {
        let softening = Constants("N-body problem").not_negative("softening", softening)?;
        Ok(Self { softening, ..self })
    }

    /// Each pair of bodies once, with `G m_i m_j`.
    #[inline(always)]
    fn pairs(&self) -> impl Iterator<Item = (usize, usize, f64)> {
        (0..N).flat_map(move |i| {
            (i + 1..N).map(move |j| (i, j, self.gravity * self.masses[i] * self.masses[j]))
        })
    }

    /// `q_j - q_i`, and its square plus the softening's.
    #[inline(always)]
    fn separation<L: Lane>(&self, q: &[[L; N]; D], i: usize, j: usize) -> ([L; D], L) {
        let between = q.map(|axis| axis[j] - axis[i]);
        let mut square = L::constant(self.softening * self.softening);
        for r in between {
            square += r * r;
        }
        (between, square)
    }
}

impl<const N: usize, const D: usize> Default for NBody<N, D> {
    fn default() -> Self {
        Self { masses: [1.0; N], gravity: 1.0, softening: 0.0 }
    }
}

impl<const N: usize, const D: usize> AnalyticHamiltonian for NBody<N, D> {
    type State<L: Lane> = PhaseSpace<L, D, N>;

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, x: &PhaseSpace<L, D, N>) -> L {
        let mut energy = weighted_squares(x.momenta(), &self.masses.map(|m| 0.5 / m));
        for (i, j, strength) in self.pairs() {
            let (_, square) = self.separation(x.positions(), i, j);
            energy -= L::constant(strength) / square.sqrt();
        }
        energy
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &PhaseSpace<L, D, N>) -> PhaseSpace<L, D, N> {
        separable_gradient(self, x)
    }
}

impl<const N: usize, const D: usize> AnalyticSeparable for NBody<N, D> {
    type Half<L: Lane> = Particles<L, D, N>;

    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &Particles<L, D, N>) -> Particles<L, D, N> {
        let mut velocity = *p;
        for axis in &mut velocity.0 {
            for i in 0..N {
                axis[i] = L::constant(1.0 / self.masses[i]) * axis[i];
            }
        }
        velocity
    }

    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, q: &Particles<L, D, N>) -> Particles<L, D, N> {
        let mut force = [[L::constant(0.0); N]; D];
        for (i, j, strength) in self.pairs() {
            let (between, square) = self.separation(&q.0, i, j);
            let pull = L::constant(strength) / (square * square.sqrt());
            for (axis, r) in between.into_iter().enumerate() {
                force[axis][i] += pull * r;
                force[axis][j] -= pull * r;
            }
        }
        Particles(force)
    }
}

canonical_field!(NBody<N, D>, const N: usize, const D: usize);
