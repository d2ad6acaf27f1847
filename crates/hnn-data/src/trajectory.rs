//! One trajectory.

use std::ops::Range;

use hnn_integrators::Scalar;
use ndarray::{Array2, ArrayView2, s};

use crate::DataError;

/// One trajectory: `T` points with times of their own.
///
/// Checked when it becomes part of [`DataSet`](crate::DataSet).
///
/// ```
/// use hnn_data::{DataSet, Trajectory};
/// use ndarray::array;
/// let fall = Trajectory::states_only(vec![0.0, 0.1], array![[1.0, 0.0], [0.95, -0.98]]);
/// assert_eq!(DataSet::new([fall.clone()])?.dim(), 2);
/// let back = Trajectory { times: vec![0.1, 0.0], ..fall };
/// assert!(DataSet::new([back]).is_err()); // times increase
/// # Ok::<(), hnn_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Trajectory<T> {
    /// The times, increasing.
    pub times: Vec<T>,
    /// States, shape (T, D).
    pub states: Array2<T>,
    /// Time derivatives of the states, shape (T, D), or (T, 0) where they are not known.
    pub derivatives: Array2<T>,
    /// Inputs such as a motor's torque, shape (T, K); K is 0 where there are none.
    pub inputs: Array2<T>,
}

impl<T: Scalar> Trajectory<T> {
    /// A trajectory without inputs.
    #[must_use]
    pub fn new(times: Vec<T>, states: Array2<T>, derivatives: Array2<T>) -> Self {
        let inputs = Array2::zeros((times.len(), 0));
        Self { times, states, derivatives, inputs }
    }

    /// A trajectory whose derivatives are not known, without inputs: enough for losses of
    /// trajectories. [`DataSet::with_derivatives_of`](crate::DataSet::with_derivatives_of) adds
    /// those of a field.
    #[must_use]
    pub fn states_only(times: Vec<T>, states: Array2<T>) -> Self {
        let derivatives = Array2::zeros((times.len(), 0));
        Self::new(times, states, derivatives)
    }

    /// Borrows it.
    #[must_use]
    pub fn view(&self) -> TrajectoryView<'_, T> {
        TrajectoryView {
            times: &self.times,
            states: self.states.view(),
            derivatives: self.derivatives.view(),
            inputs: self.inputs.view(),
        }
    }

    /// Looks for whatever would spoil a training run. `columns` are those that the states,
    /// derivatives and inputs of the whole data set have, `index` is the trajectory's place in it.
    pub(crate) fn check(&self, index: usize, columns: [usize; 3]) -> Result<(), DataError> {
        if self.times.is_empty() {
            return Err(DataError::NoPoints { trajectory: index });
        }
        let arrays = [
            ("states", &self.states),
            ("derivatives", &self.derivatives),
            ("inputs", &self.inputs),
        ];
        for ((what, array), columns) in arrays.into_iter().zip(columns) {
            self.check_array(index, what, array.view(), columns)?;
        }
        self.check_times(index)
    }

    fn check_array(
        &self,
        trajectory: usize,
        what: &'static str,
        array: ArrayView2<'_, T>,
        columns: usize,
    ) -> Result<(), DataError> {
        let (given, expected) = (array.nrows(), self.times.len());
        if given != expected {
            return Err(DataError::Length { trajectory, what, given, expected });
        }
        let (given, expected) = (array.ncols(), columns);
        if given != expected {
            return Err(DataError::Columns { trajectory, what, given, expected });
        }
        check_finite(trajectory, what, array)
    }

    fn check_times(&self, trajectory: usize) -> Result<(), DataError> {
        if let Some(row) = self.times.iter().position(|t| !t.is_finite()) {
            let value = self.times[row].to_f64();
            return Err(DataError::NotFinite { trajectory, row, what: "times", value });
        }
        match self.times.windows(2).position(|pair| pair[1] <= pair[0]) {
            Some(row) => Err(DataError::TimeOrder {
                trajectory,
                row: row + 1,
                time: self.times[row + 1].to_f64(),
                previous: self.times[row].to_f64(),
            }),
            None => Ok(()),
        }
    }
}

/// Names the first number that is infinite or NaN.
pub(crate) fn check_finite<T: Scalar>(
    trajectory: usize,
    what: &'static str,
    array: ArrayView2<'_, T>,
) -> Result<(), DataError> {
    match array.indexed_iter().find(|(_, x)| !x.is_finite()) {
        Some(((row, _), x)) => {
            Err(DataError::NotFinite { trajectory, row, what, value: x.to_f64() })
        }
        None => Ok(()),
    }
}

/// A trajectory of a data set, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct TrajectoryView<'a, T> {
    /// The times, increasing.
    pub times: &'a [T],
    /// States, shape (T, D).
    pub states: ArrayView2<'a, T>,
    /// Time derivatives of the states, shape (T, D), or (T, 0) where they are not known.
    pub derivatives: ArrayView2<'a, T>,
    /// Inputs, shape (T, K).
    pub inputs: ArrayView2<'a, T>,
}

impl<'a, T: Scalar> TrajectoryView<'a, T> {
    /// Some of its points. Its callers keep to its length.
    pub(crate) fn slice(&self, rows: Range<usize>) -> TrajectoryView<'a, T> {
        let part = |array: &ArrayView2<'a, T>| array.slice_move(s![rows.clone(), ..]);
        TrajectoryView {
            times: &self.times[rows.clone()],
            states: part(&self.states),
            derivatives: part(&self.derivatives),
            inputs: part(&self.inputs),
        }
    }

    /// A copy of its own.
    #[must_use]
    pub fn to_owned(&self) -> Trajectory<T> {
        Trajectory {
            times: self.times.to_vec(),
            states: self.states.to_owned(),
            derivatives: self.derivatives.to_owned(),
            inputs: self.inputs.to_owned(),
        }
    }
}
