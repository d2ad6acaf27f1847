//! One step of any explicit Runge-Kutta method, over slices.

use super::ExplicitRungeKutta;
use crate::stepper::step_by_step;
use crate::{ExplicitRun, FieldError, Scalar, Stepper, VectorField, Workspace};

impl<T, F, M> Stepper<T, F> for M
where
    T: Scalar,
    F: VectorField<T> + ?Sized,
    M: ExplicitRungeKutta,
{
    fn step(
        &self,
        field: &F,
        t: &[T],
        dt: &[T],
        x: &[T],
        out: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let states = [("the states", x.len()), ("the next states", out.len())];
        FieldError::check_step(field.dim(), (t, dt), states)?;
        let tableau = self.tableau();
        let (batch, len) = (t.len(), x.len());
        let (own, inner) = workspace.split(tableau.stages() * len + len + batch);
        let (slopes, rest) = own.split_at_mut(tableau.stages() * len);
        let (stage, stage_t) = rest.split_at_mut(len);
        for i in 0..tableau.stages() {
            let (done, slope) = slopes[..(i + 1) * len].split_at_mut(i * len);
            advance_time(t, dt, tableau.c[i], stage_t);
            add_scaled_stages(x, dt, tableau.row(i), done, stage);
            field.eval(stage_t, stage, slope, inner)?;
        }
        add_scaled_stages(x, dt, tableau.b, slopes, out);
        Ok(())
    }

    fn advance(
        &self,
        field: &F,
        steps: usize,
        t: &[T],
        dt: &[T],
        x: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        FieldError::check_step(field.dim(), (t, dt), [("the states", x.len())])?;
        let mut run = ExplicitRun { tableau: self.tableau(), steps, t, dt, x };
        if field.advance_explicit(&mut run) {
            return Ok(());
        }
        step_by_step(self, field, steps, t, dt, run.x, workspace)
    }
}

/// `out = t + c dt`, row by row.
pub(crate) fn advance_time<T: Scalar>(t: &[T], dt: &[T], c: f64, out: &mut [T]) {
    let c = T::from_f64(c);
    for (out, (t, dt)) in out.iter_mut().zip(t.iter().zip(dt)) {
        *out = *t + c * *dt;
    }
}

/// `out = x + dt sum_j weights_j slopes_j`, each row with its own `dt`. `slopes` holds the
/// stages one after the other, each laid out as `x`.
pub(crate) fn add_scaled_stages<T: Scalar>(
    x: &[T],
    dt: &[T],
    weights: &[f64],
    slopes: &[T],
    out: &mut [T],
) {
    out.fill(T::ZERO);
    for (weight, slope) in weights.iter().zip(slopes.chunks_exact(x.len().max(1))) {
        if *weight != 0.0 {
            let weight = T::from_f64(*weight);
            out.iter_mut().zip(slope).for_each(|(out, slope)| *out += weight * *slope);
        }
    }
    let batch = dt.len().max(1);
    for (out, x) in out.chunks_exact_mut(batch).zip(x.chunks_exact(batch)) {
        for ((out, x), dt) in out.iter_mut().zip(x).zip(dt) {
            *out = *x + *dt * *out;
        }
    }
}
