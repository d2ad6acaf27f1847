//! Chained steps, and their discrete adjoint: the one way back.

mod adjoint;
mod backward;
mod checkpoints;
mod forward;
mod grid;
mod motion;

pub use adjoint::{Adjoint, Gradient};
pub use backward::Visit;
pub use checkpoints::Checkpoints;
pub use grid::{Clock, Grid, GridInputs};
pub use motion::Motion;

use crate::{FieldError, Kept, Scalar, TooLarge, Workspace};

/// Chained steps of a batch, and the pull-back of cotangents through them: the discrete adjoint,
/// the exact derivative of the run as computed.
///
/// Reuse one `Rollout` for many runs: after the first it does not allocate. For one run with
/// `ndarray` in and out see [`Adjoint`].
///
/// ```
/// use hnn_integrators::{Bars, Checkpoints, DualField, Grid, Lane, RK4, Rollout, Visit};
/// let pendulum = DualField::new([1.0], |_t, [q, p]: [_; 2], [a]| [p, -a * q.sin()]);
/// let (grid, mut rollout) = (Grid::times(1, &[0.0, 0.1, 0.3]), Rollout::default());
/// let states = rollout.states(&RK4, &pendulum, grid, &[1.0, 0.5])?;
/// assert_eq!(states.len(), 3 * 2);
/// // The derivative of the last angle by the start and by the parameter.
/// let (mut start_bar, mut theta_bar) = ([0.0; 2], [0.0]);
/// let last_angle = |visit: Visit<'_, f64>| {
///     if let Visit::State { step: 2, x_bar, .. } = visit {
///         x_bar[0] += 1.0;
///     }
///     Ok(())
/// };
/// let bars = Bars::new(&mut start_bar).with_theta(&mut theta_bar);
/// rollout.gradient(&RK4, &pendulum, grid, &[1.0, 0.5], Checkpoints::All, last_angle, bars)?;
/// assert!((theta_bar[0] + 0.038_736).abs() < 1e-6);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Default)]
pub struct Rollout<T> {
    /// States held: all of a run, or those of the segment at hand.
    states: Vec<T>,
    /// Their cotangents, where a kernel pulls back.
    states_bar: Vec<T>,
    /// The state at hand, and the one after it.
    x: Vec<T>,
    next: Vec<T>,
    x_bar: Vec<T>,
    /// Cotangents of the inputs at the begin and at the end of the step at hand.
    u_bar: Vec<T>,
    end: Vec<T>,
    /// A stack of segments' starts, each with its step, and spare memory for more.
    kept: Vec<(usize, Vec<T>)>,
    spare: Vec<Vec<T>>,
    t: Vec<T>,
    dt: Vec<T>,
    /// Of the steps of a segment.
    tapes: Vec<Kept>,
    workspace: Workspace<T>,
    /// The step at hand.
    step: usize,
    counts: Counts,
}

/// What the last gradient cost.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// The most states held at a time.
    pub(crate) kept: usize,
    /// Steps taken forward.
    pub(crate) advanced: usize,
}

/// Makes room for so many states of `len` numbers, if a call may take it.
fn resize<T: Scalar>(buffer: &mut Vec<T>, states: usize, len: usize) -> Result<(), FieldError> {
    let each = len.saturating_mul(size_of::<T>());
    TooLarge::check("states of a run", states, each, "take other checkpoints, or walk")?;
    buffer.resize(states * len, T::ZERO);
    Ok(())
}

impl<T: Scalar> Rollout<T> {
    /// The states at the end of the last [`gradient`](Self::gradient).
    pub fn end(&self) -> &[T] {
        &self.end
    }

    /// The step at hand when the last run ended or failed.
    pub(crate) fn step(&self) -> usize {
        self.step
    }

    pub(crate) fn counts(&self) -> Counts {
        self.counts
    }

    fn check(
        &self,
        motion: &dyn Motion<T>,
        grid: &Grid<'_, T>,
        x0: &[T],
    ) -> Result<(), FieldError> {
        grid.check(motion.inputs())?;
        let len = motion.dim().saturating_mul(grid.batch);
        FieldError::check_lengths(len, [("the first states", x0.len())])
    }
}
