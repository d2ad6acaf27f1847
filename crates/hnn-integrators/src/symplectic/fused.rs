//! Many steps of a splitting method in one kernel: the state stays in registers.

use super::{AnalyticSeparable, Flow, Splitting};
use crate::fused::{along, side_by_side};
use crate::lane_kernel::{LaneKernel, dispatch_lanes};
use crate::simd::Isa;
use crate::{FieldError, Lane, LaneState, Scalar, Wide};

/// Equal steps of a splitting method over a batch of `B = t.len()` states.
#[derive(Debug)]
pub struct SplittingRun<'a, T> {
    /// The method.
    pub splitting: Splitting<'a>,
    /// Number of steps.
    pub steps: usize,
    /// Time of each row at the first step.
    pub t: &'a [T],
    /// Step size of each row.
    pub dt: &'a [T],
    /// The states, advanced in place: `D * B` numbers, coordinate-major.
    pub x: &'a mut [T],
}

/// Runs the steps in lanes; says whether the kernel could: the slices must go together.
pub(super) fn advance<T: Scalar, F: AnalyticSeparable>(
    field: &F,
    run: &mut SplittingRun<'_, T>,
) -> bool {
    let dim = 2 * <F::Half<T> as LaneState<T>>::DIM;
    let fits = FieldError::check_step(dim, (run.t, run.dt), [("the states", run.x.len())]).is_ok();
    if fits {
        dispatch_lanes(run.t.len(), Advance { field, run });
    }
    fits
}

struct Advance<'a, 'b, T, F> {
    field: &'a F,
    run: &'a mut SplittingRun<'b, T>,
}

impl<T: Scalar, F: AnalyticSeparable> LaneKernel<T> for Advance<'_, '_, T, F> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(mut self) {
        for row in (0..self.run.t.len()).step_by(W) {
            self.advance_at::<I, W>(row);
        }
    }
}

impl<T: Scalar, F: AnalyticSeparable> Advance<'_, '_, T, F> {
    #[inline(always)]
    fn advance_at<I: Isa, const W: usize>(&mut self, row: usize) {
        let (batch, n) = (self.run.t.len(), <F::Half<T> as LaneState<T>>::DIM);
        let of = |i: usize| i * batch + row..(i + 1) * batch;
        let t = Wide::<T, W, I>::load_padded(&self.run.t[row..]);
        let dt = Wide::<T, W, I>::load_padded(&self.run.dt[row..]);
        let (q, p) = self.run.x.split_at(n * batch);
        let mut q = side_by_side::<T, F::Half<_>, I, W>(q, batch, row).0;
        let mut p = side_by_side::<T, F::Half<_>, I, W>(p, batch, row).0;
        fly(self.field, &self.run.splitting, self.run.steps, t, dt, &mut q, &mut p);
        for i in 0..n {
            q.as_ref()[i].store_padded(&mut self.run.x[of(i)]);
            p.as_ref()[i].store_padded(&mut self.run.x[of(n + i)]);
        }
    }
}

/// Flows in pairs (the second kind, then the first), after an opening flow where steps merge.
#[inline(always)]
fn fly<L: Lane, F: AnalyticSeparable>(
    field: &F,
    splitting: &Splitting<'_>,
    steps: usize,
    t: L,
    dt: L,
    q: &mut F::Half<L>,
    p: &mut F::Half<L>,
) {
    let (merges, kick_first) = (splitting.merges(), splitting.first == Flow::Kick);
    let lengths = splitting.lengths;
    let (opening, pairs) = if merges { (lengths[0], &lengths[1..]) } else { (0.0, lengths) };
    let mut clock = 0.0;
    if merges && kick_first {
        kick(field, opening, t, dt, q, p);
    } else if merges {
        drift(field, opening, dt, q, p);
        clock = opening;
    }
    // After an opening kick the pairs are (drift, kick); an even method begins with its own kind.
    let drift_first = kick_first == merges;
    for step in 0..steps {
        for (k, pair) in pairs.chunks_exact(2).enumerate() {
            let closing = merges && step + 1 < steps && 2 * k + 2 == pairs.len();
            let second = if closing { pair[1] + opening } else { pair[1] };
            if drift_first {
                drift(field, pair[0], dt, q, p);
                clock += pair[0];
                let now = dt.mul_add(L::constant(clock), t);
                kick(field, second, now, dt, q, p);
            } else {
                let now = dt.mul_add(L::constant(clock), t);
                kick(field, pair[0], now, dt, q, p);
                drift(field, second, dt, q, p);
                clock += second;
            }
        }
    }
}

#[inline(always)]
fn drift<L: Lane, F: AnalyticSeparable>(
    field: &F,
    length: f64,
    dt: L,
    q: &mut F::Half<L>,
    p: &F::Half<L>,
) {
    *q = along::<L, _>(q, dt * L::constant(length), &field.velocity_lanes(p));
}

#[inline(always)]
fn kick<L: Lane, F: AnalyticSeparable>(
    field: &F,
    length: f64,
    now: L,
    dt: L,
    q: &F::Half<L>,
    p: &mut F::Half<L>,
) {
    *p = along::<L, _>(p, dt * L::constant(length), &field.force_lanes(now, q));
}
