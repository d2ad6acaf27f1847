//! Watching a training run.

use std::fmt::Debug;
use std::time::Duration;

use hnn_integrators::Scalar;

use crate::StepRecord;

/// How far a run is.
#[derive(Debug, Clone, Copy)]
pub struct Progress<'a> {
    /// This step.
    pub record: &'a StepRecord,
    /// Number of steps planned.
    pub steps: usize,
    /// Time since the run began, less the pauses of a resumed run.
    pub elapsed: Duration,
    theta: &'a dyn Theta,
}

impl<'a> Progress<'a> {
    /// After a step of so many, which led to the parameters `theta`.
    pub fn new<T: Scalar>(
        record: &'a StepRecord,
        steps: usize,
        elapsed: Duration,
        theta: &'a Vec<T>,
    ) -> Self {
        Self { record, steps, elapsed, theta }
    }

    /// The parameters after this step (of L-BFGS, the best so far), copied.
    #[must_use]
    pub fn parameters(&self) -> Vec<f64> {
        self.theta.to_f64s()
    }

    /// Time left if the steps to come take as long as those done.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let done = self.record.step.saturating_add(1);
        let left = self.steps.saturating_sub(done) as f64;
        let seconds = self.elapsed.as_secs_f64() * left / done as f64;
        Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
    }
}

/// Parameters of either precision.
trait Theta: Debug {
    fn to_f64s(&self) -> Vec<f64>;
}

impl<T: Scalar> Theta for Vec<T> {
    fn to_f64s(&self) -> Vec<f64> {
        self.iter().map(|w| w.to_f64()).collect()
    }
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Control {
    /// It does.
    Continue,
    /// It ends after this step, as if it had been planned so.
    Stop,
}

/// Something that watches a run: a progress bar, a log, a user who presses a key.
///
/// Closures `FnMut(&Progress) -> Control` are observers, and `()` watches nothing.
pub trait Observer {
    /// Called after every step.
    fn on_step(&mut self, progress: &Progress<'_>) -> Control;
}

impl Observer for () {
    fn on_step(&mut self, _progress: &Progress<'_>) -> Control {
        Control::Continue
    }
}

impl<O: FnMut(&Progress<'_>) -> Control> Observer for O {
    fn on_step(&mut self, progress: &Progress<'_>) -> Control {
        self(progress)
    }
}
