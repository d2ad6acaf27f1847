//! Vector functions of the state that train.

use hnn_integrators::{FieldError, Scalar, ThetaBar};

use crate::{Keep, Network};

/// A learned map `y = N(x; theta)` from `D` to `K` numbers.
///
/// Batches are coordinate-major, as everywhere (see [`hnn_integrators`]).
pub trait DifferentiableMap<T: Scalar>: Network<T> {
    /// What an evaluation keeps for its pull-back.
    type Residuals: Default + Send + 'static;

    /// Number of outputs `K`.
    fn output_dim(&self) -> usize;

    /// Checks the lengths of the slices that [`eval`](Self::eval) takes.
    ///
    /// # Errors
    /// If one has another length.
    fn check_eval(&self, batch: usize, x: &[T], y: &[T]) -> Result<(), FieldError> {
        FieldError::check_lengths(self.input_dim() * batch, [("the states", x.len())])?;
        FieldError::check_lengths(self.output_dim() * batch, [("the outputs", y.len())])
    }

    /// `y = N(x)` for `batch` rows.
    ///
    /// # Errors
    /// If the engine fails.
    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError>;

    /// For the cotangent `y_bar` of `y`: **overwrites** `x_bar = (dN/dx)^T y_bar`, and **adds**
    /// `(dN/dtheta)^T y_bar` to `theta_bar`, summed over the rows or row by row.
    /// May be called once for each recording: it may overwrite the residuals.
    ///
    /// # Errors
    /// If the engine fails.
    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;

    /// See [`VectorField::block_len`](hnn_integrators::VectorField::block_len).
    fn block_len(&self) -> usize {
        128
    }
}
