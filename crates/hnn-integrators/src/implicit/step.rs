//! One step of an implicit method by fixed-point iteration of its slopes.

use super::ImplicitTableau;
use super::iteration::Iteration;
use crate::runge_kutta::{add_scaled_stages, advance_time};
use crate::{FieldError, Scalar, VectorField, Workspace};

pub(super) fn step<T: Scalar, F: VectorField<T> + ?Sized>(
    tableau: &ImplicitTableau<'_>,
    field: &F,
    (t, dt): (&[T], &[T]),
    x: &[T],
    out: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    let states = [("the states", x.len()), ("the next states", out.len())];
    FieldError::check_step(field.dim(), (t, dt), states)?;
    let (slopes, inner) = workspace.split(tableau.b.len() * x.len());
    solve(tableau, field, (t, dt), x, slopes, inner)?;
    add_scaled_stages(x, dt, tableau.b, slopes, out);
    Ok(())
}

/// Solves the stage equations `k_i = f(t + c_i h, x + h sum_j a_ij k_j)` for the slopes.
pub(super) fn solve<T: Scalar, F: VectorField<T> + ?Sized>(
    tableau: &ImplicitTableau<'_>,
    field: &F,
    (t, dt): (&[T], &[T]),
    x: &[T],
    slopes: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    let (stages, len, batch) = (tableau.b.len(), x.len(), t.len());
    let (own, inner) = workspace.split(2 * len + batch);
    let (stage, rest) = own.split_at_mut(len);
    let (slope, stage_t) = rest.split_at_mut(len);
    // The explicit slope is the first guess for every stage.
    field.eval(t, x, slope, inner)?;
    slopes.chunks_exact_mut(len.max(1)).for_each(|guess| guess.copy_from_slice(slope));
    let mut iteration = Iteration::default();
    loop {
        for i in 0..stages {
            advance_time(t, dt, tableau.c[i], stage_t);
            let row = &tableau.a[i * stages..(i + 1) * stages];
            add_scaled_stages(x, dt, row, slopes, stage);
            field.eval(stage_t, stage, slope, inner)?;
            let old = &mut slopes[i * len..(i + 1) * len];
            for (at, (old, new)) in old.iter_mut().zip(&*slope).enumerate() {
                let change = ((*new - *old) * dt[at % batch]).to_f64();
                iteration.see(change.abs() / (1.0 + x[at].to_f64().abs()), at % batch);
                *old = *new;
            }
        }
        if iteration.is_done::<T>()? {
            return Ok(());
        }
    }
}
