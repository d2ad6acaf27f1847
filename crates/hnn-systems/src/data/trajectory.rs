//! One trajectory.

use hnn_integrators::Scalar;
use ndarray::{Array2, ArrayView2};

use crate::SystemError;

/// One trajectory: `T` points with times of their own.
///
/// Checked when it becomes part of [`DataSet`](super::DataSet).
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectory<T> {
    /// The times, increasing.
    pub times: Vec<T>,
    /// States, shape (T, D).
    pub states: Array2<T>,
    /// Time derivatives of the states, shape (T, D).
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

    /// Looks for whatever would spoil a training run. `dim` and `num_inputs` are those of the
    /// whole data set, `index` is the trajectory's place in it.
    pub(super) fn check(
        &self,
        index: usize,
        dim: usize,
        num_inputs: usize,
    ) -> Result<(), SystemError> {
        if self.times.is_empty() {
            return Err(SystemError::NoPoints { trajectory: index });
        }
        let arrays = [
            ("states", &self.states, dim),
            ("derivatives", &self.derivatives, dim),
            ("inputs", &self.inputs, num_inputs),
        ];
        for (what, array, columns) in arrays {
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
    ) -> Result<(), SystemError> {
        let (given, expected) = (array.nrows(), self.times.len());
        if given != expected {
            return Err(SystemError::Length { trajectory, what, given, expected });
        }
        let (given, expected) = (array.ncols(), columns);
        if given != expected {
            return Err(SystemError::Columns { trajectory, what, given, expected });
        }
        match array.indexed_iter().find(|(_, x)| !x.is_finite()) {
            Some(((row, _), x)) => {
                Err(SystemError::NotFinite { trajectory, row, what, value: x.to_f64() })
            }
            None => Ok(()),
        }
    }

    fn check_times(&self, trajectory: usize) -> Result<(), SystemError> {
        if let Some(row) = self.times.iter().position(|t| !t.is_finite()) {
            let value = self.times[row].to_f64();
            return Err(SystemError::NotFinite { trajectory, row, what: "times", value });
        }
        match self.times.windows(2).position(|pair| pair[1] <= pair[0]) {
            Some(row) => Err(SystemError::TimeOrder {
                trajectory,
                row: row + 1,
                time: self.times[row + 1].to_f64(),
                previous: self.times[row].to_f64(),
            }),
            None => Ok(()),
        }
    }
}

/// A trajectory of a data set, borrowed.
#[derive(Debug, Clone, Copy)]
pub struct TrajectoryView<'a, T> {
    /// The times, increasing.
    pub times: &'a [T],
    /// States, shape (T, D).
    pub states: ArrayView2<'a, T>,
    /// Time derivatives of the states, shape (T, D).
    pub derivatives: ArrayView2<'a, T>,
    /// Inputs, shape (T, K).
    pub inputs: ArrayView2<'a, T>,
}

impl<T: Scalar> TrajectoryView<'_, T> {
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
