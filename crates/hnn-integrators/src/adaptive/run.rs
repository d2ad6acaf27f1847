//! A block of trajectories to be integrated adaptively.

use ndarray::{ArrayView2, ArrayViewMut3};

use super::{Statistics, Tolerances};
use crate::{EmbeddedPair, Scalar, SolveError};

/// What a user may set.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settings {
    pub(crate) tolerances: Tolerances,
    pub(crate) first_step: Option<f64>,
    pub(crate) max_step: f64,
    pub(crate) max_steps: usize,
}

/// A block of trajectories to be integrated adaptively, each with its own step size.
#[derive(Debug)]
pub struct AdaptiveRun<'a, T> {
    pub(crate) pair: &'a EmbeddedPair,
    pub(crate) settings: Settings,
    /// Global index of the first trajectory.
    pub(crate) first: usize,
    /// Initial states, of shape (B, D).
    pub(crate) x0: ArrayView2<'a, T>,
    /// The times of each trajectory.
    pub(crate) times: &'a [&'a [T]],
    /// The states at these times, of shape (B, T, D).
    pub(crate) out: ArrayViewMut3<'a, T>,
    pub(crate) statistics: Vec<Statistics>,
    pub(crate) statuses: Vec<Result<(), SolveError>>,
}

/// 1 or -1.
pub(crate) fn direction<T: Scalar>(times: &[T]) -> T {
    if times[times.len() - 1] < times[0] { -T::ONE } else { T::ONE }
}

/// Length of the interval.
pub(crate) fn span<T: Scalar>(times: &[T]) -> f64 {
    (times[times.len() - 1] - times[0]).to_f64().abs()
}
