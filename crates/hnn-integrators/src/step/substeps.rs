//! Several equal steps as one.

use std::num::NonZeroUsize;

use crate::{
    Bars, DifferentiableStepper, FieldError, Interval, Scalar, StartSlope, Stepper, Workspace,
};

/// Equal steps of another method, taken as one: for measured rows that lie further apart than the method
/// steps well. Inputs go in a straight line over the whole of them.
///
/// ```
/// use std::num::NonZeroUsize;
/// use hnn_integrators::{FnField, Interval, RK4, Stepper, Substeps, Workspace};
/// let decay = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
/// let error = |steps: usize| {
///     let method = Substeps::new(RK4, NonZeroUsize::new(steps).expect("some"));
///     let (over, mut out) = (Interval::new(&[0.0], &[1.0]), [0.0]);
///     method.step(&decay, over, &[1.0], &mut out, &mut Workspace::default()).expect("steps");
///     (out[0] - f64::exp(-1.0)).abs()
/// };
/// assert!(error(1) > 100.0 * error(4));
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Substeps<S> {
    stepper: S,
    steps: NonZeroUsize,
}

impl<S> Substeps<S> {
    /// So many steps of `stepper`.
    #[must_use]
    pub const fn new(stepper: S, steps: NonZeroUsize) -> Self {
        Self { stepper, steps }
    }

    /// Writes the step size of each.
    fn cut<T: Scalar>(&self, dt: &[T], own: &mut [T]) {
        let steps = T::from_usize(self.steps.get());
        own.iter_mut().zip(dt).for_each(|(own, dt)| *own = *dt / steps);
    }
}

impl<T: Scalar, F: ?Sized, S: Stepper<T, F>> Stepper<T, F> for Substeps<S> {
    fn name(&self) -> &str {
        self.stepper.name()
    }

    fn step(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(x.len(), [("the next states", out.len())])?;
        out.copy_from_slice(x);
        let (dt, inner) = workspace.split(over.dt.len());
        self.cut(over.dt, dt);
        self.stepper.advance(field, self.steps.get(), Interval { dt, ..over }, out, inner)
    }
}

/// The recorded steps of [`Substeps`].
#[derive(Debug, Default)]
pub struct SubstepsTape<T, Tape> {
    t: Vec<T>,
    dt: Vec<T>,
    x: Vec<T>,
    /// The inputs of a step at its begin and at its end.
    u: [Vec<T>; 2],
    /// Their cotangents.
    u_bar: Vec<T>,
    steps: Vec<Tape>,
}

impl<T, F, S> DifferentiableStepper<T, F> for Substeps<S>
where
    T: Scalar,
    F: ?Sized,
    S: DifferentiableStepper<T, F>,
{
    type Tape = SubstepsTape<T, S::Tape>;

    fn record(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(x.len(), [("the next states", out.len())])?;
        out.copy_from_slice(x);
        let SubstepsTape { t, dt, x, u: [begin, end], u_bar, steps } = tape;
        dt.resize(over.dt.len(), T::ZERO);
        self.cut(over.dt, dt);
        t.resize(over.batch(), T::ZERO);
        x.resize(out.len(), T::ZERO);
        begin.resize(over.inputs(), T::ZERO);
        end.resize(over.inputs(), T::ZERO);
        u_bar.resize(2 * over.inputs(), T::ZERO);
        steps.resize_with(self.steps.get(), S::Tape::default);
        for (step, tape) in steps.iter_mut().enumerate() {
            Interval { dt, ..over }.shifted_times(step, t);
            let u = over.part(step, self.steps.get(), begin, end);
            x.copy_from_slice(out);
            self.stepper.record(field, Interval { t, dt, u }, x, out, tape)?;
        }
        Ok(())
    }

    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        mut bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let SubstepsTape { u_bar, steps, .. } = tape;
        let inputs = u_bar.len() / 2;
        if inputs > 0 {
            bars.check_inputs(u_bar.len())?;
        }
        for (step, tape) in steps.iter_mut().enumerate().rev() {
            u_bar.fill(T::ZERO);
            let Bars { x, u, theta } = bars.reborrow();
            let own = u.is_some().then_some(&mut u_bar[..]);
            self.stepper.pull_back(field, tape, Bars { x, u: own, theta })?;
            let Some(u) = bars.u.as_deref_mut() else { continue };
            let (begin, end) = u.split_at_mut(inputs);
            for (place, bar) in u_bar.iter().enumerate() {
                // The end of a step is where the next one begins.
                let share = T::from_usize(step + place / inputs) / T::from_usize(self.steps.get());
                begin[place % inputs] += (T::ONE - share) * *bar;
                end[place % inputs] += share * *bar;
            }
        }
        Ok(())
    }

    fn start_slope<'a>(&self, field: &F, tape: &'a mut Self::Tape) -> Option<StartSlope<'a, T>> {
        self.stepper.start_slope(field, tape.steps.first_mut()?)
    }
}
