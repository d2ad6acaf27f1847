//! The formula as a vector field and as a Hamiltonian.

use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace};
use hnn_systems::Hamiltonian;

use super::{Compiled, SparseHamiltonian};

impl<T: Scalar> VectorField<T> for SparseHamiltonian {
    fn dim(&self) -> usize {
        self.state_dim()
    }

    fn inputs(&self) -> usize {
        self.inputs.len()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(self.state_dim() * at.batch(), slices)?;
        let inputs = self.inputs.len() * at.batch();
        FieldError::check_lengths(inputs, [("the inputs", at.u.len())])?;
        run(&self.field, at.batch(), [x, at.u], dx, workspace)
    }
}

impl<T: Scalar> Hamiltonian<T> for SparseHamiltonian {
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let expected = self.state_dim() * energy.len();
        FieldError::check_lengths(expected, [("the states", x.len())])?;
        run(&self.energy, energy.len(), [x, &[]], energy, workspace)
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(self.state_dim() * batch, slices)?;
        run(&self.gradient, batch, [x, &[]], gradient, workspace)
    }
}

/// Runs a program at states with inputs; where a formula may be singular, says at which row it is.
pub(super) fn run<T: Scalar>(
    compiled: &Compiled,
    batch: usize,
    states: [&[T]; 2],
    out: &mut [T],
    workspace: &mut Workspace<T>,
) -> Result<(), FieldError> {
    compiled.program.run(batch, states, out, workspace);
    if compiled.program.is_singular()
        && let Some(position) = out.iter().position(|value| !value.is_finite())
    {
        let reason = "a term of the formula is singular or undefined there".to_owned();
        return Err(FieldError::Undefined { row: position % batch, reason });
    }
    Ok(())
}
