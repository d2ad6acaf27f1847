//! Vector fields given by a formula, written once for every lane type.

use crate::lane::Dual;
use crate::simd::{Isa, Kernel, dispatch};
use crate::{
    AdaptiveRun, ExplicitRun, FieldError, Lane, Scalar, VectorField, Wide, Workspace, adaptive,
    fused,
};

/// The state of a system of fixed dimension, a lane a coordinate: `[L; D]`.
pub trait LaneState<L>: Copy + AsRef<[L]> + AsMut<[L]> {
    /// Dimension `D`.
    const DIM: usize;
    /// The state whose coordinate `i` is `f(i)`.
    fn from_fn(f: impl FnMut(usize) -> L) -> Self;
}

impl<L: Copy, const D: usize> LaneState<L> for [L; D] {
    const DIM: usize = D;
    #[inline(always)]
    fn from_fn(mut f: impl FnMut(usize) -> L) -> Self {
        const { assert!(D > 0, "a state needs a coordinate") };
        let mut state = [f(0); D];
        for i in 1..D {
            state[i] = f(i);
        }
        state
    }
}

/// A vector field given by a formula, written once over a lane type: from the one definition come
/// the scalar path, the SIMD path and, with dual numbers, exact derivatives.
///
/// Every `AnalyticField` is a [`VectorField`] for `f32` and `f64`.
///
/// ```
/// use hnn_integrators::{AnalyticField, Lane, VectorFieldExt};
/// /// theta'' = -sin theta, as (q, p).
/// struct Pendulum;
/// impl AnalyticField for Pendulum {
///     type State<L: Lane> = [L; 2];
///     #[inline(always)]
///     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
///         [*p, -q.sin()]
///     }
/// }
/// let dx: Vec<f64> = Pendulum.eval_state(0.0, &[0.5, 1.0])?;
/// assert_eq!(dx[0], 1.0);
/// assert!((dx[1] + 0.5f64.sin()).abs() < 1e-15);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
pub trait AnalyticField: Send + Sync {
    /// `[L; D]`.
    type State<L: Lane>: LaneState<L>;

    /// `f(t, x)`. Mark it `#[inline(always)]`: it is compiled for each instruction set.
    fn eval_lanes<L: Lane>(&self, t: L, x: &Self::State<L>) -> Self::State<L>;

    /// The vector-Jacobian product `(df/dx)^T v` at `(t, x)`. By dual numbers, up to four
    /// coordinates at a time, unless written by hand: gradients through long runs are then faster.
    ///
    /// ```
    /// use hnn_integrators::{AnalyticField, Lane};
    /// struct Pendulum;
    /// impl AnalyticField for Pendulum {
    ///     type State<L: Lane> = [L; 2];
    ///     #[inline(always)]
    ///     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
    ///         [*p, -q.sin()]
    ///     }
    ///     #[inline(always)]
    ///     fn vjp_lanes<L: Lane>(&self, _t: L, [q, _p]: &[L; 2], [a, b]: &[L; 2]) -> [L; 2] {
    ///         [-(q.cos() * *b), *a]
    ///     }
    /// }
    /// assert_eq!(Pendulum.vjp_lanes(0.0, &[0.0, 3.0], &[1.0, 2.0]), [-2.0, 1.0]);
    /// ```
    #[inline(always)]
    #[must_use]
    fn vjp_lanes<L: Lane>(&self, t: L, x: &Self::State<L>, v: &Self::State<L>) -> Self::State<L> {
        match <Self::State<L> as LaneState<L>>::DIM {
            1 => vjp_by_duals::<L, Self, 1>(self, t, x, v),
            2 => vjp_by_duals::<L, Self, 2>(self, t, x, v),
            3 => vjp_by_duals::<L, Self, 3>(self, t, x, v),
            _ => vjp_by_duals::<L, Self, 4>(self, t, x, v),
        }
    }
}

/// `(df/dx)^T v`, by the derivatives along `N` coordinates at a time.
#[inline(always)]
fn vjp_by_duals<L: Lane, F: AnalyticField + ?Sized, const N: usize>(
    field: &F,
    t: L,
    x: &F::State<L>,
    v: &F::State<L>,
) -> F::State<L> {
    let (mut product, v) = (*v, v.as_ref());
    for first in (0..v.len()).step_by(N) {
        let point = F::State::<Dual<L, N>>::from_fn(|i| {
            Dual::variable(x.as_ref()[i], i.wrapping_sub(first))
        });
        let slope = field.eval_lanes(Dual::fixed(t), &point);
        for k in first..v.len().min(first + N) {
            let mut sum = slope.as_ref()[0].tangent[k - first] * v[0];
            for i in 1..v.len() {
                sum = slope.as_ref()[i].tangent[k - first].mul_add(v[i], sum);
            }
            product.as_mut()[k] = sum;
        }
    }
    product
}

impl<T: Scalar, F: AnalyticField> VectorField<T> for F {
    fn dim(&self) -> usize {
        <F::State<T> as LaneState<T>>::DIM
    }

    fn eval(
        &self,
        t: &[T],
        x: &[T],
        dx: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(VectorField::<T>::dim(self) * t.len(), slices)?;
        dispatch(EvalBatch { field: self, t, x, dx });
        Ok(())
    }

    fn advance_explicit(&self, run: &mut ExplicitRun<'_, T>) -> bool {
        fused::advance(self, run)
    }

    fn solve_adaptive(&self, run: &mut AdaptiveRun<'_, T>) -> bool {
        adaptive::fused::solve(self, run)
    }

    /// Lanes are refilled from the block, so it should be much longer than a vector.
    fn block_len(&self) -> usize {
        1024
    }
}

struct EvalBatch<'a, T, F> {
    field: &'a F,
    t: &'a [T],
    x: &'a [T],
    dx: &'a mut [T],
}

impl<T: Scalar, F: AnalyticField> Kernel for EvalBatch<'_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        let batch = self.t.len();
        let whole = batch - batch % 16;
        for row in (0..whole).step_by(16) {
            self.eval_at::<I, 16>(row);
        }
        for row in whole..batch {
            self.eval_at::<I, 1>(row);
        }
    }
}

impl<T: Scalar, F: AnalyticField> EvalBatch<'_, T, F> {
    #[inline(always)]
    fn eval_at<I: Isa, const W: usize>(&mut self, row: usize) {
        let batch = self.t.len();
        let t = Wide::<T, W, I>::load(&self.t[row..]);
        let x = F::State::from_fn(|i| Wide::<T, W, I>::load(&self.x[i * batch + row..]));
        let dx = self.field.eval_lanes(t, &x);
        for (i, lane) in dx.as_ref().iter().enumerate() {
            lane.store(&mut self.dx[i * batch + row..]);
        }
    }
}
