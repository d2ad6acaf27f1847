//! Closures over dual numbers: fields with parameters whose derivatives come by themselves.

use crate::lane::Dual;
use crate::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField, Workspace,
};

/// Derivatives taken in one evaluation.
const DIRECTIONS: usize = 4;

/// A number with four derivatives.
type Number<T> = Dual<T, DIRECTIONS>;

/// A vector field with `P` parameters given by a closure `f(t, x, theta)` over dual numbers: its
/// gradients by state and parameters are exact and need no formula of the user's
/// ([`FnField::with_vjp`](crate::FnField::with_vjp) takes one).
///
/// Times, states and parameters are [`Lane`](crate::Lane)s: operators, `sin`, `exp` and the like
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
pub struct DualField<T, const D: usize, const P: usize, C> {
    theta: [T; P],
    closure: C,
}

impl<T, const D: usize, const P: usize, C> DualField<T, D, P, C>
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; P]) -> [Number<T>; D] + Send + Sync,
{
    /// A field of dimension `D` with the parameters `theta`.
    pub fn new(theta: [T; P], closure: C) -> Self {
        Self { theta, closure }
    }

    /// Row `row` of a batch; `variable(i, x)` makes the state's numbers, `parameter(k, theta)` the
    /// parameters'.
    #[inline]
    fn at(
        &self,
        (t, x, row): (&[T], &[T], usize),
        variable: impl Fn(usize, T) -> Number<T>,
        parameter: impl Fn(usize, T) -> Number<T>,
    ) -> [Number<T>; D] {
        let state = std::array::from_fn(|i| variable(i, x[i * t.len() + row]));
        let theta = std::array::from_fn(|k| parameter(k, self.theta[k]));
        (self.closure)(Dual::fixed(t[row]), state, theta)
    }
}

impl<T, const D: usize, const P: usize, C> VectorField<T> for DualField<T, D, P, C>
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; P]) -> [Number<T>; D] + Send + Sync,
{
    fn dim(&self) -> usize {
        D
    }

    fn eval(
        &self,
        At { t, .. }: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(D * t.len(), slices)?;
        for row in 0..t.len() {
            let slope = self.at((t, x, row), |_, x| Dual::fixed(x), |_, theta| Dual::fixed(theta));
            slope.iter().enumerate().for_each(|(i, slope)| dx[i * t.len() + row] = slope.value);
        }
        Ok(())
    }
}

impl<T, const D: usize, const P: usize, C> Parameters<T> for DualField<T, D, P, C>
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

/// The residuals are the times.
impl<T, const D: usize, const P: usize, C> DifferentiableField<T> for DualField<T, D, P, C>
where
    T: Scalar,
    C: Fn(Number<T>, [Number<T>; D], [Number<T>; P]) -> [Number<T>; D] + Send + Sync,
{
    type Residuals = Vec<T>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.extend_from_slice(at.t);
        self.eval(at, x, dx, &mut Workspace::default())
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Vec<T>,
        v: &[T],
        mut bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.len();
        bars.check(batch, [D, 0, P], [x, v])?;
        let wanted = if bars.theta.is_wanted() { D + P } else { D };
        for row in 0..batch {
            for first in (0..wanted).step_by(DIRECTIONS) {
                // Variables are numbered from the state on; those before `first` wrap far beyond.
                let slope = self.at(
                    (residuals, x, row),
                    |i, x| Dual::variable(x, i.wrapping_sub(first)),
                    |k, theta| Dual::variable(theta, (D + k).wrapping_sub(first)),
                );
                for k in 0..DIRECTIONS.min(wanted - first) {
                    let along = |j: usize| v[j * batch + row] * slope[j].tangent[k];
                    let sum: T = (0..D).map(along).sum();
                    match (first + k).checked_sub(D) {
                        None => bars.x[(first + k) * batch + row] = sum,
                        Some(parameter) => bars.theta.add(row, parameter, sum),
                    }
                }
            }
        }
        Ok(())
    }
}
