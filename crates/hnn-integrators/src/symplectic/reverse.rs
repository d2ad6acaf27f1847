//! Undoing steps of splitting methods.

use super::adjoint::SplittingTape;
use super::step::{move_along, times_at};
use super::{DifferentiableSeparable, Flow, Splitting};
use crate::{FieldError, Scalar};

/// Undoes a step flow by flow, each with the very evaluation that its vector-Jacobian product
/// needs: a flow reads one half of the state, which it leaves as it is, and moves the other.
pub(super) fn reverse<T: Scalar, F: DifferentiableSeparable<T> + ?Sized>(
    splitting: Splitting<'_>,
    field: &F,
    (t, dt): (&[T], &[T]),
    x: &mut [T],
    x_bar: &mut [T],
    mut theta_bar: Option<&mut [T]>,
    tape: &mut SplittingTape<T, F::Residuals>,
) -> Result<(), FieldError> {
    let states = [("the states", x.len()), ("the states' cotangents", x_bar.len())];
    FieldError::check_step(field.dim(), (t, dt), states)?;
    let half = x.len() / 2;
    tape.prepare(dt, half, 1);
    let (q, p) = x.split_at_mut(half);
    let (q_bar, p_bar) = x_bar.split_at_mut(half);
    let (slope, residuals) = (&mut tape.slope, &mut tape.residuals[0]);
    let is_drift = |(flow, _): &(Flow, f64)| *flow == Flow::Drift;
    let mut clock: f64 = splitting.flows().filter(is_drift).map(|(_, length)| length).sum();
    for (flow, length) in splitting.flows().rev() {
        tape.cotangent.fill(T::ZERO);
        let theta_bar = theta_bar.as_deref_mut();
        let read_bar = match flow {
            Flow::Drift => {
                field.velocity_recorded(p, slope, residuals)?;
                move_along(-length, dt, slope, q);
                clock -= length;
                move_along(length, dt, q_bar, &mut tape.cotangent);
                field.velocity_vjp(p, residuals, &tape.cotangent, slope, theta_bar)?;
                &mut *p_bar
            }
            Flow::Kick => {
                times_at(clock, t, dt, &mut tape.now);
                field.force_recorded(&tape.now, q, slope, residuals)?;
                move_along(-length, dt, slope, p);
                move_along(length, dt, p_bar, &mut tape.cotangent);
                field.force_vjp(q, residuals, &tape.cotangent, slope, theta_bar)?;
                &mut *q_bar
            }
        };
        read_bar.iter_mut().zip(&*slope).for_each(|(bar, more)| *bar += *more);
    }
    Ok(())
}
