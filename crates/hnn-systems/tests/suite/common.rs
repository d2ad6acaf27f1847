//! What several test files need.

use hnn_integrators::{AnalyticField, At, FieldError, LaneState, Scalar, VectorField, Workspace};
use hnn_systems::{AnalyticHamiltonian, Hamiltonian};
use hnn_testing::lengths::energy_is_checked;

/// A system by its formulas over single numbers, one state after the other. Kernels are the same
/// for every system and tested with a few of them; compiling them for each one takes minutes.
pub(crate) struct Plain<'a, S>(pub(crate) &'a S);

/// State `row` of a coordinate-major batch.
fn state<T: Scalar, S: LaneState<T>>(x: &[T], batch: usize, row: usize) -> S {
    S::from_fn(|i| x[i * batch + row])
}

fn store<T: Scalar>(state: &impl LaneState<T>, to: &mut [T], batch: usize, row: usize) {
    for (i, x) in state.as_ref().iter().enumerate() {
        to[i * batch + row] = *x;
    }
}

impl<T: Scalar, S: AnalyticField> VectorField<T> for Plain<'_, S> {
    fn dim(&self) -> usize {
        VectorField::<T>::dim(self.0)
    }
    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        _: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        for (row, t) in at.t.iter().enumerate() {
            let x = state::<T, S::State<T>>(x, at.batch(), row);
            store(&self.0.eval_lanes(*t, &x), dx, at.batch(), row);
        }
        Ok(())
    }
}

impl<T: Scalar, S: AnalyticField + AnalyticHamiltonian> Hamiltonian<T> for Plain<'_, S> {
    fn energy(&self, x: &[T], energy: &mut [T], _: &mut Workspace<T>) -> Result<(), FieldError> {
        let batch = energy.len();
        for (row, energy) in energy.iter_mut().enumerate() {
            *energy = self.0.energy_lanes(&state(x, batch, row));
        }
        Ok(())
    }
    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        _: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        for row in 0..batch {
            store(&self.0.gradient_lanes(&state(x, batch, row)), gradient, batch, row);
        }
        Ok(())
    }
}

/// The slices of a system's energy and of its gradient.
#[track_caller]
pub(crate) fn hamiltonian_is_checked(system: &impl Hamiltonian<f64>) {
    energy_is_checked(
        system.dim(),
        |x, energy| system.energy(x, energy, &mut Workspace::default()),
        |batch, x, gradient| system.energy_gradient(batch, x, gradient, &mut Workspace::default()),
    );
}
