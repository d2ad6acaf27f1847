//! What the tests share.

use hnn_integrators::Parameters;
use hnn_models::{Architecture, Initialisation, Mlp};
use ndarray::Array1;

/// A random network.
pub(crate) fn network(sizes: &[usize], seed: u64) -> Mlp<f64> {
    Mlp::new(Architecture::new(sizes).expect("sizes"), Initialisation::Glorot, seed)
}

/// The parameters of a model.
pub(crate) fn params<T: hnn_integrators::Scalar>(model: &impl Parameters<T>) -> Vec<T> {
    let mut theta = vec![T::ZERO; model.num_params()];
    model.copy_params(&mut theta).expect("fits");
    theta
}

/// Numbers in [-1, 1] without a pattern.
pub(crate) fn wave(seed: u64, phase: f64, len: usize) -> Array1<f64> {
    Array1::from_shape_fn(len, |i| (phase + 1.7 * i as f64 + 0.37 * seed as f64).sin())
}

/// The lengths of two to five trajectories, of 1 to 9 rows; the first has at least 2.
pub(crate) fn lengths_of(seed: u64) -> Vec<usize> {
    let count = 2 + seed as usize % 4;
    (0..count).map(|m| if m == 0 { 4 } else { 1 + (seed as usize * 7 + m * 5) % 9 }).collect()
}
