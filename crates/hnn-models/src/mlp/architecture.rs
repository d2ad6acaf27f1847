//! The shape of a network.

use std::ops::Range;

use hnn_integrators::TooLarge;
use serde::{Deserialize, Serialize};

use super::Activation;
use crate::ModelError;

/// Layer sizes, activation and output bias of a multilayer perceptron.
///
/// `a_0 = x`, `a_l = sigma(W_l a_(l-1) + b_l)` for the hidden layers, `y = W a_L (+ b)`.
///
/// ```
/// use hnn_models::{Activation, Architecture};
/// let a = Architecture::new(&[2, 200, 200, 1])?.with_activation(Activation::Softplus);
/// assert_eq!(a.num_params(), 2 * 200 + 200 + 200 * 200 + 200 + 200);
/// assert!(Architecture::new(&[2, 0, 1]).is_err());
/// # Ok::<(), hnn_models::ModelError>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "Unchecked")]
pub struct Architecture {
    sizes: Vec<usize>,
    activation: Activation,
    output_bias: bool,
}

/// What a text or a file says.
#[derive(Deserialize)]
struct Unchecked {
    sizes: Vec<usize>,
    activation: Activation,
    output_bias: bool,
}

impl TryFrom<Unchecked> for Architecture {
    type Error = ModelError;

    fn try_from(given: Unchecked) -> Result<Self, ModelError> {
        let architecture = Self::new(&given.sizes)?;
        Ok(architecture.with_activation(given.activation).with_output_bias(given.output_bias))
    }
}

/// Of a parameter, with its gradient and what training keeps of it.
const BYTES: usize = 64;

impl Architecture {
    /// A network with `sizes = [input, hidden.., output]`, tanh, and no bias on the output layer
    /// (in a Hamiltonian it would be a constant energy).
    ///
    /// # Errors
    /// If there are fewer than two sizes, one is 0, or they make more than 2^24 parameters.
    pub fn new(sizes: &[usize]) -> Result<Self, ModelError> {
        if sizes.len() < 2 || sizes.contains(&0) {
            return Err(ModelError::LayerSizes { sizes: sizes.to_vec() });
        }
        let of_layer = |pair: &[usize]| pair[0].saturating_add(1).saturating_mul(pair[1]);
        let params = sizes.windows(2).map(of_layer).fold(0, usize::saturating_add);
        let remedy = "give smaller layers, such as 200";
        TooLarge::check("parameters of a network", params, BYTES, remedy)?;
        Ok(Self { sizes: sizes.to_vec(), activation: Activation::Tanh, output_bias: false })
    }

    /// The same with another activation.
    #[must_use]
    pub fn with_activation(mut self, activation: Activation) -> Self {
        self.activation = activation;
        self
    }

    /// The same with or without a bias on the output layer.
    #[must_use]
    pub fn with_output_bias(mut self, output_bias: bool) -> Self {
        self.output_bias = output_bias;
        self
    }

    /// `[input, hidden.., output]`.
    #[must_use]
    pub fn sizes(&self) -> &[usize] {
        &self.sizes
    }

    /// The activation of the hidden layers.
    #[must_use]
    pub fn activation(&self) -> Activation {
        self.activation
    }

    /// Whether the output layer has a bias.
    #[must_use]
    pub fn output_bias(&self) -> bool {
        self.output_bias
    }

    /// Number of inputs.
    #[must_use]
    pub fn input_dim(&self) -> usize {
        self.sizes[0]
    }

    /// Number of outputs.
    #[must_use]
    pub fn output_dim(&self) -> usize {
        self.sizes[self.sizes.len() - 1]
    }

    /// Number of parameters.
    #[must_use]
    pub fn num_params(&self) -> usize {
        self.layers().last().map_or(0, Layer::end)
    }

    /// Where each layer's weights lie in the flat parameter vector: `W_1` row by row
    /// (`[out][in]`, as PyTorch's `Linear`), `b_1`, `W_2`, ...
    #[must_use]
    pub fn layers(&self) -> Vec<Layer> {
        let last = self.sizes.len() - 2;
        let mut start = 0;
        let mut unit = 0;
        let shape = |(index, pair): (usize, &[usize])| {
            let has_bias = index < last || self.output_bias;
            let layer = Layer { rows: pair[1], cols: pair[0], start, unit, has_bias };
            start = layer.end();
            unit += layer.rows;
            layer
        };
        self.sizes.windows(2).enumerate().map(shape).collect()
    }
}

/// One layer `W a + b` in the flat parameter vector.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layer {
    /// Number of outputs.
    pub rows: usize,
    /// Number of inputs.
    pub cols: usize,
    /// Where `W` begins; `b` follows it.
    pub start: usize,
    /// Number of units in the layers before this one.
    pub(super) unit: usize,
    /// Whether there is a `b`.
    pub has_bias: bool,
}

impl Layer {
    /// Where `b` begins, and `W` ends.
    #[must_use]
    pub fn bias(&self) -> usize {
        self.start + self.rows * self.cols
    }

    /// Where `W` lies.
    pub(super) fn weights(&self) -> Range<usize> {
        self.start..self.bias()
    }

    /// Where `b` lies.
    pub(super) fn biases(&self) -> Range<usize> {
        self.bias()..self.end()
    }

    /// Where the next layer begins.
    #[must_use]
    pub fn end(&self) -> usize {
        self.bias() + if self.has_bias { self.rows } else { 0 }
    }
}
