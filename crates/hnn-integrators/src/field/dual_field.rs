//! Closures over dual numbers: fields with parameters whose derivatives come by themselves.

use crate::lane::{Dual, lanes};
use crate::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField, Workspace,
};

/// Derivatives taken in one evaluation of a closure.
const DIRECTIONS: usize = 4;

/// A number with these derivatives.
type Number<T> = Dual<T, DIRECTIONS>;

/// A vector field with `P` parameters given by a closure `f(t, x, theta)` over dual numbers, or
/// `f(t, x, u, theta)` with [inputs](Self::with_inputs) `u`: its gradients by state, inputs and
/// parameters are exact and need no formula of the user's
/// ([`FnField::with_vjp`](crate::FnField::with_vjp) takes one).
///
/// Times, states, inputs and parameters are [`Lane`](crate::Lane)s: operators, `sin`, `exp` and the like
/// work on them; a number is `Lane::constant(2.0)`, right of an operator (`x * Lane::constant(2.0)`). A vector-Jacobian product takes `(D + P) / 4`
/// evaluations: right for small systems; networks have [`DifferentiableField`]s of their own.
///
/// ```
/// use hnn_integrators::{Adjoint, DualField, Lane, RK4, VectorField};
/// use ndarray::array;
/// // A driven pendulum, parameters (g / l, friction); the drive u(t) = 0.2 cos t is captured.
/// let drive = 0.2;
/// let field = DualField::new([9.81, 0.1], |t, [q, p]: [_; 2], [a, c]| {
///     [p, -a * q.sin() - c * p + t.cos() * Lane::constant(drive)]
/// });
/// assert_eq!(field.eval_state(0.0, &[0.0, 1.0])?, [1.0, 0.2 - 0.1]);
///
/// // The derivative of the angle after ten steps, by the start and by the parameters.
/// let (adjoint, x0) = (Adjoint::count(RK4, 10), array![[0.5, 0.0]]);
/// let gradient = adjoint.run(&field, (0.0, 0.1), x0.view(), |step, _x, mut x_bar| {
///     if step == 10 {
///         x_bar[[0, 0]] += 1.0;
///     }
/// })?;
/// assert!((gradient.start_bar[[0, 0]] - 0.957_319).abs() < 1e-6); // by the initial angle
/// assert!((gradient.theta_bar[0] + 0.002_355_6).abs() < 1e-6); // by g / l
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct DualField<T, const D: usize, const K: usize, const P: usize, C> {
    theta: [T; P],
    /// Of the time, the state, the inputs and the parameters.
    closure: C,
}

impl DualField<f64, 0, 0, 0, ()> {
    /// A field of dimension `D` with the parameters `theta`.
    // Of `impl Fn` no alias can be made.
    #[allow(clippy::type_complexity)]
    pub fn new<T: Scalar, const D: usize, const P: usize>(
        theta: [T; P],
        closure: impl Fn(Number<T>, [Number<T>; D], [Number<T>; P]) -> [Number<T>; D] + Send + Sync,
    ) -> DualField<
        T,
        D,
        0,
        P,
        impl Fn(Number<T>, [Number<T>; D], [Number<T>; 0], [Number<T>; P]) -> [Number<T>; D]
        + Send
        + Sync,
    > {
        let closure = move |t, x, _u: [_; 0], theta| closure(t, x, theta);
        DualField { theta, closure }
    }
}

impl<T, const D: usize, const K: usize, const P: usize, C> DualField<T, D, K, P, C>
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; K], [Number<T>; P]) -> [Number<T>; D]
        + Send
        + Sync,
{
    /// A field of dimension `D` with `K` inputs and the parameters `theta`: a formula with unknown
    /// constants, for a recording with inputs.
    ///
    /// ```
    /// use hnn_integrators::{At, DualField, Lane, VectorField, Workspace};
    /// // A pendulum with a motor: I v' = tau - a sin q - b v, parameters (I, a, b).
    /// let pendulum = DualField::with_inputs(
    ///     [0.5, 3.0, 0.2],
    ///     |_t, [q, v]: [_; 2], [tau]: [_; 1], [inertia, a, b]| {
    ///         [v, (tau - a * q.sin() - b * v) / inertia]
    ///     },
    /// );
    /// let (at, mut dx) = (At { t: &[0.0], u: &[1.2] }, [0.0; 2]);
    /// pendulum.eval(at, &[0.0, 1.0], &mut dx, &mut Workspace::default())?;
    /// assert!(dx[0] == 1.0 && (dx[1] - (1.2 - 0.2) / 0.5).abs() < 1e-12);
    /// # Ok::<(), hnn_integrators::FieldError>(())
    /// ```
    pub fn with_inputs(theta: [T; P], closure: C) -> Self {
        Self { theta, closure }
    }

    /// Row `row` of a batch; `variable`, `parameter` and `input` make the numbers of the state, the
    /// parameters and the inputs, by their indices.
    #[inline]
    fn at(
        &self,
        (At { t, u }, x, row): (At<'_, T>, &[T], usize),
        variable: impl Fn(usize, T) -> Number<T>,
        parameter: impl Fn(usize, T) -> Number<T>,
        input: impl Fn(usize, T) -> Number<T>,
    ) -> [Number<T>; D] {
        let state = lanes(|i| variable(i, x[i * t.len() + row]));
        let theta = lanes(|k| parameter(k, self.theta[k]));
        let inputs = lanes(|k| input(k, u[k * t.len() + row]));
        (self.closure)(Dual::fixed(t[row]), state, inputs, theta)
    }
}

impl<T, const D: usize, const K: usize, const P: usize, C> VectorField<T>
    for DualField<T, D, K, P, C>
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; K], [Number<T>; P]) -> [Number<T>; D]
        + Send
        + Sync,
{
    fn dim(&self) -> usize {
        D
    }

    fn inputs(&self) -> usize {
        K
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (batch, fixed) = (at.batch(), |_, x| Dual::fixed(x));
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(D * batch, slices)?;
        FieldError::check_lengths(K * batch, [("the inputs", at.u.len())])?;
        for row in 0..batch {
            let slope = self.at((at, x, row), fixed, fixed, fixed);
            slope.iter().enumerate().for_each(|(i, slope)| dx[i * batch + row] = slope.value);
        }
        Ok(())
    }
}

impl<T, const D: usize, const K: usize, const P: usize, C> Parameters<T>
    for DualField<T, D, K, P, C>
where
    T: Scalar,
{
    fn num_params(&self) -> usize {
        P
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), P)?;
        out.copy_from_slice(&self.theta);
        Ok(())
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), P)?;
        self.theta.copy_from_slice(theta);
        Ok(())
    }
}

/// The residuals are the times and the inputs.
impl<T, const D: usize, const K: usize, const P: usize, C> DifferentiableField<T>
    for DualField<T, D, K, P, C>
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; K], [Number<T>; P]) -> [Number<T>; D]
        + Send
        + Sync,
{
    type Residuals = [Vec<T>; 2];

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        for (kept, given) in residuals.iter_mut().zip([at.t, at.u]) {
            kept.clear();
            kept.extend_from_slice(given);
        }
        self.eval(at, x, dx, &mut Workspace::default())
    }

    fn vjp(
        &self,
        x: &[T],
        [t, u]: &mut Self::Residuals,
        v: &[T],
        mut bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = t.len();
        bars.check(batch, [D, K, P], [x, v])?;
        FieldError::check_lengths(K * batch, [("the residuals", u.len())])?;
        // Variables are numbered: the state's, the parameters, the inputs.
        let wanted = match (&bars.u, bars.theta.is_wanted()) {
            (Some(_), _) => D + P + K,
            (None, true) => D + P,
            (None, false) => D,
        };
        for row in 0..batch {
            for first in (0..wanted).step_by(DIRECTIONS) {
                // Those before `first` wrap far beyond.
                let variable = |number: usize, x| Dual::variable(x, number.wrapping_sub(first));
                let slope = self.at(
                    (At { t, u }, x, row),
                    variable,
                    |k, theta| variable(D + k, theta),
                    |k, u| variable(D + P + k, u),
                );
                for k in 0..DIRECTIONS.min(wanted - first) {
                    let along = |j: usize| v[j * batch + row] * slope[j].tangent[k];
                    let sum: T = (0..D).map(along).sum();
                    match first + k {
                        i if i < D => bars.x[i * batch + row] = sum,
                        i if i < D + P => bars.theta.add(row, i - D, sum),
                        i => {
                            if let Some(u_bar) = bars.u.as_deref_mut() {
                                u_bar[(i - D - P) * batch + row] += sum;
                            }
                        }
                    }
                }
            }
        }
        Ok(())
    }
}
