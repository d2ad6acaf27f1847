//! Which trajectory each slot carries, and what is saved of it.

use super::Statistics;
use super::first_step::FirstStep;
use super::fused::{LaneTry, MOST_STAGES, Slots};
use super::run::{direction, span};
use crate::fused::{along, weighted};
use crate::simd::{Isa, Kernel, dispatch};
use crate::{AnalyticField, Lane, LaneState, Scalar, SolveError, Wide};

impl<T: Scalar, F: AnalyticField, I: Isa, const W: usize> Slots<'_, '_, T, F, I, W> {
    /// Saves the states at the times inside the step, and at its end.
    #[inline(never)]
    pub(super) fn save_passed(&mut self, step: &LaneTry<T, F, I, W>) {
        let mut extra_done = false;
        for w in 0..W {
            let passed = self.has_passed(step, w) && step.error.0[w] <= T::ONE;
            let Some(index) = self.index[w].filter(|_| passed) else { continue };
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
    pub(super) fn retire(&mut self) {
        for w in 0..W {
            let under_way = self.t.0[w] != self.end.0[w] && !self.is_too_small(w);
            if under_way && self.round < self.deadline {
                continue;
            }
            let Some(index) = self.index[w] else { continue };
            let (trajectory, time) = (self.run.first + index, self.t.0[w].to_f64());
            if self.next[w] < self.run.times[index].len() {
                if self.is_too_small(w) {
                    let (step, dt) = (self.tries(w) - self.rejected[w], self.h.0[w].to_f64());
                    let error = SolveError::StepTooSmall { trajectory, step, time, dt };
                    self.run.statuses[index] = Err(error);
                } else if self.tries(w) >= self.run.settings.max_steps {
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
        self.set_deadline();
    }

    pub(super) fn set_deadline(&mut self) {
        let in_use = (0..W).filter(|w| self.index[*w].is_some());
        let last = in_use.map(|w| self.since[w].saturating_add(self.run.settings.max_steps));
        self.deadline = last.min().unwrap_or(usize::MAX);
    }

    /// Steps tried on the trajectory in a slot.
    fn tries(&self, w: usize) -> usize {
        self.round - self.since[w]
    }

    fn account(&mut self, w: usize, index: usize) {
        let (tries, rejected) = (self.tries(w), self.rejected[w]);
        let evaluations = 2 + tries * (self.run.pair.tableau.stages() - 1);
        self.run.statistics[index] = Statistics { steps: tries - rejected, rejected, evaluations };
    }

    /// Gives the slot the next trajectory, or lets it rest.
    #[inline(never)]
    pub(super) fn take_up(&mut self, w: usize) {
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
            self.since[w] = self.round;
            self.rejected[w] = 0;
            self.h.0[w] = self.first_step(w, times);
            return;
        }
        // At rest: a step of length 0 from where it is, which nothing asks for.
        self.index[w] = None;
        self.end.0[w] = self.t.0[w];
        self.next_time.0[w] = T::INFINITY * self.sign.0[w];
        self.active -= 1;
    }

    /// First slope, and size of the first step.
    fn first_step(&mut self, w: usize, times: &[T]) -> T {
        let x = F::State::<T>::from_fn(|i| self.x.as_ref()[i].0[w]);
        let slope = dispatch(Slope { field: self.field, t: times[0], x });
        for (i, slope) in slope.as_ref().iter().enumerate() {
            self.slopes[0].as_mut()[i].0[w] = *slope;
        }
        let settings = self.run.settings;
        if let Some(size) = settings.first_step {
            return T::from_f64(size) * direction(times);
        }
        let numbers =
            |state: F::State<T>| (0..state.as_ref().len()).map(move |i| state.as_ref()[i].to_f64());
        let longest = span(times).min(settings.max_step);
        let first = FirstStep::new(settings.tolerances, longest, numbers(x), numbers(slope));
        let dt = T::from_f64(first.trial) * direction(times);
        let (t, x_trial) = (times[0] + dt, along(&x, dt, &slope));
        let second = dispatch(Slope { field: self.field, t, x: x_trial });
        let change = F::State::from_fn(|i| second.as_ref()[i] - slope.as_ref()[i]);
        let order = self.run.pair.error_order;
        let size = first.choose(settings.tolerances, order, numbers(change), numbers(x));
        T::from_f64(size) * direction(times)
    }
}

/// The slope of one state, by the arithmetic of the lanes.
struct Slope<'a, T: Scalar, F: AnalyticField> {
    field: &'a F,
    t: T,
    x: F::State<T>,
}

impl<T: Scalar, F: AnalyticField> Kernel for Slope<'_, T, F> {
    type Output = F::State<T>;

    #[inline(always)]
    fn run<I: Isa>(self) -> F::State<T> {
        let x = F::State::from_fn(|i| Wide::<T, 1, I>::splat(self.x.as_ref()[i]));
        let slope = self.field.eval_lanes(Wide::splat(self.t), &x);
        F::State::from_fn(|i| slope.as_ref()[i].0[0])
    }
}
