//! Generalised forces: friction, inputs, and sums of them.

mod dissipative;
mod external;
mod friction;
mod input;
mod law;
mod power;
mod state_port;

use hnn_integrators::{At, FieldError, Parameters, Scalar, ThetaBar};

pub use dissipative::Dissipative;
pub(crate) use dissipative::{transposed_product, triangle};
pub use external::{ExternalForce, Harmonics};
pub use friction::FrictionForce;
pub use input::{InputForce, InputPort};
pub use law::{FrictionLaw, FrictionTerm};
pub use power::PowerBalance;
pub(crate) use power::power_balance;
pub use state_port::StatePort;

use crate::parameters::parameters;
use crate::{Keep, ModelError};

/// A generalised force `Q(t, x, dq/dt, u)`, n numbers a state: of an [`Hnn`](crate::Hnn), where it
/// enters `dp/dt = -dH/dq + Q`, or an [`Lnn`](crate::Lnn), where it enters
/// `d/dt dL/dv - dL/dq = Q`. In [`Hnn::port_hamiltonian`](crate::Hnn::port_hamiltonian) it acts on
/// all of the state: D numbers, and the gradient `dH/dx` in place of the velocity.
///
/// [`Unforced`] is none, [`FrictionForce`] a learned friction, [`Dissipative`] one that never feeds
/// energy in, [`FrictionLaw`] viscous, dry or quadratic friction with fitted constants,
/// [`InputPort`] and [`StatePort`] the inputs `u`, [`ExternalForce`] a learned function of time,
/// [`InputForce`] a known one; a [`Sum`] adds two.
///
/// Batches are coordinate-major, as everywhere (see [`hnn_integrators`]).
pub trait GeneralisedForce<T: Scalar>: Parameters<T> + Send + Sync {
    /// What an evaluation keeps for its pull-back.
    type Residuals: Default + Send + 'static;

    /// Whether the force gives `rows` numbers for states of dimension `dim`.
    ///
    /// # Errors
    /// If it does not.
    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError>;

    /// Number `K` of inputs `u`.
    fn inputs(&self) -> usize {
        0
    }

    /// `force += Q`: `at` holds B times and K * B inputs, `x` the states (D * B), `q_dot` the
    /// velocities dq/dt (n * B), `force` n * B numbers.
    ///
    /// # Errors
    /// If a slice has another length, or the engine fails.
    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError>;

    /// For the cotangent `force_bar` of the force: **adds** to the bars its products with the
    /// transposes of `dQ/dx`, `dQ/dq_dot`, `dQ/du` and `dQ/dtheta`, where they are asked for.
    ///
    /// # Errors
    /// If a slice has another length, or the engine fails.
    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError>;
}

/// The cotangents of what a force depends on, to be added to.
#[derive(Debug)]
pub struct ForceBars<'a, T> {
    /// The cotangent of the states, D * B.
    pub x: &'a mut [T],
    /// The cotangent of the velocities dq/dt, n * B.
    pub q_dot: &'a mut [T],
    /// The cotangent of the inputs, K * B, where it is asked for.
    pub u: Option<&'a mut [T]>,
    /// The cotangent of the parameters, where it is asked for.
    pub theta: ThetaBar<'a, T>,
}

impl<T: Scalar> ForceBars<'_, T> {
    /// Checks the length of the inputs' cotangent, where it is asked for.
    ///
    /// # Errors
    /// If it is another.
    pub fn check_inputs(&self, expected: usize) -> Result<(), FieldError> {
        let given = self.u.as_deref().map_or(expected, <[T]>::len);
        FieldError::check_lengths(expected, [("the inputs' cotangents", given)])
    }
}

/// No force: `Q = 0`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Unforced;

parameters!(impl<T: Scalar> for Unforced:);

impl<T: Scalar> GeneralisedForce<T> for Unforced {
    type Residuals = ();

    fn check(&self, _dim: usize, _rows: usize) -> Result<(), ModelError> {
        Ok(())
    }

    fn add(
        &self,
        _: At<'_, T>,
        _: &[T],
        _: &[T],
        _: &mut [T],
        _: Keep<'_, T, ()>,
    ) -> Result<(), FieldError> {
        Ok(())
    }

    fn add_vjp(
        &self,
        _: &[T],
        _: &[T],
        (): &mut (),
        _: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        bars.theta.check_parameters(0)
    }
}

/// The sum of two forces. Its inputs are those of the first, then those of the second.
#[derive(Debug, Clone, PartialEq)]
pub struct Sum<A, B>(pub A, pub B);

parameters!(Sum<A, B>: 0, 1);

impl<T: Scalar, A: GeneralisedForce<T>, B: GeneralisedForce<T>> GeneralisedForce<T> for Sum<A, B> {
    type Residuals = (A::Residuals, B::Residuals);

    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        self.0.check(dim, rows)?;
        self.1.check(dim, rows)
    }

    fn inputs(&self) -> usize {
        self.0.inputs() + self.1.inputs()
    }

    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        q_dot: &[T],
        force: &mut [T],
        mut keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.inputs() * at.batch(), [("the inputs", at.u.len())])?;
        let (first, second) = at.u.split_at(self.0.inputs() * at.batch());
        self.0.add(At { u: first, ..at }, x, q_dot, force, keep.part(|parts| &mut parts.0))?;
        self.1.add(At { u: second, ..at }, x, q_dot, force, keep.part(|parts| &mut parts.1))
    }

    fn add_vjp(
        &self,
        x: &[T],
        q_dot: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        let ForceBars { x: x_bar, q_dot: q_dot_bar, u, mut theta } = bars;
        // Each input has as many numbers.
        let first = |len: usize| len * self.0.inputs() / self.inputs().max(1);
        let (u_0, u_1) = u.map(|u| u.split_at_mut(first(u.len()))).unzip();
        let own = self.0.num_params();
        let theta_0 = theta.reborrow().part(..own);
        let bars = ForceBars { x: &mut *x_bar, q_dot: &mut *q_dot_bar, u: u_0, theta: theta_0 };
        self.0.add_vjp(x, q_dot, &mut residuals.0, force_bar, bars)?;
        let bars = ForceBars { x: x_bar, q_dot: q_dot_bar, u: u_1, theta: theta.part(own..) };
        self.1.add_vjp(x, q_dot, &mut residuals.1, force_bar, bars)
    }
}

/// Checks that a force's network is a map from a state of dimension `dim` to `outputs` numbers.
fn check_network<T: Scalar>(
    network: &impl crate::DifferentiableMap<T>,
    role: &'static str,
    dim: usize,
    outputs: usize,
) -> Result<(), ModelError> {
    if network.input_dim() != dim {
        return Err(ModelError::InputSize { role, given: network.input_dim(), expected: dim });
    }
    if network.output_dim() != outputs {
        return Err(ModelError::OutputSize {
            role,
            given: network.output_dim(),
            expected: outputs,
        });
    }
    Ok(())
}

/// Checks that a map gives entries of a matrix, and is not the friction that is made of them.
fn check_no_friction<T: Scalar>(network: &impl crate::Network<T>) -> Result<(), ModelError> {
    let is_velocity = |i| network.coordinate(i) == crate::Coordinate::Velocity;
    match (0..network.input_dim()).any(is_velocity) {
        true => Err(ModelError::NestedFriction),
        false => Ok(()),
    }
}

/// `sum += x`.
pub(crate) fn add<T: Scalar>(sum: &mut [T], x: &[T]) {
    sum.iter_mut().zip(x).for_each(|(sum, x)| *sum += *x);
}

/// `difference -= x`.
fn subtract<T: Scalar>(difference: &mut [T], x: &[T]) {
    difference.iter_mut().zip(x).for_each(|(difference, x)| *difference -= *x);
}

/// `out = -x`.
fn negated<T: Scalar>(out: &mut [T], x: &[T]) {
    out.iter_mut().zip(x).for_each(|(out, x)| *out = -*x);
}
