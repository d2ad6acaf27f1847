//! Chained steps and their adjoint.

use crate::{
    AdjointRun, Clock, DifferentiableStepper, FieldError, Parameters, RolloutRun, Scalar,
    VectorField, Workspace,
};

/// A trajectory of chained steps for a batch, and the pull-back of cotangents given at any of its
/// states: the discrete adjoint of the whole trajectory.
///
/// Keeps the states and recomputes the stages of a step when its turn comes. Reuse one `Rollout`
/// for many runs: after the first it does not allocate. For long runs of equal steps
/// [`Adjoint`](crate::Adjoint) keeps fewer states.
///
/// ```
/// use hnn_integrators::{DualField, Lane, Rk4, Rollout};
/// let pendulum = DualField::new([1.0], |_t, [q, p]: [_; 2], [a]| [p, -a * q.sin()]);
/// let (times, mut rollout) = ([0.0, 0.1, 0.3], Rollout::default());
/// let states = rollout.forward(&Rk4, &pendulum, 1, &times, &[1.0, 0.5])?;
/// assert_eq!(states.len(), 3 * 2);
/// // The derivative of the last angle by the start and by the parameter.
/// let (mut states_bar, mut theta_bar) = ([0.0, 0.0, 0.0, 0.0, 1.0, 0.0], [0.0]);
/// rollout.pull_back(&Rk4, &pendulum, 1, &times, &mut states_bar, Some(&mut theta_bar))?;
/// assert!((theta_bar[0] + 0.038_736).abs() < 1e-6);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
pub struct Rollout<T, S, F>
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: ?Sized,
{
    /// States `0..=steps`, one after the other, each `D * B` numbers, coordinate-major.
    states: Vec<T>,
    dt: Vec<T>,
    next: Vec<T>,
    tape: S::Tape,
    workspace: Workspace<T>,
}

impl<T, S, F> Default for Rollout<T, S, F>
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: ?Sized,
{
    fn default() -> Self {
        Self {
            states: Vec::new(),
            dt: Vec::new(),
            next: Vec::new(),
            tape: S::Tape::default(),
            workspace: Workspace::default(),
        }
    }
}

impl<T, S, F> Rollout<T, S, F>
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: VectorField<T> + Parameters<T> + ?Sized,
{
    /// Steps through `times` and returns all states.
    ///
    /// `times` holds `(steps + 1) * B` numbers: the time of each of the `B` rows at state 0, at
    /// state 1, and so on (so that every trajectory may have times of its own; a row whose time
    /// stands still keeps its state). `x0` is the first state, `D * B` numbers, coordinate-major.
    /// The result holds `(steps + 1) * D * B` numbers, state after state.
    ///
    /// # Errors
    /// As [`Stepper::step`](crate::Stepper::step), or if the lengths do not go together.
    pub fn forward(
        &mut self,
        stepper: &S,
        field: &F,
        batch: usize,
        times: &[T],
        x0: &[T],
    ) -> Result<&[T], FieldError> {
        let (len, steps) = (field.dim() * batch, count_steps(times, batch)?);
        FieldError::check_lengths(len, [("the first states", x0.len())])?;
        self.states.resize((steps + 1) * len, T::ZERO);
        self.states[..len].copy_from_slice(x0);
        let clock = Clock::Times(times);
        if stepper.fly(field, &mut RolloutRun { clock, batch, states: &mut self.states }) {
            return Ok(&self.states);
        }
        for step in 0..steps {
            let t = differences(times, batch, step, &mut self.dt);
            let (done, next) = self.states.split_at_mut((step + 1) * len);
            let x = &done[step * len..];
            stepper.step(field, t, &self.dt, x, &mut next[..len], &mut self.workspace)?;
        }
        Ok(&self.states)
    }

    /// Pulls the cotangents of all states back to the first one and to the parameters.
    ///
    /// `states_bar` (laid out as the result of [`forward`](Self::forward)) holds the cotangent of
    /// each state by itself; afterwards its first `D * B` numbers are the total cotangent of `x0`
    /// (the others are used as scratch). Parameter cotangents are **added** to `theta_bar`.
    ///
    /// # Errors
    /// If the field's engine fails, or the lengths are not those of the last
    /// [`forward`](Self::forward).
    pub fn pull_back(
        &mut self,
        stepper: &S,
        field: &F,
        batch: usize,
        times: &[T],
        states_bar: &mut [T],
        mut theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let (len, steps) = (field.dim() * batch, count_steps(times, batch)?);
        FieldError::check_lengths(
            (steps + 1) * len,
            [("the states of the last run", self.states.len())],
        )?;
        FieldError::check_lengths(
            self.states.len(),
            [("the states' cotangents", states_bar.len())],
        )?;
        let num_params = field.num_params();
        FieldError::check_parameters(
            theta_bar.as_deref().map_or(num_params, <[T]>::len),
            num_params,
        )?;
        let clock = Clock::Times(times);
        let mut run = AdjointRun { clock, batch, states: &self.states, states_bar };
        if stepper.pull_back_flight(field, &mut run) {
            return Ok(());
        }
        let states_bar = run.states_bar;
        self.next.resize(len, T::ZERO);
        for step in (0..steps).rev() {
            let t = differences(times, batch, step, &mut self.dt);
            let x = &self.states[step * len..(step + 1) * len];
            stepper.record(field, t, &self.dt, x, &mut self.next, &mut self.tape)?;
            let (earlier, later) = states_bar.split_at_mut((step + 1) * len);
            let x_bar = &mut later[..len];
            stepper.pull_back(field, &mut self.tape, x_bar, theta_bar.as_deref_mut())?;
            earlier[step * len..].iter_mut().zip(x_bar).for_each(|(sum, x)| *sum += *x);
        }
        Ok(())
    }
}

/// Number of steps between the times of `batch` rows.
fn count_steps<T>(times: &[T], batch: usize) -> Result<usize, FieldError> {
    let expected = (times.len() / batch.max(1)).max(1) * batch.max(1);
    FieldError::check_lengths(expected, [("the times", times.len())])?;
    FieldError::check_lengths(batch.max(1), [("the rows", batch)])?;
    Ok(times.len() / batch - 1)
}

/// The times of a state; writes the step sizes to the next state into `dt`.
fn differences<'a, T: Scalar>(
    times: &'a [T],
    batch: usize,
    step: usize,
    dt: &mut Vec<T>,
) -> &'a [T] {
    let (now, next) = times[step * batch..(step + 2) * batch].split_at(batch);
    dt.clear();
    dt.extend(now.iter().zip(next).map(|(now, next)| *next - *now));
    now
}
