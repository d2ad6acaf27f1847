//! A field and the signals of its inputs.

use super::Signals;
use crate::{At, FieldError, Scalar, Separable, VectorField, Workspace};

/// A field with inputs, and what they are: for every solver that takes a field,
/// [`FixedStep`](crate::FixedStep) and [`Adaptive`](crate::Adaptive) with all that they do.
///
/// Each trajectory of a batch has its own signal, by its row in the initial states. Steps never cross
/// a sample, where the slope jumps or bends, so that methods keep their order:
///
/// - a step of a fixed size with samples inside is cut at them into shorter ones, each row at its own;
///   when steps begin and end, and what is saved, stays as asked for;
/// - an adaptive step ends at the sample, and the next one begins with a slope of its own.
///
/// ```
/// use hnn_integrators::{Driven, FixedStep, FnField, RK4, Signal, Signals, Tolerances, solve_batch};
/// use ndarray::array;
/// // An oscillator with a force; it is switched off at t = 1 in the second trajectory only.
/// let oscillator = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = u[0] - x[0];
/// });
/// let (on, switched) = (array![[1.0], [1.0], [1.0]], array![[1.0], [0.0], [0.0]]);
/// let signals = [on, switched].each_ref().map(|force| Signal::held(&[0.0, 1.0, 2.0], force.view()));
/// let driven = Driven::new(&oscillator, Signals::Sampled(&signals));
/// let x0 = array![[0.0, 0.0], [0.0, 0.0]];
/// let run = solve_batch(&driven, x0.view(), &[0.0, 2.0], Tolerances::default())?;
/// let (one, two) = (1.0f64.cos(), 2.0f64.cos());
/// assert!((run.states[[0, 1, 0]] - (1.0 - two)).abs() < 1e-8);
/// assert!((run.states[[1, 1, 0]] - (one - two)).abs() < 1e-8);
/// // The steps of 0.4 are cut at t = 1.
/// let run = FixedStep::count(RK4, 5).run(&driven, (0.0, 2.0), x0.view())?;
/// assert!((run.last()[[1, 0]] - (one - two)).abs() < 1e-3);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug)]
pub struct Driven<'a, T, F: ?Sized> {
    field: &'a F,
    signals: Signals<'a, T>,
}

impl<T: Copy, F: ?Sized> Clone for Driven<'_, T, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<T: Copy, F: ?Sized> Copy for Driven<'_, T, F> {}

impl<'a, T, F: ?Sized> Driven<'a, T, F> {
    /// A field with the signals of its inputs, which are checked where it is integrated.
    #[must_use]
    pub fn new(field: &'a F, signals: Signals<'a, T>) -> Self {
        Self { field, signals }
    }
}

impl<T: Scalar, F: VectorField<T> + ?Sized> VectorField<T> for Driven<'_, T, F> {
    fn dim(&self) -> usize {
        self.field.dim()
    }
    fn inputs(&self) -> usize {
        self.field.inputs()
    }
    fn signals(&self) -> Option<Signals<'_, T>> {
        Some(self.signals)
    }
    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.field.eval(at, x, dx, workspace)
    }
    fn block_len(&self) -> usize {
        self.field.block_len()
    }
}

impl<T: Scalar, F: Separable<T> + ?Sized> Separable<T> for Driven<'_, T, F> {
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.field.velocity(p, velocity, workspace)
    }
    fn force(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.field.force(at, q, force, workspace)
    }
}
