//! What a loss is.

use std::ops::Range;

use hnn_integrators::Scalar;

use crate::{LossError, ResidualLayout, ResidualRows, RowSelection, RowShare};

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
    fn value(&mut self, field: &F, selection: RowSelection<'_>) -> Result<f64, LossError>;

    /// `L`, and **adds** `weight * dL/dtheta` to `theta_bar`.
    ///
    /// # Errors
    /// As [`value`](Self::value), or if `theta_bar` has another length than the parameters.
    fn value_and_gradient(
        &mut self,
        field: &F,
        selection: RowSelection<'_>,
        weight: f64,
        theta_bar: &mut [T],
    ) -> Result<f64, LossError>;

    /// Prepares the residuals `r` of a selection, `L = |r|^2 + prior |theta|^2`, and says how they
    /// lie: for losses that are sums of squares.
    ///
    /// Where an error counts less than its square ([`ErrorMeasure::Huber`](crate::ErrorMeasure)),
    /// residuals and rows carry the square root of its weight: `J^T r` is half the gradient still,
    /// `|r|^2` less than the loss.
    ///
    /// # Errors
    /// [`LossError::NoResiduals`] for other losses; else as [`value`](Self::value).
    fn residual_layout(
        &mut self,
        _field: &F,
        _selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError> {
        Err(LossError::NoResiduals { loss: self.name().to_owned() })
    }

    /// Writes the residuals of some groups of the [layout](Self::residual_layout) last prepared,
    /// with their Jacobian where it is asked for.
    ///
    /// # Errors
    /// As [`residual_layout`](Self::residual_layout), or if a slice has another length than the
    /// layout says.
    fn residuals(
        &mut self,
        _field: &F,
        _groups: Range<usize>,
        _rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError> {
        Err(LossError::NoResiduals { loss: self.name().to_owned() })
    }

    /// Copies the locals of the layout last prepared, group after group, into `out`.
    ///
    /// # Errors
    /// If `out` has another length than there are locals.
    fn copy_locals(&self, out: &mut [T]) -> Result<(), LossError> {
        check_locals(out.len(), 0)
    }

    /// Replaces the locals of the layout last prepared, group after group.
    ///
    /// # Errors
    /// If there are more or fewer of them.
    fn set_locals(&mut self, locals: &[T]) -> Result<(), LossError> {
        check_locals(locals.len(), 0)
    }

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

    /// The value of each term, by name, that a constant would have: what a model that explains anything is
    /// below. That is the mean of the data's derivatives or inputs, or, of trajectories, the state that each
    /// window begins with.
    fn constant_values(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// The value of each term, by name, that the noise of its data alone has, where their standard errors
    /// are known: a term far above it misses something, or the errors are larger than was said.
    fn noise_values(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// How many rows there are to select from; none for a loss of parameters alone.
    fn num_rows(&self) -> Option<usize> {
        None
    }

    /// Appends what the value of a selection, which may be empty, is divided by: sums over its rows. Of all
    /// [ranks](crate::Ranks)' rows these are the sums of what each rank appends (of a penalty, their
    /// number).
    ///
    /// # Errors
    /// By default: the loss does not say. Else if a selected row does not exist.
    fn row_sums(
        &self,
        _selection: RowSelection<'_>,
        _sums: &mut Vec<f64>,
    ) -> Result<(), LossError> {
        Err(LossError::NotShared { loss: self.name().to_owned() })
    }

    /// Takes from the front of `sums` those of [`row_sums`](Self::row_sums), of the rows of all ranks: values,
    /// gradients and residuals are from then on divided by these instead of this loss's own, so that what
    /// ranks have adds up to what one process with all rows has.
    ///
    /// # Errors
    /// By default, as [`row_sums`](Self::row_sums); if there are too few.
    fn set_row_sums(&mut self, _sums: &mut &[f64]) -> Result<(), LossError> {
        Err(LossError::NotShared { loss: self.name().to_owned() })
    }

    /// The share of the rows that this process has, where others have the rest
    /// ([`Distributed`](crate::Distributed)): values and gradients are of all rows, residuals of these alone.
    fn row_share(&self) -> Option<&RowShare> {
        None
    }
}

/// Takes so many sums over rows from the front of all.
pub(crate) fn take_sums<'a>(sums: &mut &'a [f64], count: usize) -> Result<&'a [f64], LossError> {
    let given = sums.len();
    sums.split_off(..count).ok_or(LossError::Shape {
        what: "sums over rows",
        given: vec![given],
        expected: vec![count],
        hint: "those of `row_sums`, one after the other",
    })
}

/// Checks a number of locals.
pub(crate) fn check_locals(given: usize, expected: usize) -> Result<(), LossError> {
    if given == expected { Ok(()) } else { Err(LossError::Locals { given, expected }) }
}
