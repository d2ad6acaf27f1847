//! Implicit Runge-Kutta methods by fixed-point iteration of their slopes, and their discrete
//! adjoint.
//!
//! With the cotangent `o` of the step's end, the stages' cotangents solve
//! `X_bar_i = (df/dx)^T k_bar_i`, `k_bar_i = h (b_i o + sum_j a_ji X_bar_j)`, at the stages
//! `X_i`: linear equations with the transposed matrix of the step's own, solved by the same
//! iteration, which converges where that does. Then `x_bar = o + sum_i X_bar_i`
//! (Sanz-Serna, *SIAM Review* 58, 2016, section 3).

use super::inputs::StageInputs;
use super::iteration::Iteration;
use super::weighted::add_scaled_stages;
use crate::{
    At, Bars, DifferentiableField, DifferentiableStepper, FieldError, ImplicitTableau, Interval,
    Scalar, Stepper, ThetaBar, VectorField, Workspace,
};

impl<T, F> Stepper<T, F> for ImplicitTableau
where
    T: Scalar,
    F: VectorField<T> + ?Sized,
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
        let (slopes, inner) = workspace.split(self.stages() * x.len());
        solve(self, field, over, x, slopes, inner)?;
        add_scaled_stages(x, over.dt, &self.b, slopes, out);
        Ok(())
    }
}

/// Solves the stage equations `k_i = f(t + c_i h, x + h sum_j a_ij k_j)` for the slopes.
fn solve<T: Scalar, F: VectorField<T> + ?Sized>(
    method: &ImplicitTableau,
    field: &F,
    over: Interval<'_, T>,
    x: &[T],
    slopes: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    let (len, batch, dt) = (x.len(), over.batch(), over.dt);
    let rows = (2 + Iteration::<T>::NUMBERS + field.inputs()) * batch;
    let (own, inner) = workspace.split(3 * len + rows);
    let (stage, own) = own.split_at_mut(len);
    let (slope, own) = own.split_at_mut(len);
    let (sizes, own) = own.split_at_mut(len);
    let (largest, own) = own.split_at_mut(batch);
    let (memory, own) = own.split_at_mut(Iteration::<T>::NUMBERS * batch);
    largest.fill(T::ZERO);
    let (t, u) = own.split_at_mut(batch);
    // The explicit slope is the first guess for every stage.
    over.at(0.0, t, u);
    field.eval(At { t, u }, x, slope, inner)?;
    slopes.chunks_exact_mut(len.max(1)).for_each(|guess| guess.copy_from_slice(slope));
    // The size of each number, and the largest of each row: convergence is a row's own.
    for (at, (size, (x, slope))) in sizes.iter_mut().zip(x.iter().zip(&*slope)).enumerate() {
        *size = x.abs() + (dt[at % batch] * *slope).abs();
        largest[at % batch] = Scalar::max(largest[at % batch], *size);
    }
    let mut iteration = Iteration::new(memory);
    loop {
        for i in 0..method.stages() {
            over.at(method.c[i], t, u);
            add_scaled_stages(x, dt, method.row(i), slopes, stage);
            field.eval(At { t, u }, stage, slope, inner)?;
            let old = &mut slopes[i * len..(i + 1) * len];
            for (at, (old, new)) in old.iter_mut().zip(&*slope).enumerate() {
                let row = at % batch;
                if iteration.stands(row) {
                    continue;
                }
                // What begins at 0 has the size of where it first goes.
                if iteration.is_first() {
                    sizes[at] = Scalar::max(sizes[at], (*new * dt[row]).abs());
                    largest[row] = Scalar::max(largest[row], sizes[at]);
                }
                let change = ((*new - *old) * dt[row]).abs();
                iteration.see(change, sizes[at], largest[row], row);
                *old = *new;
            }
        }
        if iteration.is_done()? {
            return Ok(());
        }
    }
}

/// A recorded step of an implicit Runge-Kutta method.
#[derive(Debug)]
pub struct ImplicitTape<T, R> {
    dt: Vec<T>,
    /// Times and inputs of the stages.
    stage_t: Vec<T>,
    stage_u: Vec<T>,
    /// Stage states `X_i`.
    stages: Vec<T>,
    /// Slopes `k_i`; on the way back the cotangents `X_bar_i`.
    slopes: Vec<T>,
    slope: Vec<T>,
    slope_bar: Vec<T>,
    stage_bar: Vec<T>,
    /// The largest cotangent of each row.
    size: Vec<T>,
    /// What the iteration of the cotangents works on.
    iteration: Vec<T>,
    inputs: StageInputs<T>,
    residuals: R,
    workspace: Workspace<T>,
}

impl<T: Scalar, R: Default> Default for ImplicitTape<T, R> {
    fn default() -> Self {
        let empty = Vec::new;
        Self {
            dt: empty(),
            stage_t: empty(),
            stage_u: empty(),
            stages: empty(),
            slopes: empty(),
            slope: empty(),
            slope_bar: empty(),
            stage_bar: empty(),
            size: empty(),
            iteration: empty(),
            inputs: StageInputs::default(),
            residuals: R::default(),
            workspace: Workspace::default(),
        }
    }
}

impl<T, F> DifferentiableStepper<T, F> for ImplicitTableau
where
    T: Scalar,
    F: DifferentiableField<T> + ?Sized,
{
    type Tape = ImplicitTape<T, F::Residuals>;

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
        tape.prepare(over, field.inputs(), self.stages(), x.len());
        solve(self, field, over, x, &mut tape.slopes, &mut tape.workspace)?;
        add_scaled_stages(x, over.dt, &self.b, &tape.slopes, out);
        let (batch, inputs) = (over.batch(), field.inputs() * over.batch());
        for i in 0..self.stages() {
            let stage = &mut tape.stages[i * x.len()..(i + 1) * x.len()];
            add_scaled_stages(x, over.dt, self.row(i), &tape.slopes, stage);
            let t = &mut tape.stage_t[i * batch..(i + 1) * batch];
            over.at(self.c[i], t, &mut tape.stage_u[i * inputs..(i + 1) * inputs]);
        }
        Ok(())
    }

    fn pull_back(
        &self,
        field: &F,
        tape: &mut Self::Tape,
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let (stages, len, batch) = (self.stages(), tape.slope.len(), tape.dt.len());
        FieldError::check_lengths(len, [("the states' cotangents", bars.x.len())])?;
        tape.inputs.check(&bars)?;
        let Bars { x: x_bar, mut u, mut theta } = bars;
        tape.slopes.fill(T::ZERO);
        tape.size.clear();
        tape.size.resize(batch, T::ZERO);
        for (at, bar) in x_bar.iter().enumerate() {
            tape.size[at % batch] = Scalar::max(tape.size[at % batch], bar.abs());
        }
        let mut memory = std::mem::take(&mut tape.iteration);
        memory.resize(Iteration::<T>::NUMBERS * batch, T::ZERO);
        let mut iteration = Iteration::new(&mut memory);
        loop {
            for i in 0..stages {
                pull_stage(self, field, tape, i, x_bar, None, ThetaBar::None)?;
                let old = &mut tape.slopes[i * len..(i + 1) * len];
                for (at, (old, new)) in old.iter_mut().zip(&tape.stage_bar).enumerate() {
                    let row = at % batch;
                    if iteration.stands(row) {
                        continue;
                    }
                    let size = tape.size[row];
                    iteration.see((*new - *old).abs(), size, size, row);
                    *old = *new;
                }
            }
            if iteration.is_done()? {
                break;
            }
        }
        tape.iteration = memory;
        if u.is_some() || theta.is_wanted() {
            for i in 0..stages {
                pull_stage(self, field, tape, i, x_bar, u.as_deref_mut(), theta.reborrow())?;
            }
        }
        for cotangent in tape.slopes[..stages * len].chunks_exact(len.max(1)) {
            x_bar.iter_mut().zip(cotangent).for_each(|(sum, more)| *sum += *more);
        }
        Ok(())
    }
}

impl<T: Scalar, R: Default> ImplicitTape<T, R> {
    fn prepare(&mut self, over: Interval<'_, T>, inputs: usize, stages: usize, len: usize) {
        self.dt.clear();
        self.dt.extend_from_slice(over.dt);
        self.inputs.record(&over, inputs);
        self.stage_t.resize(stages * over.batch(), T::ZERO);
        self.stage_u.resize(stages * inputs * over.batch(), T::ZERO);
        for buffer in [&mut self.stages, &mut self.slopes] {
            buffer.resize(stages * len, T::ZERO);
        }
        for buffer in [&mut self.slope, &mut self.slope_bar, &mut self.stage_bar] {
            buffer.resize(len, T::ZERO);
        }
    }
}

/// `stage_bar = (df/dx)^T k_bar` of one stage, from the cotangents of the stages as they are, and
/// what it adds to those of the inputs at the step's begin and end and of the parameters.
fn pull_stage<T: Scalar, F: DifferentiableField<T> + ?Sized>(
    method: &ImplicitTableau,
    field: &F,
    tape: &mut ImplicitTape<T, F::Residuals>,
    i: usize,
    x_bar: &[T],
    u_bar: Option<&mut [T]>,
    theta: ThetaBar<'_, T>,
) -> Result<(), FieldError> {
    let (stages, len, batch) = (method.stages(), x_bar.len(), tape.dt.len());
    let weight = T::from_f64(method.b[i]);
    for (at, bar) in tape.slope_bar.iter_mut().enumerate() {
        let mut sum = weight * x_bar[at];
        for j in 0..stages {
            sum += T::from_f64(method.row(j)[i]) * tape.slopes[j * len + at];
        }
        *bar = tape.dt[at % batch] * sum;
    }
    let inputs = field.inputs() * batch;
    let stage = &tape.stages[i * len..(i + 1) * len];
    let t = &tape.stage_t[i * batch..(i + 1) * batch];
    let u = &tape.stage_u[i * inputs..(i + 1) * inputs];
    field.eval_recorded(At { t, u }, stage, &mut tape.slope, &mut tape.residuals)?;
    let bars = Bars { x: &mut tape.stage_bar, u: tape.inputs.stage(u_bar.is_some()), theta };
    field.vjp(stage, &mut tape.residuals, &tape.slope_bar, bars)?;
    tape.inputs.add_stage(method.c[i], u_bar);
    Ok(())
}
