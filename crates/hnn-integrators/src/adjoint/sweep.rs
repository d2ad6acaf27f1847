//! The way there and back.

use ndarray::{ArrayView2, ArrayViewMut2};

use super::schedule::advance_by;
use super::{Gradient, rows};
use crate::{
    AdjointRun, Clock, DifferentiableStepper, FieldError, Scalar, SolveError, Workspace,
    coordinate_major,
};

/// Equal steps.
#[derive(Debug, Clone, Copy)]
pub(super) struct Grid {
    pub(super) start: f64,
    pub(super) dt: f64,
    pub(super) steps: usize,
}

impl Grid {
    fn time(&self, step: usize) -> f64 {
        self.start + step as f64 * self.dt
    }

    /// The field's error in a step.
    pub(super) fn error(&self, step: usize, source: FieldError) -> SolveError {
        SolveError::field(0, step, self.time(step), source)
    }
}

/// `pull(step, states, states_bar)`, of shape (B, D).
pub(super) trait Pull<T>: FnMut(usize, ArrayView2<'_, T>, ArrayViewMut2<'_, T>) {}
impl<T, L: FnMut(usize, ArrayView2<'_, T>, ArrayViewMut2<'_, T>)> Pull<T> for L {}

/// A batch on its way, and the cotangents on theirs.
pub(super) struct Sweep<'a, T, S, F, L>
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: ?Sized,
{
    pub(super) stepper: &'a S,
    pub(super) field: &'a F,
    pub(super) grid: Grid,
    pull: L,
    batch: usize,
    /// The state at hand, and the one after it, coordinate-major.
    pub(super) x: Vec<T>,
    next: Vec<T>,
    pub(super) end: Vec<T>,
    pub(super) x_bar: Vec<T>,
    /// The cotangents at the begin of a step, then those at its end, for the fused way back.
    step_bar: Vec<T>,
    pub(super) theta_bar: Vec<T>,
    pub(super) t: Vec<T>,
    pub(super) dt: Vec<T>,
    pub(super) tape: S::Tape,
    workspace: Workspace<T>,
    pub(super) kept: usize,
    advanced: usize,
}

impl<'a, T, S, F, L> Sweep<'a, T, S, F, L>
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: ?Sized,
    L: Pull<T>,
{
    pub(super) fn new(
        stepper: &'a S,
        field: &'a F,
        grid: Grid,
        x0: ArrayView2<'_, T>,
        num_params: usize,
        pull: L,
    ) -> Self {
        let (batch, x) = (x0.nrows(), coordinate_major(x0));
        Self {
            stepper,
            field,
            grid,
            pull,
            batch,
            next: vec![T::ZERO; x.len()],
            end: Vec::new(),
            x_bar: vec![T::ZERO; x.len()],
            step_bar: vec![T::ZERO; 2 * x.len()],
            theta_bar: vec![T::ZERO; num_params],
            t: vec![T::ZERO; batch],
            dt: vec![T::from_f64(grid.dt); batch],
            x,
            tape: S::Tape::default(),
            workspace: Workspace::default(),
            kept: 0,
            advanced: 0,
        }
    }

    pub(super) fn finish(self) -> Gradient<T> {
        let shaped = |x: &[T]| rows(x, self.batch, x.len() / self.batch);
        let (end, start_bar) = (shaped(&self.end), shaped(&self.x_bar));
        let (theta_bar, kept, advanced) = (self.theta_bar, self.kept, self.advanced);
        Gradient { end, start_bar, theta_bar, kept, advanced }
    }

    /// The way there and back with at most `most` states kept.
    pub(super) fn run(&mut self, most: usize) -> Result<(), SolveError> {
        // A stack of states, each with its step; `open` steps are still to be pulled back.
        let mut kept = vec![(0, self.x.clone())];
        let mut spare: Vec<Vec<T>> = Vec::new();
        let mut open = self.grid.steps;
        while let Some((from, state)) = kept.last() {
            let from = *from;
            self.x.copy_from_slice(state);
            self.kept = self.kept.max(kept.len());
            let free = most - kept.len();
            if open - from > 1 && free > 0 {
                let until = from + advance_by(open - from, free + 1);
                self.advance(from, until)?;
                let mut state = spare.pop().unwrap_or_default();
                state.clone_from(&self.x);
                kept.push((until, state));
                continue;
            }
            self.advance(from, open - 1)?;
            open -= 1;
            self.pull_back(open)?;
            if open == from {
                spare.extend(kept.pop().map(|(_, state)| state));
            }
        }
        Ok(())
    }

    /// Steps the state at hand from one step to another.
    pub(super) fn advance(&mut self, from: usize, until: usize) -> Result<(), SolveError> {
        for step in from..until {
            self.clock(step);
            let (x, workspace) = (&mut self.x, &mut self.workspace);
            self.stepper
                .advance(self.field, 1, &self.t, &self.dt, x, workspace)
                .map_err(|source| self.grid.error(step, source))?;
            self.check(step, &self.x)?;
        }
        self.advanced += until - from;
        Ok(())
    }

    /// Pulls the cotangent back through the step from the state at hand.
    fn pull_back(&mut self, step: usize) -> Result<(), SolveError> {
        if self.end.is_empty() {
            self.see_end(step)?;
        }
        if !self.pull_back_fused(step) {
            self.pull_back_recorded(step)?;
        }
        self.see(step);
        Ok(())
    }

    /// Takes the last step, and starts the cotangent with the loss's derivative by its end.
    fn see_end(&mut self, last: usize) -> Result<(), SolveError> {
        self.next.clone_from(&self.x);
        self.advance(last, last + 1)?;
        self.end.clone_from(&self.x);
        self.see(last + 1);
        std::mem::swap(&mut self.x, &mut self.next);
        Ok(())
    }

    /// In one kernel; says whether the method and the field have one.
    fn pull_back_fused(&mut self, step: usize) -> bool {
        let (begin_bar, end_bar) = self.step_bar.split_at_mut(self.x.len());
        begin_bar.fill(T::ZERO);
        end_bar.copy_from_slice(&self.x_bar);
        let (start, dt) = (T::from_f64(self.grid.time(step)), T::from_f64(self.grid.dt));
        let mut run = AdjointRun {
            clock: Clock::Equal { start, dt },
            batch: self.batch,
            states: &self.x,
            states_bar: &mut self.step_bar,
        };
        let fused = self.stepper.pull_back_flight(self.field, &mut run);
        if fused {
            self.x_bar.copy_from_slice(&self.step_bar[..self.x.len()]);
        }
        fused
    }

    /// By recording the step.
    fn pull_back_recorded(&mut self, step: usize) -> Result<(), SolveError> {
        self.clock(step);
        let failed = |source| self.grid.error(step, source);
        let (tape, next) = (&mut self.tape, &mut self.next);
        self.stepper.record(self.field, &self.t, &self.dt, &self.x, next, tape).map_err(failed)?;
        let (x_bar, theta_bar) = (&mut self.x_bar, &mut self.theta_bar);
        self.stepper.pull_back(self.field, tape, x_bar, Some(theta_bar)).map_err(failed)
    }

    /// Sets the time at which a step begins.
    pub(super) fn clock(&mut self, step: usize) {
        self.t.fill(T::from_f64(self.grid.time(step)));
    }

    /// Adds the loss's own derivative by the state at hand.
    pub(super) fn see(&mut self, step: usize) {
        let shape = (self.x.len() / self.batch, self.batch);
        let states = ArrayView2::from_shape(shape, &self.x);
        let bars = ArrayViewMut2::from_shape(shape, &mut self.x_bar);
        if let (Ok(states), Ok(bars)) = (states, bars) {
            (self.pull)(step, states.reversed_axes(), bars.reversed_axes());
        }
    }

    /// The state after a step must be finite.
    fn check(&self, step: usize, x: &[T]) -> Result<(), SolveError> {
        match x.iter().position(|x| !x.is_finite()) {
            None => Ok(()),
            Some(at) => {
                let (trajectory, time) = (at % self.batch, self.grid.time(step));
                Err(SolveError::NonFinite { trajectory, step, time })
            }
        }
    }
}
