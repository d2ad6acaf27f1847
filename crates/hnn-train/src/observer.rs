//! Watching a training run.

use std::time::Duration;

use crate::StepRecord;

/// How far a run is.
#[derive(Debug)]
pub struct Progress<'a> {
    /// This step.
    pub record: &'a StepRecord,
    /// Number of steps planned.
    pub steps: usize,
    /// Time since the run began.
    pub elapsed: Duration,
}

impl Progress<'_> {
    /// Time left if the steps to come take as long as those done.
    #[must_use]
    pub fn remaining(&self) -> Duration {
        let done = self.record.step + 1;
        self.elapsed.mul_f64((self.steps - done.min(self.steps)) as f64 / done as f64)
    }
}

/// Whether a run goes on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
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
