//! A Lagrangian that starts from a free particle's.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use crate::parameters::parameters;
use crate::{
    Coordinate, DifferentiableLagrangian, EulerLagrange, Keep, LagrangianTerms, ModelError,
    MotionBars, Network,
};

/// `L(q, v) = m |v|^2 / 2 + N(q, v)`: a network on top of the kinetic energy of a mass `m`.
///
/// It represents what the network does (which can learn to subtract the term), but its mass matrix
/// starts as `m I` plus the network's Hessian. A network's own Hessian starts small and of any
/// sign, so its accelerations start near a pole, and gradients that pass through it are huge; with
/// the term, training starts from a regular equation of motion.
///
/// ```
/// use hnn_models::{Activation, Architecture, Initialisation, KineticPrior, Lnn, Mlp};
/// let architecture = Architecture::new(&[4, 32, 1])?.with_activation(Activation::Softplus);
/// let network = Mlp::<f64>::new(architecture, Initialisation::Orthogonal, 1);
/// let x = ndarray::array![[0.1, 0.2, 0.3, 0.4]];
/// let bare = Lnn::new(network.clone())?.conditioning(x.view())?;
/// let model = Lnn::new(KineticPrior::new(network, 1.0)?)?;
/// assert!(model.conditioning(x.view())?[0] > bare[0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KineticPrior<L> {
    network: L,
    mass: f64,
}

impl<L> KineticPrior<L> {
    /// A network on top of the kinetic energy of a mass.
    ///
    /// # Errors
    /// If the mass is not a positive number.
    pub fn new(network: L, mass: f64) -> Result<Self, ModelError> {
        if mass > 0.0 && mass.is_finite() {
            return Ok(Self { network, mass });
        }
        Err(ModelError::Mass { mass })
    }

    /// The network `N`.
    pub fn network(&self) -> &L {
        &self.network
    }

    /// The mass `m`.
    #[must_use]
    pub const fn mass(&self) -> f64 {
        self.mass
    }

    /// The coordinates' rates are as many as the velocities.
    fn check_rates<T: Scalar>(&self, batch: usize, q_dot: &[T]) -> Result<(), FieldError>
    where
        L: DifferentiableLagrangian<T>,
    {
        let expected = self.network.input_dim() / 2 * batch;
        FieldError::check_lengths(expected, [("the coordinates' rates", q_dot.len())])
    }

    /// Adds the term's derivatives; the velocities `v` are the last n of the state's coordinates.
    fn add_to<T: Scalar>(&self, batch: usize, v: &[T], terms: &mut LagrangianTerms<'_, T>) {
        let mass = T::from_f64(self.mass);
        let n = v.len() / batch.max(1);
        let first = terms.gradient.len() - v.len();
        let momenta = terms.gradient[first..].iter_mut().zip(v);
        momenta.for_each(|(p, v)| *p += mass * *v);
        for i in 0..n {
            let diagonal = &mut terms.mass[(i * n + i) * batch..][..batch];
            diagonal.iter_mut().for_each(|entry| *entry += mass);
        }
    }
}

parameters!(KineticPrior<L>: network);

impl<T: Scalar, L: Network<T>> Network<T> for KineticPrior<L> {
    fn input_dim(&self) -> usize {
        self.network.input_dim()
    }

    fn coordinate(&self, index: usize) -> Coordinate {
        if index >= self.network.input_dim() / 2 {
            return Coordinate::Velocity;
        }
        self.network.coordinate(index)
    }
}

impl<T: Scalar, L: DifferentiableLagrangian<T>> DifferentiableLagrangian<T> for KineticPrior<L> {
    type Residuals = L::Residuals;

    /// Its coordinates' rates are its velocities: no change of coordinates goes around it (but any
    /// inside).
    fn check(&self, velocities: usize) -> Result<(), ModelError> {
        let dim = self.network.input_dim();
        if dim != 2 * velocities {
            let (role, expected) = ("kinetic prior's", 2 * velocities);
            return Err(ModelError::InputSize { role, given: dim, expected });
        }
        self.network.check(velocities)
    }

    fn lagrangian(
        &self,
        x: &[T],
        value: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.network.lagrangian(x, value, workspace)?;
        let half = T::from_f64(0.5 * self.mass);
        for v in x[x.len() / 2..].chunks_exact(value.len().max(1)) {
            value.iter_mut().zip(v).for_each(|(l, v)| *l += half * *v * *v);
        }
        Ok(())
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        mut terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        self.check_rates(batch, q_dot)?;
        self.network.terms(batch, x, q_dot, terms.reborrow(), keep)?;
        self.add_to(batch, &x[x.len() / 2..], &mut terms);
        Ok(())
    }

    /// The term's part of the residual, `-m lambda . q_ddot`, depends on no state and no
    /// parameter.
    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        self.network.terms_vjp(x, residuals, directions, bars, theta_bar)
    }

    fn sizes(&self) -> Option<&[f64]> {
        self.network.sizes()
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
