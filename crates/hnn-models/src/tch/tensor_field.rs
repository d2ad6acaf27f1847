//! Models as functions of tensors, for losses that stay in libtorch from end to end.

use hnn_integrators::FieldError;
use tch::Tensor;

use super::energy::{gradient, tracked};
use super::network::{Graph, engine};
use super::{TchEnergy, TchLagrangian, TchMap, TchScalar};
use crate::{Baseline, FrictionForce, Hnn, Network};

/// A model whose field can be written as a tensor, with the graph of its derivatives with respect
/// to the states and the parameters.
///
/// Implemented by every model that is made of libtorch networks alone. What is computed with it
/// never leaves the device (see [`trajectory`](super::trajectory)).
pub trait TensorField<T: TchScalar> {
    /// `dx/dt` for states of shape (B, D).
    ///
    /// # Errors
    /// If the module fails or gives a wrong shape.
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError>;

    /// The trainable tensors, in the order of the flat parameter vector, shared with the module.
    fn tensor_params(&self) -> Vec<Tensor>;
}

impl<T: TchScalar> TensorField<T> for Hnn<TchEnergy<T>> {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        symplectic(self.energy_network(), x)
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        self.energy_network().network().tensors()
    }
}

impl<T: TchScalar> TensorField<T> for Hnn<TchEnergy<T>, FrictionForce<TchMap<T>>> {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        let f = symplectic(self.energy_network(), x)?;
        let friction = self.force().friction();
        let force = friction.forward(&friction.network().lock(), x)?;
        let n = x.size()[1] / 2;
        let combined =
            || Tensor::f_cat(&[f.f_narrow(1, 0, n)?, f.f_narrow(1, n, n)?.f_sub(&force)?], 1);
        combined().map_err(engine)
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        let mut params = self.energy_network().network().tensors();
        params.extend(self.force().friction().network().tensors());
        params
    }
}

impl<T: TchScalar> TensorField<T> for Baseline<TchMap<T>> {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        let map = self.network();
        debug_assert_eq!(x.size()[1] as usize, map.input_dim());
        map.forward(&map.network().lock(), x)
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        self.network().network().tensors()
    }
}

impl<T: TchScalar> TensorField<T> for TchLagrangian<T> {
    fn tensor_field(&self, x: &Tensor) -> Result<Tensor, FieldError> {
        let x = if x.requires_grad() { x.shallow_clone() } else { tracked(x)? };
        self.field(&self.network().lock(), &x, Graph::Differentiate)
    }

    fn tensor_params(&self) -> Vec<Tensor> {
        self.network().tensors()
    }
}

/// `J grad H` of shape (B, 2n).
fn symplectic<T: TchScalar>(energy: &TchEnergy<T>, x: &Tensor) -> Result<Tensor, FieldError> {
    let g = gradient(&energy.network().lock(), x, Graph::Differentiate)?;
    let n = g.size()[1] / 2;
    let swapped = || Tensor::f_cat(&[g.f_narrow(1, n, n)?, g.f_narrow(1, 0, n)?.f_neg()?], 1);
    swapped().map_err(engine)
}
