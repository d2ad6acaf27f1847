//! Arithmetic on states in lanes.
//!
//! Loops here, not closures: a closure that is not inlined is compiled for the baseline.

use std::marker::PhantomData;

use crate::lane::Aligned;
use crate::simd::Isa;
use crate::{Lane, LaneState, Scalar, Wide};

/// Stages that kernels have room for; longer methods step through slices.
pub(crate) const MOST_STAGES: usize = 16;

/// A statement for each of the coordinates of a state, number `i`. Those of few are written out: the
/// compiler takes a loop apart last, and has it with it through all that it does before.
macro_rules! for_each_coordinate {
    ($state:ty, $i:ident => $body:block) => {
        match $crate::kernel::WrittenOut::<$state, _>::COORDINATES {
            1 => {
                let $i = 0;
                $body
            }
            2 => {
                {
                    let $i = 0;
                    $body
                }
                let $i = 1;
                $body
            }
            _ => {
                for $i in 0..<$state as $crate::LaneState<_>>::DIM {
                    $body
                }
            }
        }
    };
}
pub(crate) use for_each_coordinate;

/// Of how many coordinates a state is, if they are to be written out.
pub(crate) struct WrittenOut<S, L>(PhantomData<(S, L)>);

impl<L, S: LaneState<L>> WrittenOut<S, L> {
    /// Not those of a state as small as a pointer: functions return it as one integer, and the compiler
    /// would keep it so, to take it apart at every use.
    pub(crate) const COORDINATES: usize =
        if size_of::<S>() > size_of::<usize>() { S::DIM } else { 0 };
}

/// The states of the rows from `row` on, side by side.
#[inline(always)]
pub fn load<T: Scalar, S: LaneState<Wide<T, W, I>>, I: Isa, const W: usize>(
    x: &[T],
    batch: usize,
    row: usize,
) -> S {
    let mut state = zero::<Wide<T, W, I>, S>();
    let lanes = state.as_mut();
    for_each_coordinate!(S, i => {
        lanes[i] = Wide::load_padded(&x[i * batch + row..(i + 1) * batch]);
    });
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
    let lanes = state.as_ref();
    for_each_coordinate!(S, i => {
        lanes[i].store_padded(&mut out[i * batch + row..(i + 1) * batch]);
    });
}

/// `x + h k`.
#[inline(always)]
pub(crate) fn along<L: Lane, S: LaneState<L>>(x: &S, h: L, k: &S) -> S {
    let mut end = *x;
    for_each_coordinate!(S, i => {
        end.as_mut()[i] = h.mul_add(k.as_ref()[i], x.as_ref()[i]);
    });
    end
}

/// `a + b`.
#[inline(always)]
pub(crate) fn added<L: Lane, S: LaneState<L>>(a: &S, b: &S) -> S {
    let mut sum = *a;
    for_each_coordinate!(S, i => {
        sum.as_mut()[i] += b.as_ref()[i];
    });
    sum
}

/// `weight x`.
#[inline(always)]
pub(crate) fn scaled<L: Lane, S: LaneState<L>>(weight: L, x: &S) -> S {
    let mut product = *x;
    for_each_coordinate!(S, i => {
        product.as_mut()[i] *= weight;
    });
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
    let (count, mut j) = (weights.len().min(slopes.len()), 0);
    while j < count {
        if weights[j] != 0.0 {
            sum = along::<L, _>(&sum, L::constant(weights[j]), &slopes[j]);
        }
        j += 1;
    }
    sum
}
