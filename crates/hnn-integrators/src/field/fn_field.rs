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
pub struct FnField<C, const DRIVEN: bool = false> {
    dim: usize,
    inputs: usize,
    /// Of the time, the state, the inputs and the slope.
    closure: C,
}

/// A closure with a closure for its vector-Jacobian product; made by `FnField::with_vjp`.
#[derive(Debug, Clone, Copy)]
pub struct FnFieldVjp<C, V> {
    field: FnField<C, true>,
    /// Of the time, the state, the inputs and the slope's cotangent, and of the cotangents of state and
    /// inputs.
    vjp: V,
}

impl FnField<()> {
    /// A field of dimension `dim`. The closure gets the time, the state and the slice for the
    /// slope, both of length `dim`.
    // Of `impl Fn` no alias can be made.
    #[allow(clippy::type_complexity)]
    pub fn new<T: Scalar>(
        dim: usize,
        closure: impl Fn(T, &[T], &mut [T]) + Send + Sync,
    ) -> FnField<impl Fn(T, &[T], &[T], &mut [T]) + Send + Sync> {
        let closure = move |t: T, x: &[T], _u: &[T], dx: &mut [T]| closure(t, x, dx);
        FnField { dim, inputs: 0, closure }
    }
}

impl<C> FnField<C> {
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
    #[allow(clippy::type_complexity)]
    pub fn with_vjp<T: Scalar>(
        self,
        vjp: impl Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
    ) -> FnFieldVjp<C, impl Fn(T, &[T], &[T], &[T], &mut [T], &mut [T]) + Send + Sync> {
        let Self { dim, inputs, closure } = self;
        let vjp = move |t: T, x: &[T], _u: &[T], v: &[T], x_bar: &mut [T], _u_bar: &mut [T]| {
            vjp(t, x, v, x_bar);
        };
        FnFieldVjp { field: FnField { dim, inputs, closure }, vjp }
    }
}

impl<C> FnField<C, true> {
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
    pub fn with_inputs<T>(dim: usize, inputs: usize, closure: C) -> Self
    where
        T: Scalar,
        C: Fn(T, &[T], &[T], &mut [T]) + Send + Sync,
    {
        Self { dim, inputs, closure }
    }

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
    pub fn with_vjp<T, V>(self, vjp: V) -> FnFieldVjp<C, V>
    where
        T: Scalar,
        V: Fn(T, &[T], &[T], &[T], &mut [T], &mut [T]) + Send + Sync,
    {
        FnFieldVjp { field: self, vjp }
    }
}

/// Copies row `row` of a coordinate-major batch out.
fn gather<T: Scalar>(lanes: &[T], batch: usize, row: usize, out: &mut [T]) {
    out.iter_mut().enumerate().for_each(|(i, out)| *out = lanes[i * batch + row]);
}

/// Copies into row `row` of a coordinate-major batch.
fn scatter<T: Scalar>(state: &[T], batch: usize, row: usize, lanes: &mut [T]) {
    state.iter().enumerate().for_each(|(i, x)| lanes[i * batch + row] = *x);
}

impl<T, C, const DRIVEN: bool> VectorField<T> for FnField<C, DRIVEN>
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
        At { t, u }: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (batch, dim, inputs) = (t.len(), self.dim, self.inputs);
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(dim.saturating_mul(batch), slices)?;
        FieldError::check_lengths(inputs.saturating_mul(batch), [("the inputs", u.len())])?;
        if batch <= 1 {
            t.iter().for_each(|t| (self.closure)(*t, x, u, dx));
            return Ok(());
        }
        let (own, _) = workspace.split(2 * dim + inputs);
        let (state, own) = own.split_at_mut(dim);
        let (slope, own_inputs) = own.split_at_mut(dim);
        for (row, t) in t.iter().enumerate() {
            gather(x, batch, row, state);
            gather(u, batch, row, own_inputs);
            (self.closure)(*t, state, own_inputs, slope);
            scatter(slope, batch, row, dx);
        }
        Ok(())
    }
}

impl<T, C, V> VectorField<T> for FnFieldVjp<C, V>
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

/// The residuals are the times and the inputs, and scratch.
impl<T, C, V> DifferentiableField<T> for FnFieldVjp<C, V>
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
        let (batch, dim, count) = (times.len(), self.field.dim, self.field.inputs);
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
