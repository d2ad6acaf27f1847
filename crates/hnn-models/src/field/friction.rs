//! The Hamiltonian neural network with friction.

use hnn_integrators::{
    At, DifferentiableField, FieldError, Mode, Parameters, Scalar, VectorField, Workspace,
};
use hnn_systems::Hamiltonian;

use super::Hnn;
use crate::{DifferentiableEnergy, DifferentiableMap, ModelError};

/// A friction force: a map from the state (D = 2n) to the n momenta, `F(q, p)`, as it enters
/// `dp/dt = -dH/dq - F(q, p)`.
///
/// Any [`DifferentiableMap`] is one: a free network, or a
/// [`Dissipative`](super::Dissipative) form.
pub trait Friction<T: Scalar>: DifferentiableMap<T> {}

impl<T: Scalar, N: DifferentiableMap<T>> Friction<T> for N {}

/// `dq/dt = dH/dp`, `dp/dt = -dH/dq - F(q, p)` with a learned energy and a learned friction.
///
/// `F` is the friction that *opposes* the motion: `F = lambda p` for the damped pendulum.
///
/// With a free network for `F` the energy is **not identified**: any function of `q` may move
/// from `dH/dq` to `F`. [`Dissipative`](super::Dissipative) friction has no such freedom.
///
/// Parameters: those of `H`, then those of `F`.
///
/// ```
/// use hnn_models::{Architecture, Dissipative, HnnFriction, Initialisation, Mlp};
/// use hnn_integrators::VectorField;
/// let network = |seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, seed))
/// };
/// let free = HnnFriction::new(network(1)?, network(2)?)?;
/// let dissipative = HnnFriction::new(network(1)?, Dissipative::new(network(2)?)?)?;
/// // Both have dq/dt = dH/dp of the same H.
/// let x = [0.1, 0.2];
/// assert_eq!(free.eval_state(0.0, &x)?[0], dissipative.eval_state(0.0, &x)?[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct HnnFriction<E, F> {
    conservative: Hnn<E>,
    friction: F,
}

/// What an [`HnnFriction`] keeps for its vector-Jacobian product.
#[derive(Debug, Default)]
pub struct HnnFrictionResiduals<T, C, F> {
    conservative: C,
    friction: F,
    /// `F` in the forward pass, its cotangent in the pull-back.
    force: Vec<T>,
    x_bar: Vec<T>,
}

impl<E, F> HnnFriction<E, F> {
    /// The field of an energy and a friction.
    ///
    /// # Errors
    /// If the energy's state has an odd dimension, or the friction is no map from that state to
    /// half as many numbers.
    pub fn new<T: Scalar>(energy: E, friction: F) -> Result<Self, ModelError>
    where
        E: DifferentiableEnergy<T>,
        F: Friction<T>,
    {
        let dim = energy.dim();
        let conservative = Hnn::new(energy)?;
        let role = "friction";
        let (inputs, outputs) = (friction.input_dim(), friction.output_dim());
        if inputs != dim {
            return Err(ModelError::InputSize { role, given: inputs, expected: dim });
        }
        if outputs != dim / 2 {
            return Err(ModelError::OutputSize { role, given: outputs, expected: dim / 2 });
        }
        Ok(Self { conservative, friction })
    }

    /// The conservative part, `J grad H`.
    pub fn conservative(&self) -> &Hnn<E> {
        &self.conservative
    }

    /// The friction `F`.
    pub fn friction(&self) -> &F {
        &self.friction
    }
}

impl<T: Scalar, E: Parameters<T>, F: Parameters<T>> Parameters<T> for HnnFriction<E, F> {
    fn num_params(&self) -> usize {
        self.conservative.num_params() + self.friction.num_params()
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.num_params())?;
        let (h, f) = out.split_at_mut(self.conservative.num_params());
        self.conservative.copy_params(h)?;
        self.friction.copy_params(f)
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.num_params())?;
        let (h, f) = theta.split_at(self.conservative.num_params());
        self.conservative.set_params(h)?;
        self.friction.set_params(f)
    }

    fn set_mode(&mut self, mode: Mode) {
        self.conservative.set_mode(mode);
        self.friction.set_mode(mode);
    }
}

/// `dp -= F`.
fn subtract<T: Scalar>(dp: &mut [T], force: &[T]) {
    dp.iter_mut().zip(force).for_each(|(dp, f)| *dp -= *f);
}

impl<T: Scalar, E: DifferentiableEnergy<T>, F: Friction<T>> VectorField<T> for HnnFriction<E, F> {
    fn dim(&self) -> usize {
        self.conservative.dim()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.conservative.eval(at, x, dx, workspace)?;
        let half = x.len() / 2;
        let (force, inner) = workspace.split(half);
        self.friction.eval(at.batch(), x, force, inner)?;
        subtract(&mut dx[half..], force);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.conservative.block_len()
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T>, F: Friction<T>> Hamiltonian<T> for HnnFriction<E, F> {
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.conservative.energy(x, energy, workspace)
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.conservative.energy_gradient(batch, x, gradient, workspace)
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T>, F: Friction<T>> DifferentiableField<T>
    for HnnFriction<E, F>
{
    type Residuals =
        HnnFrictionResiduals<T, <Hnn<E> as DifferentiableField<T>>::Residuals, F::Residuals>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        let HnnFrictionResiduals { conservative, friction, force, .. } = residuals;
        let half = x.len() / 2;
        self.conservative.eval_recorded(at, x, dx, conservative)?;
        force.resize(half, T::ZERO);
        self.friction.eval_recorded(at.batch(), x, force, friction)?;
        subtract(&mut dx[half..], force);
        Ok(())
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        v: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let num_params = self.num_params();
        FieldError::check_parameters(
            theta_bar.as_deref().map_or(num_params, <[T]>::len),
            num_params,
        )?;
        let HnnFrictionResiduals { conservative, friction, force, x_bar: friction_x_bar } =
            residuals;
        let (h_bar, f_bar) = match theta_bar {
            Some(theta_bar) => {
                let (h, f) = theta_bar.split_at_mut(self.conservative.num_params());
                (Some(h), Some(f))
            }
            None => (None, None),
        };
        self.conservative.vjp(x, conservative, v, x_bar, h_bar)?;
        force.iter_mut().zip(&v[x.len() / 2..]).for_each(|(f, v)| *f = -*v);
        friction_x_bar.resize(x.len(), T::ZERO);
        self.friction.vjp(x, friction, force, friction_x_bar, f_bar)?;
        x_bar.iter_mut().zip(friction_x_bar).for_each(|(sum, x)| *sum += *x);
        Ok(())
    }
}
