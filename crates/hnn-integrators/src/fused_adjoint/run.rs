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
