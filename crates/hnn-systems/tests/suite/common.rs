//! What several test files need.
#![allow(unreachable_pub)]

use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace};
use hnn_systems::Hamiltonian;
use hnn_testing::lengths::energy_is_checked;

/// A system without its fused kernels: stepped through `eval`. The kernels are the same for every
/// system and tested where they are written; compiling them for each one takes minutes.
pub struct Plain<'a, S>(pub &'a S);

impl<T: Scalar, S: VectorField<T>> VectorField<T> for Plain<'_, S> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.eval(at, x, dx, workspace)
    }
}

impl<T: Scalar, S: Hamiltonian<T>> Hamiltonian<T> for Plain<'_, S> {
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.energy(x, energy, workspace)
    }
    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.energy_gradient(batch, x, gradient, workspace)
    }
}

/// The slices of a system's energy and of its gradient.
#[track_caller]
pub fn hamiltonian_is_checked(system: &impl Hamiltonian<f64>) {
    energy_is_checked(
        system.dim(),
        |x, energy| system.energy(x, energy, &mut Workspace::default()),
        |batch, x, gradient| system.energy_gradient(batch, x, gradient, &mut Workspace::default()),
    );
}
