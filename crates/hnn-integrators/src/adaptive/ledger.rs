//! Which trajectory is under way in which slot, what is saved of it, and how it ends.

use super::Statistics;
use super::block::Block;
use super::cause::Stuck;
use super::observe::StepTaken;
use super::run::span;
use crate::kernel::Slots;
use crate::{At, FieldError, Scalar, SolveError, StepLimit};

/// A trajectory under way.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Index in the block.
    pub(super) index: usize,
    /// The next time to give the state at.
    pub(super) next: usize,
    /// The round that it began with.
    pub(super) since: usize,
    /// Tries that the field refused, beside the rounds.
    pub(super) refused: usize,
    /// Evaluations for its first step and its interpolant.
    pub(super) evaluations: usize,
    /// The field's last complaint, to be told if smaller steps do not help.
    pub(super) complaint: Option<FieldError>,
}

const OVERFLOW_INSIDE: &str = "between the begin and the end of a step, where a state is asked for, its slopes are not finite, or their sum overflows: end the run before, or take units in which the numbers are smaller";

/// So many tries after one another a trajectory is asked whether it can come to an end.
pub(super) const PATIENCE: usize = 10_000;

impl Entry {
    /// Steps tried, in the block's round `round`.
    pub(super) fn tries(&self, round: usize) -> usize {
        round - self.since + self.refused
    }
}

impl<T: Scalar> Block<'_, '_, T> {
    /// Shows accepted steps to the observer, and saves the states at the times that they pass.
    pub(super) fn save(&mut self) {
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
    pub(super) fn interpolates(&self, slot: usize) -> bool {
        let Slots { t_end, sign, error, .. } = &self.slots;
        self.ledger[slot].as_ref().is_some_and(|entry| {
            let next = self.run.times[entry.index][entry.next];
            let inside = (t_end[slot] - next) * sign[slot] > T::ZERO;
            error[slot] <= T::ONE && (inside || self.observer.is_some())
        })
    }

    /// The stages that only the interpolant needs, if it is needed. What it gives must be finite: the
    /// error estimate of the step does not see these stages.
    pub(super) fn evaluate_extra(&mut self) -> Result<(), FieldError> {
        let (pair, slots) = (self.run.pair, self.ledger.len());
        if !(0..slots).any(|slot| self.interpolates(slot)) {
            return Ok(());
        }
        for (k, (node, weights)) in pair.extra.iter().enumerate() {
            self.evaluate(pair.tableau.stages() + k, *node, weights)?;
        }
        for row in 0..slots {
            if self.interpolates(row) {
                self.charge(row, pair.extra.len());
                if !(StepTaken { pair, slots: &self.slots, slot: row }).is_finite_inside() {
                    let reason = OVERFLOW_INSIDE.to_owned();
                    return Err(FieldError::Undefined { row, reason });
                }
            }
        }
        Ok(())
    }

    /// Shows the accepted step to the observer, which may stop the trajectory inside it.
    pub(super) fn observe(&mut self, slot: usize) -> Option<T> {
        let trajectory = self.ledger[slot].as_ref()?.index;
        let observer = self.observer.as_mut()?;
        observer.observe(trajectory, &StepTaken { pair: self.run.pair, slots: &self.slots, slot })
    }

    /// Saves the states at the times up to the end of the step, or to where it is stopped.
    pub(super) fn save_passed(&mut self, slot: usize, stop: Option<T>) {
        let Some(entry) = &mut self.ledger[slot] else { return };
        let times = self.run.times[entry.index];
        let step = StepTaken { pair: self.run.pair, slots: &self.slots, slot };
        let (until, sign) = (stop.unwrap_or(self.slots.t_end[slot]), self.slots.sign[slot]);
        let mut passed = false;
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
            passed = true;
        }
        if passed {
            self.aim(slot);
        }
    }

    /// Ends the trajectories that are done or have failed; others take their place.
    pub(super) fn retire(&mut self) {
        for slot in 0..self.ledger.len() {
            let Some(entry) = &self.ledger[slot] else { continue };
            let (trajectory, time) = (self.run.first + entry.index, self.slots.t[slot].to_f64());
            let tries = entry.tries(self.round);
            let limit = self.run.settings.max_steps;
            let error = if entry.next >= self.run.times[entry.index].len() {
                None
            } else if self.slots.is_too_small(slot) || self.is_hopeless(slot, entry) {
                let (step, dt) = (self.steps(slot, entry), self.slots.h[slot].to_f64());
                Some(match &entry.complaint {
                    Some(source) => {
                        SolveError::Field { trajectory, step, time, source: source.clone() }
                    }
                    None => {
                        let cause = self.cause(slot, entry.index, true);
                        SolveError::StepTooSmall { trajectory, step, time, dt, cause }
                    }
                })
            } else if tries >= limit {
                let cause = self.cause(slot, entry.index, false);
                Some(SolveError::TooManySteps { trajectory, limit, time, cause })
            } else {
                continue;
            };
            self.end(slot, error);
        }
        self.refill();
    }

    /// Whether a tolerance below rounding makes steps so short that all that are allowed do not reach
    /// the end. Asked at the same steps whoever else is in the block.
    fn is_hopeless(&self, slot: usize, entry: &Entry) -> bool {
        let Slots { t, h, last, .. } = &self.slots;
        let tries = entry.tries(self.round);
        if tries == 0 || !tries.is_multiple_of(PATIENCE) {
            return false;
        }
        let steps = self.run.settings.max_steps.saturating_sub(tries) as f64;
        let (left, step) = ((last[slot] - t[slot]).to_f64(), h[slot].to_f64());
        left.abs() > steps * step.abs()
            && matches!(self.cause(slot, entry.index, false), StepLimit::Rounding { .. })
    }

    /// What keeps the steps of a slot short.
    #[cold]
    pub(super) fn cause(&self, slot: usize, index: usize, too_small: bool) -> StepLimit {
        let Slots { t, h, x, least, .. } = &self.slots;
        let of = |lanes: &[T]| {
            let own = lanes.get(slot..).unwrap_or_default();
            Vec::from_iter(own.iter().step_by(self.slots.count()).copied())
        };
        let (t, mut u) = (&t[slot..=slot], Vec::new());
        // Where they have no value, no rate of the field has either.
        let _ = self.drive.write(std::iter::once(slot), t, &mut u);
        let stuck = Stuck {
            at: At { t, u: &u },
            x: &of(x),
            least: &of(least),
            step: h[slot].to_f64(),
            span: span(self.run.times[index]),
            tolerances: self.law.tolerances,
        };
        stuck.cause(self.field, too_small)
    }

    /// Accepted steps.
    pub(super) fn steps(&self, slot: usize, entry: &Entry) -> usize {
        self.round - entry.since - self.slots.rejected[slot] - self.slots.rested[slot]
    }

    pub(super) fn fail_with(&mut self, slot: usize, source: FieldError) {
        let Some(entry) = &self.ledger[slot] else { return };
        let (trajectory, time) = (self.run.first + entry.index, self.slots.t[slot].to_f64());
        let step = self.steps(slot, entry);
        self.end(slot, Some(SolveError::Field { trajectory, step, time, source }));
    }

    pub(super) fn end(&mut self, slot: usize, error: Option<SolveError>) {
        self.account(slot);
        if let Some(entry) = self.ledger[slot].take()
            && let Some(error) = error
        {
            self.run.statuses[entry.index] = Err(error);
        }
    }

    pub(super) fn account(&mut self, slot: usize) {
        let Some(entry) = &self.ledger[slot] else { return };
        let steps = self.steps(slot, entry);
        let rejected = self.slots.rejected[slot] + entry.refused;
        let tried = (steps + rejected) * (self.run.pair.tableau.stages() - 1);
        let evaluations = entry.evaluations + tried;
        self.run.statistics[entry.index] = Statistics { steps, rejected, evaluations };
    }

    pub(super) fn charge(&mut self, slot: usize, evaluations: usize) {
        if let Some(entry) = &mut self.ledger[slot] {
            entry.evaluations += evaluations;
        }
    }
}
