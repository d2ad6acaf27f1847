//! The discrete adjoint of implicit Runge-Kutta methods.
//!
//! With the cotangent `o` of the step's end, the stages' cotangents solve
//! `X_bar_i = (df/dx)^T k_bar_i`, `k_bar_i = h (b_i o + sum_j a_ji X_bar_j)`, at the stages
//! `X_i`: linear equations with the transposed matrix of the step's own, solved by the same
//! iteration, which converges where that does. Then `x_bar = o + sum_i X_bar_i`
//! (Sanz-Serna, *SIAM Review* 58, 2016, section 3).

use super::ImplicitTableau;
use super::iteration::Iteration;
use super::step::solve;
use crate::runge_kutta::{add_scaled_stages, advance_time};
use crate::{DifferentiableField, FieldError, Scalar, Workspace};

/// A recorded step of an implicit Runge-Kutta method.
#[derive(Debug)]
pub struct ImplicitTape<T, R> {
    t: Vec<T>,
    dt: Vec<T>,
    stage_t: Vec<T>,
    /// Stage states `X_i`.
    stages: Vec<T>,
    /// Slopes `k_i`; on the way back the cotangents `X_bar_i`.
    slopes: Vec<T>,
    slope: Vec<T>,
    slope_bar: Vec<T>,
    stage_bar: Vec<T>,
    /// The largest cotangent of each row.
    size: Vec<f64>,
    residuals: R,
    workspace: Workspace<T>,
}

impl<T: Scalar, R: Default> Default for ImplicitTape<T, R> {
    fn default() -> Self {
        let empty = Vec::new;
        Self {
            t: empty(),
            dt: empty(),
            stage_t: empty(),
            stages: empty(),
            slopes: empty(),
            slope: empty(),
            slope_bar: empty(),
            stage_bar: empty(),
            size: Vec::new(),
            residuals: R::default(),
            workspace: Workspace::default(),
        }
    }
}

pub(super) fn record<T: Scalar, F: DifferentiableField<T> + ?Sized>(
    tableau: &ImplicitTableau<'_>,
    field: &F,
    (t, dt): (&[T], &[T]),
    x: &[T],
    out: &mut [T],
    tape: &mut ImplicitTape<T, F::Residuals>,
) -> Result<(), FieldError> {
    let states = [("the states", x.len()), ("the next states", out.len())];
    FieldError::check_step(field.dim(), (t, dt), states)?;
    let (stages, len) = (tableau.b.len(), x.len());
    for (kept, given) in [(&mut tape.t, t), (&mut tape.dt, dt)] {
        kept.clear();
        kept.extend_from_slice(given);
    }
    tape.stage_t.resize(t.len(), T::ZERO);
    for buffer in [&mut tape.stages, &mut tape.slopes] {
        buffer.resize(stages * len, T::ZERO);
    }
    for buffer in [&mut tape.slope, &mut tape.slope_bar, &mut tape.stage_bar] {
        buffer.resize(len, T::ZERO);
    }
    solve(tableau, field, (t, dt), x, &mut tape.slopes, &mut tape.workspace)?;
    add_scaled_stages(x, dt, tableau.b, &tape.slopes, out);
    for (i, stage) in tape.stages.chunks_exact_mut(len.max(1)).enumerate() {
        let row = &tableau.a[i * stages..(i + 1) * stages];
        add_scaled_stages(x, dt, row, &tape.slopes, stage);
    }
    Ok(())
}

pub(super) fn pull_back<T: Scalar, F: DifferentiableField<T> + ?Sized>(
    tableau: &ImplicitTableau<'_>,
    field: &F,
    tape: &mut ImplicitTape<T, F::Residuals>,
    x_bar: &mut [T],
    theta_bar: Option<&mut [T]>,
) -> Result<(), FieldError> {
    let (stages, len, batch) = (tableau.b.len(), tape.slope.len(), tape.dt.len());
    FieldError::check_lengths(len, [("the states' cotangents", x_bar.len())])?;
    tape.slopes.fill(T::ZERO);
    tape.size.clear();
    tape.size.resize(batch, 0.0);
    for (at, bar) in x_bar.iter().enumerate() {
        tape.size[at % batch] = f64::max(tape.size[at % batch], bar.to_f64().abs());
    }
    let mut iteration = Iteration::default();
    loop {
        for i in 0..stages {
            pull_stage(tableau, field, tape, i, x_bar, None)?;
            let old = &mut tape.slopes[i * len..(i + 1) * len];
            for (at, (old, new)) in old.iter_mut().zip(&tape.stage_bar).enumerate() {
                let change = (*new - *old).to_f64().abs();
                // Where nothing is to be pulled back nothing changes.
                iteration.see(
                    if change == 0.0 { 0.0 } else { change / tape.size[at % batch] },
                    at % batch,
                );
                *old = *new;
            }
        }
        if iteration.is_done::<T>()? {
            break;
        }
    }
    if let Some(theta_bar) = theta_bar {
        for i in 0..stages {
            pull_stage(tableau, field, tape, i, x_bar, Some(theta_bar))?;
        }
    }
    for cotangent in tape.slopes[..stages * len].chunks_exact(len.max(1)) {
        x_bar.iter_mut().zip(cotangent).for_each(|(sum, more)| *sum += *more);
    }
    Ok(())
}

/// `stage_bar = (df/dx)^T k_bar` of one stage, from the cotangents of the stages as they are.
fn pull_stage<T: Scalar, F: DifferentiableField<T> + ?Sized>(
    tableau: &ImplicitTableau<'_>,
    field: &F,
    tape: &mut ImplicitTape<T, F::Residuals>,
    i: usize,
    x_bar: &[T],
    theta_bar: Option<&mut [T]>,
) -> Result<(), FieldError> {
    let (stages, len, batch) = (tableau.b.len(), x_bar.len(), tape.dt.len());
    let weight = T::from_f64(tableau.b[i]);
    for (at, bar) in tape.slope_bar.iter_mut().enumerate() {
        let mut sum = weight * x_bar[at];
        for j in 0..stages {
            sum += T::from_f64(tableau.a[j * stages + i]) * tape.slopes[j * len + at];
        }
        *bar = tape.dt[at % batch] * sum;
    }
    let stage = &tape.stages[i * len..(i + 1) * len];
    advance_time(&tape.t, &tape.dt, tableau.c[i], &mut tape.stage_t);
    field.eval_recorded(&tape.stage_t, stage, &mut tape.slope, &mut tape.residuals)?;
    field.vjp(stage, &mut tape.residuals, &tape.slope_bar, &mut tape.stage_bar, theta_bar)
}
