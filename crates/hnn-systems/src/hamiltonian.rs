//! Systems that have an energy.

use hnn_integrators::{FieldError, Scalar, VectorField, Workspace};

/// A vector field with an energy `H(x)`: a true system, an HNN, a sparse Hamiltonian.
///
/// The field need not conserve the energy: a damped pendulum has one too. Object-safe.
pub trait Hamiltonian<T: Scalar>: VectorField<T> {
    /// `energy[row] = H(x_row)` for `B = energy.len()` states; `x` holds `D * B` numbers,
    /// coordinate-major.
    ///
    /// # Errors
    /// Where the energy is undefined, or the engine fails.
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// `gradient = grad_x H`, laid out as `x`, for `batch` states.
    ///
    /// # Errors
    /// As [`energy`](Self::energy).
    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;
}
