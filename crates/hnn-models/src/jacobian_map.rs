//! Maps with their Jacobian, and the pull-back through it.

use hnn_integrators::{FieldError, Scalar, Workspace};

use crate::DifferentiableMap;

/// A map `y = N(x; theta)` that also gives its Jacobian, and pulls cotangents of derivatives along
/// directions back.
pub trait JacobianMap<T: Scalar>: DifferentiableMap<T> {
    /// What an evaluation of the Jacobian keeps for its pull-back.
    type JacobianResiduals: Default + Send;

    /// `y = N(x)` and `dy/dx`, for `batch` rows. With K outputs and D inputs, dy_k/dx_j of all
    /// rows lies at `(j * K + k) * B`.
    ///
    /// # Errors
    /// If the engine fails.
    fn jacobian(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// As [`jacobian`](Self::jacobian), keeping the residuals.
    ///
    /// # Errors
    /// If the engine fails.
    fn jacobian_recorded(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        residuals: &mut Self::JacobianResiduals,
    ) -> Result<(), FieldError>;

    /// Pulls `phi = y_bar . N(x) + sum over j of tangents[j].1 . (dN/dx) tangents[j].0` back, for
    /// cotangents (K * B) and directions (D * B) held fixed: **overwrites** `x_bar`, and **adds**
    /// to `theta_bar` where it is asked for.
    /// May be called once for each recording: it may overwrite the residuals.
    ///
    /// # Errors
    /// If the engine fails.
    fn jacobian_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::JacobianResiduals,
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError>;
}
