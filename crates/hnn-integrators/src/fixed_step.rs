//! Integration with a fixed step size.

use ndarray::{Array3, ArrayView2, ArrayViewMut3, Axis};

use crate::{
    Scalar, SolveError, SolveFailure, Stepper, VectorField, Workspace, check, coordinate_major,
};

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Steps {
    Count(usize),
    Size(f64),
}

/// Which states are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Save {
    Last,
    Every(usize),
}

/// Integration by equal steps of a one-step method; many trajectories at once, forward or
/// backward in time.
///
/// ```
/// use hnn_integrators::{FixedStep, FnField, Rk4};
/// use ndarray::array;
/// let oscillator = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = -x[0];
/// });
/// let x0 = array![[1.0, 0.0], [0.0, 2.0]];
/// let run = FixedStep::count(Rk4, 100).save_every(50).run(&oscillator, (0.0, 1.0), x0.view())?;
/// assert_eq!(run.times, [0.0, 0.5, 1.0]);
/// assert_eq!(run.states.shape(), [2, 3, 2]); // trajectories, times, coordinates
/// assert!((run.last()[[0, 0]] - 1.0f64.cos()).abs() < 1e-10);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FixedStep<S> {
    stepper: S,
    steps: Steps,
    save: Save,
}

/// Trajectories sampled at common times.
#[derive(Debug, Clone, PartialEq)]
pub struct Trajectories<T> {
    /// The `T` times of the kept states.
    pub times: Vec<T>,
    /// States of shape (M, T, D): trajectory, time, coordinate.
    pub states: Array3<T>,
}

impl<T: Scalar> Trajectories<T> {
    /// The last kept state of every trajectory, of shape (M, D).
    #[must_use]
    pub fn last(&self) -> ArrayView2<'_, T> {
        self.states.index_axis(Axis(1), self.times.len() - 1)
    }
}

impl<S> FixedStep<S> {
    /// `count` equal steps; keeps the last state.
    pub fn count(stepper: S, count: usize) -> Self {
        Self { stepper, steps: Steps::Count(count), save: Save::Last }
    }

    /// Steps of the size `dt > 0` (the direction is that of the interval), the last one shorter
    /// if the interval is no multiple of `dt`, so that the run lands on the end exactly. Keeps the
    /// last state.
    pub fn size(stepper: S, dt: f64) -> Self {
        Self { stepper, steps: Steps::Size(dt), save: Save::Last }
    }

    /// Keeps the start, every `k`-th state after it, and the last one.
    #[must_use]
    pub fn save_every(self, k: usize) -> Self {
        Self { save: Save::Every(k.max(1)), ..self }
    }

    /// Integrates over `interval = (start, end)` from the states `x0` of shape (M, D).
    ///
    /// # Errors
    /// No or non-finite states, another dimension than the field's, no steps, a non-finite
    /// interval or step size, a state that becomes non-finite, or the field's own error; what had
    /// been computed before comes with it.
    pub fn run<T, F>(
        &self,
        field: &F,
        interval: (T, T),
        x0: ArrayView2<'_, T>,
    ) -> Result<Trajectories<T>, SolveFailure<Trajectories<T>>>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
        S: Stepper<T, F>,
    {
        check::start(x0, field.dim())?;
        let grid = self.grid(interval)?;
        let saved = self.saved_steps(grid.len() - 1);
        let times = saved.iter().map(|&step| grid[step]).collect();
        let mut states = Array3::from_elem((x0.nrows(), saved.len(), x0.ncols()), T::NAN);
        let block = field.block_len().clamp(1, x0.nrows());
        let mut error = None;
        let mut workspace = Workspace::default();
        for (index, (x0, out)) in x0
            .axis_chunks_iter(Axis(0), block)
            .zip(states.axis_chunks_iter_mut(Axis(0), block))
            .enumerate()
        {
            let result = self.run_block(field, &grid, &saved, x0, out, &mut workspace);
            if let Err(BlockError { step, kind }) = result {
                error = error.or(Some(kind.at(index * block, step, grid[step].to_f64())));
            }
        }
        let trajectories = Trajectories { times, states };
        match error {
            None => Ok(trajectories),
            Some(error) => Err(SolveFailure { error, partial: Some(Box::new(trajectories)) }),
        }
    }

    /// The times of all states, both ends included.
    fn grid<T: Scalar>(&self, (start, end): (T, T)) -> Result<Vec<T>, SolveError> {
        check::times(&[start, end])?;
        let (from, to) = (start.to_f64(), end.to_f64());
        let (count, dt) = match self.steps {
            Steps::Count(0) => return Err(SolveError::NoSteps),
            Steps::Count(count) => (count, (to - from) / count as f64),
            Steps::Size(dt) => sized_steps(from, to, dt)?,
        };
        let time = |step| if step == count { end } else { T::from_f64(from + step as f64 * dt) };
        Ok((0..=count).map(time).collect())
    }

    fn saved_steps(&self, count: usize) -> Vec<usize> {
        match self.save {
            Save::Last => vec![count],
            Save::Every(k) => (0..count).step_by(k).chain(std::iter::once(count)).collect(),
        }
    }

    fn run_block<T, F>(
        &self,
        field: &F,
        grid: &[T],
        saved: &[usize],
        x0: ArrayView2<'_, T>,
        mut out: ArrayViewMut3<'_, T>,
        workspace: &mut Workspace<T>,
    ) -> Result<(), BlockError>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
        S: Stepper<T, F>,
    {
        let (batch, dim) = x0.dim();
        let mut x = coordinate_major(x0);
        let mut next = x.clone();
        let (mut t, mut dt) = (vec![T::ZERO; batch], vec![T::ZERO; batch]);
        let mut slots = saved.iter().copied().enumerate().peekable();
        for step in 0..grid.len() {
            if let Some((slot, _)) = slots.next_if(|(_, saved)| *saved == step) {
                for row in 0..batch {
                    (0..dim).for_each(|i| out[[row, slot, i]] = x[i * batch + row]);
                }
            }
            if step + 1 == grid.len() {
                break;
            }
            t.fill(grid[step]);
            dt.fill(grid[step + 1] - grid[step]);
            self.stepper
                .step(field, &t, &dt, &x, &mut next, workspace)
                .map_err(|error| BlockError { step, kind: Kind::Field(error) })?;
            if let Some(bad) = next.iter().position(|x| !x.is_finite()) {
                return Err(BlockError { step, kind: Kind::NonFinite { row: bad % batch } });
            }
            std::mem::swap(&mut x, &mut next);
        }
        Ok(())
    }
}

/// Number and size of the steps for a step size asked for. A multiple up to rounding counts as a
/// multiple.
fn sized_steps(from: f64, to: f64, dt: f64) -> Result<(usize, f64), SolveError> {
    check::positive("the step size", dt)?;
    let interval = (to - from).abs();
    let ratio = interval / dt;
    if !(ratio < 1e15) {
        return Err(SolveError::StepSize { dt, interval });
    }
    let whole = ratio.round();
    if whole >= 1.0 && (ratio - whole).abs() <= 1e-9 * whole {
        return Ok((whole as usize, (to - from) / whole));
    }
    Ok((ratio.ceil() as usize, dt.copysign(to - from)))
}

/// Where and why a block of trajectories stopped.
struct BlockError {
    step: usize,
    kind: Kind,
}

enum Kind {
    Field(crate::FieldError),
    NonFinite { row: usize },
}

impl Kind {
    fn at(self, first: usize, step: usize, time: f64) -> SolveError {
        match self {
            Self::Field(source) => SolveError::field(first, step, time, source),
            Self::NonFinite { row } => {
                SolveError::NonFinite { trajectory: first + row, step, time }
            }
        }
    }
}
