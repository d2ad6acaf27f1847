//! Checks of what losses are given.

use hnn_integrators::{FieldError, Scalar, VectorField};
use ndarray::ArrayView2;

use crate::{LossError, RowSelection};

/// Checks a shape.
pub(crate) fn check_shape(
    what: &'static str,
    given: &[usize],
    expected: &[usize],
    hint: &'static str,
) -> Result<(), LossError> {
    if given == expected {
        return Ok(());
    }
    Err(LossError::Shape { what, given: given.to_vec(), expected: expected.to_vec(), hint })
}

/// Weights of `dim` coordinates, checked.
pub(crate) fn coordinate_weights<T: Scalar>(
    weights: &[f64],
    dim: usize,
) -> Result<Vec<T>, LossError> {
    check_shape("coordinate weights", &[weights.len()], &[dim], "one weight a coordinate")?;
    let what = "errors of a coordinate";
    // Of the scalar type, whose range may be smaller.
    let is_sound = |weight: f64| {
        let own = T::from_f64(weight);
        weight == 0.0 || (own > T::ZERO && own.is_finite())
    };
    match weights.iter().find(|weight| !is_sound(**weight)) {
        Some(weight) => Err(LossError::Weight { what, weight: *weight }),
        None if weights.iter().all(|weight| *weight == 0.0) => {
            Err(LossError::Empty { what: "coordinates of a weight above 0" })
        }
        None => Ok(weights.iter().map(|weight| T::from_f64(*weight)).collect()),
    }
}

/// Checks that every number is finite.
pub(crate) fn check_finite<T: Scalar>(
    what: &'static str,
    x: ArrayView2<'_, T>,
) -> Result<(), LossError> {
    match x.indexed_iter().find(|(_, value)| !value.is_finite()) {
        Some(((row, _), value)) => Err(LossError::NonFinite { what, row, value: value.to_f64() }),
        None => Ok(()),
    }
}

/// The number of rows of a selection, checked against the data.
pub(crate) fn selected(selection: RowSelection<'_>, rows: usize) -> Result<usize, LossError> {
    let RowSelection::Rows(selected) = selection else { return Ok(rows) };
    match selected.iter().find(|row| **row >= rows) {
        Some(row) => Err(LossError::NoSuchRow { row: *row, rows }),
        None if selected.is_empty() => Err(LossError::Empty { what: "selected rows" }),
        None => Ok(selected.len()),
    }
}

/// The number of rows of a selection, which may be empty, checked against the data.
pub(crate) fn count(selection: RowSelection<'_>, rows: usize) -> Result<usize, LossError> {
    if selection == RowSelection::Rows(&[]) { Ok(0) } else { selected(selection, rows) }
}

/// Checks that a field fits the data.
pub(crate) fn check_field<T: Scalar>(
    field: &(impl VectorField<T> + ?Sized),
    dim: usize,
    inputs: usize,
) -> Result<(), LossError> {
    let [of_state, of_inputs] = [field.dim(), field.inputs()];
    if of_state != dim {
        return Err(FieldError::Dimension { given: dim, expected: of_state }.into());
    }
    if of_inputs != inputs {
        return Err(FieldError::Inputs { given: inputs, expected: of_inputs }.into());
    }
    Ok(())
}

/// Checks the length of a gradient.
pub(crate) fn check_gradient(given: usize, expected: usize) -> Result<(), LossError> {
    if given == expected {
        Ok(())
    } else {
        Err(FieldError::ParameterCount { given, expected }.into())
    }
}
