//! A separable energy.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use crate::force::add;
use crate::parameters::parameters;
use crate::{DifferentiableEnergy, Keep, ModelError, Network};

/// `H(q, p) = T(p) + V(q)` as an energy of states, for an [`Hnn`](crate::Hnn) with forces. Without forces a
/// [`SeparableHnn`](crate::SeparableHnn) is the same field, which symplectic methods step.
///
/// Parameters: those of `T`, then those of `V`.
///
/// ```
/// use hnn_models::{
///     Architecture, FrictionLaw, FrictionTerm, Hnn, Initialisation, KineticEnergy, Mlp, SeparableEnergy,
/// };
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let energy = SeparableEnergy::new(KineticEnergy::new(&[1.0], 2)?, network)?;
/// let model = Hnn::forced(energy, FrictionLaw::new(2, &[FrictionTerm::Viscous])?)?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct SeparableEnergy<K, V> {
    kinetic: K,
    potential: V,
}

impl<K, V> SeparableEnergy<K, V> {
    /// Of a kinetic energy of the momenta and a potential energy of the positions.
    ///
    /// # Errors
    /// If the two have different numbers of inputs, or none, or one is no energy.
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

parameters!(SeparableEnergy<K, V>: kinetic, potential);

impl<T, K, V> Network<T> for SeparableEnergy<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T>,
    V: DifferentiableEnergy<T>,
{
    fn input_dim(&self) -> usize {
        2 * self.kinetic.input_dim()
    }

    fn coordinate(&self, index: usize) -> crate::Coordinate {
        match index.checked_sub(self.potential.input_dim()) {
            None => self.potential.coordinate(index),
            Some(momentum) => self.kinetic.coordinate(momentum),
        }
    }
}

impl<T, K, V> DifferentiableEnergy<T> for SeparableEnergy<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T>,
    V: DifferentiableEnergy<T>,
{
    type Residuals = (K::Residuals, V::Residuals);

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (potential, inner) = workspace.split(energy.len());
        let (q, p) = x.split_at(x.len() / 2);
        self.kinetic.energy(p, energy, inner)?;
        self.potential.energy(q, potential, inner)?;
        add(energy, potential);
        Ok(())
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        mut keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let (q, p) = x.split_at(x.len() / 2);
        let (by_q, by_p) = gradient.split_at_mut(gradient.len() / 2);
        self.kinetic.gradient(batch, p, by_p, keep.part(|parts| &mut parts.0))?;
        self.potential.gradient(batch, q, by_q, keep.part(|parts| &mut parts.1))
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        (kinetic, potential): &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let own = self.kinetic.num_params();
        theta_bar.check_parameters(own + self.potential.num_params())?;
        let ((q, p), (w_q, w_p)) = (x.split_at(x.len() / 2), w.split_at(w.len() / 2));
        let (q_bar, p_bar) = x_bar.split_at_mut(x_bar.len() / 2);
        self.kinetic.gradient_vjp(p, kinetic, w_p, p_bar, theta_bar.reborrow().part(..own))?;
        self.potential.gradient_vjp(q, potential, w_q, q_bar, theta_bar.part(own..))
    }

    fn block_len(&self) -> usize {
        self.kinetic.block_len().min(self.potential.block_len())
    }
}
