//! Adaptive integration in lanes: every lane carries a trajectory with its own time and step
//! size, and takes up the next trajectory when its own is done.

use super::AdaptiveRun;
use super::control::Controller;
use crate::fused::{along, weighted};
use crate::lane_kernel::{LaneKernel, dispatch_lanes};
use crate::simd::Isa;
use crate::{AnalyticField, Lane, LaneState, Scalar, Wide};

/// Stages that the lanes have room for.
pub(super) const MOST_STAGES: usize = 16;

/// Runs the block in lanes; says whether it could.
pub(crate) fn solve<T: Scalar, F: AnalyticField>(field: &F, run: &mut AdaptiveRun<'_, T>) -> bool {
    if run.pair.tableau.stages() + run.pair.extra.len() > MOST_STAGES {
        return false;
    }
    dispatch_lanes(run.x0.nrows(), Solve { field, run });
    true
}

struct Solve<'r, 'a, T, F> {
    field: &'r F,
    run: &'r mut AdaptiveRun<'a, T>,
}

impl<T: Scalar, F: AnalyticField> LaneKernel<T> for Solve<'_, '_, T, F> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        Slots::<T, F, I, W>::new(self.field, self.run).fly();
    }
}

/// `W` trajectories side by side.
pub(super) struct Slots<'r, 'a, T: Scalar, F: AnalyticField, I: Isa, const W: usize> {
    pub(super) field: &'r F,
    pub(super) run: &'r mut AdaptiveRun<'a, T>,
    pub(super) control: Controller,
    /// The next trajectory to take up.
    pub(super) waiting: usize,
    /// Slots in use.
    pub(super) active: usize,
    /// Trajectory of each slot, and its next time to save.
    pub(super) index: [Option<usize>; W],
    pub(super) next: [usize; W],
    pub(super) t: Wide<T, W, I>,
    pub(super) h: Wide<T, W, I>,
    pub(super) end: Wide<T, W, I>,
    pub(super) next_time: Wide<T, W, I>,
    pub(super) sign: Wide<T, W, I>,
    /// Logarithm of the last accepted error.
    pub(super) log_previous: Wide<T, W, I>,
    /// How much the step may grow: nothing after a rejection.
    pub(super) growth: Wide<T, W, I>,
    pub(super) x: F::State<Wide<T, W, I>>,
    pub(super) slopes: [F::State<Wide<T, W, I>>; MOST_STAGES],
    /// Steps tried by every slot since the block began.
    pub(super) round: usize,
    /// The round in which a slot makes its last step, if its trajectory has not ended by then.
    pub(super) deadline: usize,
    /// Of the trajectory in each slot: the round that it began with, and its rejected steps.
    pub(super) since: [usize; W],
    pub(super) rejected: [usize; W],
}

/// A step that all lanes tried.
pub(super) type LaneTry<T, F, I, const W: usize> =
    Try<<F as AnalyticField>::State<Wide<T, W, I>>, Wide<T, W, I>>;

/// A step that was tried.
pub(super) struct Try<S, L> {
    pub(super) dt: L,
    pub(super) end_time: L,
    pub(super) end: S,
    /// Slope at the end.
    pub(super) newest: S,
    /// Square of the error in units of the tolerance.
    pub(super) error: L,
}

impl<'r, 'a, T: Scalar, F: AnalyticField, I: Isa, const W: usize> Slots<'r, 'a, T, F, I, W> {
    #[inline(always)]
    fn new(field: &'r F, run: &'r mut AdaptiveRun<'a, T>) -> Self {
        let zero = Wide::splat(T::ZERO);
        let control = Controller::new(run.pair.error_order);
        let state = F::State::from_fn(|_| zero);
        Self {
            field,
            run,
            control,
            waiting: 0,
            active: W,
            index: [None; W],
            next: [0; W],
            t: zero,
            h: zero,
            end: zero,
            next_time: Wide::splat(T::INFINITY),
            sign: Wide::splat(T::ONE),
            log_previous: zero,
            growth: zero,
            x: state,
            slopes: [state; MOST_STAGES],
            round: 0,
            deadline: usize::MAX,
            since: [0; W],
            rejected: [0; W],
        }
    }

    #[inline(always)]
    fn fly(mut self) {
        (0..W).for_each(|w| self.take_up(w));
        self.set_deadline();
        while self.active > 0 {
            let step = self.try_step();
            self.round += 1;
            let attention = self.needs_attention(&step);
            if attention {
                self.save_passed(&step);
            }
            self.conclude(&step);
            if attention {
                self.retire();
            }
        }
    }

    /// All slots try a step of their own size.
    #[inline(always)]
    fn try_step(&mut self) -> LaneTry<T, F, I, W> {
        let pair = self.run.pair;
        let limit = T::from_f64(self.run.settings.max_step.min(f64::MAX));
        let limit = if limit.is_finite() { limit } else { T::INFINITY };
        let size = Lane::abs(self.h).map(|h| if h > limit { limit } else { h });
        let remaining = self.end - self.t;
        // Stretched by up to 1 %, so that no tiny step remains.
        let stretched = size * Wide::constant(1.01);
        let dt = stretched.choose_le(remaining * self.sign, size * self.sign, remaining);
        let end_time = stretched.choose_le(remaining * self.sign, self.t + dt, self.end);
        self.h = size * self.sign;
        let (mut end, mut newest) = (self.x, self.slopes[0]);
        for i in 1..pair.tableau.stages() {
            let sum = self.combined(pair.tableau.row(i), &newest);
            end = along::<_, _>(&self.x, dt, &sum);
            let node = dt.mul_add(Wide::constant(pair.tableau.c[i]), self.t);
            newest = self.field.eval_lanes(node, &end);
            // Or the compiler stores it in odd pieces.
            for slope in newest.as_mut() {
                *slope = slope.in_step();
            }
            self.slopes[i] = newest;
        }
        let error = self.error(dt, &end, &newest);
        Try { dt, end_time, end, newest, error }
    }

    /// `sum_j weights_j slopes_j`, the last slope being `newest`.
    ///
    /// A trajectory alone would wait for its newest slope to come back from memory; where there
    /// are many, registers for it are what is scarce.
    #[inline(always)]
    fn combined(
        &self,
        weights: &[f64],
        newest: &F::State<Wide<T, W, I>>,
    ) -> F::State<Wide<T, W, I>> {
        let zero = F::State::from_fn(|_| Wide::splat(T::ZERO));
        if W > 1 {
            return weighted(weights, &self.slopes, zero);
        }
        let Some((weight, earlier)) = weights.split_last() else { return zero };
        let sum = weighted(earlier, &self.slopes, zero);
        if *weight == 0.0 { sum } else { along::<_, _>(&sum, Wide::constant(*weight), newest) }
    }

    /// Square of the error in units of the tolerance.
    #[inline(always)]
    fn error(
        &self,
        dt: Wide<T, W, I>,
        end: &F::State<Wide<T, W, I>>,
        newest: &F::State<Wide<T, W, I>>,
    ) -> Wide<T, W, I> {
        let pair = self.run.pair;
        let fine = self.norm(pair.error, end, newest);
        let dim = <F::State<T> as LaneState<T>>::DIM;
        let per = Wide::constant(1.0 / dim as f64);
        match pair.coarse_error {
            None => dt * dt * fine * per,
            Some(weights) => {
                let sum = self.norm(weights, end, newest).mul_add(Wide::constant(0.01), fine);
                let ratio = fine / sum;
                let ratio = fine.zip(ratio, |f, r| if f == T::ZERO { f } else { r });
                dt * dt * fine * ratio * per
            }
        }
    }

    /// Sum of the squares of an estimate in units of the tolerance, but for the step size.
    #[inline(always)]
    fn norm(
        &self,
        weights: &[f64],
        end: &F::State<Wide<T, W, I>>,
        newest: &F::State<Wide<T, W, I>>,
    ) -> Wide<T, W, I> {
        let rtol = Wide::constant(self.run.settings.tolerances.rtol);
        let atol = Wide::constant(self.run.settings.tolerances.atol);
        let estimate = self.combined(weights, newest);
        let mut sum = Wide::splat(T::ZERO);
        for i in 0..<F::State<T> as LaneState<T>>::DIM {
            let (a, b) = (Lane::abs(self.x.as_ref()[i]), Lane::abs(end.as_ref()[i]));
            let scale = rtol.mul_add(a.choose_le(b, b, a), atol);
            // 0/0 where the tolerance is relative and the state 0 counts as no error.
            let ratio = estimate.as_ref()[i] / scale;
            let ratio = estimate.as_ref()[i].zip(ratio, |e, r| if e == T::ZERO { e } else { r });
            sum = ratio.mul_add(ratio, sum);
        }
        sum
    }

    /// Whether some slot passes a time to save, has a step too small, or too many steps.
    #[inline(always)]
    fn needs_attention(&self, step: &LaneTry<T, F, I, W>) -> bool {
        let mut any = self.round >= self.deadline;
        for w in 0..W {
            any |= self.has_passed(step, w) | self.is_too_small(w);
        }
        any
    }

    #[inline(always)]
    pub(super) fn has_passed(&self, step: &LaneTry<T, F, I, W>, w: usize) -> bool {
        (step.end_time.0[w] - self.next_time.0[w]) * self.sign.0[w] >= T::ZERO
    }

    #[inline(always)]
    pub(super) fn is_too_small(&self, w: usize) -> bool {
        let resolution = T::from_f64(10.0) * T::EPSILON * Lane::abs(self.t.0[w]);
        let (h, left) = (Lane::abs(self.h.0[w]), Lane::abs(self.end.0[w] - self.t.0[w]));
        (h <= resolution) & (h < left)
    }

    /// Accepts or rejects, slot by slot, and sets the next step sizes.
    #[inline(always)]
    fn conclude(&mut self, step: &LaneTry<T, F, I, W>) {
        let error = step.error;
        for i in 0..self.x.as_ref().len() {
            let (x, slope) = (self.x.as_ref()[i], self.slopes[0].as_ref()[i]);
            self.x.as_mut()[i] = if_accepted(error, step.end.as_ref()[i], x);
            self.slopes[0].as_mut()[i] = if_accepted(error, step.newest.as_ref()[i], slope);
        }
        self.t = if_accepted(error, step.end_time, self.t);
        let (log, factor) = self.control.lanes(error, self.log_previous, self.growth);
        self.h = step.dt * factor;
        self.log_previous = if_accepted(error, log, self.log_previous);
        let most = Wide::constant(self.control.most());
        self.growth = if_accepted(error, most, Wide::splat(T::ONE));
        self.count_rejected(error);
    }

    #[inline(always)]
    fn count_rejected(&mut self, error: Wide<T, W, I>) {
        let mut all_accepted = true;
        for w in 0..W {
            all_accepted &= error.0[w] <= T::ONE;
        }
        if !all_accepted {
            for w in 0..W {
                self.rejected[w] += usize::from(!(error.0[w] <= T::ONE));
            }
        }
    }
}

/// `new` where the step is accepted, else `old`.
///
/// In step, or the compiler makes masked stores of it where it is written back to the place of
/// `old`: a tenth of the whole run, on an AMD Zen 3.
#[inline(always)]
fn if_accepted<T: Scalar, I: Isa, const W: usize>(
    error: Wide<T, W, I>,
    new: Wide<T, W, I>,
    old: Wide<T, W, I>,
) -> Wide<T, W, I> {
    error.choose_le(Wide::splat(T::ONE), new, old).in_step()
}
