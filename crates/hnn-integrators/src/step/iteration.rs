//! When a fixed-point iteration ends, row by row.

use crate::{FieldError, Scalar};

/// Iterations before a solve is given up. Convergence is linear, with a factor of about
/// `|dt| |df/dx|`: a factor of 0.9 reaches rounding in 350.
const MOST_ITERATIONS: usize = 400;

/// The largest relative changes of each row in a round. A row that has converged stands still while
/// others go on, so that it ends where it would alone.
#[derive(Debug)]
pub(super) struct Iteration<'a, T> {
    rounds: usize,
    /// Largest change of a row in units of what changes, in this round.
    own: &'a mut [T],
    /// The same in the round before; negative of a row that has converged.
    last: &'a mut [T],
    /// Largest change in units of the largest number of the row.
    of_row: &'a mut [T],
}

impl<'a, T: Scalar> Iteration<'a, T> {
    /// Numbers a row that an iteration works on.
    pub(super) const NUMBERS: usize = 3;

    /// Of rows that are not yet known, on memory of [`NUMBERS`](Self::NUMBERS) a row.
    pub(super) fn new(memory: &'a mut [T]) -> Self {
        let rows = memory.len() / Self::NUMBERS;
        let (own, rest) = memory.split_at_mut(rows);
        let (last, of_row) = rest.split_at_mut(rows);
        own.fill(T::ZERO);
        last.fill(T::INFINITY);
        of_row.fill(T::ZERO);
        Self { rounds: 0, own, last, of_row }
    }

    /// Whether this is the first round.
    pub(super) fn is_first(&self) -> bool {
        self.rounds == 0
    }

    /// Whether a row has converged.
    pub(super) fn stands(&self, row: usize) -> bool {
        self.last[row] < T::ZERO
    }

    /// A change in this round, the size of what changes, and the largest size in its row.
    pub(super) fn see(&mut self, change: T, own: T, of_row: T, row: usize) {
        // Where nothing changes, sizes of 0 are as good as any.
        if change == T::ZERO {
            return;
        }
        self.own[row] = Scalar::max(self.own[row], change / own);
        // Once NaN, it stays so.
        let of_row = change / of_row;
        if of_row > self.of_row[row] || !of_row.is_finite() {
            self.of_row[row] = of_row;
        }
    }

    /// Ends a round: true where each number has converged to rounding, or as far as the rounding of
    /// the largest of its row lets it.
    pub(super) fn is_done(&mut self) -> Result<bool, FieldError> {
        let of_epsilon = |times: f64| T::from_f64(times * T::EPSILON.to_f64());
        let (tight, loose) = (of_epsilon(2.0), of_epsilon(100.0));
        self.rounds += 1;
        let mut worst: Option<(usize, f64)> = None;
        for row in 0..self.last.len() {
            let own = std::mem::replace(&mut self.own[row], T::ZERO);
            let of_row = std::mem::replace(&mut self.of_row[row], T::ZERO);
            if self.stands(row) {
                continue;
            }
            let last = std::mem::replace(&mut self.last[row], own);
            if of_row <= loose && (own <= tight || own >= last) {
                self.last[row] = -T::ONE;
                continue;
            }
            let residual = of_row.to_f64();
            if worst.is_none_or(|(_, largest)| residual > largest || residual.is_nan()) {
                worst = Some((row, residual));
            }
        }
        match worst {
            None => Ok(true),
            Some((_, residual)) if self.rounds < MOST_ITERATIONS && residual.is_finite() => {
                Ok(false)
            }
            Some((row, residual)) => {
                Err(FieldError::NotConverged { row, iterations: self.rounds, residual })
            }
        }
    }
}
