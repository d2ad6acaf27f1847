//! Closures as vector fields.

use crate::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField, Workspace,
};

/// A vector field given by a closure `f(t, x, dx)` over one state: `dx` is overwritten by
/// `f(t, x)`. Parameters are captured; inputs too, or they are handed over with each step
/// ([`with_inputs`](Self::with_inputs)).
///
/// ```
/// use hnn_integrators::{FnField, VectorField};
/// let drive = |t: f64| 0.2 * t.cos();
/// let driven_pendulum = FnField::new(2, move |t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = x[1];
///     dx[1] = drive(t) - x[0].sin();
/// });
/// assert_eq!(driven_pendulum.eval_state(0.0, &[0.0, 1.0])?, [1.0, 0.2]);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
///
/// For gradients give the vector-Jacobian product too ([`with_vjp`](Self::with_vjp)), or write the
/// closure over dual numbers ([`DualField`](crate::DualField)).
#[derive(Debug, Clone, Copy)]
pub struct FnField<C> {
    dim: usize,
    closure: C,
}

/// A closure with a closure for its vector-Jacobian product; made by [`FnField::with_vjp`].
#[derive(Debug, Clone, Copy)]
pub struct FnFieldVjp<C, V> {
    field: FnField<C>,
    vjp: V,
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

    /// The same field with gradients: `vjp(t, x, v, x_bar)` overwrites `x_bar` by
    /// `(df/dx)^T v`; all slices hold `dim` numbers.
    ///
    /// ```
    /// use hnn_integrators::{Adjoint, FnField, RK4};
    /// use ndarray::array;
    /// let pendulum = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
    ///     dx[0] = x[1];
    ///     dx[1] = -x[0].sin();
    /// })
    /// .with_vjp(|_t, x: &[f64], v: &[f64], x_bar: &mut [f64]| {
    ///     x_bar[0] = -x[0].cos() * v[1];
    ///     x_bar[1] = v[0];
    /// });
    /// // The gradient of (q^2 + p^2) / 2 after 1000 steps, by the start (1, 0.5).
    /// let (adjoint, x0) = (Adjoint::count(RK4, 1000), array![[1.0, 0.5]]);
    /// let gradient = adjoint.run(&pendulum, (0.0, 10.0), x0.view(), |step, x, mut x_bar| {
    ///     if step == 1000 {
    ///         x_bar.assign(&x);
    ///     }
    /// })?;
    /// assert!((gradient.start_bar[[0, 0]] - 0.836_866_991_237).abs() < 1e-11);
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    #[must_use]
    pub fn with_vjp<T, V>(self, vjp: V) -> FnFieldVjp<C, V>
    where
        T: Scalar,
        V: Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
    {
        FnFieldVjp { field: self, vjp }
    }
}

/// Copies row `row` of a coordinate-major batch out.
pub(super) fn gather<T: Scalar>(lanes: &[T], batch: usize, row: usize, out: &mut [T]) {
    out.iter_mut().enumerate().for_each(|(i, out)| *out = lanes[i * batch + row]);
}

/// Copies into row `row` of a coordinate-major batch.
pub(super) fn scatter<T: Scalar>(state: &[T], batch: usize, row: usize, lanes: &mut [T]) {
    state.iter().enumerate().for_each(|(i, x)| lanes[i * batch + row] = *x);
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
        At { t, .. }: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (batch, dim) = (t.len(), self.dim);
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(dim.saturating_mul(batch), slices)?;
        if batch <= 1 {
            t.iter().for_each(|t| (self.closure)(*t, x, dx));
            return Ok(());
        }
        let (own, _) = workspace.split(2 * dim);
        let (state, slope) = own.split_at_mut(dim);
        for (row, t) in t.iter().enumerate() {
            gather(x, batch, row, state);
            (self.closure)(*t, state, slope);
            scatter(slope, batch, row, dx);
        }
        Ok(())
    }
}

impl<T, C, V> VectorField<T> for FnFieldVjp<C, V>
where
    T: Scalar,
    C: Fn(T, &[T], &mut [T]) + Send + Sync,
    V: Send + Sync,
{
    fn dim(&self) -> usize {
        self.field.dim
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
impl<T: Scalar, C, V> Parameters<T> for FnFieldVjp<C, V> {
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

/// The residuals are the times, and scratch.
impl<T, C, V> DifferentiableField<T> for FnFieldVjp<C, V>
where
    T: Scalar,
    C: Fn(T, &[T], &mut [T]) + Send + Sync,
    V: Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
{
    type Residuals = (Vec<T>, Workspace<T>);

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        (times, workspace): &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        times.clear();
        times.extend_from_slice(at.t);
        self.eval(at, x, dx, workspace)
    }

    fn vjp(
        &self,
        x: &[T],
        (times, workspace): &mut Self::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let (batch, dim) = (times.len(), self.field.dim);
        bars.check(batch, [dim, 0, 0], [x, v])?;
        if batch == 0 {
            return Ok(());
        }
        let (own, _) = workspace.split(3 * dim);
        let (state, own) = own.split_at_mut(dim);
        let (cotangent, bar) = own.split_at_mut(dim);
        for (row, t) in times.iter().enumerate() {
            gather(x, batch, row, state);
            gather(v, batch, row, cotangent);
            (self.vjp)(*t, state, cotangent, bar);
            scatter(bar, batch, row, bars.x);
        }
        Ok(())
    }
}
