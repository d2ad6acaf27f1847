//! Trajectories that begin, and pieces of their signals.

use super::Tolerances;
use super::block::Block;
use super::first_step::FirstStep;
use super::ledger::{Entry, PATIENCE};
use super::run::{direction, span};
use crate::kernel::{LEAST_SHARE, Slots};
use crate::step::add_scaled_stages;
use crate::{At, FieldError, Scalar};

/// Trajectories that begin, or a piece of their signal.
#[derive(Debug, Default)]
pub(super) struct Starts<T> {
    pub(super) slots: Vec<usize>,
    pub(super) t: Vec<T>,
    pub(super) u: Vec<T>,
    pub(super) dt: Vec<T>,
    pub(super) x: Vec<T>,
    pub(super) slope: Vec<T>,
    pub(super) stage: Vec<T>,
    pub(super) second: Vec<T>,
    pub(super) firsts: Vec<FirstStep>,
}

impl<T: Scalar> Block<'_, '_, T> {
    /// Empty slots take up trajectories that wait; where none waits any more and half of the slots
    /// are empty, these go.
    pub(super) fn refill(&mut self) {
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
            self.drive.pack(&kept);
            self.ledger.retain(Option::is_some);
        } else if let Some(other) = self.ledger.iter().position(Option::is_some) {
            empty.iter().for_each(|slot| self.rest(*slot, other));
        }
        self.scratch.empty = empty;
        let limit = self.run.settings.max_steps;
        let last = |entry: &Entry| {
            let look = (entry.tries(self.round) / PATIENCE + 1).saturating_mul(PATIENCE);
            entry.since.saturating_add(look.min(limit).saturating_sub(entry.refused))
        };
        self.deadline = self.ledger.iter().flatten().map(last).min().unwrap_or(usize::MAX);
    }

    /// Steps of length 0, which nothing asks for, from where another slot is: there the field has a
    /// value.
    pub(super) fn rest(&mut self, slot: usize, other: usize) {
        self.drive.follow(slot, other);
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
    pub(super) fn take_up(&mut self, empty: &mut Vec<usize>) {
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
            (self.slots.rejected[slot], self.slots.rested[slot]) = (0, 0);
            self.slots.t[slot] = times[0];
            self.slots.sign[slot] = direction(times);
            self.drive.take_up(slot, index, times[0], times[1] > times[0]);
            self.aim(slot);
            self.slots.log_previous[slot] = T::from_f64(self.law.control.log_smallest());
            self.slots.growth[slot] = T::from_f64(self.law.control.most());
            starts.slots.push(slot);
        }
        self.begin(&mut starts);
        self.scratch.starts = starts;
    }

    /// First slopes and first step sizes.
    pub(super) fn begin(&mut self, starts: &mut Starts<T>) {
        self.evaluate_starts(starts);
        if starts.slots.is_empty() {
            return;
        }
        match self.run.settings.first_step {
            Some(size) => {
                for (row, slot) in starts.slots.iter().enumerate() {
                    self.slots.h[*slot] = T::from_f64(size) * self.slots.sign[*slot];
                    let slope = row_of(&starts.slope, row, starts.slots.len());
                    self.set_least(*slot, size, slope);
                    self.charge(*slot, 1);
                }
            }
            None => self.choose_first_steps(starts),
        }
    }

    /// The slopes where steps begin anew.
    pub(super) fn evaluate_starts(&mut self, starts: &mut Starts<T>) {
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
            let Starts { slots, t, u, x, slope, .. } = &mut *starts;
            let workspace = &mut self.scratch.workspace;
            let evaluated = self
                .drive
                .write(slots.iter().copied(), t, u)
                .and_then(|()| self.field.eval(At { t, u }, x, slope, workspace));
            match evaluated {
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
    }

    /// The sizes of the first steps, from a second slope.
    pub(super) fn choose_first_steps(&mut self, starts: &mut Starts<T>) {
        let Starts { slots, t, u, dt, x, slope, stage, second, firsts } = starts;
        let (new, settings) = (slots.len(), self.run.settings);
        firsts.clear();
        dt.clear();
        for (row, slot) in slots.iter().enumerate() {
            let index = self.ledger[*slot].as_ref().map_or(0, |entry| entry.index);
            let piece = (self.slots.last[*slot] - self.slots.t[*slot]).to_f64().abs();
            let longest = span(self.run.times[index]).min(settings.max_step).min(piece);
            let (x, slope) = (row_of(x, row, new), row_of(slope, row, new));
            let first = FirstStep::new(settings.tolerances, longest, x, slope);
            dt.push(T::from_f64(first.trial) * self.slots.sign[*slot]);
            firsts.push(first);
        }
        stage.resize(x.len(), T::ZERO);
        second.resize(x.len(), T::ZERO);
        add_scaled_stages(x, dt, &[1.0], slope, stage);
        t.iter_mut().zip(&*dt).for_each(|(t, dt)| *t += *dt);
        let workspace = &mut self.scratch.workspace;
        let evaluated = self
            .drive
            .write(slots.iter().copied(), t, u)
            .and_then(|()| self.field.eval(At { t, u }, stage, second, workspace));
        if evaluated.is_err() {
            second.fill(T::NAN);
        }
        for (row, (slot, first)) in slots.iter().zip(&*firsts).enumerate() {
            let slopes = row_of(slope, row, new).chain(row_of(second, row, new));
            self.set_least(*slot, first.trial, slopes);
        }
        second.iter_mut().zip(&*slope).for_each(|(second, first)| *second -= *first);
        for (row, (slot, first)) in slots.iter().zip(&*firsts).enumerate() {
            let (change, x) = (row_of(second, row, new), row_of(x, row, new));
            let size = first.choose(self.run.pair.error_order, change, x);
            // Not below the distance of the numbers around the time.
            let least = T::from_f64(100.0) * T::EPSILON * self.slots.t[*slot].abs();
            let size =
                Scalar::max(T::from_f64(size), Scalar::min(least, T::from_f64(first.longest)));
            self.slots.h[*slot] = size * self.slots.sign[*slot];
            self.charge(*slot, 2);
        }
    }

    /// The least errors allowed at the start, by slopes that are known and a time for which they may hold.
    ///
    /// A coordinate that begins at rest at 0 may grow like so high a power of the time that no step,
    /// however short, has a small error in units of what it brings. Its size counts as at least
    /// `EPSILON^2` times the largest one: less than any ratio of units, and an end to such steps.
    fn set_least(&mut self, slot: usize, time: f64, slopes: impl Iterator<Item = f64>) {
        let (count, Tolerances { rtol, atol }) = (self.slots.count(), self.law.tolerances);
        let sizes = row_of(&self.slots.x, slot, count).chain(slopes.map(|slope| slope * time));
        let share = T::EPSILON.to_f64().powi(2);
        let largest = sizes.map(f64::abs).filter(|size| size.is_finite()).fold(share, f64::max);
        for i in (slot..self.slots.x.len()).step_by(count) {
            let size = (LEAST_SHARE * self.slots.x[i].to_f64().abs()).max(share * largest);
            self.slots.least[i] = T::from_f64(rtol * size + atol);
        }
    }

    /// Slots whose accepted step ends with a piece of their signal, before their trajectory does.
    pub(super) fn find_turning(&mut self) {
        let Slots { t_end, last, error, h, .. } = &self.slots;
        self.scratch.turning.clear();
        if !self.drive.has_pieces() {
            return;
        }
        for (slot, entry) in self.ledger.iter().enumerate() {
            let Some(entry) = entry else { continue };
            let goes_on = entry.next < self.run.times[entry.index].len();
            if goes_on && error[slot] <= T::ONE && t_end[slot] == last[slot] {
                self.scratch.turning.push((slot, h[slot]));
            }
        }
    }

    /// The next pieces of signals: with the steps planned before the end of the last ones cut them, and
    /// slopes of their own where inputs jump.
    pub(super) fn turn(&mut self) {
        if self.scratch.turning.is_empty() {
            return;
        }
        let mut starts = std::mem::take(&mut self.scratch.starts);
        starts.slots.clear();
        for (slot, planned) in self.scratch.turning.drain(..) {
            let sign = self.slots.sign[slot];
            if self.drive.turn(slot, sign > T::ZERO) {
                starts.slots.push(slot);
            }
            let h = self.slots.h[slot];
            self.slots.h[slot] = Scalar::max(h.abs(), planned.abs()) * sign;
        }
        for slot in 0..self.ledger.len() {
            self.aim(slot);
        }
        self.evaluate_starts(&mut starts);
        for slot in &starts.slots {
            self.charge(*slot, 1);
        }
        self.scratch.starts = starts;
    }

    /// Sets how far the steps of a slot may go, to the end of a piece of its signal or of its
    /// trajectory, and the next time at which it needs attention.
    pub(super) fn aim(&mut self, slot: usize) {
        let Some(entry) = &self.ledger[slot] else { return };
        let times = self.run.times[entry.index];
        let Slots { last, next_time, sign, .. } = &mut self.slots;
        let sign = sign[slot];
        let first = |a: T, b: T| if (a - b) * sign < T::ZERO { a } else { b };
        let end = times[times.len() - 1];
        last[slot] = self.drive.end(slot, sign > T::ZERO).map_or(end, |piece| first(piece, end));
        next_time[slot] = times.get(entry.next).map_or(end, |time| first(last[slot], *time));
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
