//! Data sets of what solvers and steppers give.

use hnn_integrators::{BatchSolution, Scalar, Solution, Trajectories};
use ndarray::{Array3, ArrayView2, Axis, s};

use crate::{DataError, DataSet, Trajectory};

/// States over time as a trajectory whose derivatives are not known.
fn states_only<T: Scalar>(times: &[T], states: ArrayView2<'_, T>) -> Trajectory<T> {
    Trajectory::states_only(times.to_vec(), states.to_owned())
}

/// One solved trajectory, derivatives not known.
///
/// ```
/// use hnn_data::DataSet;
/// use hnn_integrators::{FnField, Tolerances, solve};
/// use ndarray::array;
/// let decay = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
/// let run = solve(&decay, array![1.0].view(), &[0.0, 1.0], Tolerances::default())?;
/// let data = DataSet::try_from(&run)?.with_derivatives_of(&decay)?;
/// assert_eq!(data.derivatives(), -&data.states());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
impl<T: Scalar> TryFrom<&Solution<T>> for DataSet<T> {
    type Error = DataError;

    /// # Errors
    /// As [`DataSet::new`]: a solution backwards in time has times that do not increase.
    fn try_from(solution: &Solution<T>) -> Result<Self, DataError> {
        Self::new([states_only(&solution.times, solution.states.view())])
    }
}

/// The trajectories of equal steps, derivatives not known.
impl<T: Scalar> TryFrom<&Trajectories<T>> for DataSet<T> {
    type Error = DataError;

    /// # Errors
    /// As [`DataSet::new`].
    fn try_from(run: &Trajectories<T>) -> Result<Self, DataError> {
        Self::new(run.states.outer_iter().map(|states| states_only(&run.times, states)))
    }
}

/// States of shape (M, T, D) at the times that the trajectories share, as metrics and figures take
/// them.
impl<T: Scalar> TryFrom<&DataSet<T>> for Trajectories<T> {
    type Error = DataError;

    /// # Errors
    /// If the trajectories have times of their own.
    fn try_from(data: &DataSet<T>) -> Result<Self, DataError> {
        let (len, dim) = (data.lengths()[0], data.dim());
        let times = data.times()[..len].to_vec();
        if let Some(trajectory) = data.iter().position(|one| one.times != times) {
            return Err(DataError::OtherTimes { trajectory });
        }
        let shape = (data.num_trajectories(), len, dim);
        let states = data.states();
        let states = Array3::from_shape_fn(shape, |(m, k, i)| states[[m * len + k, i]]);
        Ok(Self { times, states })
    }
}

impl<T: Scalar> DataSet<T> {
    /// Solved trajectories, derivatives not known; `times` are those asked for, a list for each
    /// trajectory (for [`solve_batch`](hnn_integrators::solve_batch) the same for all).
    ///
    /// # Errors
    /// If a trajectory was not solved to its end, there are not as many lists of times as
    /// trajectories, or one is longer than the states; and as [`new`](Self::new).
    pub fn from_batch<'a>(
        solution: &BatchSolution<T>,
        times: impl IntoIterator<Item = &'a [T]>,
    ) -> Result<Self, DataError>
    where
        T: 'a,
    {
        let times = Vec::from_iter(times);
        let (count, longest) = (solution.states.len_of(Axis(0)), solution.states.len_of(Axis(1)));
        if let Some(failure) = solution.statuses.iter().find_map(|end| end.as_ref().err()) {
            return Err(failure.clone().into());
        }
        if times.len() != count {
            return Err(DataError::TimeLists { given: times.len(), expected: count });
        }
        let one = |(trajectory, (states, times)): (usize, (ArrayView2<'_, T>, &[T]))| {
            if times.len() > longest {
                let (what, given, expected) = ("states", longest, times.len());
                return Err(DataError::Length { trajectory, what, given, expected });
            }
            Ok(states_only(times, states.slice(s![..times.len(), ..])))
        };
        let all = solution.states.outer_iter().zip(times).enumerate().map(one);
        Self::new(all.collect::<Result<Vec<_>, _>>()?)
    }
}
