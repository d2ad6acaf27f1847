//! Closures as vector fields.

use crate::{FieldError, Scalar, VectorField, Workspace};

/// A vector field given by a closure `f(t, x, dx)` over one state: `dx` is overwritten by
/// `f(t, x)`. Control inputs and parameters are captured.
///
/// ```
/// use hnn_integrators::{FnField, VectorFieldExt};
/// let drive = |t: f64| 0.2 * t.cos();
/// let driven_pendulum = FnField::new(2, move |t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = drive(t) - x[0].sin();
/// });
/// assert_eq!(driven_pendulum.eval_state(0.0, &[0.0, 1.0])?, [1.0, 0.2]);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct FnField<C> {
    dim: usize,
    closure: C,
}

impl<C> FnField<C> {
    /// A field of dimension `dim`. The closure gets the time, the state and the slice for the
    /// slope, both of length `dim`.
    pub fn new<T>(dim: usize, closure: C) -> Self
    where
        T: Scalar,
        C: Fn(T, &[T], &mut [T]) + Send + Sync,
    {
        Self { dim, closure }
    }
}

impl<T, C> VectorField<T> for FnField<C>
where
    T: Scalar,
    C: Fn(T, &[T], &mut [T]) + Send + Sync,
{
    fn dim(&self) -> usize {
        self.dim
    }

    fn eval(
        &self,
        t: &[T],
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (batch, dim) = (t.len(), self.dim);
        if batch == 1 {
            (self.closure)(t[0], x, dx);
            return Ok(());
        }
        let (own, _) = workspace.split(2 * dim);
        let (state, slope) = own.split_at_mut(dim);
        for (row, t) in t.iter().enumerate() {
            (0..dim).for_each(|i| state[i] = x[i * batch + row]);
            (self.closure)(*t, state, slope);
            (0..dim).for_each(|i| dx[i * batch + row] = slope[i]);
        }
        Ok(())
    }
}
