//! Methods whose steps can be undone.

use super::sweep::{Pull, Sweep};
use crate::{DifferentiableStepper, FieldError, Scalar, SolveError};

/// A method whose step can be undone, exactly but for rounding, while a cotangent is pulled back
/// through it: every splitting method, since each of its flows is a shear.
pub trait ReversibleStepper<T: Scalar, F: ?Sized>: DifferentiableStepper<T, F> {
    /// From `x = x(t + dt)` and its cotangent to `x(t)` and its cotangent, in place.
    ///
    /// Arguments as for [`DifferentiableStepper::pull_back`]; the tape is only scratch here, and
    /// `t` is the time at the step's start.
    ///
    /// # Errors
    /// As [`Stepper::step`](crate::Stepper::step).
    #[allow(clippy::too_many_arguments)]
    fn reverse(
        &self,
        field: &F,
        t: &[T],
        dt: &[T],
        x: &mut [T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError>;
}

impl<T, S, F, L> Sweep<'_, T, S, F, L>
where
    T: Scalar,
    S: ReversibleStepper<T, F>,
    F: ?Sized,
    L: Pull<T>,
{
    /// There step by step, back by undoing the steps.
    pub(super) fn run_reversible(&mut self) -> Result<(), SolveError> {
        let steps = self.grid.steps;
        self.advance(0, steps)?;
        self.end.clone_from(&self.x);
        self.see(steps);
        for step in (0..steps).rev() {
            self.clock(step);
            let (x, x_bar, theta_bar) = (&mut self.x, &mut self.x_bar, &mut self.theta_bar);
            self.stepper
                .reverse(self.field, &self.t, &self.dt, x, x_bar, Some(theta_bar), &mut self.tape)
                .map_err(|source| self.grid.error(step, source))?;
            self.see(step);
        }
        self.kept = 1;
        Ok(())
    }
}
