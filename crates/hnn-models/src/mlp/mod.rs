//! Multilayer perceptrons, the networks of the native engine.

mod activation;
mod architecture;
mod blocks;
mod dropout;
mod elementwise;
mod energy;
mod initialisation;
mod jacobian;
mod lagrangian;
mod linalg;
mod map;
mod packed;
mod passes;
mod rows;
mod single;

use hnn_integrators::{FieldError, Mode, Parameters, Scalar};

pub use activation::Activation;
pub use architecture::{Architecture, Layer};
pub use initialisation::Initialisation;

pub(crate) use dropout::Dropout;

use self::packed::Packed;

use crate::{ModelError, Network};

/// A multilayer perceptron of any depth and width.
///
/// As a [`DifferentiableMap`](crate::DifferentiableMap) it is the network `y = N(x)`; with one
/// output it is also a [`DifferentiableEnergy`](crate::DifferentiableEnergy) `H(x)`.
///
/// ```
/// use hnn_models::{Architecture, DifferentiableEnergy, Initialisation, Mlp};
/// use hnn_integrators::Workspace;
/// let mlp = Mlp::<f64>::new(Architecture::new(&[2, 16, 16, 1])?, Initialisation::Orthogonal, 0);
/// // The energies of two states, (q, p) = (0.1, 1.0) and (0.2, 2.0), coordinate-major.
/// let mut energy = [0.0; 2];
/// mlp.energy(&[0.1, 0.2, 1.0, 2.0], &mut energy, &mut Workspace::default())?;
/// assert!(energy[0] != energy[1]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Mlp<T> {
    architecture: Architecture,
    layers: Vec<Layer>,
    theta: Vec<T>,
    dropout: Option<Dropout<T>>,
    packed: Packed<T>,
}

impl<T: Scalar> Mlp<T> {
    /// A network with random weights; the same seed gives the same numbers.
    ///
    /// ```
    /// use hnn_models::{Architecture, Initialisation, Mlp};
    /// let network = |seed| -> Result<_, hnn_models::ModelError> {
    ///     Ok(Mlp::<f32>::new(Architecture::new(&[2, 8, 1])?, Initialisation::Glorot, seed))
    /// };
    /// assert!(network(1)? == network(1)? && network(1)? != network(2)?);
    /// # Ok::<(), hnn_models::ModelError>(())
    /// ```
    #[must_use]
    pub fn new(architecture: Architecture, initialisation: Initialisation, seed: u64) -> Self {
        let theta = initialisation.parameters(&architecture, seed);
        Self::of(architecture, theta)
    }

    /// A network with given weights, in the order of [`Architecture::layers`].
    ///
    /// ```
    /// use hnn_models::{Architecture, Mlp};
    /// // y = 2 tanh(3 x + 1).
    /// let mlp = Mlp::from_params(Architecture::new(&[1, 1, 1])?, vec![3.0, 1.0, 2.0])?;
    /// assert_eq!(mlp.params(), [3.0, 1.0, 2.0]);
    /// assert!(Mlp::from_params(Architecture::new(&[1, 1, 1])?, vec![f64::NAN; 3]).is_err());
    /// # Ok::<(), hnn_models::ModelError>(())
    /// ```
    ///
    /// # Errors
    /// If their number is not the architecture's, or one is NaN or infinite.
    pub fn from_params(architecture: Architecture, theta: Vec<T>) -> Result<Self, ModelError> {
        FieldError::check_parameters(theta.len(), architecture.num_params())?;
        if let Some(index) = theta.iter().position(|w| !w.is_finite()) {
            return Err(ModelError::NonFiniteParameter { index, value: theta[index].to_f64() });
        }
        Ok(Self::of(architecture, theta))
    }

    fn of(architecture: Architecture, theta: Vec<T>) -> Self {
        let (layers, packed) = (architecture.layers(), Packed::default());
        Self { layers, architecture, theta, dropout: None, packed }
    }

    /// The shape of the network.
    ///
    /// ```
    /// use hnn_models::{Architecture, Mlp};
    /// let mlp = Mlp::from_params(Architecture::new(&[1, 1, 1])?, vec![3.0, 1.0, 2.0])?;
    /// assert_eq!(mlp.architecture().sizes(), [1, 1, 1]);
    /// # Ok::<(), hnn_models::ModelError>(())
    /// ```
    #[must_use]
    pub fn architecture(&self) -> &Architecture {
        &self.architecture
    }

    /// The flat parameter vector, in the order of [`Architecture::layers`].
    ///
    /// ```
    /// use hnn_models::{Architecture, Mlp};
    /// let mlp = Mlp::from_params(Architecture::new(&[1, 1, 1])?, vec![3.0, 1.0, 2.0])?;
    /// assert_eq!(mlp.params().len(), mlp.architecture().num_params());
    /// # Ok::<(), hnn_models::ModelError>(())
    /// ```
    #[must_use]
    pub fn params(&self) -> &[T] {
        &self.theta
    }

    fn weights(&self, layer: &Layer) -> Weights<'_, T> {
        let rows = &self.theta[layer.weights()];
        Weights { rows, start: layer.start, network: self }
    }

    fn bias(&self, layer: &Layer) -> Option<&[T]> {
        layer.has_bias.then(|| &self.theta[layer.bias()..layer.end()])
    }

    /// The hidden layers and the output layer.
    fn split_layers(&self) -> (&[Layer], &Layer) {
        let (output, hidden) = self.layers.split_last().expect("a network has an output layer");
        (hidden, output)
    }

    /// The dropout of the hidden layers, if any.
    #[cfg(feature = "tch")]
    pub(crate) fn dropout(&self) -> Option<&Dropout<T>> {
        self.dropout.as_ref()
    }

    /// Checks slices of as many numbers as the batch has inputs.
    fn check_states<const N: usize>(
        &self,
        batch: usize,
        slices: [(&'static str, usize); N],
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.architecture.input_dim() * batch, slices)
    }

    /// Checks slices of as many numbers as the batch has outputs.
    fn check_outputs<const N: usize>(
        &self,
        batch: usize,
        slices: [(&'static str, usize); N],
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.architecture.output_dim() * batch, slices)
    }

    /// Number of hidden units.
    fn hidden_units(&self) -> usize {
        self.split_layers().1.unit
    }

    /// Number of units of the widest hidden layer.
    fn widest(&self) -> usize {
        self.split_layers().0.iter().map(|l| l.rows).max().unwrap_or(0)
    }
}

/// The weights of a layer.
#[derive(Clone, Copy)]
struct Weights<'a, T> {
    /// As they lie among the parameters, row by row.
    rows: &'a [T],
    start: usize,
    network: &'a Mlp<T>,
}

impl<'a, T: Scalar> Weights<'a, T> {
    /// As single states read them.
    fn packed(&self) -> &'a [T] {
        let Mlp { packed, theta, layers, .. } = self.network;
        packed.rows(theta, layers, layers.partition_point(|layer| layer.start < self.start))
    }
}

impl<T: Scalar> Network<T> for Mlp<T> {
    fn input_dim(&self) -> usize {
        self.architecture.input_dim()
    }
}

impl<T: Scalar> Parameters<T> for Mlp<T> {
    fn num_params(&self) -> usize {
        self.theta.len()
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.theta.len())?;
        out.copy_from_slice(&self.theta);
        Ok(())
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.theta.len())?;
        self.theta.copy_from_slice(theta);
        self.packed.update(&self.theta, &self.layers);
        Ok(())
    }

    fn set_mode(&mut self, mode: Mode) {
        let hidden_units = self.hidden_units();
        if let Some(dropout) = &mut self.dropout {
            dropout.set_mode(mode, hidden_units);
        }
    }
}
