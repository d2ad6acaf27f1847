//! The way forward.

use super::{Checkpoints, Grid, GridInputs, Motion, Rollout, resize};
use crate::kernel::{Forward, Way};
use crate::{DifferentiableStepper, FieldError, Parameters, Scalar, VectorField, compiled_here};

/// What sees each step's states.
type See<'a, T> = dyn FnMut(usize, &[T]) -> Result<(), FieldError> + 'a;

impl<T: Scalar> Rollout<T> {
    /// Steps along a grid from the states `x0` (`D * B` numbers, coordinate-major) and returns all
    /// states: `(steps + 1) * D * B` numbers, state after state.
    ///
    /// # Errors
    /// As [`Stepper::step`](crate::Stepper::step), or if the lengths do not go together.
    pub fn states<S, F>(
        &mut self,
        stepper: &S,
        field: &F,
        grid: Grid<'_, T>,
        x0: &[T],
    ) -> Result<&[T], FieldError>
    where
        S: DifferentiableStepper<T, F>,
        F: VectorField<T> + Parameters<T> + ?Sized,
    {
        type States<T> = for<'a> fn(
            &'a mut Rollout<T>,
            &dyn Motion<T>,
            Grid<'_, T>,
            &[T],
        ) -> Result<&'a [T], FieldError>;
        compiled_here!(T => States<T>, Rollout::take_states)(self, &(stepper, field), grid, x0)
    }

    fn take_states(
        &mut self,
        motion: &dyn Motion<T>,
        grid: Grid<'_, T>,
        x0: &[T],
    ) -> Result<&[T], FieldError> {
        self.check(motion, &grid, x0)?;
        let (len, steps) = (x0.len(), grid.steps());
        resize(&mut self.states, steps.saturating_add(1), len)?;
        self.states[..len].copy_from_slice(x0);
        self.fill(motion, &grid, 0, steps, 0)?;
        Ok(&self.states)
    }

    /// Steps along a grid and shows each state, from the first one on: `see(step, states)`. Only a
    /// segment's states are held.
    ///
    /// # Errors
    /// As [`states`](Self::states), or what `see` says.
    pub fn walk<S, F>(
        &mut self,
        stepper: &S,
        field: &F,
        grid: Grid<'_, T>,
        x0: &[T],
        mut see: impl FnMut(usize, &[T]) -> Result<(), FieldError>,
    ) -> Result<(), FieldError>
    where
        S: DifferentiableStepper<T, F>,
        F: VectorField<T> + Parameters<T> + ?Sized,
    {
        self.walk_along(&(stepper, field), grid, x0, &mut see)
    }

    /// The same with a method and a field as one object.
    ///
    /// # Errors
    /// As [`walk`](Self::walk).
    #[doc(hidden)]
    pub fn walk_along(
        &mut self,
        motion: &dyn Motion<T>,
        grid: Grid<'_, T>,
        x0: &[T],
        see: &mut See<'_, T>,
    ) -> Result<(), FieldError> {
        type Walk<T> = fn(
            &mut Rollout<T>,
            &dyn Motion<T>,
            Grid<'_, T>,
            &[T],
            &mut See<'_, T>,
        ) -> Result<(), FieldError>;
        compiled_here!(T => Walk<T>, Rollout::take_walk)(self, motion, grid, x0, see)
    }

    fn take_walk(
        &mut self,
        motion: &dyn Motion<T>,
        grid: Grid<'_, T>,
        x0: &[T],
        see: &mut See<'_, T>,
    ) -> Result<(), FieldError> {
        self.check(motion, &grid, x0)?;
        let (len, steps) = (x0.len(), grid.steps());
        let segment = Checkpoints::SEGMENT.min(steps);
        self.states.resize((segment + 1) * len, T::ZERO);
        self.states[..len].copy_from_slice(x0);
        see(0, x0)?;
        for from in (0..steps).step_by(segment.max(1)) {
            let count = segment.min(steps - from);
            self.fill(motion, &grid, from, count, 0)?;
            for index in 1..=count {
                see(from + index, &self.states[index * len..(index + 1) * len])?;
            }
            self.states.copy_within(count * len..(count + 1) * len, 0);
        }
        Ok(())
    }

    /// Fills in the states held from number `first` on, the state at step `from`, by so many steps:
    /// in one kernel where there is one.
    pub(super) fn fill(
        &mut self,
        motion: &dyn Motion<T>,
        grid: &Grid<'_, T>,
        from: usize,
        steps: usize,
        first: usize,
    ) -> Result<(), FieldError> {
        let len = motion.dim() * grid.batch;
        self.step = from;
        if steps > 0 && grid.inputs == GridInputs::None {
            let states = &mut self.states[first * len..(first + steps + 1) * len];
            let clock = grid.kernel_clock(from, steps, &mut self.t, &mut self.dt);
            let run = Forward { clock, batch: grid.batch, steps, states };
            if motion.kernel(Way::Forward(run)) {
                return Ok(());
            }
        }
        for index in first..first + steps {
            let over = grid.interval(self.step, motion.inputs(), &mut self.t, &mut self.dt);
            let (done, next) = self.states.split_at_mut((index + 1) * len);
            let (x, next) = (&done[index * len..], &mut next[..len]);
            motion.step(over, x, next, &mut self.workspace)?;
            self.step += 1;
        }
        Ok(())
    }

    /// Takes the state at hand from one step to another, with the arithmetic of [`fill`](Self::fill).
    pub(super) fn advance(
        &mut self,
        motion: &dyn Motion<T>,
        grid: &Grid<'_, T>,
        (from, until): (usize, usize),
    ) -> Result<(), FieldError> {
        let (len, most) = (self.x.len(), Checkpoints::SEGMENT);
        self.counts.advanced += until - from;
        self.states.resize(self.states.len().max((most + 1) * len), T::ZERO);
        for from in (from..until).step_by(most) {
            let count = most.min(until - from);
            self.states[..len].copy_from_slice(&self.x);
            self.fill(motion, grid, from, count, 0)?;
            self.x.copy_from_slice(&self.states[count * len..(count + 1) * len]);
        }
        Ok(())
    }
}
