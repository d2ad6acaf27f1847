//! The Lagrangian as a field: accelerations out of torques.

use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace};
use nalgebra::{DMatrix, DVector};

use super::SparseLagrangian;

impl<T: Scalar> VectorField<T> for SparseLagrangian {
    fn dim(&self) -> usize {
        self.coordinates.len()
    }

    fn inputs(&self) -> usize {
        self.joints()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (batch, n) = (at.batch(), self.joints());
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(2 * n * batch, slices)?;
        FieldError::check_lengths(n * batch, [("the inputs", at.u.len())])?;
        let (values, inner) = workspace.split(self.program.outputs() * batch);
        self.program.run(batch, [x, &[]], values, inner);
        let (velocities, accelerations) = dx.split_at_mut(n * batch);
        velocities.copy_from_slice(&x[n * batch..]);
        let bias = n * (n + 1) / 2;
        for row in 0..batch {
            let value = |output: usize| values[output * batch + row].to_f64();
            let entry = |i: usize, k: usize| value(i.max(k) * (i.max(k) + 1) / 2 + i.min(k));
            let torque = |i: usize, _| at.u[i * batch + row].to_f64() - value(bias + i);
            let solved = DMatrix::from_fn(n, n, entry).lu().solve(&DVector::from_fn(n, torque));
            let finite = |a: &DVector<f64>| a.iter().all(|a| a.is_finite());
            let Some(a) = solved.filter(finite) else {
                let reason = "the mass matrix is singular there, or a term is not finite";
                return Err(FieldError::Undefined { row, reason: reason.to_owned() });
            };
            a.iter()
                .enumerate()
                .for_each(|(i, a)| accelerations[i * batch + row] = T::from_f64(*a));
        }
        Ok(())
    }
}
