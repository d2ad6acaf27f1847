//! Scalar functions of the state whose gradient trains.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use crate::{Keep, ModelError, Network};

/// A learned energy `H(x; theta)` with everything a Hamiltonian model needs: its gradient, and the
/// pull-back through that gradient.
///
/// Batches are coordinate-major, as everywhere (see [`hnn_integrators`]).
pub trait DifferentiableEnergy<T: Scalar>: Network<T> {
    /// What an evaluation of the gradient keeps for its pull-back.
    type Residuals: Default + Send + 'static;

    /// Whether this is an energy at all.
    ///
    /// # Errors
    /// If it has another number of outputs than one.
    fn check(&self) -> Result<(), ModelError> {
        Ok(())
    }

    /// `energy[row] = H(x_row)` for `B = energy.len()` states.
    ///
    /// # Errors
    /// If the engine fails.
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// `gradient = grad_x H`, laid out as `x`, for `batch` states.
    ///
    /// # Errors
    /// If the engine fails.
    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError>;

    /// For directions `w` (laid out as `x`), held fixed: **overwrites** `x_bar = Hess(H) w`, and
    /// **adds** `d(w . grad_x H)/dtheta` to `theta_bar`, summed over the rows or row by row.
    /// May be called once for each recording: it may overwrite the residuals.
    ///
    /// # Errors
    /// If the engine fails.
    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;

    /// See [`VectorField::block_len`](hnn_integrators::VectorField::block_len).
    fn block_len(&self) -> usize {
        128
    }
}
