//! When a fixed-point iteration ends.

use crate::{FieldError, Scalar};

/// Iterations before a solve is given up. Convergence is linear, with a factor of about
/// `|dt| |df/dx|`: a factor of 0.9 reaches rounding in 350.
const MOST_ITERATIONS: usize = 400;

/// The largest relative change of each round.
#[derive(Debug)]
pub(super) struct Iteration {
    rounds: usize,
    last: f64,
    residual: f64,
    /// Row of the largest change.
    worst: usize,
}

impl Default for Iteration {
    fn default() -> Self {
        Self { rounds: 0, last: f64::INFINITY, residual: 0.0, worst: 0 }
    }
}

impl Iteration {
    /// A change in this round, in units of the size of what changes.
    pub(super) fn see(&mut self, change: f64, row: usize) {
        // Once NaN, it stays so.
        if change > self.residual || change.is_nan() {
            (self.residual, self.worst) = (change, row);
        }
    }

    /// Ends a round: true where it has converged to rounding, or as far as rounding lets it.
    pub(super) fn is_done<T: Scalar>(&mut self) -> Result<bool, FieldError> {
        let residual = std::mem::take(&mut self.residual);
        let (tight, loose) = (2.0 * T::EPSILON.to_f64(), 100.0 * T::EPSILON.to_f64());
        if residual <= tight || (residual <= loose && residual >= self.last) {
            return Ok(true);
        }
        self.last = residual;
        self.rounds += 1;
        if self.rounds < MOST_ITERATIONS && residual.is_finite() {
            return Ok(false);
        }
        let (row, iterations) = (self.worst, self.rounds);
        Err(FieldError::NotConverged { row, iterations, residual })
    }
}
