//! Closures with inputs as vector fields.

use super::FnField;
use super::fn_field::{gather, scatter};
use crate::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField, Workspace,
};

/// A vector field given by a closure `f(t, x, u, dx)` over one state and its inputs; made by
/// [`FnField::with_inputs`].
#[derive(Debug, Clone, Copy)]
pub struct DrivenField<C> {
    dim: usize,
    inputs: usize,
    closure: C,
}

/// The same with a closure for its vector-Jacobian product; made by [`DrivenField::with_vjp`].
#[derive(Debug, Clone, Copy)]
pub struct DrivenFieldVjp<C, V> {
    field: DrivenField<C>,
    vjp: V,
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

impl<C> DrivenField<C> {
    /// The same field with gradients: `vjp(t, x, u, v, x_bar, u_bar)` overwrites `x_bar` by
    /// `(df/dx)^T v` and `u_bar` by `(df/du)^T v`.
    ///
    /// ```
    /// use hnn_integrators::{Bars, DifferentiableStepper, FnField, Inputs, Interval, RK4};
    /// // dx/dt = u, one step of 0.1: the end moves by 0.05 times the input at its begin, and at its end.
    /// let field = FnField::with_inputs(1, 1, |_t: f64, _x: &[f64], u: &[f64], dx: &mut [f64]| {
    ///     dx[0] = u[0];
    /// })
    /// .with_vjp(|_t: f64, _x: &[f64], _u: &[f64], v: &[f64], x_bar: &mut [f64], u_bar: &mut [f64]| {
    ///     (x_bar[0], u_bar[0]) = (0.0, v[0]);
    /// });
    /// let u = Inputs::Linear { begin: &[1.0], end: &[2.0] };
    /// let (over, mut tape) = (Interval { t: &[0.0], dt: &[0.1], u }, Default::default());
    /// RK4.record(&field, over, &[0.0], &mut [0.0], &mut tape)?;
    /// let (mut x_bar, mut u_bar) = ([1.0], [0.0; 2]);
    /// RK4.pull_back(&field, &mut tape, Bars::new(&mut x_bar).with_u(&mut u_bar[..]))?;
    /// assert!((u_bar[0] - 0.05).abs() < 1e-15 && (u_bar[1] - 0.05).abs() < 1e-15);
    /// # Ok::<(), hnn_integrators::FieldError>(())
    /// ```
    #[must_use]
    pub fn with_vjp<T, V>(self, vjp: V) -> DrivenFieldVjp<C, V>
    where
        T: Scalar,
        V: Fn(T, &[T], &[T], &[T], &mut [T], &mut [T]) + Send + Sync,
    {
        DrivenFieldVjp { field: self, vjp }
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

impl<T, C, V> VectorField<T> for DrivenFieldVjp<C, V>
where
    T: Scalar,
    C: Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
    V: Send + Sync,
{
    fn dim(&self) -> usize {
        self.field.dim
    }

    fn inputs(&self) -> usize {
        self.field.inputs
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.field.eval(at, x, dx, workspace)
    }
}

/// What a closure captures is no parameter: there are none.
impl<T: Scalar, C, V> Parameters<T> for DrivenFieldVjp<C, V> {
    fn num_params(&self) -> usize {
        0
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), 0)
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), 0)
    }
}

/// The residuals are the times and the inputs, and scratch.
impl<T, C, V> DifferentiableField<T> for DrivenFieldVjp<C, V>
where
    T: Scalar,
    C: Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
    V: Fn(T, &[T], &[T], &[T], &mut [T], &mut [T]) + Send + Sync,
{
    type Residuals = (Vec<T>, Vec<T>, Workspace<T>);

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        (times, inputs, workspace): &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        for (kept, given) in [(times, at.t), (inputs, at.u)] {
            kept.clear();
            kept.extend_from_slice(given);
        }
        self.eval(at, x, dx, workspace)
    }

    fn vjp(
        &self,
        x: &[T],
        (times, inputs, workspace): &mut Self::Residuals,
        v: &[T],
        mut bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let DrivenField { dim, inputs: count, .. } = self.field;
        let batch = times.len();
        bars.check(batch, [dim, count, 0], [x, v])?;
        FieldError::check_lengths(count * batch, [("the residuals", inputs.len())])?;
        let (own, _) = workspace.split(3 * dim + 2 * count);
        let (state, own) = own.split_at_mut(dim);
        let (cotangent, own) = own.split_at_mut(dim);
        let (x_bar, own) = own.split_at_mut(dim);
        let (u, u_bar) = own.split_at_mut(count);
        for (row, t) in times.iter().enumerate() {
            gather(x, batch, row, state);
            gather(v, batch, row, cotangent);
            gather(inputs, batch, row, u);
            (self.vjp)(*t, state, u, cotangent, x_bar, u_bar);
            scatter(x_bar, batch, row, bars.x);
            if let Some(out) = bars.u.as_deref_mut() {
                u_bar.iter().enumerate().for_each(|(k, bar)| out[k * batch + row] += *bar);
            }
        }
        Ok(())
    }
}
