//! What users call to integrate adaptively.

use ndarray::{Array2, Array3, ArrayView1, ArrayView2, ArrayViewMut3, Axis, s};

use super::block::AdaptiveJob;
use super::run::Settings;
use super::{AdaptiveRun, Statistics, Tolerances};
use crate::{
    DORMAND_PRINCE5, EmbeddedPair, Scalar, SolveError, SolveFailure, VectorField, check,
    field::ByReference, parallel, signal,
};

/// Integration with a step size that keeps to [`Tolerances`], the states given at any times by
/// the method's interpolant: the counterpart of SciPy's `solve_ivp`.
///
/// ```
/// use hnn_integrators::{Adaptive, DORMAND_PRINCE5, FnField, Tolerances};
/// use ndarray::array;
/// let oscillator = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = -x[0];
/// });
/// let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances { rtol: 1e-9, atol: 1e-12 });
/// let times = [0.0, 1.0, 2.5];
/// let run = solver.solve(&oscillator, array![1.0, 0.0].view(), &times)?;
/// assert!((run.states[[2, 0]] - 2.5f64.cos()).abs() < 1e-8);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Adaptive {
    pub(super) method: EmbeddedPair,
    pub(super) settings: Settings,
}

/// One trajectory at the times asked for.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Solution<T> {
    /// The times asked for.
    pub times: Vec<T>,
    /// States of shape (T, D).
    pub states: Array2<T>,
    /// What it cost.
    pub statistics: Statistics,
}

/// Many trajectories at the times asked for.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct BatchSolution<T> {
    /// States of shape (M, T, D): trajectory, time, coordinate; NaN where a trajectory was not
    /// reached or has fewer times.
    pub states: Array3<T>,
    /// What each trajectory cost.
    pub statistics: Vec<Statistics>,
    /// How each trajectory ended.
    pub statuses: Vec<Result<(), SolveError>>,
}

/// [`Adaptive::solve`] with [`DORMAND_PRINCE5`].
///
/// ```
/// use hnn_integrators::{solve, FnField, Tolerances};
/// use ndarray::array;
/// let decay = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
/// let run = solve(&decay, array![1.0].view(), &[0.0, 2.0], Tolerances::both(1e-10))?;
/// assert!((run.states[[1, 0]] - (-2.0f64).exp()).abs() < 1e-9);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
///
/// # Errors
/// As [`Adaptive::solve`].
pub fn solve<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    x0: ArrayView1<'_, T>,
    times: &[T],
    tolerances: Tolerances,
) -> Result<Solution<T>, SolveFailure<Solution<T>>> {
    Adaptive::new(DORMAND_PRINCE5, tolerances).solve(field, x0, times)
}

/// [`Adaptive::solve_batch`] with [`DORMAND_PRINCE5`].
///
/// # Errors
/// As [`Adaptive::solve_batch`].
pub fn solve_batch<T: Scalar, F: VectorField<T> + ?Sized>(
    field: &F,
    x0: ArrayView2<'_, T>,
    times: &[T],
    tolerances: Tolerances,
) -> Result<BatchSolution<T>, SolveFailure<BatchSolution<T>>> {
    Adaptive::new(DORMAND_PRINCE5, tolerances).solve_batch(field, x0, times)
}

/// [`DORMAND_PRINCE5`] with these tolerances.
impl From<Tolerances> for Adaptive {
    fn from(tolerances: Tolerances) -> Self {
        Self::new(DORMAND_PRINCE5, tolerances)
    }
}

impl Adaptive {
    /// A solver with the given tolerances, a first step chosen from the field, no largest step,
    /// and at most a million steps a trajectory.
    pub fn new(method: EmbeddedPair, tolerances: Tolerances) -> Self {
        let (first_step, max_step, max_steps) = (None, f64::INFINITY, 1_000_000);
        Self { method, settings: Settings { tolerances, first_step, max_step, max_steps } }
    }

    /// Size of the first step tried.
    #[must_use]
    pub fn with_first_step(mut self, size: f64) -> Self {
        self.settings.first_step = Some(size);
        self
    }

    /// Largest size of a step, for fields with short events that a long step would miss.
    #[must_use]
    pub fn with_max_step(mut self, size: f64) -> Self {
        self.settings.max_step = size;
        self
    }

    /// Largest number of steps a trajectory, accepted and rejected. A trajectory that these cannot
    /// bring to its end, because the tolerance is below rounding, ends after 10 000.
    #[must_use]
    pub fn with_max_steps(mut self, count: usize) -> Self {
        self.settings.max_steps = count;
        self
    }

    /// Integrates one trajectory from the state `x0` (D numbers) at `times[0]`, and gives its
    /// states at all `times`, which must be strictly increasing, or strictly decreasing to go
    /// backwards.
    ///
    /// # Errors
    /// Another dimension than the field's, a non-finite state, unsorted times, tolerances or
    /// step sizes that are not positive, more states than [`MOST_BYTES`](crate::MOST_BYTES), a step
    /// size that falls to nothing or too many steps (with what keeps the steps so short, a
    /// [`StepLimit`](crate::StepLimit)), or the field's own error; what had been computed before
    /// comes with it.
    pub fn solve<T, F>(
        &self,
        field: &F,
        x0: ArrayView1<'_, T>,
        times: &[T],
    ) -> Result<Solution<T>, SolveFailure<Solution<T>>>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        let single = |batch: BatchSolution<T>| Solution {
            times: times.to_vec(),
            states: batch.states.index_axis_move(Axis(0), 0),
            statistics: batch.statistics[0],
        };
        match self.solve_batch(field, x0.insert_axis(Axis(0)), times) {
            Ok(batch) => Ok(single(batch)),
            Err(SolveFailure { error, partial }) => {
                let partial = partial.map(|batch| Box::new(single(*batch)));
                Err(SolveFailure { error, partial })
            }
        }
    }

    /// Integrates many trajectories from the states `x0` (M, D) at `times[0]`, each with a step
    /// size of its own, and gives their states at all `times`.
    ///
    /// # Errors
    /// As [`solve`](Self::solve). Where one trajectory fails the others go on; the first failure
    /// is the error, and the partial solution holds everything and the status of each.
    pub fn solve_batch<T, F>(
        &self,
        field: &F,
        x0: ArrayView2<'_, T>,
        times: &[T],
    ) -> Result<BatchSolution<T>, SolveFailure<BatchSolution<T>>>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        check::times(times)?;
        self.run(field, x0, &vec![times; x0.nrows()])
    }

    /// As [`solve_batch`](Self::solve_batch), each trajectory with its own times, the first of
    /// which is the time of its initial state.
    ///
    /// # Errors
    /// As [`solve_batch`](Self::solve_batch), and if there are not as many lists of times as
    /// trajectories.
    pub fn solve_batch_at<T, F>(
        &self,
        field: &F,
        x0: ArrayView2<'_, T>,
        times: &[&[T]],
    ) -> Result<BatchSolution<T>, SolveFailure<BatchSolution<T>>>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        if times.len() != x0.nrows() {
            let (given, expected) = (times.len(), x0.nrows());
            return Err(SolveError::Rows { what: "times", given, expected }.into());
        }
        times.iter().try_for_each(|times| check::times(times))?;
        self.run(field, x0, times)
    }

    fn run<T, F>(
        &self,
        field: &F,
        x0: ArrayView2<'_, T>,
        times: &[&[T]],
    ) -> Result<BatchSolution<T>, SolveFailure<BatchSolution<T>>>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
    {
        self.check_settings()?;
        check::start(x0, field.dim())?;
        signal::check(field, times.iter().map(|times| (times[0], times[times.len() - 1])))?;
        let (trajectories, dim) = x0.dim();
        let most = times.iter().map(|times| times.len()).max().unwrap_or(0);
        check::room(x0, most)?;
        let mut solution = BatchSolution {
            states: Array3::from_elem((trajectories, most, dim), T::NAN),
            statistics: Vec::with_capacity(trajectories),
            statuses: Vec::with_capacity(trajectories),
        };
        let size = field.block_len().clamp(1, trajectories);
        let blocks = solution.states.axis_chunks_iter_mut(Axis(0), size).enumerate().collect();
        let results = parallel::map(blocks, |(index, out): (usize, ArrayViewMut3<'_, T>)| {
            let first = index * size;
            let rows = first..first + out.shape()[0];
            let count = rows.len();
            let mut run = AdaptiveRun {
                pair: &self.method,
                settings: self.settings,
                first,
                x0: x0.slice(s![rows.clone(), ..]),
                times: &times[rows],
                out,
                statistics: vec![Statistics::default(); count],
                statuses: vec![Ok(()); count],
            };
            let field = &ByReference(field);
            T::solve_block(AdaptiveJob { field, run: &mut run, observer: None });
            (run.statistics, run.statuses)
        });
        for (statistics, statuses) in results {
            solution.statistics.extend(statistics);
            solution.statuses.extend(statuses);
        }
        match solution.statuses.iter().find_map(|status| status.clone().err()) {
            None => Ok(solution),
            Some(error) => Err(SolveFailure { error, partial: Some(Box::new(solution)) }),
        }
    }

    pub(super) fn check_settings(&self) -> Result<(), SolveError> {
        let Tolerances { rtol, atol } = self.settings.tolerances;
        check::not_negative("rtol", rtol)?;
        check::not_negative("atol", atol)?;
        check::positive("the sum of rtol and atol", rtol + atol)?;
        if let Some(size) = self.settings.first_step {
            check::positive("the first step", size)?;
        }
        if self.settings.max_step != f64::INFINITY {
            check::positive("the largest step", self.settings.max_step)?;
        }
        if self.settings.max_steps == 0 { Err(SolveError::NoSteps) } else { Ok(()) }
    }
}
