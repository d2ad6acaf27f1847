//! What a one-step method is.

use crate::{AdjointRun, FieldError, RolloutRun, Scalar, Workspace};

/// A numerical method: its name and its order.
pub trait Method: Send + Sync {
    /// The name the literature uses.
    fn name(&self) -> &str;
    /// Order of convergence `p`: the error at a fixed time falls as `h^p`.
    fn order(&self) -> usize;
}

/// A one-step method for the fields `F`.
///
/// Explicit and implicit Runge-Kutta methods step any [`VectorField`](crate::VectorField);
/// explicit symplectic ones step separable Hamiltonians and compile for nothing else.
///
/// ```
/// use hnn_integrators::{FnField, Rk4, Stepper, Workspace};
/// // dx/dt = -x, two states at once, each with its own step size.
/// let decay = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
/// let mut out = [0.0; 2];
/// Rk4.step(&decay, &[0.0; 2], &[0.1, 0.2], &[1.0, 1.0], &mut out, &mut Workspace::default())?;
/// assert!((out[0] - (-0.1f64).exp()).abs() < 1e-7);
/// assert!((out[1] - (-0.2f64).exp()).abs() < 3e-6);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
pub trait Stepper<T: Scalar, F: ?Sized>: Method {
    /// One step of a batch: `out = x(t + dt)`.
    ///
    /// `t` and `dt` hold the time and the step size of each of the `B = t.len()` states (step
    /// sizes may be negative); `x` and `out` hold `D * B` numbers, coordinate-major. A step does
    /// not allocate once the workspace has grown.
    ///
    /// # Errors
    /// The field's own, or stage equations that could not be solved (implicit methods).
    fn step(
        &self,
        field: &F,
        t: &[T],
        dt: &[T],
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// `steps` equal steps of a batch, in place: row `r` goes from `t[r]` to
    /// `t[r] + steps * dt[r]`.
    ///
    /// Steps one by one, unless the method and the field have a fused kernel for it.
    ///
    /// # Errors
    /// As [`step`](Self::step); the states are then somewhere on the way.
    fn advance(
        &self,
        field: &F,
        steps: usize,
        t: &[T],
        dt: &[T],
        x: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        step_by_step(self, field, steps, t, dt, x, workspace)
    }
}

/// [`Stepper::advance`] by single steps.
pub(crate) fn step_by_step<T: Scalar, F: ?Sized, S: Stepper<T, F> + ?Sized>(
    stepper: &S,
    field: &F,
    steps: usize,
    t: &[T],
    dt: &[T],
    x: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    let (own, inner) = workspace.split(x.len() + t.len());
    let (next, now) = own.split_at_mut(x.len());
    for step in 0..steps {
        let step = T::from_usize(step);
        for (now, (t, dt)) in now.iter_mut().zip(t.iter().zip(dt)) {
            *now = *t + step * *dt;
        }
        stepper.step(field, now, dt, x, next, inner)?;
        x.copy_from_slice(next);
    }
    Ok(())
}

/// The field `f(t, x)` at the begin of a recorded step, of `D * B` numbers, coordinate-major.
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
    type Tape: Default + Send;

    /// One step as [`Stepper::step`], recorded on the tape.
    ///
    /// # Errors
    /// As [`Stepper::step`].
    fn record(
        &self,
        field: &F,
        t: &[T],
        dt: &[T],
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError>;

    /// Pulls a cotangent back through the recorded step.
    ///
    /// `x_bar` (D * B, coordinate-major) holds the cotangent of `out` when called and that of `x`
    /// afterwards; the cotangent of the parameters is **added** to `theta_bar`. May be called
    /// once for each recording.
    ///
    /// # Errors
    /// If the field's engine fails.
    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError>;

    /// The field at the begin of a recorded step, where the method evaluates it there as one of its
    /// stages (explicit Runge-Kutta methods do): who compares it with a measured derivative needs
    /// no evaluation of their own.
    ///
    /// What is added to its cotangent, 0 when the step is recorded, is pulled back with the step.
    ///
    /// ```
    /// use hnn_integrators::{DifferentiableStepper, DualField, Rk4};
    /// // dx/dt = a x, one step from x = 1; the loss is (dx/dt)^2 / 2 at its begin, at a = 3.
    /// let field = DualField::new([3.0], |_t, [x]: [_; 1], [a]| [a * x]);
    /// let (mut tape, mut out, mut a_bar) = (Default::default(), [0.0], [0.0]);
    /// Rk4.record(&field, &[0.0], &[0.1], &[1.0], &mut out, &mut tape)?;
    /// let slope = Rk4.start_slope(&field, &mut tape).expect("a Runge-Kutta method");
    /// assert_eq!(slope.value, [3.0]);
    /// slope.cotangent[0] += 3.0;
    /// Rk4.pull_back(&field, &mut tape, &mut [0.0], Some(&mut a_bar))?;
    /// assert_eq!(a_bar, [3.0]); // dx/dt times its derivative by a
    /// # Ok::<(), hnn_integrators::FieldError>(())
    /// ```
    fn start_slope<'a>(&self, _field: &F, _tape: &'a mut Self::Tape) -> Option<StartSlope<'a, T>> {
        None
    }

    /// Fills in all states of a trajectory in one kernel, where the method and the field have one
    /// (see [`DifferentiableField::fly_explicit`](crate::DifferentiableField::fly_explicit)).
    /// Returns whether it did; otherwise nothing is touched.
    fn fly(&self, field: &F, run: &mut RolloutRun<'_, T>) -> bool {
        let _ = (field, run);
        false
    }

    /// Pulls the cotangents of all states of such a trajectory back to the first one. Returns
    /// whether it did; otherwise nothing is touched.
    fn pull_back_flight(&self, field: &F, run: &mut AdjointRun<'_, T>) -> bool {
        let _ = (field, run);
        false
    }
}
