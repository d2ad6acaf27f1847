//! What a fused trajectory is asked for.

use crate::{Scalar, Wide, simd::Isa};

/// When the steps of a batch begin, and how long they are.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Clock<'a, T> {
    /// `(steps + 1) * B` numbers: the time of each row at state 0, at state 1, and so on.
    Times(&'a [T]),
    /// Equal steps, the same of all rows.
    Equal {
        /// Time of state 0.
        start: T,
        /// Step size.
        dt: T,
    },
}

impl<T: Scalar> Clock<'_, T> {
    /// Whether there is a time for each row at each of so many states.
    fn covers(&self, states: usize, batch: usize) -> bool {
        match self {
            Clock::Times(times) => times.len() == states * batch,
            Clock::Equal { .. } => true,
        }
    }

    /// Time and step size of the rows from `row` on, of a batch, in a step.
    #[inline(always)]
    pub(super) fn interval<I: Isa, const W: usize>(
        &self,
        step: usize,
        batch: usize,
        row: usize,
    ) -> (Wide<T, W, I>, Wide<T, W, I>) {
        match *self {
            Clock::Times(times) => {
                let (now, next) = times[step * batch..(step + 2) * batch].split_at(batch);
                let t = Wide::load_padded(&now[row..]);
                (t, Wide::load_padded(&next[row..]) - t)
            }
            Clock::Equal { start, dt } => {
                let t = start + T::from_usize(step) * dt;
                (Wide::new([t; W]), Wide::new([dt; W]))
            }
        }
    }
}

/// A trajectory to be filled in from its first state.
#[derive(Debug)]
pub struct RolloutRun<'a, T> {
    /// The times.
    pub clock: Clock<'a, T>,
    /// Number of rows `B`.
    pub batch: usize,
    /// States `0..=steps`, one after the other, each `D * B` numbers, coordinate-major. The first
    /// is given.
    pub states: &'a mut [T],
}

/// A trajectory whose cotangents are to be pulled back to its first state.
#[derive(Debug)]
pub struct AdjointRun<'a, T> {
    /// The times.
    pub clock: Clock<'a, T>,
    /// Number of rows `B`.
    pub batch: usize,
    /// States `0..steps` (the last one may follow), as in [`RolloutRun`].
    pub states: &'a [T],
    /// The cotangent of each of the states `0..=steps` by itself; afterwards those of the first
    /// state are its total cotangent, and the others scratch.
    pub states_bar: &'a mut [T],
}

impl<T: Scalar> RolloutRun<'_, T> {
    /// Whether the slices hold whole states of dimension `dim`, with their times.
    pub(super) fn fits(&self, dim: usize) -> bool {
        let states = count(self.states.len(), dim * self.batch);
        states.is_some_and(|states| self.clock.covers(states, self.batch))
    }
}

impl<T: Scalar> AdjointRun<'_, T> {
    /// Whether the slices hold whole states of dimension `dim`, with their times.
    pub(super) fn fits(&self, dim: usize) -> bool {
        let len = dim * self.batch;
        let fits = |states| {
            self.clock.covers(states, self.batch) && self.states.len() >= (states - 1) * len
        };
        count(self.states_bar.len(), len).is_some_and(fits)
    }
}

/// How many states of length `len` a slice holds: at least one.
fn count(slice: usize, len: usize) -> Option<usize> {
    (len > 0 && slice >= len && slice.is_multiple_of(len)).then(|| slice / len)
}
