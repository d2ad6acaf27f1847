//! A model and its losses as one object: training is compiled once for each type of number, and not
//! for every model.

use std::ops::Range;

use hnn_integrators::{Parameters, Scalar};
use hnn_losses::{Loss, LossError, ResidualLayout, ResidualRows, RowSelection, RowShare};

/// The loss of a model, at the parameters that it has; most methods are those of [`Loss`].
pub(crate) trait Fitting<T: Scalar> {
    fn model(&mut self) -> &mut dyn Parameters<T>;
    fn value(&mut self, selection: RowSelection<'_>) -> Result<f64, LossError>;
    fn value_and_gradient(
        &mut self,
        selection: RowSelection<'_>,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError>;
    fn residual_layout(&mut self) -> Result<ResidualLayout, LossError>;
    fn residuals(
        &mut self,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError>;
    fn has_validation(&self) -> bool;
    /// The validation loss, where there is one.
    fn validation(&mut self) -> Result<Option<f64>, LossError>;
    fn name(&self) -> &str;
    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError>;
    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError>;
    fn begin_step(&mut self, step: usize, steps: usize) -> Result<(), LossError>;
    fn save_state(&self, state: &mut Vec<f64>);
    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError>;
    fn terms(&self) -> Vec<(String, f64)>;
    fn constant_values(&self) -> Vec<(String, f64)>;
    fn noise_values(&self) -> Vec<(String, f64)>;
    fn row_share(&self) -> Option<&RowShare>;
}

/// A model with its losses.
pub(crate) struct Fitted<'a, 'v, T, F> {
    pub(crate) model: &'a mut F,
    pub(crate) loss: &'a mut dyn Loss<T, F>,
    pub(crate) validation: Option<&'v mut dyn Loss<T, F>>,
}

impl<T: Scalar, F: Parameters<T>> Fitting<T> for Fitted<'_, '_, T, F> {
    fn model(&mut self) -> &mut dyn Parameters<T> {
        self.model
    }

    fn value(&mut self, selection: RowSelection<'_>) -> Result<f64, LossError> {
        self.loss.value(self.model, selection)
    }

    fn value_and_gradient(
        &mut self,
        selection: RowSelection<'_>,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError> {
        self.loss.value_and_gradient(self.model, selection, 1.0, theta_bar)
    }

    fn residual_layout(&mut self) -> Result<ResidualLayout, LossError> {
        self.loss.residual_layout(self.model, RowSelection::All)
    }

    fn residuals(
        &mut self,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        self.loss.residuals(self.model, groups, rows)
    }

    fn has_validation(&self) -> bool {
        self.validation.is_some()
    }

    fn validation(&mut self) -> Result<Option<f64>, LossError> {
        let validation = self.validation.as_deref_mut();
        validation.map(|loss| loss.value(self.model, RowSelection::All)).transpose()
    }

    fn name(&self) -> &str {
        self.loss.name()
    }

    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        self.loss.copy_locals(out)
    }

    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        self.loss.set_locals(locals)
    }

    fn begin_step(&mut self, step: usize, steps: usize) -> Result<(), LossError> {
        self.loss.begin_step(step, steps)
    }

    fn save_state(&self, state: &mut Vec<f64>) {
        self.loss.save_state(state);
    }

    fn restore_state(&mut self, state: &mut &[f64]) -> Result<(), LossError> {
        self.loss.restore_state(state)
    }

    fn terms(&self) -> Vec<(String, f64)> {
        self.loss.terms()
    }

    fn constant_values(&self) -> Vec<(String, f64)> {
        self.loss.constant_values()
    }

    fn noise_values(&self) -> Vec<(String, f64)> {
        self.loss.noise_values()
    }

    fn row_share(&self) -> Option<&RowShare> {
        self.loss.row_share()
    }
}
