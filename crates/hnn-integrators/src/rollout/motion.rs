//! A method and the field that it steps, as one object.

use crate::kernel::Way;
use crate::{
    Bars, DifferentiableStepper, FieldError, Interval, Kept, Parameters, Scalar, StartSlope,
    VectorField, Workspace,
};

/// A method and the field that it steps: what is written over this is compiled once for each type of
/// number, and not for each pair of a method and a field.
pub trait Motion<T: Scalar>: Sync {
    /// [`VectorField::dim`].
    fn dim(&self) -> usize;

    /// [`VectorField::inputs`].
    fn inputs(&self) -> usize;

    /// [`Parameters::num_params`].
    fn num_params(&self) -> usize;

    /// [`Stepper::kernel`](crate::Stepper::kernel).
    fn kernel(&self, way: Way<'_, T>) -> bool;

    /// [`Stepper::step`](crate::Stepper::step).
    ///
    /// # Errors
    /// As there.
    fn step(
        &self,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// [`DifferentiableStepper::record`].
    ///
    /// # Errors
    /// As there.
    fn record(
        &self,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Kept,
    ) -> Result<(), FieldError>;

    /// [`DifferentiableStepper::pull_back`].
    ///
    /// # Errors
    /// As there.
    fn pull_back(&self, tape: &mut Kept, bars: Bars<'_, T>) -> Result<(), FieldError>;

    /// [`DifferentiableStepper::start_slope`].
    fn start_slope<'a>(&self, tape: &'a mut Kept) -> Option<StartSlope<'a, T>>;

    /// [`DifferentiableStepper::reverse`].
    ///
    /// # Errors
    /// As there.
    fn reverse(
        &self,
        over: Interval<'_, T>,
        x: &mut [T],
        bars: Bars<'_, T>,
        tape: &mut Kept,
    ) -> Result<(), FieldError>;
}

impl<T, S, F> Motion<T> for (&S, &F)
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: VectorField<T> + Parameters<T> + ?Sized,
{
    fn dim(&self) -> usize {
        self.1.dim()
    }

    fn inputs(&self) -> usize {
        self.1.inputs()
    }

    fn num_params(&self) -> usize {
        self.1.num_params()
    }

    fn kernel(&self, way: Way<'_, T>) -> bool {
        self.0.kernel(self.1, way)
    }

    fn step(
        &self,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.step(self.1, over, x, out, workspace)
    }

    fn record(
        &self,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Kept,
    ) -> Result<(), FieldError> {
        self.0.record(self.1, over, x, out, tape.of())
    }

    fn pull_back(&self, tape: &mut Kept, bars: Bars<'_, T>) -> Result<(), FieldError> {
        self.0.pull_back(self.1, tape.of(), bars)
    }

    fn start_slope<'a>(&self, tape: &'a mut Kept) -> Option<StartSlope<'a, T>> {
        self.0.start_slope(self.1, tape.of())
    }

    fn reverse(
        &self,
        over: Interval<'_, T>,
        x: &mut [T],
        bars: Bars<'_, T>,
        tape: &mut Kept,
    ) -> Result<(), FieldError> {
        self.0.reverse(self.1, over, x, bars, tape.of())
    }
}
