//! What a one-step method is.

use crate::kernel::Way;
use crate::{Bars, FieldError, Inputs, Interval, Scalar, Workspace};

/// A one-step method for the fields `F`.
///
/// Explicit and implicit Runge-Kutta methods ([`Tableau`](crate::Tableau),
/// [`ImplicitTableau`](crate::ImplicitTableau)) step any [`VectorField`](crate::VectorField);
/// explicit symplectic ones ([`Splitting`](crate::Splitting)) step separable Hamiltonians and
/// compile for nothing else.
///
/// ```
/// use hnn_integrators::{FnField, Interval, RK4, Stepper, Workspace};
/// // dx/dt = -x, two states at once, each with its own step size.
/// let decay = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
/// let (over, mut out) = (Interval::new(&[0.0; 2], &[0.1, 0.2]), [0.0; 2]);
/// RK4.step(&decay, over, &[1.0, 1.0], &mut out, &mut Workspace::default())?;
/// assert!((out[0] - (-0.1f64).exp()).abs() < 1e-7);
/// assert!((out[1] - (-0.2f64).exp()).abs() < 3e-6);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
pub trait Stepper<T: Scalar, F: ?Sized>: Send + Sync {
    /// The name the literature uses.
    fn name(&self) -> &str;

    /// One step of a batch: `out = x(t + dt)`.
    ///
    /// `over` holds the time, the step size and the inputs of each of the `B` rows (step sizes may
    /// be negative); `x` and `out` hold `D * B` numbers, coordinate-major. A step does not allocate
    /// once the workspace has grown.
    ///
    /// # Errors
    /// The field's own, or stage equations that could not be solved (implicit methods).
    fn step(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// `steps` equal steps of a batch, in place: row `r` goes from `t[r]` to
    /// `t[r] + steps * dt[r]`. Inputs given at the begin and at the end go in a straight line over
    /// the whole of that.
    ///
    /// Steps one by one, unless the method and the field have a kernel for it.
    ///
    /// # Errors
    /// As [`step`](Self::step); the states are then somewhere on the way.
    fn advance(
        &self,
        field: &F,
        steps: usize,
        over: Interval<'_, T>,
        x: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        step_by_step(self, field, steps, over, x, workspace)
    }

    /// Takes all steps, or pulls back through them, in one kernel, where the method and the field
    /// have one; says whether it did. Otherwise nothing is touched.
    #[doc(hidden)]
    fn kernel(&self, _field: &F, _way: Way<'_, T>) -> bool {
        false
    }
}

/// [`Stepper::advance`] by single steps.
pub(super) fn step_by_step<T: Scalar, F: ?Sized, S: Stepper<T, F> + ?Sized>(
    stepper: &S,
    field: &F,
    steps: usize,
    over: Interval<'_, T>,
    x: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    let (batch, inputs) = (over.batch(), over.inputs());
    if let Inputs::Linear { end, .. } = over.u {
        FieldError::check_lengths(inputs, [("the inputs at the end", end.len())])?;
    }
    let (own, inner) = workspace.split(x.len() + batch + 2 * inputs);
    let (next, own) = own.split_at_mut(x.len());
    let (now, own) = own.split_at_mut(batch);
    let (begin, end) = own.split_at_mut(inputs);
    for step in 0..steps {
        over.shifted_times(step, now);
        let u = over.part(step, steps, begin, end);
        stepper.step(field, Interval { t: now, dt: over.dt, u }, x, next, inner)?;
        x.copy_from_slice(next);
    }
    Ok(())
}

/// The field `f(t, x, u)` at the begin of a recorded step, of `D * B` numbers, coordinate-major.
#[derive(Debug)]
pub struct StartSlope<'a, T> {
    /// Its value.
    pub value: &'a [T],
    /// Its cotangent, to be added to.
    pub cotangent: &'a mut [T],
}

/// A one-step method with its discrete adjoint: the exact derivative of the step as computed.
pub trait DifferentiableStepper<T: Scalar, F: ?Sized>: Stepper<T, F> {
    /// What a recorded step keeps. Empty when created, grown on first use and reused afterwards
    /// without allocating.
    type Tape: Default + Send + 'static;

    /// One step as [`Stepper::step`], recorded on the tape.
    ///
    /// # Errors
    /// As [`Stepper::step`].
    fn record(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError>;

    /// Pulls a cotangent back through the recorded step: `bars.x` goes from the cotangent of the
    /// step's end to that of its begin, and the cotangents of the inputs at the begin and at the end
    /// (`2 K * B` numbers) and of the parameters are **added** to `bars.u` and `bars.theta`, where
    /// they are asked for. May be called once for each recording.
    ///
    /// # Errors
    /// If a slice has another length, the cotangent of inputs is asked for that are a function of
    /// time, or the field's engine fails.
    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError>;

    /// The field at the begin of a recorded step, where the method evaluates it there as one of its
    /// stages (explicit Runge-Kutta methods do): who compares it with a measured derivative needs
    /// no evaluation of their own.
    ///
    /// What is added to its cotangent, 0 when the step is recorded, is pulled back with the step.
    ///
    /// ```
    /// use hnn_integrators::{Bars, DifferentiableStepper, DualField, Interval, RK4};
    /// // dx/dt = a x, one step from x = 1; the loss is (dx/dt)^2 / 2 at its begin, at a = 3.
    /// let field = DualField::new([3.0], |_t, [x]: [_; 1], [a]| [a * x]);
    /// let (mut tape, mut out, mut a_bar) = (Default::default(), [0.0], [0.0]);
    /// RK4.record(&field, Interval::new(&[0.0], &[0.1]), &[1.0], &mut out, &mut tape)?;
    /// let slope = RK4.start_slope(&field, &mut tape).expect("a Runge-Kutta method");
    /// assert_eq!(slope.value, [3.0]);
    /// slope.cotangent[0] += 3.0;
    /// let mut x_bar = [0.0];
    /// RK4.pull_back(&field, &mut tape, Bars::new(&mut x_bar).with_theta(&mut a_bar))?;
    /// assert_eq!(a_bar, [3.0]); // dx/dt times its derivative by a
    /// # Ok::<(), hnn_integrators::FieldError>(())
    /// ```
    fn start_slope<'a>(&self, _field: &F, _tape: &'a mut Self::Tape) -> Option<StartSlope<'a, T>> {
        None
    }

    /// Undoes a step, exactly but for rounding, while a cotangent is pulled back through it as by
    /// [`pull_back`](Self::pull_back): from `x = x(t + dt)` and its cotangent to `x(t)` and its
    /// cotangent, in place. The tape is only scratch here.
    ///
    /// Splitting methods can, since each of their flows moves one half of the state by a function of
    /// the other; of the others none.
    ///
    /// # Errors
    /// [`FieldError::Irreversible`] where the method cannot; else as [`Stepper::step`].
    fn reverse(
        &self,
        _field: &F,
        _over: Interval<'_, T>,
        _x: &mut [T],
        _bars: Bars<'_, T>,
        _tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        Err(FieldError::Irreversible)
    }
}
