//! Closures with inputs as vector fields.

use super::FnField;
use super::fn_field::{gather, scatter};
use crate::{At, FieldError, Scalar, VectorField, Workspace};

/// A vector field given by a closure `f(t, x, u, dx)` over one state and its inputs; made by
/// [`FnField::with_inputs`].
#[derive(Debug, Clone, Copy)]
pub struct DrivenField<C> {
    dim: usize,
    inputs: usize,
    closure: C,
}

impl<C> FnField<C> {
    /// A field of dimension `dim` with inputs. The closure gets the time, the state (`dim` numbers),
    /// the inputs (`inputs` numbers), and the slice for the slope (`dim` numbers).
    ///
    /// ```
    /// use hnn_integrators::{At, FnField, VectorField, Workspace};
    /// // A pendulum with a torque, two rows.
    /// let pendulum = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
    ///     dx[0] = x[1];
    ///     dx[1] = u[0] - x[0].sin();
    /// });
    /// let (at, mut dx) = (At { t: &[0.0; 2], u: &[0.5, -0.5] }, [0.0; 4]);
    /// pendulum.eval(at, &[0.0, 0.0, 1.0, 2.0], &mut dx, &mut Workspace::default())?;
    /// assert_eq!(dx, [1.0, 2.0, 0.5, -0.5]);
    /// # Ok::<(), hnn_integrators::FieldError>(())
    /// ```
    pub fn with_inputs<T>(dim: usize, inputs: usize, closure: C) -> DrivenField<C>
    where
        T: Scalar,
        C: Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
    {
        DrivenField { dim, inputs, closure }
    }
}

impl<T, C> VectorField<T> for DrivenField<C>
where
    T: Scalar,
    C: Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
{
    fn dim(&self) -> usize {
        self.dim
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (batch, dim) = (at.batch(), self.dim);
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(dim.saturating_mul(batch), slices)?;
        let inputs = self.inputs.saturating_mul(batch);
        FieldError::check_lengths(inputs, [("the inputs", at.u.len())])?;
        if batch == 0 {
            return Ok(());
        }
        let (own, _) = workspace.split(2 * dim + self.inputs);
        let (state, own) = own.split_at_mut(dim);
        let (slope, inputs) = own.split_at_mut(dim);
        for (row, t) in at.t.iter().enumerate() {
            gather(x, batch, row, state);
            gather(at.u, batch, row, inputs);
            (self.closure)(*t, state, inputs, slope);
            scatter(slope, batch, row, dx);
        }
        Ok(())
    }
}
