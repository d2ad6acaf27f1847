//! Integration with an adaptive step size.

mod block;
mod events;
mod first_step;
mod observe;
mod observed;
mod run;
mod solver;

pub use block::AdaptiveJob;
pub use events::{Crossing, Event, EventResult, EventSolution, Occurrence};
pub use run::AdaptiveRun;
pub use solver::{Adaptive, BatchSolution, Solution, solve, solve_batch};

/// The error that a step may make: coordinate `i` by `atol + rtol |x_i|`, in the root mean square
/// over coordinates.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tolerances {
    /// Relative tolerance.
    pub rtol: f64,
    /// Absolute tolerance, in the units of the state.
    pub atol: f64,
}

impl Tolerances {
    /// The same relative and absolute tolerance.
    #[must_use]
    pub fn both(tolerance: f64) -> Self {
        Self { rtol: tolerance, atol: tolerance }
    }
}

impl Default for Tolerances {
    /// `rtol = 1e-9`, `atol = 1e-9`.
    fn default() -> Self {
        Self::both(1e-9)
    }
}

/// What an adaptive integration cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Statistics {
    /// Accepted steps.
    pub steps: usize,
    /// Rejected steps.
    pub rejected: usize,
    /// Evaluations of the field.
    pub evaluations: usize,
}
