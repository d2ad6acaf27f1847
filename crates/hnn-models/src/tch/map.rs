//! A vector function computed by libtorch.

use hnn_integrators::{FieldError, Scalar, ThetaBar};
use tch::kind::Element;
use tch::nn::{ModuleT, VarStore};
use tch::{Device, Tensor};

use super::network::{Inner, wrong_shape};
use super::{TchMlp, TchNetwork, TchResiduals};
use crate::parameters::parameters;
use crate::{Baseline, DifferentiableMap, Keep, ModelError, Network};

/// The vector field `dx/dt = N(x)` of any libtorch module `(B, D) -> (B, D)`.
pub type TchField<T> = Baseline<TchMap<T>>;

/// A map `y = N(x)` given by any libtorch module `(B, D) -> (B, K)`: a friction, or (K = D) a
/// [`TchField`].
///
/// ```
/// use hnn_integrators::VectorField;
/// use hnn_models::{Baseline, tch::TchMap};
/// use tch::{Device, nn};
///
/// let store = nn::VarStore::new(Device::Cpu);
/// let root = store.root();
/// let network = nn::seq_t()
///     .add(nn::linear(&root / "linear1", 2, 32, Default::default()))
///     .add_fn(|x| x.tanh())
///     .add_fn_t(|x, train| x.dropout(0.1, train))
///     .add(nn::linear(&root / "linear2", 32, 2, Default::default()));
/// let field = Baseline::new(TchMap::<f32>::new(store, 2, network)?)?;
/// assert_eq!(field.eval_state(0.0, &[0.1, 0.2])?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug)]
pub struct TchMap<T> {
    network: TchNetwork<T>,
    output_dim: usize,
}

impl<T: Scalar + Element> TchMap<T> {
    /// The map of a module of states of dimension `dim`, whose parameters are those of `store`
    /// (converted to `T`; the device is the store's).
    ///
    /// # Errors
    /// If the device is not there, or the module fails or gives no shape (2, K) for a batch of two
    /// states.
    pub fn new(
        store: VarStore,
        dim: usize,
        module: impl ModuleT + 'static,
    ) -> Result<Self, ModelError> {
        Self::wrap(TchNetwork::new(store, dim, module)?)
    }

    /// The map of a closure `N(x, train)`.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_fn(
        store: VarStore,
        dim: usize,
        map: impl Fn(&Tensor, bool) -> Tensor + Send + 'static,
    ) -> Result<Self, ModelError> {
        Self::new(store, dim, tch::nn::func_t(map))
    }

    /// A perceptron.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn mlp(mlp: impl Into<TchMlp<T>>, device: Device) -> Result<Self, ModelError> {
        Self::wrap(TchNetwork::mlp(&mlp.into(), device)?)
    }

    /// Tries the network on two states, which tells the number of its outputs.
    fn wrap(network: TchNetwork<T>) -> Result<Self, ModelError> {
        let mut output_dim = 0;
        network.eval(&vec![T::default(); 2 * network.dim()], &mut [], |network, x| {
            let y = tch::no_grad(|| network.forward(x))?;
            match y.size()[..] {
                [2, k] if k > 0 => output_dim = k as usize,
                _ => return Err(wrong_shape(&y, "[2, K]", x)),
            }
            Ok(y.narrow(0, 0, 0))
        })?;
        Ok(Self { network, output_dim })
    }

    /// The module and its parameters.
    pub fn network(&self) -> &TchNetwork<T> {
        &self.network
    }

    /// As [`network`](Self::network), to load variables.
    pub fn network_mut(&mut self) -> &mut TchNetwork<T> {
        &mut self.network
    }

    pub(super) fn forward(&self, network: &Inner<T>, x: &Tensor) -> Result<Tensor, FieldError> {
        let y = network.forward(x)?;
        let expected = [x.size()[0], self.output_dim as i64];
        if y.size() == expected { Ok(y) } else { Err(wrong_shape(&y, &format!("{expected:?}"), x)) }
    }
}

parameters!(impl<T: Scalar + Element> for TchMap<T>: network);

impl<T: Scalar + Element> Network<T> for TchMap<T> {
    fn input_dim(&self) -> usize {
        self.network.dim()
    }
}

impl<T: Scalar + Element> DifferentiableMap<T> for TchMap<T> {
    type Residuals = TchResiduals<T>;

    fn output_dim(&self) -> usize {
        self.output_dim
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, TchResiduals<T>>,
    ) -> Result<(), FieldError> {
        self.check_eval(batch, x, y)?;
        let forward = |network: &Inner<T>, x: &Tensor| self.forward(network, x);
        match keep {
            Keep::Nothing(_) => {
                self.network.eval(x, y, |network, x| tch::no_grad(|| forward(network, x)))
            }
            Keep::Residuals(residuals) => self.network.eval_recorded(x, y, residuals, forward),
        }
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut TchResiduals<T>,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(x_bar.len(), [("the states", x.len())])?;
        self.network.vjp(residuals, y_bar, x_bar, theta_bar)
    }

    fn block_len(&self) -> usize {
        usize::MAX
    }
}
