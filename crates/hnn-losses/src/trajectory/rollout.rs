//! A block of windows, integrated together, and its pull-back.
//!
//! The steps are cut into segments. Going forward, only the states at the segments' starts are
//! kept, and the tapes of the last segment; going back, each earlier segment is recorded again
//! when its turn comes. So no more than one segment's tapes are held at a time, at the cost of one
//! more forward pass where there is more than one segment (Griewank and Walther, *Evaluating
//! Derivatives*, chapter 12).

use std::ops::Range;

use hnn_integrators::{DifferentiableStepper, FieldError, Scalar, Stepper, Workspace};

use super::windows::{Rows, Stretch};

/// The scratch memory of a block.
pub(super) struct Rollout<T, Tape> {
    t: Vec<T>,
    dt: Vec<T>,
    /// States at the segments' starts.
    checkpoints: Vec<T>,
    /// States of the segment at hand, its first one included.
    states: Vec<T>,
    tapes: Vec<Tape>,
    x_bar: Vec<T>,
    workspace: Workspace<T>,
}

impl<T: Scalar, Tape> Default for Rollout<T, Tape> {
    fn default() -> Self {
        Self {
            t: Vec::new(),
            dt: Vec::new(),
            checkpoints: Vec::new(),
            states: Vec::new(),
            tapes: Vec::new(),
            x_bar: Vec::new(),
            workspace: Workspace::default(),
        }
    }
}

/// What is integrated: by which stepper, which field, along which windows of the data.
pub(super) struct Problem<'a, T, S, F: ?Sized> {
    pub(super) stepper: &'a S,
    pub(super) field: &'a F,
    pub(super) rows: &'a Rows<T>,
    /// The longest first.
    pub(super) stretches: &'a [Stretch],
}

impl<T, S, F> Problem<'_, T, S, F>
where
    T: Scalar,
    F: ?Sized,
{
    fn steps(&self) -> usize {
        self.stretches[0].steps
    }

    fn len(&self) -> usize {
        self.stretches.len() * self.rows.dim
    }

    /// The sum of the squared errors at the state `x` after `step` steps.
    fn squared_error(&self, step: usize, x: &[T]) -> f64 {
        let mut sum = 0.0;
        self.rows.errors(self.stretches, step, x, |_, error| sum += (error * error).to_f64());
        sum
    }
}

impl<T: Scalar, Tape: Default> Rollout<T, Tape> {
    /// The sum of the squared errors of all states.
    pub(super) fn value<S, F>(&mut self, problem: &Problem<'_, T, S, F>) -> Result<f64, FieldError>
    where
        S: Stepper<T, F>,
        F: ?Sized,
    {
        self.start(problem, 1);
        (0..problem.steps()).try_fold(0.0, |sum, step| {
            self.step(problem, step)?;
            Ok(sum + problem.squared_error(step + 1, &self.states[..problem.len()]))
        })
    }

    /// The sum of the squared errors of all states; **adds** `scale` times half its gradient to
    /// `theta_bar`.
    pub(super) fn value_and_gradient<S, F>(
        &mut self,
        problem: &Problem<'_, T, S, F>,
        segment: usize,
        scale: T,
        theta_bar: &mut [T],
    ) -> Result<f64, FieldError>
    where
        S: DifferentiableStepper<T, F, Tape = Tape>,
        F: ?Sized,
    {
        let (steps, len) = (problem.steps(), problem.len());
        let segment = segment.clamp(1, steps);
        let last = (steps - 1) / segment;
        self.start(problem, segment);
        self.checkpoints.resize(last * len, T::ZERO);
        let mut sum = 0.0;
        for step in 0..last * segment {
            if step % segment == 0 {
                let kept = &mut self.checkpoints[step / segment * len..][..len];
                kept.copy_from_slice(&self.states[..len]);
            }
            self.step(problem, step)?;
            sum += problem.squared_error(step + 1, &self.states[..len]);
        }
        self.record(problem, last * segment..steps)?;
        for (step, x) in (last * segment..steps).zip(self.states[len..].chunks_exact(len)) {
            sum += problem.squared_error(step + 1, x);
        }
        self.pull_back(problem, last * segment..steps, scale, theta_bar)?;
        for index in (0..last).rev() {
            self.states[..len].copy_from_slice(&self.checkpoints[index * len..][..len]);
            let part = index * segment..(index + 1) * segment;
            self.record(problem, part.clone())?;
            self.pull_back(problem, part, scale, theta_bar)?;
        }
        Ok(sum)
    }

    /// Goes to the first states, with room for the states of a segment.
    fn start<S, F: ?Sized>(&mut self, problem: &Problem<'_, T, S, F>, segment: usize) {
        let len = problem.len();
        self.t.resize(problem.stretches.len(), T::ZERO);
        self.dt.resize(problem.stretches.len(), T::ZERO);
        self.states.resize((segment + 1) * len, T::ZERO);
        self.x_bar.clear();
        self.x_bar.resize(len, T::ZERO);
        if self.tapes.len() < segment {
            self.tapes.resize_with(segment, Tape::default);
        }
        problem.rows.gather(problem.stretches, 0, &mut self.states[..len]);
    }

    /// One step; the new states take the place of the first ones of the segment.
    fn step<S, F>(&mut self, problem: &Problem<'_, T, S, F>, step: usize) -> Result<(), FieldError>
    where
        S: Stepper<T, F>,
        F: ?Sized,
    {
        let Problem { stepper, field, rows, stretches } = problem;
        rows.times(stretches, step, &mut self.t, &mut self.dt);
        let (x, next) = self.states.split_at_mut(problem.len());
        let next = &mut next[..x.len()];
        stepper.step(field, &self.t, &self.dt, x, next, &mut self.workspace)?;
        x.copy_from_slice(next);
        Ok(())
    }

    /// Records the steps of a segment from its first state on.
    fn record<S, F>(
        &mut self,
        problem: &Problem<'_, T, S, F>,
        steps: Range<usize>,
    ) -> Result<(), FieldError>
    where
        S: DifferentiableStepper<T, F, Tape = Tape>,
        F: ?Sized,
    {
        let Problem { stepper, field, rows, stretches } = problem;
        let len = problem.len();
        for (index, step) in steps.enumerate() {
            rows.times(stretches, step, &mut self.t, &mut self.dt);
            let (x, next) = self.states[index * len..].split_at_mut(len);
            let tape = &mut self.tapes[index];
            stepper.record(field, &self.t, &self.dt, x, &mut next[..len], tape)?;
        }
        Ok(())
    }

    /// Pulls the errors of a recorded segment, and what came from later ones, back to its start.
    fn pull_back<S, F>(
        &mut self,
        problem: &Problem<'_, T, S, F>,
        steps: Range<usize>,
        scale: T,
        theta_bar: &mut [T],
    ) -> Result<(), FieldError>
    where
        S: DifferentiableStepper<T, F, Tape = Tape>,
        F: ?Sized,
    {
        let Problem { stepper, field, rows, stretches } = problem;
        let (len, x_bar) = (problem.len(), &mut self.x_bar);
        for (index, step) in steps.enumerate().rev() {
            let x = &self.states[(index + 1) * len..][..len];
            rows.errors(stretches, step + 1, x, |i, error| x_bar[i] += scale * error);
            stepper.pull_back(field, &mut self.tapes[index], x_bar, Some(theta_bar))?;
        }
        Ok(())
    }
}
