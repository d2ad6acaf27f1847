//! Integration with an adaptive step size.

mod block;
mod cause;
mod drive;
mod events;
mod first_step;
mod ledger;
mod observe;
mod observed;
mod run;
mod solver;
mod starts;

pub use block::AdaptiveJob;
pub use events::{Crossing, Event, EventResult, EventSolution, Occurrence};
pub use run::AdaptiveRun;
pub use solver::{Adaptive, BatchSolution, Solution, solve, solve_batch};

/// The error that a step may make: coordinate `i` by `atol + rtol size_i`, in the root mean square
/// over coordinates.
///
/// `size_i` is `|x_i|`, but at least an eighth of the largest value that the coordinate has had on this
/// trajectory. So one that passes through 0 is held to its own size, each to its own, and units
/// change nothing: with `atol = 0`, the default, 1 m and 1e-15 m are integrated with the same steps.
/// A coordinate that begins at 0 has the size of what the steps bring.
///
/// An `atol` above 0 says, in the units of the state, below what nothing matters: steps are then
/// longer where coordinates are small, above all where many begin at rest at 0.
///
/// ```
/// use hnn_integrators::{FnField, Tolerances, solve};
/// use ndarray::array;
/// let oscillator = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = -x[0];
/// });
/// let times = [0.0, 3.0];
/// for amplitude in [1.0, 1e-12] {
///     let run = solve(&oscillator, array![amplitude, 0.0].view(), &times, Tolerances::default())?;
///     assert!((run.states[[1, 0]] / amplitude - 3.0f64.cos()).abs() < 1e-8);
/// }
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Tolerances {
    /// Relative tolerance.
    pub rtol: f64,
    /// Absolute tolerance, in the units of the state.
    pub atol: f64,
}

impl Tolerances {
    /// A relative tolerance alone.
    #[must_use]
    pub fn relative(rtol: f64) -> Self {
        Self { rtol, atol: 0.0 }
    }

    /// The same relative and absolute tolerance: for states of the size of 1.
    #[must_use]
    pub fn both(tolerance: f64) -> Self {
        Self { rtol: tolerance, atol: tolerance }
    }
}

impl Default for Tolerances {
    /// `rtol = 1e-9`, `atol = 0`.
    fn default() -> Self {
        Self::relative(1e-9)
    }
}

/// What an adaptive integration cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Statistics {
    /// Accepted steps.
    pub steps: usize,
    /// Rejected steps.
    pub rejected: usize,
    /// Evaluations of the field.
    pub evaluations: usize,
}
