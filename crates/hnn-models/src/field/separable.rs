//! The separable Hamiltonian neural network.

use hnn_integrators::{
    At, Bars, DifferentiableField, DifferentiableSeparable, FieldError, Parameters, Scalar,
    Separable, ThetaBar, VectorField, Workspace,
};
use hnn_systems::Hamiltonian;

use crate::parameters::parameters;
use crate::{DifferentiableEnergy, Keep, ModelError, Record};

/// `dq/dt = grad T(p)`, `dp/dt = -grad V(q)` with a learned kinetic and a learned potential energy:
/// an HNN whose energy `H = T(p) + V(q)` is separable by construction, so that explicit
/// symplectic methods step it, in trajectory losses too (as in Chen et al. 2020, SRNN).
///
/// Parameters: those of `T`, then those of `V`.
///
/// ```
/// use hnn_integrators::{Interval, Stepper, VELOCITY_VERLET, Workspace};
/// use hnn_models::{Architecture, Initialisation, Mlp, SeparableHnn};
/// let net = |seed| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[1, 16, 1])?, Initialisation::Orthogonal, seed))
/// };
/// let model = SeparableHnn::new(net(1)?, net(2)?)?;
/// let mut next = [0.0; 2];
/// let x = [0.3, -0.2];
/// let over = Interval::new(&[0.0], &[0.1]);
/// VELOCITY_VERLET.step(&model, over, &x, &mut next, &mut Workspace::default())?;
/// assert_ne!(next, x);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SeparableHnn<K, V> {
    kinetic: K,
    potential: V,
}

impl<K, V> SeparableHnn<K, V> {
    /// The field of a kinetic energy of the momenta and a potential energy of the positions.
    ///
    /// # Errors
    /// If the two have different numbers of inputs, or none, or another number of outputs than one.
    pub fn new<T: Scalar>(kinetic: K, potential: V) -> Result<Self, ModelError>
    where
        K: DifferentiableEnergy<T>,
        V: DifferentiableEnergy<T>,
    {
        kinetic.check()?;
        potential.check()?;
        let (given, expected) = (potential.input_dim(), kinetic.input_dim());
        if given != expected || expected == 0 {
            return Err(ModelError::InputSize { role: "potential energy", given, expected });
        }
        Ok(Self { kinetic, potential })
    }

    /// The kinetic energy `T(p)`.
    pub fn kinetic(&self) -> &K {
        &self.kinetic
    }

    /// The potential energy `V(q)`.
    pub fn potential(&self) -> &V {
        &self.potential
    }
}

fn negate<T: Scalar>(x: &mut [T]) {
    x.iter_mut().for_each(|x| *x = -*x);
}

parameters!(SeparableHnn<K, V>: kinetic, potential);

impl<T, K, V> VectorField<T> for SeparableHnn<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T>,
    V: DifferentiableEnergy<T>,
{
    fn dim(&self) -> usize {
        2 * self.kinetic.input_dim()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(2 * self.kinetic.input_dim() * at.batch(), slices)?;
        let ((q, p), (dq, dp)) = (x.split_at(x.len() / 2), dx.split_at_mut(x.len() / 2));
        self.velocity(p, dq, workspace)?;
        self.force(at, q, dp, workspace)
    }

    fn block_len(&self) -> usize {
        self.kinetic.block_len().min(self.potential.block_len())
    }
}

impl<T, K, V> Separable<T> for SeparableHnn<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T>,
    V: DifferentiableEnergy<T>,
{
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.kinetic.gradient(
            p.len() / self.kinetic.input_dim(),
            p,
            velocity,
            Keep::Nothing(workspace),
        )
    }

    fn force(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.potential.gradient(at.batch(), q, force, Keep::Nothing(workspace))?;
        negate(force);
        Ok(())
    }
}

impl<T, K, V> Hamiltonian<T> for SeparableHnn<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T>,
    V: DifferentiableEnergy<T>,
{
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let expected = 2 * self.kinetic.input_dim() * energy.len();
        FieldError::check_lengths(expected, [("the states", x.len())])?;
        let (q, p) = x.split_at(x.len() / 2);
        let (potential, inner) = workspace.split(energy.len());
        self.kinetic.energy(p, energy, inner)?;
        self.potential.energy(q, potential, inner)?;
        energy.iter_mut().zip(potential).for_each(|(sum, v)| *sum += *v);
        Ok(())
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(2 * self.kinetic.input_dim() * batch, slices)?;
        let ((q, p), (by_q, by_p)) = (x.split_at(x.len() / 2), gradient.split_at_mut(x.len() / 2));
        self.potential.gradient(batch, q, by_q, Keep::Nothing(workspace))?;
        self.kinetic.gradient(batch, p, by_p, Keep::Nothing(workspace))
    }
}

impl<T, K, V> DifferentiableSeparable<T> for SeparableHnn<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T>,
    V: DifferentiableEnergy<T>,
{
    type Residuals = Record<T, (K::Residuals, V::Residuals)>;

    fn velocity_recorded(
        &self,
        p: &[T],
        velocity: &mut [T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
    ) -> Result<(), FieldError> {
        let batch = p.len() / self.kinetic.input_dim();
        self.kinetic.gradient(batch, p, velocity, Keep::Residuals(&mut residuals.parts.0))
    }

    fn velocity_vjp(
        &self,
        p: &[T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
        cotangent: &[T],
        p_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        theta_bar.check_parameters(self.num_params())?;
        let own = theta_bar.part(..self.kinetic.num_params());
        self.kinetic.gradient_vjp(p, &mut residuals.parts.0, cotangent, p_bar, own)
    }

    fn force_recorded(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
    ) -> Result<(), FieldError> {
        let keep = Keep::Residuals(&mut residuals.parts.1);
        self.potential.gradient(at.batch(), q, force, keep)?;
        negate(force);
        Ok(())
    }

    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
        cotangent: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        bars.theta.check_parameters(self.num_params())?;
        let own = bars.theta.part(self.kinetic.num_params()..);
        let (negated, (_, potential)) = residuals.begin(0, cotangent.len());
        negated.iter_mut().zip(cotangent).for_each(|(n, c)| *n = -*c);
        self.potential.gradient_vjp(q, potential, negated, bars.x, own)
    }
}

impl<T, K, V> DifferentiableField<T> for SeparableHnn<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T>,
    V: DifferentiableEnergy<T>,
{
    type Residuals = Record<T, (K::Residuals, V::Residuals)>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut <Self as DifferentiableField<T>>::Residuals,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(2 * self.kinetic.input_dim() * at.batch(), slices)?;
        let ((q, p), (dq, dp)) = (x.split_at(x.len() / 2), dx.split_at_mut(x.len() / 2));
        self.velocity_recorded(p, dq, residuals)?;
        self.force_recorded(at, q, dp, residuals)
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut <Self as DifferentiableField<T>>::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let dim = self.dim();
        bars.check(x.len() / dim, [dim, 0, self.num_params()], [x, v])?;
        let Bars { x: x_bar, u, mut theta } = bars;
        let ((q, p), (v_q, v_p)) = (x.split_at(x.len() / 2), v.split_at(x.len() / 2));
        let (q_bar, p_bar) = x_bar.split_at_mut(x.len() / 2);
        self.velocity_vjp(p, residuals, v_q, p_bar, theta.reborrow())?;
        self.force_vjp(q, residuals, v_p, Bars { x: q_bar, u, theta })
    }
}
