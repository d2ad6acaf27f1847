//! The Hamiltonian neural network.

use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField, Workspace,
};
use hnn_systems::Hamiltonian;

use crate::force::add;
use crate::parameters::parameters;
use crate::sections::sections;
use crate::{
    DifferentiableEnergy, ForceBars, FrictionForce, GeneralisedForce, Keep, ModelError, Record,
    Unforced,
};

/// `dq/dt = dH/dp`, `dp/dt = -dH/dq + Q` with a learned energy `H` (Greydanus et al. 2019) and a
/// generalised force `Q` (none by default).
///
/// With a [`Dissipative`](crate::Dissipative) force and an [`InputPort`](crate::InputPort) it is a
/// port-Hamiltonian system, `dx/dt = (J - R) dH/dx + G u`; with a
/// [`FrictionForce`](crate::FrictionForce) an HNN with a learned friction.
///
/// Parameters: those of `H`, then those of `Q`.
///
/// ```
/// use hnn_models::{Architecture, Dissipative, FrictionForce, Hnn, Initialisation, Mlp};
/// use hnn_integrators::VectorField;
/// let network = |seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, seed))
/// };
/// let conservative = Hnn::new(network(1)?)?;
/// let free = Hnn::with_friction(network(1)?, network(2)?)?;
/// let dissipative = Hnn::forced(network(1)?, Dissipative::new(network(2)?)?)?;
/// // All have dq/dt = dH/dp of the same H.
/// let x = [0.1, 0.2];
/// let velocity = conservative.eval_state(0.0, &x)?[0];
/// assert_eq!(free.eval_state(0.0, &x)?[0], velocity);
/// assert_eq!(dissipative.eval_state(0.0, &x)?[0], velocity);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hnn<E, Q = Unforced> {
    energy: E,
    force: Q,
}

impl<E> Hnn<E> {
    /// The field of an energy, no force.
    ///
    /// # Errors
    /// If the energy's state has an odd dimension, or it is a network of another number of outputs
    /// than one.
    pub fn new<T: Scalar>(energy: E) -> Result<Self, ModelError>
    where
        E: DifferentiableEnergy<T>,
    {
        Self::forced::<T>(energy, Unforced)
    }
}

impl<E, F> Hnn<E, FrictionForce<F>> {
    /// The field of an energy and a friction: `dp/dt = -dH/dq - F(q, p)`.
    ///
    /// # Errors
    /// As [`forced`](Self::forced).
    pub fn with_friction<T: Scalar>(energy: E, friction: F) -> Result<Self, ModelError>
    where
        E: DifferentiableEnergy<T>,
        F: crate::DifferentiableMap<T>,
    {
        Self::forced::<T>(energy, FrictionForce::new(friction))
    }
}

impl<E, Q> Hnn<E, Q> {
    /// The field of an energy and a force.
    ///
    /// # Errors
    /// If the energy's state has an odd dimension 2n, it is a network of another number of outputs
    /// than one, or the force is not one of n momenta.
    pub fn forced<T: Scalar>(energy: E, force: Q) -> Result<Self, ModelError>
    where
        E: DifferentiableEnergy<T>,
        Q: GeneralisedForce<T>,
    {
        energy.check()?;
        let dim = energy.input_dim();
        if dim == 0 || dim % 2 != 0 {
            return Err(ModelError::OddDimension { dim });
        }
        force.check(dim)?;
        Ok(Self { energy, force })
    }

    /// The energy.
    pub fn energy_network(&self) -> &E {
        &self.energy
    }

    /// The generalised force.
    pub fn force(&self) -> &Q {
        &self.force
    }

    /// The field, plain or recorded.
    fn slope<T: Scalar>(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        keep: Keep<'_, T, HnnRecord<T, E::Residuals, Q::Residuals>>,
    ) -> Result<(), FieldError>
    where
        E: DifferentiableEnergy<T>,
        Q: GeneralisedForce<T>,
    {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(self.energy.input_dim() * at.batch(), slices)?;
        let inputs = self.force.inputs() * at.batch();
        FieldError::check_lengths(inputs, [("the inputs", at.u.len())])?;
        let (numbers, mut parts) = keep.split(at.batch(), 3 * x.len());
        let gradient = &mut numbers[..x.len()];
        self.energy.gradient(at.batch(), x, gradient, parts.part(|parts| &mut parts.0))?;
        symplectic(gradient, dx);
        let (dq, dp) = dx.split_at_mut(x.len() / 2);
        self.force.add(at, x, dq, dp, parts.part(|parts| &mut parts.1))
    }
}

/// The gradient of the energy, its cotangent, and the cotangent of the states from the force.
type HnnRecord<T, E, Q> = Record<T, (E, Q)>;

/// `dx = J g`: the halves of `g = (dH/dq, dH/dp)` swapped, the second negated.
fn symplectic<T: Scalar>(g: &[T], dx: &mut [T]) {
    let (dh_dq, dh_dp) = g.split_at(g.len() / 2);
    let (dq, dp) = dx.split_at_mut(g.len() / 2);
    dq.copy_from_slice(dh_dp);
    dp.iter_mut().zip(dh_dq).for_each(|(dp, dh_dq)| *dp = -*dh_dq);
}

/// `w = J^T v = -J v`.
fn symplectic_transposed<T: Scalar>(v: &[T], w: &mut [T]) {
    let (v_q, v_p) = v.split_at(v.len() / 2);
    let (w_q, w_p) = w.split_at_mut(v.len() / 2);
    w_q.iter_mut().zip(v_p).for_each(|(w, v)| *w = -*v);
    w_p.copy_from_slice(v_q);
}

parameters!(Hnn<E, Q>: energy, force);

impl<T: Scalar, E: DifferentiableEnergy<T>, Q: GeneralisedForce<T>> VectorField<T> for Hnn<E, Q> {
    fn dim(&self) -> usize {
        self.energy.input_dim()
    }

    fn inputs(&self) -> usize {
        self.force.inputs()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.slope(at, x, dx, Keep::Nothing(workspace))
    }

    fn block_len(&self) -> usize {
        self.energy.block_len()
    }
}

/// The energy is `H` whatever the force.
impl<T: Scalar, E: DifferentiableEnergy<T>, Q: GeneralisedForce<T>> Hamiltonian<T> for Hnn<E, Q> {
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.energy.energy(x, energy, workspace)
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.energy.gradient(batch, x, gradient, Keep::Nothing(workspace))
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T>, Q: GeneralisedForce<T>> DifferentiableField<T>
    for Hnn<E, Q>
{
    type Residuals = HnnRecord<T, E::Residuals, Q::Residuals>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.slope(at, x, dx, Keep::Residuals(residuals))
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let (dim, batch) = (self.energy.input_dim(), residuals.batch);
        bars.check(batch, [dim, self.force.inputs(), self.num_params()], [x, v])?;
        let Bars { x: x_bar, u, mut theta } = bars;
        let len = dim * batch;
        let (numbers, (energy, force)) = residuals.recorded(3 * len)?;
        let mut take = sections(numbers);
        let (gradient, w, force_x_bar) = (take(len), take(len), take(len));
        let own = self.energy.num_params();
        symplectic_transposed(v, w);
        force_x_bar.fill(T::ZERO);
        // The velocity that the force sees is dH/dp: its cotangent is a direction of H's gradient.
        let theta_of_force = theta.reborrow().part(own..);
        let q_dot = &mut w[len / 2..];
        let bars = ForceBars { x: force_x_bar, q_dot, u, theta: theta_of_force };
        let (velocity, force_bar) = (&gradient[len / 2..], &v[len / 2..]);
        self.force.add_vjp(x, velocity, force, force_bar, bars)?;
        self.energy.gradient_vjp(x, energy, w, x_bar, theta.part(..own))?;
        add(x_bar, force_x_bar);
        Ok(())
    }
}
