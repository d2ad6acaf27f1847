//! The Hamiltonian neural network.

use hnn_integrators::{
    At, DifferentiableField, FieldError, Mode, Parameters, Scalar, VectorField, Workspace,
};
use hnn_systems::Hamiltonian;

use crate::{DifferentiableEnergy, ModelError};

/// `dx/dt = J grad H(x)`: `dq/dt = dH/dp`, `dp/dt = -dH/dq` with a learned energy `H`
/// (Greydanus et al. 2019).
///
/// ```
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
/// use hnn_integrators::VectorField;
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let model = Hnn::new(network)?;
/// assert_eq!(model.eval_state(0.0, &[0.1, 0.2])?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Hnn<E> {
    energy: E,
}

/// What an [`Hnn`] keeps for its vector-Jacobian product.
#[derive(Debug, Default)]
pub struct HnnResiduals<T, R> {
    energy: R,
    /// `grad H` in the forward pass, `w = J^T v` in the pull-back.
    gradient: Vec<T>,
}

impl<E> Hnn<E> {
    /// The field of an energy.
    ///
    /// # Errors
    /// If the energy's state has an odd dimension, or it is a network of another number of outputs
    /// than one.
    pub fn new<T: Scalar>(energy: E) -> Result<Self, ModelError>
    where
        E: DifferentiableEnergy<T>,
    {
        energy.check()?;
        let dim = energy.dim();
        if dim == 0 || dim % 2 != 0 {
            return Err(ModelError::OddDimension { dim });
        }
        Ok(Self { energy })
    }

    /// The energy.
    pub fn energy_network(&self) -> &E {
        &self.energy
    }
}

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

impl<T: Scalar, E: Parameters<T>> Parameters<T> for Hnn<E> {
    fn num_params(&self) -> usize {
        self.energy.num_params()
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        self.energy.copy_params(out)
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        self.energy.set_params(theta)
    }

    fn set_mode(&mut self, mode: Mode) {
        self.energy.set_mode(mode);
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T>> VectorField<T> for Hnn<E> {
    fn dim(&self) -> usize {
        self.energy.dim()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(self.energy.dim() * at.batch(), slices)?;
        let (gradient, inner) = workspace.split(x.len());
        self.energy.gradient(at.batch(), x, gradient, inner)?;
        symplectic(gradient, dx);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.energy.block_len()
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T>> Hamiltonian<T> for Hnn<E> {
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
        self.energy.gradient(batch, x, gradient, workspace)
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T>> DifferentiableField<T> for Hnn<E> {
    type Residuals = HnnResiduals<T, E::Residuals>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the slopes", dx.len())];
        FieldError::check_lengths(self.energy.dim() * at.batch(), slices)?;
        let HnnResiduals { energy, gradient } = residuals;
        gradient.resize(x.len(), T::ZERO);
        self.energy.gradient_recorded(at.batch(), x, gradient, energy)?;
        symplectic(gradient, dx);
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
        let HnnResiduals { energy, gradient: w } = residuals;
        FieldError::check_lengths(w.len(), [("the cotangents", v.len())])?;
        symplectic_transposed(v, w);
        self.energy.gradient_vjp(x, energy, w, x_bar, theta_bar)
    }
}
