//! Initial weights.

use chacha20::ChaCha12Rng;
use hnn_integrators::Scalar;
use nalgebra::DMatrix;
use rand::{Rng, RngExt, SeedableRng};
use rand_distr::{Distribution, StandardNormal};
use serde::{Deserialize, Serialize};

use super::{Architecture, Layer};

/// How the weights of a network are drawn. Biases are uniform in `+-1/sqrt(fan in)`, as PyTorch's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Initialisation {
    /// A random (semi-)orthogonal matrix (Saxe et al. 2014): that of the original HNN code.
    #[default]
    Orthogonal,
    /// Uniform in `+-sqrt(6 / (fan in + fan out))` (Glorot and Bengio 2010).
    Glorot,
    /// Normal of variance `2 / fan in` (He et al. 2015).
    He,
}

impl Initialisation {
    /// The flat parameter vector of a network; the same seed gives the same numbers.
    pub(crate) fn parameters<T: Scalar>(self, architecture: &Architecture, seed: u64) -> Vec<T> {
        self.draw(architecture, seed).into_iter().map(T::from_f64).collect()
    }

    fn draw(self, architecture: &Architecture, seed: u64) -> Vec<f64> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let mut theta = Vec::with_capacity(architecture.num_params());
        for layer in architecture.layers() {
            self.weights(&layer, &mut rng, |w| theta.push(w));
            if layer.has_bias {
                let bound = 1.0 / (layer.cols as f64).sqrt();
                theta.extend((0..layer.rows).map(|_| rng.random_range(-bound..bound)));
            }
        }
        theta
    }

    fn weights(self, layer: &Layer, rng: &mut impl Rng, mut push: impl FnMut(f64)) {
        let count = layer.rows * layer.cols;
        let mut normal = || -> f64 { StandardNormal.sample(&mut *rng) };
        match self {
            Self::Orthogonal => orthogonal(layer.rows, layer.cols, normal).for_each(push),
            Self::Glorot => {
                let bound = (6.0 / (layer.rows + layer.cols) as f64).sqrt();
                (0..count).for_each(|_| push(rng.random_range(-bound..bound)));
            }
            Self::He => {
                let deviation = (2.0 / layer.cols as f64).sqrt();
                (0..count).for_each(|_| push(deviation * normal()));
            }
        }
    }
}

/// Orthonormal rows or columns, whichever are fewer, row by row: `Q` of the QR decomposition of a
/// normal matrix, with the signs that make it uniformly distributed (Mezzadri 2007).
fn orthogonal(
    rows: usize,
    cols: usize,
    mut normal: impl FnMut() -> f64,
) -> impl Iterator<Item = f64> {
    let (tall, short) = (rows.max(cols), rows.min(cols));
    let qr = DMatrix::from_fn(tall, short, |_, _| normal()).qr();
    let (mut q, r) = qr.unpack();
    for (j, mut column) in q.column_iter_mut().enumerate() {
        if r[(j, j)] < 0.0 {
            column.neg_mut();
        }
    }
    let index = move |i: usize| (i / cols, i % cols);
    (0..rows * cols).map(move |i| {
        let (row, col) = index(i);
        if rows >= cols { q[(row, col)] } else { q[(col, row)] }
    })
}
