//! The discrete adjoint of splitting methods.
//!
//! Every flow is a shear, `p' = p + b h f(q)` or `q' = q + a h v(p)`; its adjoint adds
//! `b h (df/dq)^T p_bar` to `q_bar`, or `a h (dv/dp)^T q_bar` to `p_bar`. The flows are visited
//! backwards.

use super::step::{move_along, times_at};
use super::{Flow, Separable, Splitting};
use crate::{AdjointRun, FieldError, Parameters, RolloutRun, Scalar};

/// A separable field that trains: velocity and force have vector-Jacobian products.
///
/// The contract is that of [`DifferentiableField`](crate::DifferentiableField), for each of the
/// two halves.
pub trait DifferentiableSeparable<T: Scalar>: Separable<T> + Parameters<T> {
    /// What an evaluation of either half keeps for its vector-Jacobian product.
    type Residuals: Default + Send;

    /// [`Separable::velocity`], keeping the residuals.
    ///
    /// # Errors
    /// As [`Separable::velocity`].
    fn velocity_recorded(
        &self,
        p: &[T],
        velocity: &mut [T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
    ) -> Result<(), FieldError>;

    /// Overwrites `p_bar = (dv/dp)^T cotangent`; adds the parameters' cotangent to `theta_bar`.
    ///
    /// # Errors
    /// If the engine fails.
    fn velocity_vjp(
        &self,
        p: &[T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
        cotangent: &[T],
        p_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError>;

    /// [`Separable::force`], keeping the residuals.
    ///
    /// # Errors
    /// As [`Separable::force`].
    fn force_recorded(
        &self,
        t: &[T],
        q: &[T],
        force: &mut [T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
    ) -> Result<(), FieldError>;

    /// Overwrites `q_bar = (df/dq)^T cotangent`; adds the parameters' cotangent to `theta_bar`.
    ///
    /// # Errors
    /// If the engine fails.
    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
        cotangent: &[T],
        q_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError>;

    /// [`DifferentiableField::fly_explicit`](crate::DifferentiableField::fly_explicit) for a
    /// splitting method (every [`AnalyticSeparable`](crate::AnalyticSeparable) has it).
    fn fly_splitting(&self, splitting: Splitting<'_>, run: &mut RolloutRun<'_, T>) -> bool {
        let _ = (splitting, run);
        false
    }

    /// [`DifferentiableField::pull_back_explicit`](crate::DifferentiableField::pull_back_explicit)
    /// for a splitting method.
    fn pull_back_splitting(&self, splitting: Splitting<'_>, run: &mut AdjointRun<'_, T>) -> bool {
        let _ = (splitting, run);
        false
    }
}

/// A recorded step of a splitting method.
#[derive(Debug)]
pub struct SplittingTape<T, R> {
    dt: Vec<T>,
    pub(super) now: Vec<T>,
    /// The half state that each flow read.
    read: Vec<T>,
    pub(super) slope: Vec<T>,
    pub(super) cotangent: Vec<T>,
    pub(super) residuals: Vec<R>,
}

impl<T, R> Default for SplittingTape<T, R> {
    fn default() -> Self {
        let empty = Vec::new;
        let (dt, now, read, slope, cotangent) = (empty(), empty(), empty(), empty(), empty());
        Self { dt, now, read, slope, cotangent, residuals: Vec::new() }
    }
}

impl<T: Scalar, R: Default> SplittingTape<T, R> {
    /// Makes room for half states of `half` numbers and the residuals of so many evaluations.
    pub(super) fn prepare(&mut self, dt: &[T], half: usize, evaluations: usize) {
        self.dt.clear();
        self.dt.extend_from_slice(dt);
        self.now.resize(dt.len(), T::ZERO);
        self.slope.resize(half, T::ZERO);
        self.cotangent.resize(half, T::ZERO);
        if self.residuals.len() < evaluations {
            self.residuals.resize_with(evaluations, R::default);
        }
    }
}

pub(super) fn record<T: Scalar, F: DifferentiableSeparable<T> + ?Sized>(
    splitting: Splitting<'_>,
    field: &F,
    (t, dt): (&[T], &[T]),
    x: &[T],
    out: &mut [T],
    tape: &mut SplittingTape<T, F::Residuals>,
) -> Result<(), FieldError> {
    let states = [("the states", x.len()), ("the next states", out.len())];
    FieldError::check_step(field.dim(), (t, dt), states)?;
    let (half, flows) = (x.len() / 2, splitting.lengths.len());
    tape.prepare(dt, half, flows);
    tape.read.resize(flows * half, T::ZERO);
    out.copy_from_slice(x);
    let mut clock = 0.0;
    for (i, (flow, length)) in splitting.flows().enumerate() {
        let (q, p) = out.split_at_mut(half);
        let (read, residuals) = (&mut tape.read[i * half..(i + 1) * half], &mut tape.residuals[i]);
        match flow {
            Flow::Drift => {
                read.copy_from_slice(p);
                field.velocity_recorded(read, &mut tape.slope, residuals)?;
                move_along(length, dt, &tape.slope, q);
                clock += length;
            }
            Flow::Kick => {
                times_at(clock, t, dt, &mut tape.now);
                read.copy_from_slice(q);
                field.force_recorded(&tape.now, read, &mut tape.slope, residuals)?;
                move_along(length, dt, &tape.slope, p);
            }
        }
    }
    Ok(())
}

pub(super) fn pull_back<T: Scalar, F: DifferentiableSeparable<T> + ?Sized>(
    splitting: Splitting<'_>,
    field: &F,
    tape: &mut SplittingTape<T, F::Residuals>,
    x_bar: &mut [T],
    mut theta_bar: Option<&mut [T]>,
) -> Result<(), FieldError> {
    let half = tape.slope.len();
    FieldError::check_lengths(2 * half, [("the states' cotangents", x_bar.len())])?;
    let (q_bar, p_bar) = x_bar.split_at_mut(half);
    for (i, (flow, length)) in splitting.flows().enumerate().rev() {
        let (read, residuals) = (&tape.read[i * half..(i + 1) * half], &mut tape.residuals[i]);
        let (moved_bar, read_bar) = match flow {
            Flow::Drift => (&*q_bar, &mut *p_bar),
            Flow::Kick => (&*p_bar, &mut *q_bar),
        };
        tape.cotangent.fill(T::ZERO);
        move_along(length, &tape.dt, moved_bar, &mut tape.cotangent);
        let (cotangent, theta_bar) = (&tape.cotangent, theta_bar.as_deref_mut());
        match flow {
            Flow::Drift => {
                field.velocity_vjp(read, residuals, cotangent, &mut tape.slope, theta_bar)?
            }
            Flow::Kick => {
                field.force_vjp(read, residuals, cotangent, &mut tape.slope, theta_bar)?
            }
        }
        read_bar.iter_mut().zip(&tape.slope).for_each(|(bar, more)| *bar += *more);
    }
    Ok(())
}
