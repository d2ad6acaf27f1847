//! The stages of a step whose error is still to be judged.

use super::Stages;
use super::lanes::{LaneKernel, dispatch_lanes};
use super::state::{MOST_STAGES, along, load_aligned, store, weighted, zero};
use crate::lane::Aligned;
use crate::simd::Isa;
use crate::{AnalyticField, Lane, LaneState, Scalar, Wide};

pub(super) fn run<T: Scalar, F: AnalyticField + ?Sized>(
    field: &F,
    stages: &mut Stages<'_, T>,
) -> bool {
    let (dim, batch) = (<F::State<T> as LaneState<T>>::DIM, stages.t.len());
    let (len, count) = (dim * batch, stages.method.stages());
    let fits = stages.dt.len() == batch
        && stages.x.len() == len
        && stages.end.len() == len
        && stages.slopes.len() >= count * len
        && count <= MOST_STAGES;
    if fits {
        dispatch_lanes(batch, Run { field, stages });
    }
    fits
}

struct Run<'r, 'a, T, F: ?Sized> {
    field: &'r F,
    stages: &'r mut Stages<'a, T>,
}

impl<T: Scalar, F: AnalyticField + ?Sized> LaneKernel<T> for Run<'_, '_, T, F> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let Stages { method, t, dt, x, slopes, end } = self.stages;
        let (batch, len, count) = (t.len(), x.len(), method.stages());
        let mut kept = Aligned([zero::<Wide<T, W, I>, F::State<_>>(); MOST_STAGES]);
        let mut row = 0;
        while row < batch {
            let x = load_aligned::<T, F::State<_>, I, W>(x, batch, row).0;
            let t = Wide::<T, W, I>::load_padded(&t[row..]);
            let dt = Wide::<T, W, I>::load_padded(&dt[row..]);
            let mut newest = load_aligned::<T, F::State<_>, I, W>(&slopes[..len], batch, row).0;
            kept.0[0] = newest;
            let mut state = x;
            for i in 1..count {
                let sum = combined::<T, F, I, W>(method.row(i), &kept.0, &newest);
                state = along::<_, _>(&x, dt, &sum);
                let node = dt.mul_add(Wide::constant(method.c[i]), t);
                newest = self.field.eval_lanes(node, &state);
                // Or the compiler stores it in odd pieces.
                for slope in newest.as_mut() {
                    *slope = slope.in_step();
                }
                kept.0[i] = newest;
                let out = &mut slopes[i * len..(i + 1) * len];
                store::<T, F::State<_>, I, W>(&newest, out, batch, row);
            }
            store::<T, F::State<_>, I, W>(&state, end, batch, row);
            row += W;
        }
    }
}

/// `sum_j weights_j slopes_j`, the last slope being `newest`.
///
/// A trajectory alone would wait for its newest slope to come back from memory; where there are
/// many, registers for it are what is scarce.
#[inline(always)]
fn combined<T: Scalar, F: AnalyticField + ?Sized, I: Isa, const W: usize>(
    weights: &[f64],
    slopes: &[F::State<Wide<T, W, I>>],
    newest: &F::State<Wide<T, W, I>>,
) -> F::State<Wide<T, W, I>> {
    if W > 1 {
        return weighted::<_, _>(weights, slopes);
    }
    let Some((weight, earlier)) = weights.split_last() else { return zero() };
    let sum = weighted::<_, _>(earlier, slopes);
    if *weight == 0.0 { sum } else { along::<_, _>(&sum, Wide::constant(*weight), newest) }
}
