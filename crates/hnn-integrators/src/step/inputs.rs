//! The inputs' cotangent on the way back through a step.

use crate::{Bars, FieldError, Inputs, Interval, Scalar};

/// The cotangent of the inputs at one stage of a recorded step, and what becomes of it.
#[derive(Debug)]
pub(super) struct StageInputs<T> {
    /// K * B numbers.
    bar: Vec<T>,
    /// Whether the inputs are a function of time.
    function: bool,
}

impl<T> Default for StageInputs<T> {
    fn default() -> Self {
        Self { bar: Vec::new(), function: false }
    }
}

impl<T: Scalar> StageInputs<T> {
    /// For a step of a field with so many inputs.
    pub(super) fn record(&mut self, over: &Interval<'_, T>, inputs: usize) {
        self.bar.resize(inputs * over.batch(), T::ZERO);
        self.function = matches!(over.u, Inputs::Function(_));
    }

    /// Checks that the inputs' cotangents can be had where they are asked for.
    pub(super) fn check(&self, bars: &Bars<'_, T>) -> Result<(), FieldError> {
        if bars.u.is_some() && self.function && !self.bar.is_empty() {
            return Err(FieldError::FunctionInputs);
        }
        bars.check_inputs(2 * self.bar.len())
    }

    /// The place of a stage's own cotangent, where it is wanted: zeros.
    pub(super) fn stage(&mut self, wanted: bool) -> Option<&mut [T]> {
        self.bar.fill(T::ZERO);
        wanted.then_some(&mut self.bar[..])
    }

    /// Adds the cotangent of a stage at the node `c`, where the inputs are
    /// `begin + c (end - begin)`, to those of the begin and of the end.
    pub(super) fn add_stage(&self, c: f64, u: Option<&mut [T]>) {
        let Some(u) = u else { return };
        let (begin, end) = u.split_at_mut(self.bar.len());
        let c = T::from_f64(c);
        for (bar, (begin, end)) in self.bar.iter().zip(begin.iter_mut().zip(end)) {
            *begin += (T::ONE - c) * *bar;
            *end += c * *bar;
        }
    }
}
