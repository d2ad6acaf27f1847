//! Arithmetic on states in lanes.
//!
//! Loops here, not closures: a closure that is not inlined is compiled for the baseline.

use crate::lane::Aligned;
use crate::simd::Isa;
use crate::{Lane, LaneState, Scalar, Wide};

/// Stages that kernels have room for; longer methods step through slices.
pub(crate) const MOST_STAGES: usize = 16;

/// The states of the rows from `row` on, side by side.
#[inline(always)]
pub fn load<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    x: &[T],
    batch: usize,
    row: usize,
) -> S {
    let mut state = zero::<Wide<T, W, I>, S>();
    for i in 0..S::DIM {
        state.as_mut()[i] = Wide::load_padded(&x[i * batch + row..(i + 1) * batch]);
    }
    state
}

/// As [`load`], but not inlined, so that the caller has an aligned variable on its stack (see
/// [`Aligned`]).
#[inline(never)]
pub(crate) fn load_aligned<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    x: &[T],
    batch: usize,
    row: usize,
) -> Aligned<S> {
    Aligned(load::<T, S, I, W>(x, batch, row))
}

/// Writes the states to the rows from `row` on.
#[inline(always)]
pub fn store<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    state: &S,
    out: &mut [T],
    batch: usize,
    row: usize,
) {
    for i in 0..S::DIM {
        state.as_ref()[i].store_padded(&mut out[i * batch + row..(i + 1) * batch]);
    }
}

/// `x + h k`.
#[inline(always)]
pub(crate) fn along<L: Lane, S: LaneState<L>>(x: &S, h: L, k: &S) -> S {
    let (mut sum, k) = (*x, k.as_ref());
    for i in 0..S::DIM {
        let x = &mut sum.as_mut()[i];
        *x = h.mul_add(k[i], *x);
    }
    sum
}

/// `a + b`.
#[inline(always)]
pub(crate) fn added<L: Lane, S: LaneState<L>>(a: &S, b: &S) -> S {
    let mut sum = *a;
    for i in 0..S::DIM {
        sum.as_mut()[i] += b.as_ref()[i];
    }
    sum
}

/// `weight x`.
#[inline(always)]
pub(crate) fn scaled<L: Lane, S: LaneState<L>>(weight: L, x: &S) -> S {
    let mut product = *x;
    for i in 0..S::DIM {
        product.as_mut()[i] *= weight;
    }
    product
}

/// 0.
#[inline(always)]
pub(crate) fn zero<L: Lane, S: LaneState<L>>() -> S {
    S::from_fn(|_| L::constant(0.0))
}

/// `sum_j weights_j slopes_j`; stages of weight 0 are skipped.
#[inline(always)]
pub(crate) fn weighted<L: Lane, S: LaneState<L>>(weights: &[f64], slopes: &[S]) -> S {
    let mut sum = zero::<L, S>();
    for j in 0..weights.len().min(slopes.len()) {
        if weights[j] != 0.0 {
            sum = along::<L, _>(&sum, L::constant(weights[j]), &slopes[j]);
        }
    }
    sum
}
