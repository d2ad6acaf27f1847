//! Learned friction.

use hnn_integrators::{At, FieldError, Scalar};

use super::{GeneralisedForce, add, check_network, negated, subtract};
use crate::parameters::parameters;
use crate::sections::sections;
use crate::{DifferentiableMap, ForceBars, Keep, ModelError, Record};

/// Learned friction that opposes the motion: `Q = -F(x)` with any map `F` from the state (D = 2n)
/// to n numbers.
///
/// `F` is the friction that *opposes* the motion, so that
/// `F = lambda p` for the damped pendulum.
///
/// With a free network for `F` an energy is **not identified**: any function of `q` may move from
/// `dH/dq` to `F`. A [`Dissipative`](super::Dissipative) map has no such freedom: the power
/// `-v . F` that it feeds in is never positive.
///
/// ```
/// use hnn_models::{Architecture, Dissipative, FrictionForce, Initialisation, Lnn};
/// use hnn_models::{MechanicalLagrangian, Mlp};
/// use hnn_systems::Hamiltonian;
/// use hnn_integrators::VectorField;
/// let network = |sizes: &[usize], seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(sizes)?, Initialisation::Orthogonal, seed))
/// };
/// // One degree of freedom: T(q, v) - V(q), and friction R(q, v) v with R >= 0.
/// let lagrangian = MechanicalLagrangian::new(network(&[1, 16, 1], 1)?, network(&[1, 16, 1], 2)?)?;
/// let friction = FrictionForce::new(Dissipative::new(network(&[2, 16, 1], 3)?)?);
/// let model = Lnn::forced(lagrangian, friction)?;
/// // Its energy v dL/dv - L never grows: dE/dt = grad E . dx/dt <= 0.
/// let x = [0.4, 1.5];
/// let (gradient, dx) = (model.energy_gradient_state(&x)?, model.eval_state(0.0, &x)?);
/// assert!(gradient[0] * dx[0] + gradient[1] * dx[1] <= 0.0);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct FrictionForce<F> {
    friction: F,
}

impl<F> FrictionForce<F> {
    /// The force of a friction.
    pub const fn new(friction: F) -> Self {
        Self { friction }
    }

    /// The friction `F`.
    pub fn friction(&self) -> &F {
        &self.friction
    }
}

parameters!(FrictionForce<F>: friction);

impl<T: Scalar, F: DifferentiableMap<T>> GeneralisedForce<T> for FrictionForce<F> {
    /// `F` or its cotangent (n * B), and the cotangent of the states (D * B).
    type Residuals = Record<T, F::Residuals>;

    fn check(&self, dim: usize, rows: usize) -> Result<(), ModelError> {
        check_network(&self.friction, "friction", dim, rows)
    }

    fn add(
        &self,
        at: At<'_, T>,
        x: &[T],
        _q_dot: &[T],
        force: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let (numbers, parts) = keep.split(at.batch(), force.len() + x.len());
        let friction = &mut numbers[..force.len()];
        self.friction.eval(at.batch(), x, friction, parts)?;
        subtract(force, friction);
        Ok(())
    }

    fn add_vjp(
        &self,
        x: &[T],
        _q_dot: &[T],
        residuals: &mut Self::Residuals,
        force_bar: &[T],
        bars: ForceBars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        FieldError::check_lengths(x.len(), [("the states' cotangents", bars.x.len())])?;
        let (numbers, parts) = residuals.recorded(force_bar.len() + x.len())?;
        let mut take = sections(numbers);
        let (friction_bar, x_bar) = (take(force_bar.len()), take(x.len()));
        negated(friction_bar, force_bar);
        self.friction.vjp(x, parts, friction_bar, x_bar, bars.theta)?;
        add(bars.x, x_bar);
        Ok(())
    }
}
