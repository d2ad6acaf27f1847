//! A block of trajectories, each with a step size of its own: which is under way in which slot, what
//! is saved of it, and how it ends.

use super::first_step::FirstStep;
use super::observe::{Observer, StepTaken};
use super::run::{direction, span};
use super::{AdaptiveRun, Statistics};
use crate::kernel::{AdaptiveSteps, Controller, Job, Law, Part, Slots, Work, do_part};
use crate::step::add_scaled_stages;
use crate::{At, FieldError, Interval, Scalar, SolveError, VectorField, Workspace};

/// A block of trajectories to be integrated adaptively.
pub struct AdaptiveJob<'r, 'a, T> {
    pub(super) field: &'r dyn VectorField<T>,
    pub(super) run: &'r mut AdaptiveRun<'a, T>,
    /// Sees every accepted step.
    pub(super) observer: Option<&'r mut dyn Observer<T>>,
}

impl<T: Scalar> AdaptiveJob<'_, '_, T> {
    /// Runs every trajectory to its last time, or to its failure.
    pub(crate) fn run(self) {
        Block::new(self).run();
    }
}

struct Block<'r, 'a, T> {
    field: &'r dyn VectorField<T>,
    run: &'r mut AdaptiveRun<'a, T>,
    law: Law<'a, T>,
    /// Whether the field has a kernel.
    fused: bool,
    dim: usize,
    slots: Slots<T>,
    /// What is under way in each slot; `None` where it is over, and the slot at rest.
    ledger: Vec<Option<Entry>>,
    /// The next trajectory to take up.
    waiting: usize,
    /// Steps tried by every slot since the block began.
    round: usize,
    /// The round in which a slot makes its last step, if its trajectory has not ended by then.
    deadline: usize,
    weights: Vec<f64>,
    scratch: Scratch<T>,
    observer: Option<&'r mut dyn Observer<T>>,
}

/// A trajectory under way.
#[derive(Debug, Clone)]
struct Entry {
    /// Index in the block.
    index: usize,
    /// The next time to give the state at.
    next: usize,
    /// The round that it began with.
    since: usize,
    /// Tries that the field refused, beside the rounds.
    refused: usize,
    /// Evaluations for its first step and its interpolant.
    evaluations: usize,
    /// The field's last complaint, to be told if smaller steps do not help.
    complaint: Option<FieldError>,
}

#[derive(Debug, Default)]
struct Scratch<T> {
    t: Vec<T>,
    stage: Vec<T>,
    empty: Vec<usize>,
    starts: Starts<T>,
    workspace: Workspace<T>,
}

/// Trajectories that begin.
#[derive(Debug, Default)]
struct Starts<T> {
    slots: Vec<usize>,
    t: Vec<T>,
    dt: Vec<T>,
    x: Vec<T>,
    slope: Vec<T>,
    stage: Vec<T>,
    second: Vec<T>,
    firsts: Vec<FirstStep>,
}

impl<'r, 'a, T: Scalar> Block<'r, 'a, T> {
    fn new(AdaptiveJob { field, run, observer }: AdaptiveJob<'r, 'a, T>) -> Self {
        let (batch, dim) = run.x0.dim();
        let max_step = T::from_f64(run.settings.max_step.min(f64::MAX));
        let law = Law {
            pair: run.pair,
            control: Controller::new(run.pair.error_order),
            tolerances: run.settings.tolerances,
            max_step: if max_step.is_finite() { max_step } else { T::INFINITY },
        };
        let stages = run.pair.all_stages();
        let mut block = Self {
            field,
            run,
            law,
            fused: false,
            dim,
            slots: Slots::new(0, dim, stages),
            ledger: Vec::new(),
            waiting: 0,
            round: 0,
            deadline: usize::MAX,
            weights: vec![0.0; stages],
            scratch: Scratch::default(),
            observer,
        };
        // Asked by steps of no slots.
        let mut width = batch;
        block.fused = block.try_fused(&mut width);
        let count = batch.min(width);
        block.slots = Slots::new(count, dim, stages);
        block.ledger = vec![None; count];
        block.round = 0;
        block
    }

    /// Runs every trajectory to its last time, or to its failure.
    fn run(mut self) {
        self.refill();
        while self.slots.count() > 0 {
            if !self.fused {
                do_part(&mut self.slots, &self.law, Part::Plan);
                if let Err(error) = self.try_step() {
                    self.object(error);
                    continue;
                }
                let passes = do_part(&mut self.slots, &self.law, Part::Judge);
                self.round += 1;
                if !passes && self.observer.is_none() && self.round < self.deadline {
                    do_part(&mut self.slots, &self.law, Part::Conclude);
                    continue;
                }
            } else {
                self.try_fused(&mut 0);
            }
            self.attend();
        }
    }

    /// Steps in one kernel until a slot needs attention; says whether the field has one.
    fn try_fused(&mut self, width: &mut usize) -> bool {
        let deadline = if self.observer.is_some() { 0 } else { self.deadline };
        let (slots, law, round) = (&mut self.slots, self.law, &mut self.round);
        let steps = AdaptiveSteps { slots, law, round, deadline, width };
        self.field.kernel(&mut Job(Work::Adaptive(steps)))
    }

    /// The stages of a step of every slot.
    fn try_step(&mut self) -> Result<(), FieldError> {
        let method = self.run.pair.tableau.coefficients();
        for stage in 1..method.stages() {
            self.evaluate(stage, method.c[stage], method.row(stage))?;
        }
        std::mem::swap(&mut self.scratch.stage, &mut self.slots.end);
        Ok(())
    }

    /// Slope number `stage`, of all slots.
    fn evaluate(&mut self, stage: usize, node: f64, weights: &[f64]) -> Result<(), FieldError> {
        let Slots { t, dt, x, slopes, .. } = &mut self.slots;
        let Scratch { t: now, stage: state, workspace, .. } = &mut self.scratch;
        let len = x.len();
        now.resize(t.len(), T::ZERO);
        state.resize(len, T::ZERO);
        let (done, slope) = slopes[..(stage + 1) * len].split_at_mut(stage * len);
        Interval::new(t, dt).at(node, now, &mut []);
        add_scaled_stages(x, dt, weights, done, state);
        self.field.eval(At::time(now), state, slope, workspace)
    }

    /// Saves what the judged steps pass, and ends them.
    fn attend(&mut self) {
        if let Err(error) = self.evaluate_extra() {
            self.round -= 1;
            return self.object(error);
        }
        self.save();
        do_part(&mut self.slots, &self.law, Part::Conclude);
        self.retire();
    }

    /// The field refused a stage: that slot tries a smaller step. Any other error ends them all.
    fn object(&mut self, error: FieldError) {
        match error {
            FieldError::Undefined { row, .. }
                if self.ledger.get(row).is_some_and(Option::is_some) =>
            {
                let shorter = self.law.control.rejected(f64::NAN);
                self.slots.h[row] = self.slots.dt[row] * T::from_f64(shorter);
                self.slots.growth[row] = T::ONE;
                if let Some(entry) = &mut self.ledger[row] {
                    entry.refused += 1;
                    entry.complaint = Some(error);
                }
            }
            error => {
                for slot in 0..self.ledger.len() {
                    self.fail_with(slot, error.clone());
                }
            }
        }
        self.retire();
    }

    /// Shows accepted steps to the observer, and saves the states at the times that they pass.
    fn save(&mut self) {
        for slot in 0..self.ledger.len() {
            if self.ledger[slot].is_none() || !(self.slots.error[slot] <= T::ONE) {
                continue;
            }
            let stop = self.observe(slot);
            self.save_passed(slot, stop);
            if stop.is_some() {
                self.account(slot);
                self.ledger[slot] = None;
            }
        }
    }

    /// Whether a slot's step is accepted and a state inside it asked for.
    fn interpolates(&self, slot: usize) -> bool {
        let Slots { t_end, sign, error, .. } = &self.slots;
        self.ledger[slot].as_ref().is_some_and(|entry| {
            let next = self.run.times[entry.index][entry.next];
            let inside = (t_end[slot] - next) * sign[slot] > T::ZERO;
            error[slot] <= T::ONE && (inside || self.observer.is_some())
        })
    }

    /// The stages that only the interpolant needs, if it is needed.
    fn evaluate_extra(&mut self) -> Result<(), FieldError> {
        let (pair, slots) = (self.run.pair, self.ledger.len());
        if pair.extra.is_empty() || !(0..slots).any(|slot| self.interpolates(slot)) {
            return Ok(());
        }
        for (k, (node, weights)) in pair.extra.iter().enumerate() {
            self.evaluate(pair.tableau.stages() + k, *node, weights)?;
        }
        for slot in 0..slots {
            if self.interpolates(slot) {
                self.charge(slot, pair.extra.len());
            }
        }
        Ok(())
    }

    /// Shows the accepted step to the observer, which may stop the trajectory inside it.
    fn observe(&mut self, slot: usize) -> Option<T> {
        let trajectory = self.ledger[slot].as_ref()?.index;
        let observer = self.observer.as_mut()?;
        observer.observe(trajectory, &StepTaken { pair: self.run.pair, slots: &self.slots, slot })
    }

    /// Saves the states at the times up to the end of the step, or to where it is stopped.
    fn save_passed(&mut self, slot: usize, stop: Option<T>) {
        let Some(entry) = &mut self.ledger[slot] else { return };
        let times = self.run.times[entry.index];
        let step = StepTaken { pair: self.run.pair, slots: &self.slots, slot };
        let (until, sign) = (stop.unwrap_or(self.slots.t_end[slot]), self.slots.sign[slot]);
        while let Some(&time) = times.get(entry.next) {
            let left = (until - time) * sign;
            if left < T::ZERO || (stop.is_some() && left == T::ZERO) {
                break;
            }
            let mut out = self.run.out.slice_mut(ndarray::s![entry.index, entry.next, ..]);
            if time == self.slots.t_end[slot] {
                out.iter_mut().enumerate().for_each(|(i, out)| *out = step.end(i));
            } else {
                let theta = (time - self.slots.t[slot]) / self.slots.dt[slot];
                self.run.pair.dense_weights(theta.to_f64(), &mut self.weights);
                let inside = |i| step.interpolate(i, &self.weights);
                out.iter_mut().enumerate().for_each(|(i, out)| *out = inside(i));
            }
            entry.next += 1;
        }
        if let Some(time) = times.get(entry.next) {
            self.slots.next_time[slot] = *time;
        }
    }

    /// Ends the trajectories that are done or have failed; others take their place.
    fn retire(&mut self) {
        for slot in 0..self.ledger.len() {
            let Some(entry) = &self.ledger[slot] else { continue };
            let (trajectory, time) = (self.run.first + entry.index, self.slots.t[slot].to_f64());
            let tries = self.round - entry.since + entry.refused;
            let limit = self.run.settings.max_steps;
            let error = if entry.next >= self.run.times[entry.index].len() {
                None
            } else if self.slots.is_too_small(slot) {
                let (step, dt) = (self.steps(slot, entry), self.slots.h[slot].to_f64());
                Some(match &entry.complaint {
                    Some(source) => {
                        SolveError::Field { trajectory, step, time, source: source.clone() }
                    }
                    None => SolveError::StepTooSmall { trajectory, step, time, dt },
                })
            } else if tries >= limit {
                Some(SolveError::TooManySteps { trajectory, limit, time })
            } else {
                continue;
            };
            self.end(slot, error);
        }
        self.refill();
    }

    /// Accepted steps.
    fn steps(&self, slot: usize, entry: &Entry) -> usize {
        self.round - entry.since - self.slots.rejected[slot]
    }

    fn fail_with(&mut self, slot: usize, source: FieldError) {
        let Some(entry) = &self.ledger[slot] else { return };
        let (trajectory, time) = (self.run.first + entry.index, self.slots.t[slot].to_f64());
        let step = self.steps(slot, entry);
        self.end(slot, Some(SolveError::Field { trajectory, step, time, source }));
    }

    fn end(&mut self, slot: usize, error: Option<SolveError>) {
        self.account(slot);
        if let Some(entry) = self.ledger[slot].take()
            && let Some(error) = error
        {
            self.run.statuses[entry.index] = Err(error);
        }
    }

    fn account(&mut self, slot: usize) {
        let Some(entry) = &self.ledger[slot] else { return };
        let steps = self.steps(slot, entry);
        let rejected = self.slots.rejected[slot] + entry.refused;
        let tried = (steps + rejected) * (self.run.pair.tableau.stages() - 1);
        let evaluations = entry.evaluations + tried;
        self.run.statistics[entry.index] = Statistics { steps, rejected, evaluations };
    }

    /// Empty slots take up trajectories that wait; where none waits any more and half of the slots
    /// are empty, these go.
    fn refill(&mut self) {
        let mut empty = std::mem::take(&mut self.scratch.empty);
        loop {
            // Also those whose trajectory failed at its start.
            empty.clear();
            empty.extend((0..self.ledger.len()).filter(|slot| self.ledger[*slot].is_none()));
            if self.waiting == self.run.x0.nrows() || empty.is_empty() {
                break;
            }
            self.take_up(&mut empty);
        }
        if 2 * empty.len() >= self.ledger.len() && !empty.is_empty() {
            let kept: Vec<usize> =
                (0..self.ledger.len()).filter(|slot| self.ledger[*slot].is_some()).collect();
            self.slots.pack(&kept);
            self.ledger.retain(Option::is_some);
        } else if let Some(other) = self.ledger.iter().position(Option::is_some) {
            empty.iter().for_each(|slot| self.rest(*slot, other));
        }
        self.scratch.empty = empty;
        let limit = self.run.settings.max_steps;
        let last = |entry: &Entry| entry.since.saturating_add(limit.saturating_sub(entry.refused));
        self.deadline = self.ledger.iter().flatten().map(last).min().unwrap_or(usize::MAX);
    }

    /// Steps of length 0, which nothing asks for, from where another slot is: there the field has a
    /// value.
    fn rest(&mut self, slot: usize, other: usize) {
        let Slots { t, last, next_time, sign, x, slopes, .. } = &mut self.slots;
        let (count, len) = (t.len(), x.len());
        (t[slot], last[slot], sign[slot]) = (t[other], t[other], sign[other]);
        next_time[slot] = T::INFINITY * sign[slot];
        for first in (0..len).step_by(count) {
            x[first + slot] = x[first + other];
            slopes[first + slot] = slopes[first + other];
        }
    }

    /// Trajectories that wait take up empty slots, with their first slopes and step sizes.
    fn take_up(&mut self, empty: &mut Vec<usize>) {
        let mut starts = std::mem::take(&mut self.scratch.starts);
        starts.slots.clear();
        starts.t.clear();
        while self.waiting < self.run.x0.nrows() {
            let Some(&slot) = empty.last() else { break };
            let index = self.waiting;
            self.waiting += 1;
            let (times, x0) = (self.run.times[index], self.run.x0.row(index));
            self.run.out.slice_mut(ndarray::s![index, 0, ..]).assign(&x0);
            if times.len() == 1 {
                continue;
            }
            empty.pop();
            let count = self.slots.count();
            x0.iter().enumerate().for_each(|(i, x)| self.slots.x[i * count + slot] = *x);
            let (since, evaluations) = (self.round, 0);
            self.ledger[slot] =
                Some(Entry { index, next: 1, since, refused: 0, evaluations, complaint: None });
            self.slots.rejected[slot] = 0;
            self.slots.t[slot] = times[0];
            self.slots.last[slot] = times[times.len() - 1];
            self.slots.next_time[slot] = times[1];
            self.slots.sign[slot] = direction(times);
            self.slots.log_previous[slot] = T::from_f64(self.law.control.log_smallest());
            self.slots.growth[slot] = T::from_f64(self.law.control.most());
            starts.slots.push(slot);
        }
        self.begin(&mut starts);
        self.scratch.starts = starts;
    }

    /// First slopes and first step sizes.
    fn begin(&mut self, starts: &mut Starts<T>) {
        let (count, dim) = (self.slots.count(), self.dim);
        loop {
            // A trajectory that failed must go, or it would fail again.
            starts.slots.retain(|slot| self.ledger[*slot].is_some());
            let new = starts.slots.len();
            if new == 0 {
                return;
            }
            starts.t.clear();
            starts.t.extend(starts.slots.iter().map(|slot| self.slots.t[*slot]));
            starts.x.clear();
            for i in 0..dim {
                starts.x.extend(starts.slots.iter().map(|slot| self.slots.x[i * count + slot]));
            }
            starts.slope.resize(new * dim, T::ZERO);
            let (at, workspace) = (At::time(&starts.t), &mut self.scratch.workspace);
            match self.field.eval(at, &starts.x, &mut starts.slope, workspace) {
                Ok(()) => break,
                Err(error @ FieldError::Undefined { row, .. }) if row < new => {
                    self.fail_with(starts.slots[row], error);
                }
                Err(error) => {
                    starts.slots.iter().for_each(|slot| self.fail_with(*slot, error.clone()));
                }
            }
        }
        let new = starts.slots.len();
        for i in 0..dim {
            for (row, slot) in starts.slots.iter().enumerate() {
                self.slots.slopes[i * count + slot] = starts.slope[i * new + row];
            }
        }
        match self.run.settings.first_step {
            Some(size) => {
                for slot in &starts.slots {
                    self.slots.h[*slot] = T::from_f64(size) * self.slots.sign[*slot];
                    self.charge(*slot, 1);
                }
            }
            None => self.choose_first_steps(starts),
        }
    }

    /// The sizes of the first steps, from a second slope.
    fn choose_first_steps(&mut self, starts: &mut Starts<T>) {
        let Starts { slots, t, dt, x, slope, stage, second, firsts } = starts;
        let (new, settings) = (slots.len(), self.run.settings);
        firsts.clear();
        dt.clear();
        for (row, slot) in slots.iter().enumerate() {
            let index = self.ledger[*slot].as_ref().map_or(0, |entry| entry.index);
            let longest = span(self.run.times[index]).min(settings.max_step);
            let (x, slope) = (row_of(x, row, new), row_of(slope, row, new));
            let first = FirstStep::new(settings.tolerances, longest, x, slope);
            dt.push(T::from_f64(first.trial) * self.slots.sign[*slot]);
            firsts.push(first);
        }
        stage.resize(x.len(), T::ZERO);
        second.resize(x.len(), T::ZERO);
        add_scaled_stages(x, dt, &[1.0], slope, stage);
        t.iter_mut().zip(&*dt).for_each(|(t, dt)| *t += *dt);
        if self.field.eval(At::time(t), stage, second, &mut self.scratch.workspace).is_err() {
            second.fill(T::NAN);
        }
        second.iter_mut().zip(&*slope).for_each(|(second, first)| *second -= *first);
        for (row, (slot, first)) in slots.iter().zip(&*firsts).enumerate() {
            let (change, x) = (row_of(second, row, new), row_of(x, row, new));
            let size = first.choose(settings.tolerances, self.run.pair.error_order, change, x);
            self.slots.h[*slot] = T::from_f64(size) * self.slots.sign[*slot];
            self.charge(*slot, 2);
        }
    }

    fn charge(&mut self, slot: usize, evaluations: usize) {
        if let Some(entry) = &mut self.ledger[slot] {
            entry.evaluations += evaluations;
        }
    }
}

/// The numbers of one row of a batch.
fn row_of<T: Scalar>(
    lanes: &[T],
    row: usize,
    batch: usize,
) -> impl Iterator<Item = f64> + Clone + '_ {
    // A state of no coordinates has no numbers.
    lanes.get(row..).unwrap_or_default().iter().step_by(batch).map(|x| x.to_f64())
}
