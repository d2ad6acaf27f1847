//! Losses of fields as objects: compiled here, once for each type of number, and not for every field.

use std::ops::Range;

use hnn_integrators::{FieldObject, Scalar};

use crate::{LossError, ResidualLayout, ResidualRows, RowSelection};

/// A loss of a field.
pub(crate) trait FieldLoss<T: Scalar> {
    /// As [`Loss::name`](crate::Loss::name).
    fn name(&self) -> &str;

    /// As [`Loss::constant_values`](crate::Loss::constant_values).
    fn constant_values(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// As [`Loss::noise_values`](crate::Loss::noise_values).
    fn noise_values(&self) -> Vec<(String, f64)> {
        Vec::new()
    }

    /// As [`Loss::num_rows`](crate::Loss::num_rows).
    fn num_rows(&self) -> usize;

    /// As [`Loss::row_sums`](crate::Loss::row_sums).
    fn row_sums(&self, selection: RowSelection<'_>, sums: &mut Vec<f64>) -> Result<(), LossError>;

    /// As [`Loss::set_row_sums`](crate::Loss::set_row_sums).
    fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError>;

    /// Whether a selection has no rows here, and others elsewhere.
    fn is_elsewhere(&self, selection: RowSelection<'_>) -> bool;

    /// Number of errors that the mean is taken of.
    fn entries(&self, selection: RowSelection<'_>) -> Result<f64, LossError>;

    /// The sum of what the errors cost; **adds** `scale` times its gradient to `theta_bar`, of the
    /// right length.
    fn sum(
        &mut self,
        field: &dyn FieldObject<T>,
        selection: RowSelection<'_>,
        scale: T,
        theta_bar: Option<&mut [T]>,
    ) -> Result<f64, LossError>;

    /// As [`Loss::residual_layout`](crate::Loss::residual_layout).
    fn layout(
        &mut self,
        field: &dyn FieldObject<T>,
        selection: RowSelection<'_>,
    ) -> Result<ResidualLayout, LossError>;

    /// As [`Loss::residuals`](crate::Loss::residuals).
    fn write(
        &mut self,
        field: &dyn FieldObject<T>,
        groups: Range<usize>,
        rows: ResidualRows<'_, T>,
    ) -> Result<(), LossError>;
}

/// A loss of any field that trains, by the object.
macro_rules! loss_of_fields {
    ($loss:ident) => {
        impl<T: Scalar> $loss<T> {
            /// The loss as an object, compiled here.
            pub(crate) fn object(&mut self) -> &mut dyn FieldLoss<T> {
                hnn_integrators::compiled_here!(
                    T => fn(&mut $loss<T>) -> &mut dyn FieldLoss<T>, |loss| loss
                )(self)
            }

            /// The same where nothing changes.
            pub(crate) fn shared(&self) -> &dyn FieldLoss<T> {
                hnn_integrators::compiled_here!(
                    T => fn(&$loss<T>) -> &dyn FieldLoss<T>, |loss| loss
                )(self)
            }
        }

        impl<T: Scalar, F: DifferentiableField<T>> crate::Loss<T, F> for $loss<T> {
            fn name(&self) -> &str {
                FieldLoss::name(self)
            }

            fn value(&mut self, field: &F, selection: RowSelection<'_>) -> Result<f64, LossError> {
                let object = self.object();
                if object.is_elsewhere(selection) {
                    return Ok(0.0);
                }
                let entries = object.entries(selection)?;
                Ok(object.sum(field, selection, T::ZERO, None)? / entries)
            }

            fn value_and_gradient(
                &mut self,
                field: &F,
                selection: RowSelection<'_>,
                weight: f64,
                theta_bar: &mut [T],
            ) -> Result<f64, LossError> {
                crate::checks::check_gradient(theta_bar.len(), field.num_params())?;
                let object = self.object();
                if object.is_elsewhere(selection) {
                    return Ok(0.0);
                }
                let entries = object.entries(selection)?;
                let scale = T::from_f64(weight / entries);
                Ok(object.sum(field, selection, scale, Some(theta_bar))? / entries)
            }

            fn residual_layout(
                &mut self,
                field: &F,
                selection: RowSelection<'_>,
            ) -> Result<ResidualLayout, LossError> {
                self.object().layout(field, selection)
            }

            fn residuals(
                &mut self,
                field: &F,
                groups: Range<usize>,
                rows: ResidualRows<'_, T>,
            ) -> Result<(), LossError> {
                self.object().write(field, groups, rows)
            }

            fn constant_values(&self) -> Vec<(String, f64)> {
                self.shared().constant_values()
            }

            fn noise_values(&self) -> Vec<(String, f64)> {
                self.shared().noise_values()
            }

            fn num_rows(&self) -> Option<usize> {
                Some(FieldLoss::num_rows(self))
            }

            fn row_sums(
                &self,
                selection: RowSelection<'_>,
                sums: &mut Vec<f64>,
            ) -> Result<(), LossError> {
                self.shared().row_sums(selection, sums)
            }

            fn set_row_sums(&mut self, sums: &mut &[f64]) -> Result<(), LossError> {
                self.object().set_row_sums(sums)
            }
        }
    };
}
pub(crate) use loss_of_fields;
