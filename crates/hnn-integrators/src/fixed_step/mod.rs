//! Integration with a fixed step size.

mod march;
mod segments;

use std::ops::ControlFlow;

use march::{Advance, Course, March};
use ndarray::{Array3, ArrayView2, Axis};
use segments::Plan;

use crate::{
    Interval, Scalar, SolveError, SolveFailure, Stepper, TooLarge, VectorField, Workspace, check,
    parallel, signal,
};

/// How long a step is.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Steps {
    Count(usize),
    Size(f64),
}

/// Integration by equal steps of a one-step method; many trajectories at once, forward or
/// backward in time, on all cores (feature `threads`; the numbers do not depend on how many).
///
/// ```
/// use hnn_integrators::{FixedStep, FnField, RK4};
/// use ndarray::array;
/// let oscillator = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = -x[0];
/// });
/// let x0 = array![[1.0, 0.0], [0.0, 2.0]];
/// let run = FixedStep::count(RK4, 100).with_save_every(50).run(&oscillator, (0.0, 1.0), x0.view())?;
/// assert_eq!(run.times, [0.0, 0.5, 1.0]);
/// assert_eq!(run.states.shape(), [2, 3, 2]); // trajectories, times, coordinates
/// assert!((run.last()[[0, 0]] - 1.0f64.cos()).abs() < 1e-10);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct FixedStep<S> {
    stepper: S,
    steps: Steps,
    /// None: only the last state.
    save_every: Option<usize>,
}

/// Trajectories sampled at common times.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
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
    /// `count` equal steps over the interval; keeps the last state.
    pub fn count(stepper: S, count: usize) -> Self {
        Self { stepper, steps: Steps::Count(count), save_every: None }
    }

    /// Steps of the size `dt > 0` (the direction is that of the interval), the last one shorter
    /// if the interval is no multiple of `dt`, so that the run lands on the end exactly. Keeps the
    /// last state.
    pub fn size(stepper: S, dt: f64) -> Self {
        Self { stepper, steps: Steps::Size(dt), save_every: None }
    }

    /// Keeps the start, every `k`-th state after it, and the last one.
    #[must_use]
    pub fn with_save_every(self, k: usize) -> Self {
        Self { save_every: Some(k.max(1)), ..self }
    }

    /// Integrates over `interval = (start, end)` from the states `x0` of shape (M, D).
    ///
    /// # Errors
    /// No or non-finite states, another dimension than the field's, no steps or more than can be
    /// counted, a non-finite interval or step size, more states to keep than
    /// [`MOST_BYTES`](crate::MOST_BYTES), a state that becomes non-finite, or the field's own
    /// error; what had been computed before comes with it.
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
        let plan = segments::over(self.steps, self.save_every, interval)?;
        self.march(field, interval, self.save_every.is_some(), &plan, x0)
    }

    /// Integrates from the states `x0` (M, D) at `times[0]` and keeps the states at all `times`.
    ///
    /// Each interval between two times is cut into equal steps: as many as [`count`](Self::count)
    /// says, or as few as keep below [`size`](Self::size). Every time is landed on exactly.
    ///
    /// # Errors
    /// As [`run`](Self::run), and if the times are not strictly increasing (or decreasing).
    pub fn run_at<T, F>(
        &self,
        field: &F,
        times: &[T],
        x0: ArrayView2<'_, T>,
    ) -> Result<Trajectories<T>, SolveFailure<Trajectories<T>>>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
        S: Stepper<T, F>,
    {
        let plan = segments::between(self.steps, times)?;
        self.march(field, (times[0], times[times.len() - 1]), true, &plan, x0)
    }

    /// Integrates without keeping anything: `observe(t, states)` sees the start, every `k`-th
    /// state (of [`with_save_every`](Self::with_save_every); without it only the last), and the last one,
    /// as states of shape (M, D), and may stop the run. Returns the time reached.
    ///
    /// ```
    /// use std::ops::ControlFlow;
    /// use hnn_integrators::{FixedStep, FnField, RK4};
    /// use ndarray::array;
    /// let fall = FnField::new(1, |_t, _x: &[f64], dx: &mut [f64]| dx[0] = -1.0);
    /// let run = FixedStep::size(RK4, 0.25).with_save_every(1);
    /// let t = run.observe(&fall, (0.0, 10.0), array![[1.0]].view(), |_t, states| {
    ///     if states[[0, 0]] < 0.1 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    /// })?;
    /// assert_eq!(t, 1.0);
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    ///
    /// # Errors
    /// As [`run`](Self::run).
    pub fn observe<T, F>(
        &self,
        field: &F,
        interval: (T, T),
        x0: ArrayView2<'_, T>,
        mut observe: impl FnMut(T, ArrayView2<'_, T>) -> ControlFlow<()>,
    ) -> Result<T, SolveError>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
        S: Stepper<T, F>,
    {
        check::start(x0, field.dim())?;
        let plan = segments::over(self.steps, self.save_every, interval)?;
        if self.save_every.is_some() && observe(interval.0, x0).is_break() {
            return Ok(interval.0);
        }
        let advance = |steps: usize, over: Interval<'_, T>, x: &mut [T], ws: &mut Workspace<T>| {
            self.stepper.advance(field, steps, over, x, ws)
        };
        signal::check(field, std::iter::repeat_n(interval, x0.nrows()))?;
        let (signals, inputs) = (field.signals(), field.inputs());
        let mut march = March::new(Course { advance: &advance, signals, inputs }, 0, x0);
        for segment in plan.segments() {
            march.advance_by(&segment)?;
            if segment.saved && observe(segment.end, march.states()).is_break() {
                return Ok(segment.end);
            }
        }
        Ok(interval.1)
    }

    /// Goes along all segments, block by block of trajectories.
    fn march<T, F>(
        &self,
        field: &F,
        interval: (T, T),
        save_start: bool,
        plan: &Plan<T>,
        x0: ArrayView2<'_, T>,
    ) -> Result<Trajectories<T>, SolveFailure<Trajectories<T>>>
    where
        T: Scalar,
        F: VectorField<T> + ?Sized,
        S: Stepper<T, F>,
    {
        check::start(x0, field.dim())?;
        let advance = |steps: usize, over: Interval<'_, T>, x: &mut [T], ws: &mut Workspace<T>| {
            self.stepper.advance(field, steps, over, x, ws)
        };
        signal::check(field, std::iter::repeat_n(interval, x0.nrows()))?;
        let (signals, inputs) = (field.signals(), field.inputs());
        let course = Course { advance: &advance as &Advance<'_, T>, signals, inputs };
        let (block_len, start) = (field.block_len(), interval.0);
        T::march_segments(SegmentsJob { course, block_len, start, save_start, plan, x0 })
    }
}

/// Trajectories to be taken through segments of equal steps, block by block.
#[expect(missing_debug_implementations, reason = "hidden from users")]
pub struct SegmentsJob<'a, T> {
    course: Course<'a, T>,
    block_len: usize,
    start: T,
    save_start: bool,
    plan: &'a Plan<T>,
    x0: ArrayView2<'a, T>,
}

impl<T: Scalar> SegmentsJob<'_, T> {
    pub(crate) fn run(self) -> Result<Trajectories<T>, SolveFailure<Trajectories<T>>> {
        let Self { course, block_len, start, save_start, plan, x0 } = self;
        let most = plan.len().saturating_add(usize::from(save_start));
        let each = (x0.len() + 1).saturating_mul(size_of::<T>());
        let remedy = "save every k-th state only, or observe the run";
        TooLarge::check("states to save", most, each, remedy).map_err(SolveError::from)?;
        let first = save_start.then_some(start);
        let ends = plan.segments().filter(|segment| segment.saved).map(|segment| segment.end);
        let times: Vec<T> = first.into_iter().chain(ends).collect();
        let mut states = Array3::from_elem((x0.nrows(), times.len(), x0.ncols()), T::NAN);
        let size = block_len.clamp(1, x0.nrows());
        let blocks = x0.axis_chunks_iter(Axis(0), size);
        let blocks = blocks.zip(states.axis_chunks_iter_mut(Axis(0), size)).enumerate().collect();
        let results = parallel::map(blocks, |(index, (x0, mut out))| {
            let mut march = March::new(course, index * size, x0);
            let mut slots = 0..;
            let mut save = |states: ArrayView2<'_, T>| {
                let slot = slots.next().unwrap_or_default();
                out.index_axis_mut(Axis(1), slot).assign(&states);
            };
            if save_start {
                save(x0);
            }
            for segment in plan.segments() {
                march.advance_by(&segment)?;
                if segment.saved {
                    save(march.states());
                }
            }
            Ok(())
        });
        let trajectories = Trajectories { times, states };
        match results.into_iter().collect::<Result<(), SolveError>>() {
            Ok(()) => Ok(trajectories),
            Err(error) => Err(SolveFailure { error, partial: Some(Box::new(trajectories)) }),
        }
    }
}
