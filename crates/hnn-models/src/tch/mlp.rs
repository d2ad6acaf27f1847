//! Perceptrons as libtorch modules, with PyTorch's names.

use std::ops::Range;

use hnn_integrators::{Mode, Scalar};
use tch::kind::Element;
use tch::nn::VarStore;
use tch::{Device, TchError, Tensor};

use super::require_device;
use crate::mlp::Dropout;
use crate::{Activation, Architecture, Mlp, ModelError};

/// A multilayer perceptron to be built in libtorch: the native engine's [`Mlp`] with its weights
/// and its dropout, and the names of its layers.
///
/// So the same architecture, initialisation and seed give the same network in both engines, and in
/// training the same units are dropped.
/// Weights are registered as `linear1.weight`, `linear1.bias`, `linear2.weight`, .., the names and
/// the `[out][in]` layout of PyTorch's `Linear`, in the order of the native engine's flat vector.
///
/// ```
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp, tch::{TchEnergy, TchMlp}};
/// let network = Mlp::new(Architecture::new(&[2, 200, 200, 1])?, Initialisation::Orthogonal, 1);
/// let network = TchMlp::from(network.with_dropout(0.1, 7)?);
/// let model = Hnn::new(TchEnergy::<f32>::mlp(network, tch::Device::Cpu)?)?;
/// assert_eq!(model.energy_network().network().named_tensors()[0].0, "linear1.bias");
/// # Ok::<(), hnn_models::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct TchMlp<T> {
    native: Mlp<T>,
    prefix: String,
}

impl<T> From<Mlp<T>> for TchMlp<T> {
    /// The layers are named `linear1`, `linear2`, ...
    fn from(native: Mlp<T>) -> Self {
        Self { native, prefix: "linear".to_owned() }
    }
}

impl<T: Scalar + Element> TchMlp<T> {
    /// The same with layers named `{prefix}1`, `{prefix}2`, ...
    #[must_use]
    pub fn with_layer_prefix(mut self, prefix: &str) -> Self {
        prefix.clone_into(&mut self.prefix);
        self
    }

    pub(super) fn architecture(&self) -> &Architecture {
        self.native.architecture()
    }

    /// The variables, and the module that shares them.
    pub(super) fn build(&self, device: Device) -> Result<(VarStore, Perceptron<T>), ModelError> {
        require_device(device)?;
        let store = VarStore::new(device);
        let mut layers = Vec::new();
        for (index, layer) in self.architecture().layers().iter().enumerate() {
            let path = store.root() / format!("{}{}", self.prefix, index + 1);
            let variable = |name, shape: &[i64], numbers: Range<usize>| {
                let numbers = Tensor::from_slice(&self.native.params()[numbers]);
                path.add(name, numbers.view(shape).to_device(device), true)
            };
            let (rows, cols) = (layer.rows as i64, layer.cols as i64);
            let weight = variable("weight", &[rows, cols], layer.start..layer.bias());
            let bias = || variable("bias", &[rows], layer.bias()..layer.end());
            layers.push((weight, layer.has_bias.then(bias)));
        }
        let activation = self.architecture().activation();
        let dropout = self.native.dropout().cloned();
        Ok((store, Perceptron { layers, activation, dropout, factors: Vec::new() }))
    }
}

/// The layers' weights and biases, shared with their store.
#[derive(Debug)]
pub(super) struct Perceptron<T> {
    layers: Vec<(Tensor, Option<Tensor>)>,
    activation: Activation,
    dropout: Option<Dropout<T>>,
    /// What each hidden layer's units are multiplied by in training mode.
    factors: Vec<Tensor>,
}

impl<T: Scalar + Element> Perceptron<T> {
    pub(super) fn forward(&self, x: &Tensor) -> Tensor {
        let mut a = x.shallow_clone();
        for (index, (weight, bias)) in self.layers.iter().enumerate() {
            a = a.linear(weight, bias.as_ref());
            if index + 1 < self.layers.len() {
                a = activate(self.activation, &a);
                if let Some(factors) = self.factors.get(index) {
                    a = &a * factors;
                }
            }
        }
        a
    }

    /// Draws the native engine's dropout factors for a step.
    pub(super) fn set_mode(&mut self, mode: Mode) -> Result<(), TchError> {
        let Some(dropout) = &mut self.dropout else { return Ok(()) };
        let hidden = &self.layers[..self.layers.len() - 1];
        let units = hidden.iter().map(|(weight, _)| weight.size()[0] as usize);
        dropout.set_mode(mode, units.clone().sum());
        let mut rest = dropout.factors();
        self.factors.clear();
        if rest.is_empty() {
            return Ok(());
        }
        for ((weight, _), units) in hidden.iter().zip(units) {
            let (factors, next) = rest.split_at(units);
            self.factors.push(Tensor::f_from_slice(factors)?.f_to_device(weight.device())?);
            rest = next;
        }
        Ok(())
    }
}

fn activate(activation: Activation, z: &Tensor) -> Tensor {
    match activation {
        Activation::Tanh => z.tanh(),
        // libtorch's own softplus is linear above 20, an error of 2e-9 in double precision.
        Activation::Softplus => z.zeros_like().logaddexp(z),
        Activation::Sin => z.sin(),
        Activation::Sigmoid => z.sigmoid(),
        Activation::Swish => z.silu(),
    }
}
