//! When a fixed-point iteration ends.

use crate::{FieldError, Scalar};

/// Iterations before a solve is given up. Convergence is linear, with a factor of about
/// `|dt| |df/dx|`: a factor of 0.9 reaches rounding in 350.
const MOST_ITERATIONS: usize = 400;

/// The largest relative change of each round.
#[derive(Debug)]
pub(super) struct Iteration {
    rounds: usize,
    /// Largest change in units of what changes, in this round and in the last one.
    own: f64,
    last: f64,
    /// Largest change in units of the largest number of its row.
    of_row: f64,
    /// Row of that change.
    worst: usize,
}

impl Default for Iteration {
    fn default() -> Self {
        Self { rounds: 0, own: 0.0, last: f64::INFINITY, of_row: 0.0, worst: 0 }
    }
}

impl Iteration {
    /// Whether this is the first round.
    pub(super) fn is_first(&self) -> bool {
        self.rounds == 0
    }

    /// A change in this round, the size of what changes, and the largest size in its row.
    pub(super) fn see(&mut self, change: f64, own: f64, of_row: f64, row: usize) {
        // Where nothing changes, sizes of 0 are as good as any.
        if change == 0.0 {
            return;
        }
        self.own = self.own.max(change / own);
        let of_row = change / of_row;
        // Once NaN, it stays so.
        if of_row > self.of_row || of_row.is_nan() {
            (self.of_row, self.worst) = (of_row, row);
        }
    }

    /// Ends a round: true where each number has converged to rounding, or as far as the rounding of
    /// the largest of its row lets it.
    pub(super) fn is_done<T: Scalar>(&mut self) -> Result<bool, FieldError> {
        let (own, of_row) = (std::mem::take(&mut self.own), std::mem::take(&mut self.of_row));
        let (tight, loose) = (2.0 * T::EPSILON.to_f64(), 100.0 * T::EPSILON.to_f64());
        if of_row <= loose && (own <= tight || own >= self.last) {
            return Ok(true);
        }
        self.last = own;
        self.rounds += 1;
        if self.rounds < MOST_ITERATIONS && of_row.is_finite() {
            return Ok(false);
        }
        let (row, iterations) = (self.worst, self.rounds);
        Err(FieldError::NotConverged { row, iterations, residual: of_row })
    }
}
