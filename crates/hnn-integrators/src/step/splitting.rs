//! Splitting methods, their discrete adjoint, and their undoing.
//!
//! Every flow is `p' = p + b h f(q)` or `q' = q + a h v(p)`; its adjoint adds
//! `b h (df/dq)^T p_bar` to `q_bar`, or `a h (dv/dp)^T q_bar` to `p_bar`. The flows are visited
//! backwards.

use super::inputs::StageInputs;
use crate::kernel::{Clock, Forward, Job, Scheme, Way, Work};
use crate::method::Substep;
use crate::{
    At, Bars, DifferentiableSeparable, DifferentiableStepper, FieldError, Flow, Inputs, Interval,
    Scalar, Separable, Splitting, Stepper, Workspace,
};

impl<T, F> Stepper<T, F> for Splitting
where
    T: Scalar,
    F: Separable<T> + ?Sized,
{
    fn name(&self) -> &str {
        self.name()
    }

    fn step(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        over.check(field.dim(), field.inputs(), states)?;
        out.copy_from_slice(x);
        self.advance(field, 1, over, out, workspace)
    }

    /// In a row of steps, the last flow of one is merged with the first one of the next.
    fn advance(
        &self,
        field: &F,
        steps: usize,
        over: Interval<'_, T>,
        x: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        over.check(field.dim(), field.inputs(), [("the states", x.len())])?;
        if matches!(over.u, Inputs::None) {
            let clock = Clock::Equal { t: over.t, dt: over.dt, first: 0 };
            let run = Forward { clock, batch: over.batch(), steps, states: &mut *x };
            if self.kernel(field, Way::Forward(run)) {
                return Ok(());
            }
        }
        let (half, batch) = (x.len() / 2, over.batch());
        let (own, inner) = workspace.split(half + batch + field.inputs() * batch);
        let (slope, own) = own.split_at_mut(half);
        let (t, u) = own.split_at_mut(batch);
        for Substep { flow, length, clock } in self.walk(steps) {
            let (q, p) = x.split_at_mut(half);
            match flow {
                Flow::Drift => {
                    field.velocity(p, slope, inner)?;
                    move_along(length, over.dt, slope, q);
                }
                Flow::Kick => {
                    over.stretched(clock, steps, t, u);
                    field.force(At { t, u }, q, slope, inner)?;
                    move_along(length, over.dt, slope, p);
                }
            }
        }
        Ok(())
    }

    fn kernel(&self, field: &F, way: Way<'_, T>) -> bool {
        field.splitting_kernel(&mut Job(Work::March { scheme: Scheme::Splitting(self), way }))
    }
}

/// A recorded step of a splitting method.
#[derive(Debug)]
pub struct SplittingTape<T, R> {
    dt: Vec<T>,
    t: Vec<T>,
    u: Vec<T>,
    /// The half state that each flow read.
    read: Vec<T>,
    slope: Vec<T>,
    cotangent: Vec<T>,
    inputs: StageInputs<T>,
    residuals: Vec<R>,
}

impl<T, R> Default for SplittingTape<T, R> {
    fn default() -> Self {
        let empty = Vec::new;
        Self {
            dt: empty(),
            t: empty(),
            u: empty(),
            read: empty(),
            slope: empty(),
            cotangent: empty(),
            inputs: StageInputs::default(),
            residuals: Vec::new(),
        }
    }
}

impl<T: Scalar, R: Default> SplittingTape<T, R> {
    /// Makes room for half states of `half` numbers and the residuals of so many evaluations.
    fn prepare(&mut self, over: &Interval<'_, T>, inputs: usize, half: usize, evaluations: usize) {
        self.dt.clear();
        self.dt.extend_from_slice(over.dt);
        self.t.resize(over.batch(), T::ZERO);
        self.u.resize(inputs * over.batch(), T::ZERO);
        self.inputs.record(over, inputs);
        self.slope.resize(half, T::ZERO);
        self.cotangent.resize(half, T::ZERO);
        if self.residuals.len() < evaluations {
            self.residuals.resize_with(evaluations, R::default);
        }
    }
}

impl<T, F> DifferentiableStepper<T, F> for Splitting
where
    T: Scalar,
    F: DifferentiableSeparable<T> + ?Sized,
{
    type Tape = SplittingTape<T, F::Residuals>;

    fn record(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &[T],
        out: &mut [T],
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        over.check(field.dim(), field.inputs(), states)?;
        let (half, flows) = (x.len() / 2, self.lengths().len());
        tape.prepare(&over, field.inputs(), half, flows);
        tape.read.resize(flows * half, T::ZERO);
        out.copy_from_slice(x);
        let SplittingTape { t, u, read, slope, residuals, .. } = tape;
        for (i, Substep { flow, length, clock }) in self.walk(1).enumerate() {
            let (q, p) = out.split_at_mut(half);
            let (read, residuals) = (&mut read[i * half..(i + 1) * half], &mut residuals[i]);
            match flow {
                Flow::Drift => {
                    read.copy_from_slice(p);
                    field.velocity_recorded(read, slope, residuals)?;
                    move_along(length, over.dt, slope, q);
                }
                Flow::Kick => {
                    over.at(clock, t, u);
                    read.copy_from_slice(q);
                    field.force_recorded(At { t, u }, read, slope, residuals)?;
                    move_along(length, over.dt, slope, p);
                }
            }
        }
        Ok(())
    }

    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        mut bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let half = tape.slope.len();
        FieldError::check_lengths(2 * half, [("the states' cotangents", bars.x.len())])?;
        tape.inputs.check(&bars)?;
        for (i, step) in (0..self.lengths().len()).rev().zip(self.walk_back()) {
            let SplittingTape { dt, read, slope, cotangent, inputs, residuals, .. } = tape;
            let (x, residuals) = (&read[i * half..(i + 1) * half], &mut residuals[i]);
            let scratch = Scratch { pulled: slope, cotangent, inputs };
            pull_back_flow(field, step, dt, x, residuals, scratch, bars.reborrow())?;
        }
        Ok(())
    }

    /// Flow by flow, each with the very evaluation that its vector-Jacobian product needs: a flow
    /// reads one half of the state, which it leaves as it is, and moves the other.
    fn reverse(
        &self,
        field: &F,
        over: Interval<'_, T>,
        x: &mut [T],
        mut bars: Bars<'_, T>,
        tape: &mut Self::Tape,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the states' cotangents", bars.x.len())];
        over.check(field.dim(), field.inputs(), states)?;
        let half = x.len() / 2;
        tape.prepare(&over, field.inputs(), half, 1);
        tape.inputs.check(&bars)?;
        let (q, p) = x.split_at_mut(half);
        let SplittingTape { dt, t, u, slope, cotangent, inputs, residuals, .. } = tape;
        for step in self.walk_back() {
            let Substep { flow, length, clock } = step;
            let x = match flow {
                Flow::Drift => {
                    field.velocity_recorded(p, slope, &mut residuals[0])?;
                    move_along(-length, dt, slope, q);
                    &*p
                }
                Flow::Kick => {
                    over.at(clock, t, u);
                    field.force_recorded(At { t, u }, q, slope, &mut residuals[0])?;
                    move_along(-length, dt, slope, p);
                    &*q
                }
            };
            let scratch = Scratch { pulled: slope, cotangent, inputs };
            pull_back_flow(field, step, dt, x, &mut residuals[0], scratch, bars.reborrow())?;
        }
        Ok(())
    }
}

/// Room for what comes back through a flow.
struct Scratch<'a, T> {
    /// The share in the cotangent of the half that the flow read.
    pulled: &'a mut [T],
    /// The cotangent of the slope.
    cotangent: &'a mut [T],
    inputs: &'a mut StageInputs<T>,
}

/// Adds to the cotangent of the half that a flow read what comes back through it.
fn pull_back_flow<T: Scalar, F: DifferentiableSeparable<T> + ?Sized>(
    field: &F,
    Substep { flow, length, clock }: Substep,
    dt: &[T],
    read: &[T],
    residuals: &mut F::Residuals,
    Scratch { pulled, cotangent, inputs }: Scratch<'_, T>,
    Bars { x, u, theta }: Bars<'_, T>,
) -> Result<(), FieldError> {
    let (q_bar, p_bar) = x.split_at_mut(x.len() / 2);
    cotangent.fill(T::ZERO);
    let read_bar = match flow {
        Flow::Drift => {
            move_along(length, dt, q_bar, cotangent);
            field.velocity_vjp(read, residuals, cotangent, pulled, theta)?;
            p_bar
        }
        Flow::Kick => {
            move_along(length, dt, p_bar, cotangent);
            let bars = Bars { x: &mut *pulled, u: inputs.stage(u.is_some()), theta };
            field.force_vjp(read, residuals, cotangent, bars)?;
            inputs.add_stage(clock, u);
            q_bar
        }
    };
    read_bar.iter_mut().zip(&*pulled).for_each(|(bar, more)| *bar += *more);
    Ok(())
}

/// `moved += length dt slope`, each row with its own `dt`.
fn move_along<T: Scalar>(length: f64, dt: &[T], slope: &[T], moved: &mut [T]) {
    let (length, batch) = (T::from_f64(length), dt.len().max(1));
    for (moved, slope) in moved.chunks_exact_mut(batch).zip(slope.chunks_exact(batch)) {
        for ((moved, slope), dt) in moved.iter_mut().zip(slope).zip(dt) {
            *moved += length * *dt * *slope;
        }
    }
}
