//! A block of windows, integrated together, and its pull-back.
//!
//! The steps are cut into segments. Going forward, only the states at the segments' starts are
//! kept, and the tapes of the last segment; going back, each earlier segment is recorded again
//! when its turn comes. So no more than one segment's tapes are held at a time, at the cost of one
//! more forward pass where there is more than one segment (Griewank and Walther, *Evaluating
//! Derivatives*, chapter 12).

use std::ops::Range;

use hnn_integrators::{DifferentiableField, DifferentiableStepper, FieldError, Scalar, Workspace};

use super::derivatives::{At, Comparison, Derivatives};
use super::slopes::{Slopes, Sums};
use super::starts::{Move, moves_of};
use super::windows::{Rows, Stretch};

/// The scratch memory of a block.
pub(super) struct Rollout<T, Tape, R> {
    t: Vec<T>,
    dt: Vec<T>,
    /// States at the segments' starts.
    checkpoints: Vec<T>,
    /// States of the segment at hand, its first one included.
    states: Vec<T>,
    tapes: Vec<Tape>,
    x_bar: Vec<T>,
    /// Where fitted starts should go, from all blocks since they were last taken.
    pub(super) moves: Vec<Move<T>>,
    comparison: Comparison<T, R>,
    workspace: Workspace<T>,
}

impl<T: Scalar, Tape, R: Default> Default for Rollout<T, Tape, R> {
    fn default() -> Self {
        Self {
            t: Vec::new(),
            dt: Vec::new(),
            checkpoints: Vec::new(),
            states: Vec::new(),
            tapes: Vec::new(),
            x_bar: Vec::new(),
            moves: Vec::new(),
            comparison: Comparison::default(),
            workspace: Workspace::default(),
        }
    }
}

/// What is integrated: by which stepper, which field, along which windows of the data.
pub(super) struct Problem<'a, T, S, F> {
    pub(super) stepper: &'a S,
    pub(super) field: &'a F,
    pub(super) rows: &'a Rows<T>,
    /// The state of each row that a window may begin at.
    pub(super) starts: &'a [T],
    /// Whether these are fitted as well.
    pub(super) fitted: bool,
    /// Derivatives that the field is compared with along the windows, if any.
    pub(super) derivatives: Option<&'a Derivatives<T>>,
    /// Derivatives that the field is compared with where the windows begin, if any; counted in
    /// the gradient only.
    pub(super) slopes: Option<Slopes<'a, T>>,
    /// The longest first.
    pub(super) stretches: &'a [Stretch],
}

impl<'a, T: Scalar, S, F> Problem<'a, T, S, F> {
    fn steps(&self) -> usize {
        self.stretches[0].steps
    }

    fn len(&self) -> usize {
        self.stretches.len() * self.rows.dim
    }

    fn at<'b>(&self, step: usize, x: &'b [T]) -> At<'b, T>
    where
        'a: 'b,
    {
        At { rows: self.rows, stretches: self.stretches, step, x }
    }

    /// The sum of the squared errors of the states `x` after `step` steps.
    fn squared_error(&self, step: usize, x: &[T]) -> f64 {
        let mut sum = 0.0;
        self.rows.errors(&self.rows.x, self.stretches, step, x, |_, error| {
            sum += (error * error).to_f64()
        });
        sum
    }
}

impl<T: Scalar, Tape: Default, R: Default> Rollout<T, Tape, R> {
    /// The sum of the squared errors of all states.
    pub(super) fn value<S, F>(&mut self, problem: &Problem<'_, T, S, F>) -> Result<f64, FieldError>
    where
        S: DifferentiableStepper<T, F>,
        F: DifferentiableField<T, Residuals = R>,
    {
        let first = self.start(problem, 1) + self.compare(problem, 0)?;
        (0..problem.steps()).try_fold(first, |sum, step| {
            self.step(problem, step)?;
            let error = problem.squared_error(step + 1, &self.states[..problem.len()]);
            Ok(sum + error + self.compare(problem, step + 1)?)
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
    ) -> Result<Sums, FieldError>
    where
        S: DifferentiableStepper<T, F, Tape = Tape>,
        F: DifferentiableField<T, Residuals = R>,
    {
        let (steps, len) = (problem.steps(), problem.len());
        let segment = segment.clamp(1, steps);
        let last = (steps - 1) / segment;
        let mut states = self.start(problem, segment);
        self.checkpoints.resize(last * len, T::ZERO);
        for step in 0..last * segment {
            if step % segment == 0 {
                let kept = &mut self.checkpoints[step / segment * len..][..len];
                kept.copy_from_slice(&self.states[..len]);
            }
            self.step(problem, step)?;
            states += problem.squared_error(step + 1, &self.states[..len]);
        }
        self.record(problem, last * segment..steps)?;
        for (step, x) in (last * segment..steps).zip(self.states[len..].chunks_exact(len)) {
            states += problem.squared_error(step + 1, x);
        }
        let mut sums = Sums::of_states(states);
        sums = sums + self.pull_back(problem, last * segment..steps, scale, theta_bar)?;
        for index in (0..last).rev() {
            self.states[..len].copy_from_slice(&self.checkpoints[index * len..][..len]);
            let part = index * segment..(index + 1) * segment;
            self.record(problem, part.clone())?;
            sums = sums + self.pull_back(problem, part, scale, theta_bar)?;
        }
        sums.states += self.pull_back_comparison(problem, 0, 0, scale, theta_bar)?;
        if problem.fitted && scale != T::ZERO {
            self.move_starts(problem, scale);
        }
        Ok(sums)
    }

    /// Notes where the pulled-back errors, and those of the starts themselves, move the starts.
    fn move_starts<S, F>(&mut self, problem: &Problem<'_, T, S, F>, scale: T) {
        let Problem { rows, stretches, .. } = problem;
        let Self { states, x_bar, moves, .. } = self;
        rows.errors(&rows.x, stretches, 0, &states[..x_bar.len()], |i, error| {
            x_bar[i] += scale * error
        });
        moves.extend(moves_of(stretches, rows.dim, x_bar, scale));
    }

    /// Goes to the first states, with room for the states of a segment; the sum of their squared
    /// errors, which is 0 where they are the measured ones.
    fn start<S, F>(&mut self, problem: &Problem<'_, T, S, F>, segment: usize) -> f64 {
        let len = problem.len();
        self.t.resize(problem.stretches.len(), T::ZERO);
        self.dt.resize(problem.stretches.len(), T::ZERO);
        self.states.resize((segment + 1) * len, T::ZERO);
        self.x_bar.clear();
        self.x_bar.resize(len, T::ZERO);
        if self.tapes.len() < segment {
            self.tapes.resize_with(segment, Tape::default);
        }
        let x = &mut self.states[..len];
        problem.rows.gather(problem.stretches, problem.starts, x);
        if problem.fitted { problem.squared_error(0, x) } else { 0.0 }
    }

    /// One step; the new states take the place of the first ones of the segment.
    fn step<S, F>(&mut self, problem: &Problem<'_, T, S, F>, step: usize) -> Result<(), FieldError>
    where
        S: DifferentiableStepper<T, F>,
    {
        let Problem { stepper, field, rows, stretches, .. } = problem;
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
        F: DifferentiableField<T, Residuals = R>,
    {
        let Problem { stepper, field, rows, stretches, .. } = problem;
        let len = problem.len();
        for (index, step) in steps.enumerate() {
            rows.times(stretches, step, &mut self.t, &mut self.dt);
            let (x, next) = self.states[index * len..].split_at_mut(len);
            let tape = &mut self.tapes[index];
            stepper.record(field, &self.t, &self.dt, x, &mut next[..len], tape)?;
        }
        Ok(())
    }

    /// The weighted sum of the field's squared errors at the first states held, those after `step`
    /// steps.
    fn compare<S, F>(
        &mut self,
        problem: &Problem<'_, T, S, F>,
        step: usize,
    ) -> Result<f64, FieldError>
    where
        F: DifferentiableField<T, Residuals = R>,
    {
        let Some(derivatives) = problem.derivatives else { return Ok(0.0) };
        let at = problem.at(step, &self.states[..problem.len()]);
        self.comparison.value(problem.field, derivatives, at)
    }

    /// The same, at the states held at `index`, and pulls it back.
    fn pull_back_comparison<S, F>(
        &mut self,
        problem: &Problem<'_, T, S, F>,
        index: usize,
        step: usize,
        scale: T,
        theta_bar: &mut [T],
    ) -> Result<f64, FieldError>
    where
        F: DifferentiableField<T, Residuals = R>,
    {
        let Some(derivatives) = problem.derivatives else { return Ok(0.0) };
        let len = problem.len();
        let at = problem.at(step, &self.states[index * len..][..len]);
        let x_bar = &mut self.x_bar;
        self.comparison.pull_back(problem.field, derivatives, at, scale, x_bar, theta_bar)
    }

    /// Compares the field with the derivatives measured at the windows' begin, and sees to it that
    /// this is pulled back: with the first step, recorded at `index` 0, where its stages begin with
    /// that field, or on its own.
    fn compare_slopes<S, F>(
        &mut self,
        problem: &Problem<'_, T, S, F>,
        theta_bar: &mut [T],
    ) -> Result<f64, FieldError>
    where
        S: DifferentiableStepper<T, F, Tape = Tape>,
        F: DifferentiableField<T, Residuals = R>,
    {
        let Some(slopes) = &problem.slopes else { return Ok(0.0) };
        if let Some(start) = problem.stepper.start_slope(problem.field, &mut self.tapes[0]) {
            return Ok(slopes.compare(problem.stretches, start.value, start.cotangent));
        }
        let at = problem.at(0, &self.states[..problem.len()]);
        self.comparison.pull_back_slopes(problem.field, slopes, at, theta_bar)
    }

    /// Pulls the errors of a recorded segment, and what came from later ones, back to its start;
    /// the sums of the field's errors.
    fn pull_back<S, F>(
        &mut self,
        problem: &Problem<'_, T, S, F>,
        steps: Range<usize>,
        scale: T,
        theta_bar: &mut [T],
    ) -> Result<Sums, FieldError>
    where
        S: DifferentiableStepper<T, F, Tape = Tape>,
        F: DifferentiableField<T, Residuals = R>,
    {
        let Problem { stepper, field, rows, stretches, .. } = problem;
        let (len, mut sums) = (problem.len(), Sums::default());
        for (index, step) in steps.enumerate().rev() {
            let (x, x_bar) = (&self.states[(index + 1) * len..][..len], &mut self.x_bar);
            rows.errors(&rows.x, stretches, step + 1, x, |i, error| x_bar[i] += scale * error);
            sums.states +=
                self.pull_back_comparison(problem, index + 1, step + 1, scale, theta_bar)?;
            if step == 0 {
                sums.slopes += self.compare_slopes(problem, theta_bar)?;
            }
            let (tape, x_bar) = (&mut self.tapes[index], &mut self.x_bar);
            stepper.pull_back(field, tape, x_bar, Some(&mut *theta_bar))?;
        }
        Ok(sums)
    }
}
