//! The Hamiltonian neural network.

use hnn_integrators::{
    At, Bars, DifferentiableField, FieldError, Parameters, Scalar, VectorField, Workspace,
};
use hnn_systems::Hamiltonian;
use ndarray::{ArrayView1, ArrayView2};

use crate::force::{add, power_balance};
use crate::parameters::parameters;
use crate::sections::sections;
use crate::{
    DifferentiableEnergy, ForceBars, FrictionForce, GeneralisedForce, Keep, ModelError,
    PowerBalance, Record, Unforced,
};

/// `dq/dt = dH/dp`, `dp/dt = -dH/dq + Q` with a learned energy `H` (Greydanus et al. 2019) and a
/// generalised force `Q` (none by default).
///
/// With a [`Dissipative`](crate::Dissipative) force and an [`InputPort`](crate::InputPort) or a
/// [`StatePort`](crate::StatePort) it is a port-Hamiltonian system, `dx/dt = (J - R(x)) dH/dx +
/// G(x) u`, with `R` and `G` on the momenta, or on all of the state
/// ([`port_hamiltonian`](Self::port_hamiltonian)); with a [`FrictionForce`](crate::FrictionForce)
/// an HNN with a learned friction.
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
    /// Whether the force acts on all of the state, or on the momenta.
    on_state: bool,
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
        Self::acting::<T>(energy, force, false)
    }

    /// A port-Hamiltonian system on all of the state, `dx/dt = J dH/dx + Q`: the force has D numbers
    /// and sees the gradient `dH/dx` where that of [`forced`](Self::forced) sees the velocity. With
    /// dissipation and a port, `dx/dt = (J - R(x)) dH/dx + G(x) u` with any `R >= 0` and `G`.
    ///
    /// The data tell `J - R` from the energy where it is not quadratic, or where `R` is 0: a linear
    /// motion has many such forms.
    ///
    /// ```
    /// use hnn_models::{Architecture, Dissipative, Hnn, Initialisation, Mlp, StatePort, Sum};
    /// use ndarray::{arr1, arr2};
    /// let network = |outputs, seed| -> Result<_, hnn_models::ModelError> {
    ///     let architecture = Architecture::new(&[2, 16, outputs])?;
    ///     Ok(Mlp::<f64>::new(architecture, Initialisation::Orthogonal, seed))
    /// };
    /// // R(x) has 3 entries below and on its diagonal; one input acts on both coordinates.
    /// let force = Sum(Dissipative::new(network(3, 1)?)?, StatePort::new(network(2, 2)?, 1)?);
    /// let model = Hnn::port_hamiltonian(network(1, 3)?, force)?;
    /// let (t, x, u) = (arr1(&[0.0]), arr2(&[[0.3, 0.5]]), arr2(&[[2.0]]));
    /// let power = model.power_balance(t.view(), x.view(), u.view())?;
    /// assert!(power.dissipated[0] >= 0.0);
    /// assert!((power.rate[0] - (power.supplied[0] - power.dissipated[0])).abs() < 1e-14);
    /// assert_eq!(power.supplied[0], power.outputs[[0, 0]] * 2.0);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the energy's state has an odd dimension D, it is a network of another number of outputs
    /// than one, or the force is not one of D numbers.
    pub fn port_hamiltonian<T: Scalar>(energy: E, force: Q) -> Result<Self, ModelError>
    where
        E: DifferentiableEnergy<T>,
        Q: GeneralisedForce<T>,
    {
        Self::acting::<T>(energy, force, true)
    }

    /// The field of a force on all of the state, or on the momenta.
    pub(crate) fn acting<T: Scalar>(energy: E, force: Q, on_state: bool) -> Result<Self, ModelError>
    where
        E: DifferentiableEnergy<T>,
        Q: GeneralisedForce<T>,
    {
        energy.check()?;
        let dim = energy.input_dim();
        if dim == 0 || dim % 2 != 0 {
            return Err(ModelError::OddDimension { dim });
        }
        force.check(dim, if on_state { dim } else { dim / 2 })?;
        Ok(Self { energy, force, on_state })
    }

    /// Whether the force acts on all of the state ([`port_hamiltonian`](Self::port_hamiltonian)), or
    /// on the momenta.
    #[must_use]
    pub fn acts_on_state(&self) -> bool {
        self.on_state
    }

    /// The coordinates that the force acts on, of `len` numbers of a batch.
    fn forced_rows(&self, len: usize) -> std::ops::Range<usize> {
        if self.on_state { 0..len } else { len / 2..len }
    }

    /// What changes the energy of states of shape (B, D) at times (B) under inputs (B, K):
    /// `dH/dt = y . u - dH/dx . R dH/dx` with `y = G^T dH/dx`.
    ///
    /// # Errors
    /// If an array has another shape, or the engine fails.
    pub fn power_balance<T: Scalar>(
        &self,
        times: ArrayView1<'_, T>,
        states: ArrayView2<'_, T>,
        inputs: ArrayView2<'_, T>,
    ) -> Result<PowerBalance<T>, FieldError>
    where
        E: DifferentiableEnergy<T>,
        Q: GeneralisedForce<T>,
    {
        power_balance(self, &self.force, (times, states, inputs), |_, gradient| {
            gradient[self.forced_rows(gradient.len())].to_vec()
        })
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
        let rows = self.forced_rows(x.len());
        let (effort, dx) = (&gradient[rows.clone()], &mut dx[rows]);
        self.force.add(at, x, effort, dx, parts.part(|parts| &mut parts.1))
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
        // What the force sees as velocity is of H's gradient: its cotangent is a direction of that.
        let (theta_of_force, rows) = (theta.reborrow().part(own..), self.forced_rows(len));
        let q_dot = &mut w[rows.clone()];
        let bars = ForceBars { x: force_x_bar, q_dot, u, theta: theta_of_force };
        let (effort, force_bar) = (&gradient[rows.clone()], &v[rows]);
        self.force.add_vjp(x, effort, force, force_bar, bars)?;
        self.energy.gradient_vjp(x, energy, w, x_bar, theta.part(..own))?;
        add(x_bar, force_x_bar);
        Ok(())
    }
}
