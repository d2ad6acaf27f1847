//! One step of an implicit method by fixed-point iteration of its slopes.

use super::ImplicitTableau;
use crate::runge_kutta::{add_scaled_stages, advance_time};
use crate::{FieldError, Scalar, VectorField, Workspace};

/// Iterations before a solve is given up. Convergence is linear, with a factor of about
/// `|dt| |df/dx|`: a factor of 0.7 reaches rounding in 100.
const MOST_ITERATIONS: usize = 100;

pub(super) fn step<T: Scalar, F: VectorField<T> + ?Sized>(
    tableau: &ImplicitTableau<'_>,
    field: &F,
    t: &[T],
    dt: &[T],
    x: &[T],
    out: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    let (stages, len, batch) = (tableau.b.len(), x.len(), t.len());
    let (own, inner) = workspace.split((stages + 2) * len + batch);
    let (slopes, rest) = own.split_at_mut(stages * len);
    let (stage, rest) = rest.split_at_mut(len);
    let (slope, stage_t) = rest.split_at_mut(len);
    // The explicit slope is the first guess for every stage.
    field.eval(t, x, slope, inner)?;
    slopes.chunks_exact_mut(len.max(1)).for_each(|guess| guess.copy_from_slice(slope));
    let (mut last, mut worst) = (f64::INFINITY, 0);
    for _ in 0..MOST_ITERATIONS {
        let mut residual = 0.0;
        for i in 0..stages {
            advance_time(t, dt, tableau.c[i], stage_t);
            let row = &tableau.a[i * stages..(i + 1) * stages];
            add_scaled_stages(x, dt, row, slopes, stage);
            field.eval(stage_t, stage, slope, inner)?;
            let old = &mut slopes[i * len..(i + 1) * len];
            let (change, row) = largest_change(dt, x, old, slope);
            if !(change <= residual) {
                (residual, worst) = (change, row);
            }
            old.copy_from_slice(slope);
        }
        // Converged to rounding, or as far as rounding lets it.
        let (tight, loose) = (2.0 * T::EPSILON.to_f64(), 100.0 * T::EPSILON.to_f64());
        if residual <= tight || (residual <= loose && residual >= 0.5 * last) {
            add_scaled_stages(x, dt, tableau.b, slopes, out);
            return Ok(());
        }
        last = residual;
    }
    Err(FieldError::NotConverged { row: worst, iterations: MOST_ITERATIONS, residual: last })
}

/// The largest change of `dt * slope` relative to `1 + |x|`, and its row.
fn largest_change<T: Scalar>(dt: &[T], x: &[T], old: &[T], new: &[T]) -> (f64, usize) {
    let batch = dt.len().max(1);
    let (mut largest, mut row) = (0.0, 0);
    for (at, (old, new)) in old.iter().zip(new).enumerate() {
        let scale = 1.0 + x[at].to_f64().abs();
        let change = ((*new - *old) * dt[at % batch]).to_f64().abs() / scale;
        if !(change <= largest) {
            (largest, row) = (change, at % batch);
        }
    }
    (largest, row)
}
