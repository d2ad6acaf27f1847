//! Adaptive integration in lanes: every lane carries a trajectory with its own time and step
//! size, and takes up the next trajectory when its own is done.

use super::control::Controller;
use super::first_step::FirstStep;
use super::run::{direction, span};
use super::{AdaptiveRun, Statistics};
use crate::fused::{Lanes, along, weighted};
use crate::simd::{Isa, Kernel, dispatch};
use crate::{AnalyticField, Lane, LaneState, Scalar, SolveError, Wide};

/// Stages that the lanes have room for.
const MOST_STAGES: usize = 16;

/// Runs the block in lanes; says whether it could.
pub(crate) fn solve<T: Scalar, F: AnalyticField>(field: &F, run: &mut AdaptiveRun<'_, T>) -> bool {
    if run.pair.tableau.stages() + run.pair.extra.len() > MOST_STAGES {
        return false;
    }
    dispatch(Solve { field, run });
    true
}

struct Solve<'r, 'a, T, F> {
    field: &'r F,
    run: &'r mut AdaptiveRun<'a, T>,
}

impl<T: Scalar, F: AnalyticField> Kernel for Solve<'_, '_, T, F> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        if self.run.x0.nrows() == 1 {
            return Slots::<T, F, I, 1>::new(self.field, self.run).fly();
        }
        match Lanes::<T, I, F::State<T>>::COUNT {
            64 => Slots::<T, F, I, 64>::new(self.field, self.run).fly(),
            32 => Slots::<T, F, I, 32>::new(self.field, self.run).fly(),
            16 => Slots::<T, F, I, 16>::new(self.field, self.run).fly(),
            8 => Slots::<T, F, I, 8>::new(self.field, self.run).fly(),
            _ => Slots::<T, F, I, 4>::new(self.field, self.run).fly(),
        }
    }
}

/// `W` trajectories side by side.
struct Slots<'r, 'a, T: Scalar, F: AnalyticField, I: Isa, const W: usize> {
    field: &'r F,
    run: &'r mut AdaptiveRun<'a, T>,
    control: Controller,
    /// The next trajectory to take up.
    waiting: usize,
    /// Slots in use.
    active: usize,
    /// Trajectory of each slot, and its next time to save.
    index: [Option<usize>; W],
    next: [usize; W],
    t: Wide<T, W, I>,
    h: Wide<T, W, I>,
    end: Wide<T, W, I>,
    next_time: Wide<T, W, I>,
    sign: Wide<T, W, I>,
    /// Logarithm of the last accepted error.
    log_previous: Wide<T, W, I>,
    /// How much the step may grow: nothing after a rejection.
    growth: Wide<T, W, I>,
    x: F::State<Wide<T, W, I>>,
    slopes: [F::State<Wide<T, W, I>>; MOST_STAGES],
    tries: [u32; W],
    accepted: [u32; W],
}

/// A step that all lanes tried.
type LaneTry<T, F, I, const W: usize> =
    Try<<F as AnalyticField>::State<Wide<T, W, I>>, Wide<T, W, I>>;

/// A step that was tried.
struct Try<S, L> {
    dt: L,
    end_time: L,
    end: S,
    /// Slope at the end.
    last: S,
    /// Square of the error in units of the tolerance.
    error: L,
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
            tries: [0; W],
            accepted: [0; W],
        }
    }

    #[inline(always)]
    fn fly(mut self) {
        (0..W).for_each(|w| self.take_up(w));
        while self.active > 0 {
            let step = self.try_step();
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
        let zero = F::State::from_fn(|_| Wide::splat(T::ZERO));
        // The newest slope is kept apart: reading back at once what was just stored stalls.
        let (mut end, mut last) = (self.x, self.slopes[0]);
        for i in 1..pair.tableau.stages() {
            let sum = combined(pair.tableau.row(i), &self.slopes, &last, zero);
            end = along::<_, _>(&self.x, dt, &sum);
            let node = dt.mul_add(Wide::constant(pair.tableau.c[i]), self.t);
            last = self.field.eval_lanes(node, &end);
            self.slopes[i] = last;
        }
        let error = self.error(dt, &end, &last);
        Try { dt, end_time, end, last, error }
    }

    /// Square of the error in units of the tolerance.
    #[inline(always)]
    fn error(
        &self,
        dt: Wide<T, W, I>,
        end: &F::State<Wide<T, W, I>>,
        last: &F::State<Wide<T, W, I>>,
    ) -> Wide<T, W, I> {
        let pair = self.run.pair;
        let fine = self.norm(pair.error, end, last);
        let dim = <F::State<T> as LaneState<T>>::DIM;
        let per = Wide::constant(1.0 / dim as f64);
        match pair.coarse_error {
            None => dt * dt * fine * per,
            Some(weights) => {
                let sum = self.norm(weights, end, last).mul_add(Wide::constant(0.01), fine);
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
        last: &F::State<Wide<T, W, I>>,
    ) -> Wide<T, W, I> {
        let rtol = Wide::constant(self.run.settings.tolerances.rtol);
        let atol = Wide::constant(self.run.settings.tolerances.atol);
        let zero = F::State::from_fn(|_| Wide::splat(T::ZERO));
        let estimate = combined(weights, &self.slopes, last, zero);
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
        let limit = self.limit();
        let mut any = false;
        for w in 0..W {
            let passed = (step.end_time.0[w] - self.next_time.0[w]) * self.sign.0[w] >= T::ZERO;
            any |= passed & (step.error.0[w] <= T::ONE);
            any |= self.is_too_small(w);
            any |= self.tries[w] >= limit;
        }
        any
    }

    #[inline(always)]
    fn limit(&self) -> u32 {
        u32::try_from(self.run.settings.max_steps).unwrap_or(u32::MAX) - 1
    }

    #[inline(always)]
    fn is_too_small(&self, w: usize) -> bool {
        let resolution = T::from_f64(10.0) * T::EPSILON * Lane::abs(self.t.0[w]);
        let (h, left) = (Lane::abs(self.h.0[w]), Lane::abs(self.end.0[w] - self.t.0[w]));
        (h <= resolution) & (h < left)
    }

    /// Accepts or rejects, slot by slot, and sets the next step sizes.
    #[inline(always)]
    fn conclude(&mut self, step: &LaneTry<T, F, I, W>) {
        let one = Wide::splat(T::ONE);
        let error = step.error;
        for i in 0..self.x.as_ref().len() {
            let (x, slope) = (self.x.as_ref()[i], self.slopes[0].as_ref()[i]);
            self.x.as_mut()[i] = error.choose_le(one, step.end.as_ref()[i], x);
            self.slopes[0].as_mut()[i] = error.choose_le(one, step.last.as_ref()[i], slope);
        }
        self.t = error.choose_le(one, step.end_time, self.t);
        let (log, factor) = self.control.lanes(error, self.log_previous, self.growth);
        self.h = step.dt * factor;
        self.log_previous = error.choose_le(one, log, self.log_previous);
        self.growth = error.choose_le(one, Wide::constant(self.control.most()), one);
        for w in 0..W {
            self.tries[w] += 1;
            self.accepted[w] += u32::from(error.0[w] <= T::ONE);
        }
    }

    /// Saves the states at the times inside the step, and at its end.
    #[inline(never)]
    fn save_passed(&mut self, step: &LaneTry<T, F, I, W>) {
        let mut extra_done = false;
        for w in 0..W {
            let Some(index) = self.index[w] else { continue };
            if !(step.error.0[w] <= T::ONE) {
                continue;
            }
            let times = self.run.times[index];
            while let Some(time) = times.get(self.next[w]) {
                let left = (step.end_time.0[w] - *time) * self.sign.0[w];
                if left < T::ZERO {
                    break;
                }
                let inside = left > T::ZERO;
                if inside && !extra_done {
                    self.evaluate_extra(step.dt);
                    extra_done = true;
                }
                let theta = if inside { (*time - self.t.0[w]) / step.dt.0[w] } else { T::ONE };
                for i in 0..self.x.as_ref().len() {
                    let value = if inside {
                        self.interpolate(w, i, theta, step.dt.0[w])
                    } else {
                        step.end.as_ref()[i].0[w]
                    };
                    self.run.out[[index, self.next[w], i]] = value;
                }
                self.next[w] += 1;
            }
            if let Some(time) = times.get(self.next[w]) {
                self.next_time.0[w] = *time;
            }
        }
    }

    #[inline(always)]
    fn evaluate_extra(&mut self, dt: Wide<T, W, I>) {
        let pair = self.run.pair;
        let zero = F::State::from_fn(|_| Wide::splat(T::ZERO));
        for (k, (node, weights)) in pair.extra.iter().enumerate() {
            let stage = along(&self.x, dt, &weighted(weights, &self.slopes, zero));
            let node = dt.mul_add(Wide::constant(*node), self.t);
            self.slopes[pair.tableau.stages() + k] = self.field.eval_lanes(node, &stage);
        }
    }

    fn interpolate(&self, w: usize, i: usize, theta: T, dt: T) -> T {
        let mut weights = [0.0; MOST_STAGES];
        self.run.pair.dense_weights(theta.to_f64(), &mut weights);
        let mut sum = T::ZERO;
        for (weight, slope) in weights.iter().zip(&self.slopes).take(self.run.pair.dense.len()) {
            sum += T::from_f64(*weight) * slope.as_ref()[i].0[w];
        }
        self.x.as_ref()[i].0[w] + dt * sum
    }

    /// Ends the slots that are done or have failed; they take up waiting trajectories.
    #[inline(never)]
    fn retire(&mut self) {
        for w in 0..W {
            let Some(index) = self.index[w] else { continue };
            let (trajectory, time) = (self.run.first + index, self.t.0[w].to_f64());
            if self.next[w] < self.run.times[index].len() {
                if self.is_too_small(w) {
                    let (step, dt) = (self.accepted[w] as usize, self.h.0[w].to_f64());
                    let error = SolveError::StepTooSmall { trajectory, step, time, dt };
                    self.run.statuses[index] = Err(error);
                } else if self.tries[w] > self.limit() {
                    let limit = self.run.settings.max_steps;
                    self.run.statuses[index] =
                        Err(SolveError::TooManySteps { trajectory, limit, time });
                } else {
                    continue;
                }
            }
            self.account(w, index);
            self.take_up(w);
        }
    }

    fn account(&mut self, w: usize, index: usize) {
        let (tries, steps) = (self.tries[w] as usize, self.accepted[w] as usize);
        let evaluations = 2 + tries * (self.run.pair.tableau.stages() - 1);
        self.run.statistics[index] = Statistics { steps, rejected: tries - steps, evaluations };
    }

    /// Gives the slot the next trajectory, or lets it rest.
    #[inline(never)]
    fn take_up(&mut self, w: usize) {
        while self.waiting < self.run.x0.nrows() {
            let index = self.waiting;
            self.waiting += 1;
            let times = self.run.times[index];
            for (i, x) in self.run.x0.row(index).iter().enumerate() {
                self.run.out[[index, 0, i]] = *x;
                self.x.as_mut()[i].0[w] = *x;
            }
            if times.len() == 1 {
                continue;
            }
            self.index[w] = Some(index);
            self.next[w] = 1;
            self.t.0[w] = times[0];
            self.end.0[w] = times[times.len() - 1];
            self.next_time.0[w] = times[1];
            self.sign.0[w] = direction(times);
            self.log_previous.0[w] = T::from_f64(self.control.log_smallest());
            self.growth.0[w] = T::from_f64(self.control.most());
            self.tries[w] = 0;
            self.accepted[w] = 0;
            self.h.0[w] = self.first_step(w, times);
            return;
        }
        // At rest: a step of length 0 from where it is, which nothing asks for.
        self.index[w] = None;
        self.end.0[w] = self.t.0[w];
        self.next_time.0[w] = T::INFINITY * self.sign.0[w];
        self.tries[w] = 0;
        self.active -= 1;
    }

    /// First slope, and size of the first step.
    fn first_step(&mut self, w: usize, times: &[T]) -> T {
        let one = |state: &F::State<Wide<T, W, I>>| {
            F::State::from_fn(|i| Wide::<T, 1, I>::splat(state.as_ref()[i].0[w]))
        };
        let (x, t) = (one(&self.x), Wide::<T, 1, I>::splat(times[0]));
        let slope = self.field.eval_lanes(t, &x);
        for (i, slope) in slope.as_ref().iter().enumerate() {
            self.slopes[0].as_mut()[i].0[w] = slope.0[0];
        }
        let settings = self.run.settings;
        if let Some(size) = settings.first_step {
            return T::from_f64(size) * direction(times);
        }
        let numbers = |state: F::State<Wide<T, 1, I>>| {
            (0..state.as_ref().len()).map(move |i| state.as_ref()[i].0[0].to_f64())
        };
        let longest = span(times).min(settings.max_step);
        let first = FirstStep::new(settings.tolerances, longest, numbers(x), numbers(slope));
        let dt = Wide::<T, 1, I>::splat(T::from_f64(first.trial) * direction(times));
        let second = self.field.eval_lanes(t + dt, &along(&x, dt, &slope));
        let change = F::State::from_fn(|i| second.as_ref()[i] - slope.as_ref()[i]);
        let order = self.run.pair.error_order;
        let size = first.choose(settings.tolerances, order, numbers(change), numbers(x));
        T::from_f64(size) * direction(times)
    }
}

/// `sum_j weights_j slopes_j`, the last slope being `last`.
#[inline(always)]
fn combined<L: Lane, S: LaneState<L>>(weights: &[f64], slopes: &[S], last: &S, zero: S) -> S {
    let Some((weight, earlier)) = weights.split_last() else { return zero };
    let sum = weighted(earlier, slopes, zero);
    if *weight == 0.0 { sum } else { along::<L, _>(&sum, L::constant(*weight), last) }
}
