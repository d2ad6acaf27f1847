//! Chained steps and their adjoint.

use crate::{DifferentiableStepper, FieldError, Scalar, Workspace};

/// A trajectory of chained steps for a batch, and the pull-back of cotangents given at any of its
/// states: the discrete adjoint of the whole trajectory.
///
/// Keeps the states and recomputes the stages of a step when its turn comes. Reuse one `Rollout`
/// for many runs: after the first it does not allocate.
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
    F: ?Sized,
{
    /// Steps through `times` and returns all states.
    ///
    /// `times` holds `(steps + 1) * B` numbers: the time of each of the `B` rows at state 0, at
    /// state 1, and so on (so that every trajectory may have times of its own; a row whose time
    /// stands still keeps its state). `x0` is the first state, `D * B` numbers, coordinate-major.
    /// The result holds `(steps + 1) * D * B` numbers, state after state.
    ///
    /// # Errors
    /// As [`Stepper::step`](crate::Stepper::step).
    pub fn forward(
        &mut self,
        stepper: &S,
        field: &F,
        batch: usize,
        times: &[T],
        x0: &[T],
    ) -> Result<&[T], FieldError> {
        let (len, steps) = (x0.len(), (times.len() / batch.max(1)).saturating_sub(1));
        self.states.resize((steps + 1) * len, T::ZERO);
        self.states[..len].copy_from_slice(x0);
        if stepper.fly(field, batch, times, &mut self.states) {
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
    /// If the field's engine fails.
    pub fn pull_back(
        &mut self,
        stepper: &S,
        field: &F,
        batch: usize,
        times: &[T],
        states_bar: &mut [T],
        mut theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let steps = (times.len() / batch.max(1)).saturating_sub(1);
        let len = states_bar.len() / (steps + 1);
        if stepper.pull_back_flight(field, batch, times, &self.states, states_bar) {
            return Ok(());
        }
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
