//! Systems that have an energy.

use hnn_integrators::{FieldError, Scalar, VectorField, Workspace, coordinate_major, rows};
use ndarray::{Array1, Array2, ArrayView2};

/// A vector field with an energy `H(x)`: a true system, an HNN, a sparse Hamiltonian.
///
/// The field need not conserve the energy: a damped pendulum has one too. Object-safe.
pub trait Hamiltonian<T: Scalar>: VectorField<T> {
    /// `energy[row] = H(x_row)` for `B = energy.len()` states; `x` holds `D * B` numbers,
    /// coordinate-major.
    ///
    /// # Errors
    /// If a slice has another length, where the energy is undefined, or if the engine fails.
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

    /// `H(x)` of one state.
    ///
    /// # Errors
    /// If `x` has another dimension than the system, or the system's own error.
    fn energy_state(&self, x: &[T]) -> Result<T, FieldError> {
        check_dimension(self.dim(), x.len())?;
        let mut energy = [T::ZERO];
        self.energy(x, &mut energy, &mut Workspace::default())?;
        Ok(energy[0])
    }

    /// `grad H(x)` of one state.
    ///
    /// # Errors
    /// If `x` has another dimension than the system, or the system's own error.
    fn energy_gradient_state(&self, x: &[T]) -> Result<Vec<T>, FieldError> {
        check_dimension(self.dim(), x.len())?;
        let mut gradient = vec![T::ZERO; x.len()];
        self.energy_gradient(1, x, &mut gradient, &mut Workspace::default())?;
        Ok(gradient)
    }

    /// `H` of states of shape (B, D), a row a state: B energies.
    ///
    /// # Errors
    /// If the rows have another dimension than the system, or the system's own error.
    fn energy_rows(&self, x: ArrayView2<'_, T>) -> Result<Array1<T>, FieldError> {
        check_dimension(self.dim(), x.ncols())?;
        let mut energy = vec![T::ZERO; x.nrows()];
        self.energy(&coordinate_major(x), &mut energy, &mut Workspace::default())?;
        Ok(energy.into())
    }

    /// `grad H` of states of shape (B, D), a row a state; the same shape.
    ///
    /// # Errors
    /// If the rows have another dimension than the system, or the system's own error.
    fn energy_gradient_rows(&self, x: ArrayView2<'_, T>) -> Result<Array2<T>, FieldError> {
        check_dimension(self.dim(), x.ncols())?;
        let lanes = coordinate_major(x);
        let mut gradient = vec![T::ZERO; lanes.len()];
        self.energy_gradient(x.nrows(), &lanes, &mut gradient, &mut Workspace::default())?;
        Ok(rows(&gradient, x.nrows(), x.ncols()))
    }
}

pub(crate) fn check_dimension(expected: usize, given: usize) -> Result<(), FieldError> {
    if given == expected { Ok(()) } else { Err(FieldError::Dimension { given, expected }) }
}
