//! An energy computed by libtorch.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};
use tch::kind::Element;
use tch::nn::{ModuleT, VarStore};
use tch::{Device, Tensor};

use super::network::{Graph, Inner, engine, gradients};
use super::{TchMlp, TchNetwork, TchResiduals};
use crate::parameters::parameters;
use crate::{DifferentiableEnergy, Keep, ModelError, Network};

/// An energy `H(x)` given by any libtorch module `(B, D) -> (B)` or `(B, 1)`.
///
/// Twice differentiable operations only: `relu` has no second derivative to train with.
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{Hnn, tch::TchEnergy};
/// use tch::{Device, Kind, nn};
///
/// // H = a q^2 + b p^2, with a and b to be learned.
/// let store = nn::VarStore::new(Device::Cpu);
/// let ab = store.root().var("ab", &[2], nn::Init::Const(1.0));
/// let energy = TchEnergy::<f64>::from_fn(store, 2, move |x, _train| {
///     (x.square() * &ab).sum_dim_intlist(1, false, None::<Kind>)
/// })?;
/// let spring = Hnn::new(energy)?;
/// assert_eq!(spring.eval_state(0.0, &[0.5, 0.25])?, [0.5, -1.0]); // (dH/dp, -dH/dq)
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TchEnergy<T> {
    network: TchNetwork<T>,
}

impl<T: Scalar + Element> TchEnergy<T> {
    /// The energy of a module of states of dimension `dim`, whose parameters are those of `store`
    /// (converted to `T`; the device is the store's).
    ///
    /// # Errors
    /// If the device is not there, or the module fails or gives another shape for a batch of two
    /// states.
    pub fn new(
        store: VarStore,
        dim: usize,
        module: impl ModuleT + 'static,
    ) -> Result<Self, ModelError> {
        Self::wrap(TchNetwork::new(store, dim, module)?)
    }

    /// The energy of a closure `H(x, train)`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_fn(
        store: VarStore,
        dim: usize,
        energy: impl Fn(&Tensor, bool) -> Tensor + Send + 'static,
    ) -> Result<Self, ModelError> {
        Self::new(store, dim, tch::nn::func_t(energy))
    }

    /// A perceptron with one output.
    ///
    /// # Errors
    /// As [`new`](Self::new), also if it has another number of outputs.
    pub fn mlp(mlp: impl Into<TchMlp<T>>, device: Device) -> Result<Self, ModelError> {
        Self::wrap(TchNetwork::mlp(&mlp.into(), device)?)
    }

    /// Tries the network on two states.
    fn wrap(network: TchNetwork<T>) -> Result<Self, ModelError> {
        network.eval(&vec![T::default(); 2 * network.dim()], &mut [T::default(); 2], value)?;
        Ok(Self { network })
    }

    /// The module and its parameters.
    pub fn network(&self) -> &TchNetwork<T> {
        &self.network
    }

    /// As [`network`](Self::network), to load variables.
    pub fn network_mut(&mut self) -> &mut TchNetwork<T> {
        &mut self.network
    }
}

fn value<T: Scalar + Element>(network: &Inner<T>, x: &Tensor) -> Result<Tensor, FieldError> {
    tch::no_grad(|| network.forward_scalar(x))
}

/// `grad_x H` of shape (B, D), with the graph of its own derivatives if it is asked for.
pub(super) fn gradient<T: Scalar + Element>(
    network: &Inner<T>,
    x: &Tensor,
    graph: Graph,
) -> Result<Tensor, FieldError> {
    let x = if x.requires_grad() { x.shallow_clone() } else { tracked(x)? };
    let energy = network.forward_scalar(&x)?;
    Ok(gradients(&energy, &[&x], graph)?.swap_remove(0))
}

/// The same numbers as a leaf that gradients are taken with respect to.
pub(super) fn tracked(x: &Tensor) -> Result<Tensor, FieldError> {
    Ok(x.f_detach().map_err(engine)?.set_requires_grad(true))
}

parameters!(impl<T: Scalar + Element> for TchEnergy<T>: network);

impl<T: Scalar + Element> Network<T> for TchEnergy<T> {
    fn input_dim(&self) -> usize {
        self.network.dim()
    }
}

impl<T: Scalar + Element> DifferentiableEnergy<T> for TchEnergy<T> {
    type Residuals = TchResiduals<T>;

    fn energy(&self, x: &[T], energy: &mut [T], _: &mut Workspace<T>) -> Result<(), FieldError> {
        self.network.check_states(energy.len(), [("the states", x.len())])?;
        self.network.eval(x, energy, value)
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        out: &mut [T],
        keep: Keep<'_, T, TchResiduals<T>>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", out.len())];
        self.network.check_states(batch, slices)?;
        match keep {
            Keep::Nothing(_) => {
                self.network.eval(x, out, |network, x| gradient(network, x, Graph::Drop))
            }
            Keep::Residuals(residuals) => {
                self.network.eval_recorded(x, out, residuals, |network, x| {
                    gradient(network, x, Graph::Differentiate)
                })
            }
        }
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut TchResiduals<T>,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(x_bar.len(), [("the states", x.len())])?;
        self.network.vjp(residuals, w, x_bar, theta_bar)
    }

    fn block_len(&self) -> usize {
        usize::MAX
    }
}
