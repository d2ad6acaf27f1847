//! The double pendulum, in canonical and in Lagrangian coordinates.

use hnn_integrators::{AnalyticField, FieldError, Lane, LaneState, Scalar, coordinate_major, rows};
use ndarray::{Array2, ArrayView2};

use super::canonical_field;
use crate::error::Constants;
use crate::hamiltonian::check_dimension;
use crate::{AnalyticHamiltonian, SystemError};

/// Double pendulum in canonical coordinates `x = [q1, q2, p1, p2]`: two point masses on massless
/// rods.
///
/// `q1, q2` are the rods' angles from the vertical down, in rad; `p = M(q) q'`, the mass matrix
///
/// `M = [A, B cos(q1 - q2); B cos(q1 - q2), C]` with `A = (m1 + m2) l1^2`, `B = m2 l1 l2`,
/// `C = m2 l2^2`;
///
/// `H = p^T M^-1 p / 2 - (m1 + m2) g l1 cos q1 - m2 g l2 cos q2`.
///
/// With unit masses and lengths `H = (p1^2 + 2 p2^2 - 2 p1 p2 cos(q1 - q2)) / (2 (1 +
/// sin^2(q1 - q2))) - 2 g cos q1 - g cos q2`, which lies between `-3 g` (at rest, hanging) and,
/// without motion, `3 g`.
///
/// | constant | meaning | unit | default |
/// |---|---|---|---|
/// | `masses` | `m1` (at the first rod's end), `m2` | kg | 1, 1 |
/// | `lengths` | `l1`, `l2` | m | 1, 1 |
/// | `gravity` | `g` | m/s^2 | 9.8 |
///
/// Source: Landau and Lifshitz, *Mechanics*, section 5, problem 1; the defaults are those of the
/// LNN paper (Cranmer et al. 2020).
///
/// ```
/// use hnn_systems::{DoublePendulum, Hamiltonian};
/// let system = DoublePendulum::default();
/// let energy: f64 = system.energy_state(&[0.0, 0.0, 0.0, 0.0])?;
/// assert!((energy + 3.0 * 9.8).abs() < 1e-14);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DoublePendulum {
    masses: [f64; 2],
    lengths: [f64; 2],
    gravity: f64,
}

impl DoublePendulum {
    /// A double pendulum of given masses, lengths and gravity.
    ///
    /// # Errors
    /// If a mass or length is not positive, gravity negative, or one of them not finite.
    pub fn new(masses: [f64; 2], lengths: [f64; 2], gravity: f64) -> Result<Self, SystemError> {
        let check = Constants("double pendulum");
        for (name, mass) in ["m1", "m2"].into_iter().zip(masses) {
            check.positive(name, mass)?;
        }
        for (name, length) in ["l1", "l2"].into_iter().zip(lengths) {
            check.positive(name, length)?;
        }
        Ok(Self { masses, lengths, gravity: check.not_negative("gravity", gravity)? })
    }

    /// The same pendulum in Lagrangian coordinates.
    #[must_use]
    pub fn lagrangian(self) -> LagrangianDoublePendulum {
        LagrangianDoublePendulum(self)
    }

    /// Canonical states `[q, p]`, a row a state, of Lagrangian ones `[q, v]`: `p = M(q) v`.
    ///
    /// # Errors
    /// If the rows have not 4 numbers.
    pub fn to_canonical<T: Scalar>(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        map_rows(x, |x| self.momenta(&x))
    }

    /// Lagrangian states `[q, v]`, a row a state, of canonical ones `[q, p]`: `v = M(q)^-1 p`.
    ///
    /// # Errors
    /// If the rows have not 4 numbers.
    pub fn to_lagrangian<T: Scalar>(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        map_rows(x, |x| self.velocities(&x))
    }

    /// `[q, p]` of `[q, v]`: `p = M(q) v`.
    #[inline(always)]
    pub fn momenta<L: Lane>(&self, &[q1, q2, v1, v2]: &[L; 4]) -> [L; 4] {
        let [a, b, c] = self.inertia().map(L::constant);
        let b = b * (q1 - q2).cos();
        [q1, q2, a * v1 + b * v2, b * v1 + c * v2]
    }

    /// `[q, v]` of `[q, p]`: `v = M(q)^-1 p`.
    #[inline(always)]
    pub fn velocities<L: Lane>(&self, &[q1, q2, p1, p2]: &[L; 4]) -> [L; 4] {
        let [v1, v2] = self.solve((q1 - q2).cos(), [p1, p2]);
        [q1, q2, v1, v2]
    }

    /// `A`, `B` and `C` of the mass matrix.
    #[inline(always)]
    fn inertia(&self) -> [f64; 3] {
        let ([m1, m2], [l1, l2]) = (self.masses, self.lengths);
        [(m1 + m2) * l1 * l1, m2 * l1 * l2, m2 * l2 * l2]
    }

    /// The largest torques of the weights, `(m1 + m2) g l1` and `m2 g l2`.
    #[inline(always)]
    fn torques(&self) -> [f64; 2] {
        let ([m1, m2], [l1, l2]) = (self.masses, self.lengths);
        [(m1 + m2) * self.gravity * l1, m2 * self.gravity * l2]
    }

    #[inline(always)]
    fn potential<L: Lane>(&self, q1: L, q2: L) -> L {
        let [g1, g2] = self.torques().map(L::constant);
        -(g1 * q1.cos() + g2 * q2.cos())
    }

    /// `M^-1 y`, where `cos` is that of `q1 - q2`.
    #[inline(always)]
    fn solve<L: Lane>(&self, cos: L, [y1, y2]: [L; 2]) -> [L; 2] {
        let [a, b, c] = self.inertia();
        let determinant = L::constant(a * c) - L::constant(b * b) * cos * cos;
        let (scale, b) = (L::constant(1.0) / determinant, L::constant(b) * cos);
        [(L::constant(c) * y1 - b * y2) * scale, (L::constant(a) * y2 - b * y1) * scale]
    }
}

impl Default for DoublePendulum {
    fn default() -> Self {
        Self { masses: [1.0; 2], lengths: [1.0; 2], gravity: 9.8 }
    }
}

impl AnalyticHamiltonian for DoublePendulum {
    type State<L: Lane> = [L; 4];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, &[q1, q2, p1, p2]: &[L; 4]) -> L {
        let [v1, v2] = self.solve((q1 - q2).cos(), [p1, p2]);
        L::constant(0.5) * (p1 * v1 + p2 * v2) + self.potential(q1, q2)
    }

    /// `dH/dp = v`, and `dH/dq` from `dT/dq` at constant momenta, which is minus the one at
    /// constant velocities.
    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, &[q1, q2, p1, p2]: &[L; 4]) -> [L; 4] {
        let ((s1, c1), (s2, c2)) = (q1.sin_cos(), q2.sin_cos());
        let (sin, cos) = (s1 * c2 - c1 * s2, c1 * c2 + s1 * s2);
        let [v1, v2] = self.solve(cos, [p1, p2]);
        let coupling = L::constant(self.inertia()[1]) * v1 * v2 * sin;
        let [g1, g2] = self.torques().map(L::constant);
        [coupling + g1 * s1, g2 * s2 - coupling, v1, v2]
    }
}

canonical_field!(DoublePendulum);

/// Double pendulum in Lagrangian coordinates `x = [q1, q2, v1, v2]`, `v = q'`: the same physics
/// as [`DoublePendulum`], whose constants it has.
///
/// `L = v^T M(q) v / 2 + (m1 + m2) g l1 cos q1 + m2 g l2 cos q2`. Its energy is `v . dL/dv - L`,
/// the Hamiltonian's value.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_systems::DoublePendulum;
/// let system = DoublePendulum::default().lagrangian();
/// // Let go with both rods to the right: the inner end falls with g, the outer one follows.
/// let half = std::f64::consts::FRAC_PI_2;
/// let dx: Vec<f64> = system.eval_state(0.0, &[half, half, 0.0, 0.0])?;
/// assert!((dx[2] + 9.8).abs() < 1e-12 && dx[3].abs() < 1e-12);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct LagrangianDoublePendulum(DoublePendulum);

impl LagrangianDoublePendulum {
    /// The same pendulum in canonical coordinates, which converts states between the two.
    #[must_use]
    pub fn canonical(self) -> DoublePendulum {
        self.0
    }

    /// The Lagrangian `L(q, v)`.
    #[inline(always)]
    pub fn lagrangian_lanes<L: Lane>(&self, x: &[L; 4]) -> L {
        self.kinetic(x) - self.0.potential(x[0], x[1])
    }

    #[inline(always)]
    fn kinetic<L: Lane>(&self, &[q1, q2, v1, v2]: &[L; 4]) -> L {
        let [a, b, c] = self.0.inertia().map(L::constant);
        let squares = a * v1 * v1 + c * v2 * v2;
        L::constant(0.5) * squares + b * (q1 - q2).cos() * v1 * v2
    }
}

impl AnalyticField for LagrangianDoublePendulum {
    type State<L: Lane> = [L; 4];

    /// `M a = (-B s v2^2 - (m1 + m2) g l1 sin q1, B s v1^2 - m2 g l2 sin q2)`, `s = sin(q1 - q2)`.
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, &[q1, q2, v1, v2]: &[L; 4]) -> [L; 4] {
        let ((s1, c1), (s2, c2)) = (q1.sin_cos(), q2.sin_cos());
        let (sin, cos) = (s1 * c2 - c1 * s2, c1 * c2 + s1 * s2);
        let b = L::constant(self.0.inertia()[1]) * sin;
        let [g1, g2] = self.0.torques().map(L::constant);
        let [a1, a2] = self.0.solve(cos, [-(b * v2 * v2 + g1 * s1), b * v1 * v1 - g2 * s2]);
        [v1, v2, a1, a2]
    }
}

impl AnalyticHamiltonian for LagrangianDoublePendulum {
    type State<L: Lane> = [L; 4];

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, x: &[L; 4]) -> L {
        self.kinetic(x) + self.0.potential(x[0], x[1])
    }
}

/// Applies a map of states to every row.
fn map_rows<T: Scalar>(
    x: ArrayView2<'_, T>,
    map: impl Fn([T; 4]) -> [T; 4],
) -> Result<Array2<T>, FieldError> {
    check_dimension(4, x.ncols())?;
    let (batch, mut lanes) = (x.nrows(), coordinate_major(x));
    for row in 0..batch {
        let y = map(<[T; 4]>::from_fn(|i| lanes[i * batch + row]));
        (0..4).for_each(|i| lanes[i * batch + row] = y[i]);
    }
    Ok(rows(&lanes, batch, 4))
}
