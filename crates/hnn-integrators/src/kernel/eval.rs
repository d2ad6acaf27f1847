//! The field itself, and its vector-Jacobian product.

use super::lanes::{LaneKernel, dispatch_lanes};
use super::state::{load, store};
use crate::simd::Isa;
use crate::{AnalyticField, LaneState, Scalar, Wide};

/// `dx = f(t, x)`; says whether the slices go together.
pub fn eval<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    t: &[T],
    x: &[T],
    dx: &mut [T],
) -> bool {
    let len = <F::State<T> as LaneState<T>>::DIM * t.len();
    let fits = x.len() == len && dx.len() == len;
    if fits {
        dispatch_lanes(t.len(), Eval { field, t, x, dx });
    }
    fits
}

struct Eval<'a, T, F: ?Sized> {
    field: &'a F,
    t: &'a [T],
    x: &'a [T],
    dx: &'a mut [T],
}

impl<T: Scalar, F: AnalyticField + ?Sized> LaneKernel<T> for Eval<'_, T, F> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let batch = self.t.len();
        let mut row = 0;
        while row < batch {
            let t = Wide::<T, W, I>::load_padded(&self.t[row..]);
            let x = load::<T, F::State<_>, I, W>(self.x, batch, row);
            store::<T, F::State<_>, I, W>(&self.field.eval_lanes(t, &x), self.dx, batch, row);
            row += W;
        }
    }
}

/// `x_bar = (df/dx)^T v`; says whether the slices go together.
pub fn pull_back<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    t: &[T],
    x: &[T],
    v: &[T],
    x_bar: &mut [T],
) -> bool {
    let len = <F::State<T> as LaneState<T>>::DIM * t.len();
    let fits = x.len() == len && v.len() == len && x_bar.len() == len;
    if fits {
        dispatch_lanes(t.len(), PullBack { field, t, x, v, x_bar });
    }
    fits
}

struct PullBack<'a, T, F: ?Sized> {
    field: &'a F,
    t: &'a [T],
    x: &'a [T],
    v: &'a [T],
    x_bar: &'a mut [T],
}

impl<T: Scalar, F: AnalyticField + ?Sized> LaneKernel<T> for PullBack<'_, T, F> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let batch = self.t.len();
        let mut row = 0;
        while row < batch {
            let t = Wide::<T, W, I>::load_padded(&self.t[row..]);
            let x = load::<T, F::State<_>, I, W>(self.x, batch, row);
            let v = load::<T, F::State<_>, I, W>(self.v, batch, row);
            let bar = self.field.vjp_lanes(t, &x, &v);
            store::<T, F::State<_>, I, W>(&bar, self.x_bar, batch, row);
            row += W;
        }
    }
}
