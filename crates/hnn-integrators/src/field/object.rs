//! Fields that train, as objects.

use std::any::Any;

use super::vector_field::field_of;
use crate::{At, Bars, DifferentiableField, FieldError, Mode, Parameters, Scalar, VectorField};

/// Residuals or a tape of any type, made on first use.
///
/// ```
/// use hnn_integrators::Kept;
/// let mut kept = Kept::default();
/// kept.of::<Vec<f64>>().push(1.0);
/// assert_eq!(kept.of::<Vec<f64>>().len(), 1);
/// assert_eq!(*kept.of::<usize>(), 0);
/// ```
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
///
/// Every [`DifferentiableField`] is one. `Box<dyn FieldObject<T>>` and `&mut dyn FieldObject<T>` are
/// again fields that train, with the numbers of the field itself, so that models of different types
/// stand in one list, and losses and trainers are compiled for one of them. What else a program wants of its models
/// (a file, a name) goes into a trait of its own, with this one as supertrait, and `&mut *model` is
/// again the object.
///
/// ```
/// use hnn_integrators::{DualField, FieldObject, Interval, RK4, Stepper, Workspace};
/// let decay = DualField::new([0.5], |_t, [x]: [_; 1], [a]| [-a * x]);
/// let logistic = DualField::new([2.0], |_t, [x]: [_; 1], [k]| [x - k * x * x]);
/// let models: [Box<dyn FieldObject<f64>>; 2] = [Box::new(decay), Box::new(logistic)];
/// for model in &models {
///     let (over, mut next) = (Interval::new(&[0.0], &[0.1]), [0.0]);
///     RK4.step(model, over, &[1.0], &mut next, &mut Workspace::default())?;
///     assert!(next[0] < 1.0 && model.num_params() == 1);
/// }
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
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

/// What holds an object is a field that trains: all by the object.
macro_rules! field_by_object {
    ($holder:ty) => {
        impl<T: Scalar> VectorField<T> for $holder {
            field_of!(|holder| **holder);
        }

        impl<T: Scalar> Parameters<T> for $holder {
            fn num_params(&self) -> usize {
                (**self).num_params()
            }

            fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
                (**self).copy_params(out)
            }

            fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
                (**self).set_params(theta)
            }

            fn set_mode(&mut self, mode: Mode) {
                (**self).set_mode(mode);
            }
        }

        impl<T: Scalar> DifferentiableField<T> for $holder {
            type Residuals = Kept;

            fn eval_recorded(
                &self,
                at: At<'_, T>,
                x: &[T],
                dx: &mut [T],
                residuals: &mut Kept,
            ) -> Result<(), FieldError> {
                (**self).eval_kept(at, x, dx, residuals)
            }

            fn vjp(
                &self,
                x: &[T],
                residuals: &mut Kept,
                v: &[T],
                bars: Bars<'_, T>,
            ) -> Result<(), FieldError> {
                (**self).vjp_kept(x, residuals, v, bars)
            }
        }
    };
}

field_by_object!(Box<dyn FieldObject<T> + '_>);
field_by_object!(&mut (dyn FieldObject<T> + '_));
