//! A data set: trajectories of possibly different lengths.

use std::ops::Range;

use hnn_integrators::{
    Adaptive, At, Between, Driven, FieldError, Scalar, Signal, Signals, SolveError, TooLarge,
    VectorField, Workspace, compiled_here, coordinate_major, rows,
};
use ndarray::{Array2, ArrayView1, ArrayView2, Axis, concatenate, s};

use crate::trajectory::check_finite;
use crate::{DataError, Trajectory, TrajectoryView};

/// A data set: `M` trajectories, of possibly different lengths and with times of their own, `N`
/// points in all.
///
/// The points lie one after another, trajectory by trajectory: [`times`](Self::times) (N),
/// [`states`](Self::states) and [`derivatives`](Self::derivatives) (N, D). Training code takes
/// [`points`](Self::points), [`pairs`](Self::pairs) or [`time_batches`](Self::time_batches),
/// which are coordinate-major.
///
/// A data set holds finite numbers only, times that increase within each trajectory, and at least
/// one point a trajectory. Where derivatives are not known, it has none, with 0 columns, as where
/// there are no inputs.
///
/// ```
/// use hnn_data::{DataSet, Trajectory};
/// use ndarray::array;
/// let one = Trajectory::new(vec![0.0, 0.1], array![[1.0, 0.0], [0.9, -0.2]], array![[0.0, -2.0], [-0.4, -1.8]]);
/// let two = Trajectory::new(vec![5.0], array![[0.5, 0.5]], array![[1.0, -1.0]]);
/// let data = DataSet::new([one, two])?;
/// assert_eq!((data.len(), data.num_trajectories(), data.dim()), (3, 2, 2));
/// // One step lies within a trajectory; none leads from one into the next.
/// assert_eq!(data.pairs().dt, [0.1]);
/// # Ok::<(), hnn_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(
    feature = "serde",
    serde(
        into = "Vec<Trajectory<T>>",
        try_from = "Vec<Trajectory<T>>",
        bound(
            serialize = "T: Scalar + serde::Serialize",
            deserialize = "T: Scalar + serde::Deserialize<'de>"
        )
    )
)]
pub struct DataSet<T> {
    /// First row of each trajectory, then `N`.
    offsets: Vec<usize>,
    lengths: Vec<usize>,
    times: Vec<T>,
    states: Array2<T>,
    derivatives: Array2<T>,
    inputs: Array2<T>,
}

/// Its trajectories.
impl<T: Scalar> From<DataSet<T>> for Vec<Trajectory<T>> {
    fn from(data: DataSet<T>) -> Self {
        data.iter().map(|trajectory| trajectory.to_owned()).collect()
    }
}

/// As [`DataSet::new`].
impl<T: Scalar> TryFrom<Vec<Trajectory<T>>> for DataSet<T> {
    type Error = DataError;

    fn try_from(trajectories: Vec<Trajectory<T>>) -> Result<Self, DataError> {
        Self::new(trajectories)
    }
}

impl<T: Scalar> DataSet<T> {
    /// Puts trajectories together.
    ///
    /// # Errors
    /// If there are none, or one is empty, has arrays of different lengths or another number of
    /// columns than the first, holds an infinite number or NaN, or has times that do not
    /// increase; the error names the trajectory and the row.
    pub fn new(trajectories: impl IntoIterator<Item = Trajectory<T>>) -> Result<Self, DataError> {
        type Stack<T> = fn(&[Trajectory<T>]) -> Result<DataSet<T>, DataError>;
        compiled_here!(T => Stack<T>, DataSet::stack)(&Vec::from_iter(trajectories))
    }

    fn stack(list: &[Trajectory<T>]) -> Result<Self, DataError> {
        let first = list.first().ok_or(DataError::Empty { what: "trajectory" })?;
        let [dim, known, num_inputs] =
            [&first.states, &first.derivatives, &first.inputs].map(Array2::ncols);
        let known = if known == 0 { 0 } else { dim };
        let mut offsets = vec![0];
        for (index, trajectory) in list.iter().enumerate() {
            trajectory.check(index, [dim, known, num_inputs])?;
            offsets.push(offsets[index] + trajectory.times.len());
        }
        let stack = |array: fn(&Trajectory<T>) -> ArrayView2<'_, T>, columns| {
            let parts = Vec::from_iter(list.iter().map(array));
            let stacked = concatenate(Axis(0), &parts);
            stacked.unwrap_or_else(|_| Array2::zeros((0, columns)))
        };
        Ok(Self {
            times: list.iter().flat_map(|one| one.times.iter().copied()).collect(),
            states: stack(|one| one.states.view(), dim),
            derivatives: stack(|one| one.derivatives.view(), known),
            inputs: stack(|one| one.inputs.view(), num_inputs),
            lengths: list.iter().map(|one| one.times.len()).collect(),
            offsets,
        })
    }

    /// States of shape (N, D) with the exact derivatives of a field at one time: `N` trajectories
    /// of one point, for training on states that lie on no common trajectory.
    ///
    /// # Errors
    /// If there are no states, they have another dimension than the field, the field fails, or a
    /// number is infinite or NaN.
    pub fn from_states(
        field: &dyn VectorField<T>,
        t: T,
        states: Array2<T>,
    ) -> Result<Self, DataError> {
        let point = |x: ArrayView1<'_, T>| {
            Trajectory::states_only(vec![t], x.to_owned().insert_axis(Axis(0)))
        };
        Self::new(states.outer_iter().map(point))?.with_derivatives_of(field)
    }

    /// The same states with the exact derivatives of a field, each at its own time and with its own
    /// inputs.
    ///
    /// ```
    /// use hnn_data::{DataSet, Trajectory};
    /// use hnn_integrators::FnField;
    /// use ndarray::array;
    /// let driven = FnField::new(1, |t: f64, x: &[f64], dx: &mut [f64]| dx[0] = t - x[0]);
    /// let states = Trajectory::states_only(vec![0.0, 2.0], array![[1.0], [0.5]]);
    /// let data = DataSet::new([states])?.with_derivatives_of(&driven)?;
    /// assert_eq!(data.derivatives(), array![[-1.0], [1.5]]);
    /// # Ok::<(), hnn_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If the rows have another dimension or another number of inputs than the field, the field
    /// fails, or a derivative is infinite or NaN.
    pub fn with_derivatives_of(self, field: &dyn VectorField<T>) -> Result<Self, DataError> {
        self.check_inputs(field)?;
        let (given, expected) = (self.dim(), field.dim());
        if given != expected {
            return Err(FieldError::Dimension { given, expected }.into());
        }
        let [x, u] = [self.states(), self.inputs()].map(coordinate_major);
        let mut dx = vec![T::ZERO; x.len()];
        let at = At { t: &self.times, u: &u };
        field.eval(at, &x, &mut dx, &mut Workspace::default())?;
        let derivatives = rows(&dx, self.len(), expected);
        for (trajectory, first) in self.offsets.windows(2).map(|pair| pair[0]).enumerate() {
            let own = derivatives.slice(s![first..self.offsets[trajectory + 1], ..]);
            check_finite(trajectory, "derivatives", own)?;
        }
        Ok(Self { derivatives, ..self })
    }

    /// The same points with inputs, shape (N, K), instead of those that they had.
    ///
    /// # Errors
    /// If there are more or fewer rows, or a number is infinite or NaN.
    pub fn with_inputs(self, inputs: Array2<T>) -> Result<Self, DataError> {
        let (given, expected) = (inputs.nrows(), self.len());
        if given != expected {
            return Err(DataError::LengthSum { what: "inputs", given, expected });
        }
        for trajectory in 0..self.num_trajectories() {
            let own = inputs.slice(s![self.rows_of(trajectory), ..]);
            check_finite(trajectory, "inputs", own)?;
        }
        Ok(Self { inputs, ..self })
    }

    /// What a field makes of the first states: the same trajectories at the same times, integrated
    /// with the inputs of the data, which go from row to row as said. Derivatives are not known. The
    /// solver is one of one's own, or tolerances.
    ///
    /// ```
    /// use hnn_data::{DataSet, Trajectory};
    /// use hnn_integrators::{Between, FnField, Tolerances};
    /// use ndarray::array;
    /// // Two trajectories with times of their own; dx/dt = u.
    /// let one = |times: Vec<f64>, x, u| Trajectory { inputs: u, ..Trajectory::states_only(times, x) };
    /// let data = DataSet::new([
    ///     one(vec![0.0, 1.0], array![[0.0], [0.9]], array![[1.0], [1.0]]),
    ///     one(vec![0.0, 2.0, 3.0], array![[5.0], [9.0], [9.0]], array![[2.0], [2.0], [2.0]]),
    /// ])?;
    /// let field = FnField::with_inputs(1, 1, |_t, _x: &[f64], u: &[f64], dx: &mut [f64]| dx[0] = u[0]);
    /// let predicted = data.rollout_of(&field, Between::Held, Tolerances::default())?;
    /// let errors = &predicted.states() - &array![[0.0], [1.0], [5.0], [9.0], [11.0]];
    /// assert!(errors.iter().all(|error: &f64| error.abs() < 1e-7));
    /// # Ok::<(), hnn_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If the data have another dimension or another number of inputs than the field, or it cannot be
    /// integrated to the end of a trajectory.
    pub fn rollout_of(
        &self,
        field: &dyn VectorField<T>,
        between: Between,
        solver: impl Into<Adaptive>,
    ) -> Result<Self, DataError> {
        self.check_inputs(field)?;
        let times = Vec::from_iter(self.iter().map(|one| one.times));
        let (solver, starts) = (solver.into(), self.starts());
        let solution = if self.inputs.ncols() == 0 {
            solver.solve_batch_at(field, starts.view(), &times)
        } else {
            let signals = self.signals(between);
            let driven = Driven::new(field, Signals::Sampled(&signals));
            solver.solve_batch_at(&driven, starts.view(), &times)
        };
        let solution = solution.map_err(SolveError::from)?;
        Self::from_batch(&solution, times)?.with_inputs(self.inputs.clone())
    }

    fn check_inputs(&self, field: &dyn VectorField<T>) -> Result<(), FieldError> {
        let (given, expected) = (self.inputs.ncols(), field.inputs());
        if given == expected { Ok(()) } else { Err(FieldError::Inputs { given, expected }) }
    }

    /// Number of points `N`.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Number of trajectories `M`.
    #[must_use]
    pub fn num_trajectories(&self) -> usize {
        self.offsets.len() - 1
    }

    /// Number of points of each trajectory, length M.
    #[must_use]
    pub fn lengths(&self) -> &[usize] {
        &self.lengths
    }

    /// Dimension `D` of the states.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.states.ncols()
    }

    /// Times of all points, length N.
    #[must_use]
    pub fn times(&self) -> &[T] {
        &self.times
    }

    /// States of all points, shape (N, D).
    #[must_use]
    pub fn states(&self) -> ArrayView2<'_, T> {
        self.states.view()
    }

    /// Time derivatives at all points, shape (N, D); (N, 0) where they are not known.
    #[must_use]
    pub fn derivatives(&self) -> ArrayView2<'_, T> {
        self.derivatives.view()
    }

    /// Inputs at all points, shape (N, K); K is 0 where there are none.
    #[must_use]
    pub fn inputs(&self) -> ArrayView2<'_, T> {
        self.inputs.view()
    }

    /// The inputs of each trajectory over time, held from row to row or in straight lines, for
    /// solvers: [`Signals::Sampled`](hnn_integrators::Signals::Sampled).
    ///
    /// ```
    /// use hnn_data::Recording;
    /// use hnn_integrators::Between;
    /// let (t, q, u) = ([0.0, 1.0, 2.0], [0.0, 0.1, 0.3], [2.0, 3.0, 5.0]);
    /// let reader = Recording::from_columns([("t", &t[..]), ("q", &q), ("u", &u)]);
    /// let data = reader.time("t").position("q").input("u").load()?.data_set()?;
    /// let mut torque = [0.0];
    /// data.signals(Between::Held)[0].at(1.5, &mut torque).expect("inside");
    /// assert_eq!(torque, [3.0]);
    /// # Ok::<(), hnn_data::DataError>(())
    /// ```
    #[must_use]
    pub fn signals(&self, between: Between) -> Vec<Signal<T>> {
        let signal = |one: TrajectoryView<'_, T>| match between {
            Between::Held => Signal::held(one.times, one.inputs),
            Between::Linear => Signal::linear(one.times, one.inputs),
        };
        self.iter().map(signal).collect()
    }

    /// The rows of one trajectory. Panics where [`trajectory`](Self::trajectory) answers `None`.
    pub(crate) fn rows_of(&self, index: usize) -> Range<usize> {
        self.offsets[index]..self.offsets[index + 1]
    }

    /// One trajectory; `None` beyond the last.
    #[must_use]
    pub fn trajectory(&self, index: usize) -> Option<TrajectoryView<'_, T>> {
        (index < self.num_trajectories()).then(|| self.view(self.rows_of(index)))
    }

    /// The trajectories, one by one.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = TrajectoryView<'_, T>> {
        (0..self.num_trajectories()).map(|index| self.view(self.rows_of(index)))
    }

    /// The first state of each trajectory, shape (M, D).
    #[must_use]
    pub fn starts(&self) -> Array2<T> {
        self.states.select(Axis(0), &self.offsets[..self.num_trajectories()])
    }

    fn view(&self, rows: Range<usize>) -> TrajectoryView<'_, T> {
        TrajectoryView {
            times: &self.times[rows.clone()],
            states: self.states.slice(s![rows.clone(), ..]),
            derivatives: self.derivatives.slice(s![rows.clone(), ..]),
            inputs: self.inputs.slice(s![rows, ..]),
        }
    }

    /// The trajectories of the given indices, in that order.
    ///
    /// # Errors
    /// If there are no indices, or one lies beyond the last trajectory.
    pub fn select(&self, indices: &[usize]) -> Result<Self, DataError> {
        let count = self.num_trajectories();
        let pick = |&given: &usize| {
            let found = self.trajectory(given).map(|view| view.to_owned());
            found.ok_or(DataError::Index { what: "trajectory", given, count })
        };
        Self::new(indices.iter().map(pick).collect::<Result<Vec<_>, _>>()?)
    }

    /// The first `count` trajectories, and the rest: a training and a test set that share no
    /// trajectory.
    ///
    /// # Errors
    /// If one of the two would be empty.
    pub fn split_at(&self, count: usize) -> Result<(Self, Self), DataError> {
        let all = Vec::from_iter(0..self.num_trajectories());
        if count == 0 || count >= all.len() {
            return Err(DataError::Split { first: count, count: all.len() });
        }
        Ok((self.select(&all[..count])?, self.select(&all[count..])?))
    }

    /// Cuts every trajectory into windows of `len` points, one beginning every `stride` points;
    /// trajectories shorter than `len` are left out.
    ///
    /// Losses over whole trajectories are easier to train on windows, and on longer ones later.
    ///
    /// # Errors
    /// If `len` or `stride` is 0, no trajectory is as long as a window, or the windows take more
    /// memory than a call may.
    pub fn windows(&self, len: usize, stride: usize) -> Result<Self, DataError> {
        for (what, given) in [("points a window", len), ("points of stride", stride)] {
            if given == 0 {
                return Err(DataError::TooFew { what, purpose: "a window", given, needed: 1 });
            }
        }
        let longest = self.lengths.iter().copied().max().unwrap_or(0);
        if longest < len {
            let what = "points in the longest trajectory";
            let purpose = "one window";
            return Err(DataError::TooFew { what, purpose, given: longest, needed: len });
        }
        let windows = |n: &usize| n.checked_sub(len).map_or(0, |rest| rest / stride + 1);
        let count = self.lengths.iter().map(windows).sum::<usize>();
        let columns = 1 + self.dim() + self.derivatives.ncols() + self.inputs.ncols();
        // Twice: one by one, and put together.
        let each = 2 * columns * size_of::<T>();
        let remedy = "take shorter windows, or a longer stride";
        TooLarge::check("points of windows", count.saturating_mul(len), each, remedy)?;
        let window = |first: usize| self.view(first..first + len).to_owned();
        let firsts = (0..self.num_trajectories()).map(|index| self.rows_of(index));
        Self::new(
            firsts
                .filter(|rows| rows.len() >= len)
                .flat_map(|rows| (rows.start..=rows.end - len).step_by(stride).map(window)),
        )
    }

    /// The same data set in another precision.
    ///
    /// # Errors
    /// If times that differ become equal, or a number overflows.
    pub fn cast<U: Scalar>(&self) -> Result<DataSet<U>, DataError> {
        type Widen<T> = fn(&DataSet<T>) -> Vec<Trajectory<f64>>;
        type Narrow<U> = fn(&[Trajectory<f64>]) -> Result<DataSet<U>, DataError>;
        let wide = compiled_here!(T => Widen<T>, DataSet::widened)(self);
        compiled_here!(U => Narrow<U>, DataSet::from_wide)(&wide)
    }

    fn widened(&self) -> Vec<Trajectory<f64>> {
        let wide = |one: TrajectoryView<'_, T>| Trajectory {
            times: one.times.iter().map(|t| t.to_f64()).collect(),
            states: one.states.mapv(T::to_f64),
            derivatives: one.derivatives.mapv(T::to_f64),
            inputs: one.inputs.mapv(T::to_f64),
        };
        self.iter().map(wide).collect()
    }

    fn from_wide(wide: &[Trajectory<f64>]) -> Result<Self, DataError> {
        DataSet::new(wide.iter().map(|one| Trajectory {
            times: one.times.iter().map(|t| T::from_f64(*t)).collect(),
            states: one.states.mapv(T::from_f64),
            derivatives: one.derivatives.mapv(T::from_f64),
            inputs: one.inputs.mapv(T::from_f64),
        }))
    }
}
