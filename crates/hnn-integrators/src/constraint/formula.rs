//! Holonomic constraints given by formulas.

use crate::lane::Dual;
use crate::{Lane, LaneState};

/// Holonomic constraints `Phi(q) = 0` of `n` positions, `C` of them, given by a formula that is
/// written once for every lane type. Exact derivatives of any order come from it by dual numbers.
///
/// ```
/// use hnn_integrators::{Constraint, Lane};
/// /// A bead on the parabola `y = x^2`.
/// struct Wire;
/// impl Constraint for Wire {
///     type Position<L: Lane> = [L; 2];
///     type Values<E: Copy> = [E; 1];
///     fn values_lanes<L: Lane>(&self, [x, y]: &[L; 2]) -> [L; 1] {
///         [*y - *x * *x]
///     }
/// }
/// assert_eq!(Wire.jacobian_lanes(&[3.0, 9.0]), [[-6.0, 1.0]]);
/// ```
///
/// They have to be independent where a system goes: the rows of `D Phi` must not be linear
/// combinations of each other.
pub trait Constraint: Send + Sync {
    /// `[L; n]`.
    type Position<L: Lane>: LaneState<L>;

    /// `[E; C]`: numbers, or rows of a matrix.
    type Values<E: Copy>: LaneState<E>;

    /// `Phi(q)`. Mark it `#[inline(always)]` if it is short.
    fn values_lanes<L: Lane>(&self, q: &Self::Position<L>) -> Self::Values<L>;

    /// `D Phi(q)`, a row a constraint; by dual numbers unless a formula is given, which is faster.
    #[inline(always)]
    fn jacobian_lanes<L: Lane>(&self, q: &Self::Position<L>) -> Self::Values<Self::Position<L>> {
        let zeros = Self::Position::from_fn(|_| L::constant(0.0));
        let mut jacobian = Self::Values::from_fn(|_| zeros);
        let n = zeros.as_ref().len();
        for first in (0..n).step_by(2) {
            let variable = |i: usize| Dual::<L, 2>::variable(q.as_ref()[i], i.wrapping_sub(first));
            let values = self.values_lanes(&Self::Position::from_fn(variable));
            for (row, value) in jacobian.as_mut().iter_mut().zip(values.as_ref()) {
                for (k, entry) in row.as_mut()[first..n.min(first + 2)].iter_mut().enumerate() {
                    *entry = value.tangent[k];
                }
            }
        }
        jacobian
    }
}
