//! A network in scaled units.

use hnn_integrators::Scalar;

use crate::parameters::parameters;
use crate::{Coordinate, ModelError, Network};

/// A network behind a change of units: `c N((x - m) / s)`.
///
/// With the network an energy, a map or a Lagrangian, the scaled one is too, with exact derivatives,
/// and goes wherever the network goes. It is made by [`Scales`](crate::Scales), and its parameters are
/// the network's.
///
/// ```
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp, Persist, Scaled, Scales};
/// use ndarray::array;
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let (x, dx) = (array![[0.1, 3e5], [0.3, 1e5]], array![[3e-4, -2e7], [1e-4, -6e7]]);
/// let model = Hnn::new(Scales::new(x.view(), dx.view())?.energy(network)?)?;
/// assert_eq!(model.energy_network().mean(), [0.2, 2e5]);
/// // Scales are a part of the model, and of its file.
/// model.save(&path)?;
/// assert_eq!(Hnn::<Scaled<Mlp<f64>>>::load(&path)?, model);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Scaled<N> {
    pub(super) network: N,
    mean: Vec<f64>,
    size: Vec<f64>,
    outputs: Vec<f64>,
}

impl<N> Scaled<N> {
    /// From the mean `m` and the size `s` of each input, and what outputs are multiplied by.
    pub(crate) fn new<T: Scalar>(
        network: N,
        mean: Vec<f64>,
        size: Vec<f64>,
        outputs: Vec<f64>,
    ) -> Result<Self, ModelError>
    where
        N: Network<T>,
    {
        let (given, expected) = (network.input_dim(), size.len().min(mean.len()));
        if given != expected {
            return Err(ModelError::InputSize { role: "scaled", given, expected });
        }
        // Within the range with some room for what they are multiplied by.
        let least = T::EPSILON.to_f64().powi(4);
        let is_sound = |scale: &f64| (least..=least.recip()).contains(scale);
        let products = outputs.iter().flat_map(|c| size.iter().map(move |s| c / s));
        let scales = size.iter().chain(&outputs).copied().chain(products);
        if let Some(given) = scales.into_iter().find(|scale| !is_sound(scale)) {
            return Err(ModelError::ScaleRange { given, scalar: T::NAME });
        }
        if let Some(given) = mean.iter().find(|mean| !T::from_f64(**mean).is_finite()) {
            return Err(ModelError::ScaleRange { given: *given, scalar: T::NAME });
        }
        Ok(Self { network, mean, size, outputs })
    }

    /// The network, which sees scaled numbers.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The mean `m` of each input.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.mean
    }

    /// The size `s` of each input.
    #[must_use]
    pub fn size(&self) -> &[f64] {
        &self.size
    }

    /// What the outputs are multiplied by: one number of an energy or a Lagrangian.
    #[must_use]
    pub fn outputs(&self) -> &[f64] {
        &self.outputs
    }

    /// Checks that there is one size for the one output of an energy or a Lagrangian.
    pub(super) fn check_scalar(&self) -> Result<(), ModelError> {
        match self.outputs.len() {
            1 => Ok(()),
            given => Err(ModelError::OutputSize { role: "scaled", given, expected: 1 }),
        }
    }

    /// What an energy is multiplied by.
    pub(super) fn energy_size(&self) -> f64 {
        self.outputs.first().copied().unwrap_or(1.0)
    }

    /// `z = (x - m) / s`.
    pub(super) fn scale<T: Scalar>(&self, batch: usize, x: &[T], z: &mut [T]) {
        let columns = x.chunks_exact(batch.max(1)).zip(z.chunks_exact_mut(batch.max(1)));
        for ((x, z), (mean, size)) in columns.zip(self.mean.iter().zip(&self.size)) {
            let (mean, inverse) = (T::from_f64(*mean), T::from_f64(size.recip()));
            z.iter_mut().zip(x).for_each(|(z, x)| *z = (*x - mean) * inverse);
        }
    }
}

/// Multiplies each column of a batch by its factor.
pub(super) fn multiply<T: Scalar>(
    batch: usize,
    factors: impl IntoIterator<Item = f64>,
    columns: &mut [T],
) {
    for (column, factor) in columns.chunks_exact_mut(batch.max(1)).zip(factors) {
        let factor = T::from_f64(factor);
        column.iter_mut().for_each(|x| *x *= factor);
    }
}

/// Copies a batch, each column multiplied by its factor.
pub(super) fn multiplied<T: Scalar>(
    batch: usize,
    factors: impl IntoIterator<Item = f64>,
    columns: &[T],
    out: &mut [T],
) {
    out.copy_from_slice(columns);
    multiply(batch, factors, out);
}

parameters!(Scaled<N>: network);

impl<T: Scalar, N: Network<T>> Network<T> for Scaled<N> {
    fn input_dim(&self) -> usize {
        self.network.input_dim()
    }

    fn coordinate(&self, index: usize) -> Coordinate {
        self.network.coordinate(index)
    }
}
