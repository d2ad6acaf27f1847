//! Fields that train, as objects.

use std::any::Any;

use crate::{At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField};

/// Residuals or a tape of any type, made on first use.
#[derive(Debug, Default)]
pub struct Kept(Option<Box<dyn Any + Send>>);

impl Kept {
    /// What is kept; made anew where it is of another type.
    pub fn of<R: Default + Send + 'static>(&mut self) -> &mut R {
        if !self.0.as_ref().is_some_and(|kept| kept.is::<R>()) {
            self.0 = Some(Box::new(R::default()));
        }
        let kept = self.0.as_mut().and_then(|kept| kept.downcast_mut());
        kept.unwrap_or_else(|| unreachable!("it was made of this type"))
    }
}

/// A field that trains, as an object: what is written over this is compiled once for each type of
/// number, and not for each field.
pub trait FieldObject<T: Scalar>: VectorField<T> + Parameters<T> {
    /// [`DifferentiableField::eval_recorded`].
    ///
    /// # Errors
    /// As there.
    fn eval_kept(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Kept,
    ) -> Result<(), FieldError>;

    /// [`DifferentiableField::vjp`].
    ///
    /// # Errors
    /// As there.
    fn vjp_kept(
        &self,
        x: &[T],
        residuals: &mut Kept,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError>;
}

impl<T: Scalar, F: DifferentiableField<T>> FieldObject<T> for F {
    fn eval_kept(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Kept,
    ) -> Result<(), FieldError> {
        self.eval_recorded(at, x, dx, residuals.of())
    }

    fn vjp_kept(
        &self,
        x: &[T],
        residuals: &mut Kept,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        self.vjp(x, residuals.of(), v, bars)
    }
}
