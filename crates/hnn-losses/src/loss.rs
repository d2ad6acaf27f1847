//! What a loss is.

use hnn_integrators::Scalar;

use crate::{LossError, Selection};

/// A scalar function `L(theta)` of a field's parameters, made of data; object-safe.
///
/// Losses keep the scratch memory of their evaluations, hence `&mut self`; an evaluation allocates
/// nothing once that memory has grown.
pub trait Loss<T: Scalar, F: ?Sized>: Send {
    /// What the loss is called in logs.
    fn name(&self) -> &str;

    /// `L`.
    ///
    /// # Errors
    /// If a selected row does not exist, or the field fails.
    fn value(&mut self, field: &F, selection: Selection<'_>) -> Result<f64, LossError>;

    /// `L`, and **adds** `weight * dL/dtheta` to `theta_bar`.
    ///
    /// # Errors
    /// As [`value`](Self::value), or if `theta_bar` has another length than the parameters.
    fn value_and_gradient(
        &mut self,
        field: &F,
        selection: Selection<'_>,
        weight: f64,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError>;

    /// Told by a trainer before step `step` (from 0) of a run of `steps`: a loss that changes
    /// during training (a curriculum) does so here.
    ///
    /// # Errors
    /// If the loss cannot change as planned.
    fn begin_step(&mut self, _step: usize, _steps: usize) -> Result<(), LossError> {
        Ok(())
    }

    /// Appends to `state` what the loss remembers between steps besides its data and what
    /// [`begin_step`](Self::begin_step) sets (fitted starts), so that a run can be resumed.
    fn save_state(&self, _state: &mut Vec<f64>) {}

    /// Takes from the front of `state` what [`save_state`](Self::save_state) appended.
    ///
    /// # Errors
    /// If `state` is too short.
    fn restore_state(&mut self, _state: &mut &[f64]) -> Result<(), LossError> {
        Ok(())
    }

    /// The value of each term at the last evaluation, by name, for a loss that is a sum.
    fn terms(&self) -> Vec<(String, f64)> {
        Vec::new()
    }
}
