//! A field whose inputs a controller gives.

use hnn_integrators::{At, FieldError, VectorField, Workspace};

use crate::sections::sections;

/// A field with inputs under a controller `u = k(t, x)`: `dx/dt = f(t, x, k(t, x))`, a field without
/// inputs.
///
/// ```
/// use hnn_integrators::{FnField, Tolerances, solve};
/// use hnn_models::control::ClosedLoop;
/// // A mass that a spring and a damper hold at 1.
/// let mass = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = u[0];
/// });
/// let held = ClosedLoop::new(&mass, |_t: f64, x: &[f64], u: &mut [f64]| {
///     u[0] = 1.0 - x[0] - 2.0 * x[1];
///     Ok(())
/// });
/// let run = solve(&held, ndarray::aview1(&[0.0, 0.0]), &[0.0, 20.0], Tolerances::default())?;
/// assert!((run.states[[1, 0]] - 1.0).abs() < 1e-6);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
#[derive(Debug)]
pub struct ClosedLoop<'a, F: ?Sized, K> {
    field: &'a F,
    controller: K,
}

impl<'a, F, K> ClosedLoop<'a, F, K>
where
    F: VectorField<f64> + ?Sized,
    K: Fn(f64, &[f64], &mut [f64]) -> Result<(), FieldError> + Send + Sync,
{
    /// A field, and a controller that writes its inputs at a time and a state.
    pub fn new(field: &'a F, controller: K) -> Self {
        Self { field, controller }
    }
}

impl<F, K> VectorField<f64> for ClosedLoop<'_, F, K>
where
    F: VectorField<f64> + ?Sized,
    K: Fn(f64, &[f64], &mut [f64]) -> Result<(), FieldError> + Send + Sync,
{
    fn dim(&self) -> usize {
        self.field.dim()
    }

    fn eval(
        &self,
        At { t, u }: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let (batch, dim, inputs) = (t.len(), self.field.dim(), self.field.inputs());
        FieldError::check_lengths(dim * batch, [("the states", x.len())])?;
        FieldError::check_lengths(0, [("the inputs", u.len())])?;
        let (numbers, inner) = workspace.split((batch + 1) * inputs + dim);
        let mut take = sections(numbers);
        let (u, own, state) = (take(batch * inputs), take(inputs), take(dim));
        for (row, t) in t.iter().enumerate() {
            state.iter_mut().enumerate().for_each(|(i, state)| *state = x[i * batch + row]);
            (self.controller)(*t, state, own)?;
            own.iter().enumerate().for_each(|(k, own)| u[k * batch + row] = *own);
        }
        self.field.eval(At { t, u }, x, dx, inner)
    }

    fn block_len(&self) -> usize {
        self.field.block_len()
    }
}
