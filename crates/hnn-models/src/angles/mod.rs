//! Angles as cosines and sines.

mod energy;
mod lagrangian;
mod map;

use hnn_integrators::{FieldError, Scalar};

use crate::parameters::parameters;
use crate::{Coordinate, ModelError, Network};

/// A network that sees each angle as its cosine and sine, and so is periodic in it.
///
/// `N(phi(x))` with `phi(x)` the coordinates of the state in their order, each angle replaced by
/// the pair `cos, sin`. All derivatives are exact: with the network an energy, a map or a
/// Lagrangian, the wrapped one is too, and goes wherever the network goes.
///
/// ```
/// use hnn_models::{Angles, Architecture, Hnn, Initialisation, Mlp};
/// use hnn_systems::Hamiltonian;
/// // A pendulum's state (q, p): the network sees (cos q, sin q, p).
/// let network = Mlp::<f64>::new(Architecture::new(&[3, 32, 1])?, Initialisation::Orthogonal, 1);
/// let model = Hnn::new(Angles::new(network, &[true, false])?)?;
/// let turn = 2.0 * std::f64::consts::PI;
/// let (here, around) = (model.energy_state(&[0.3, 0.5])?, model.energy_state(&[0.3 + turn, 0.5])?);
/// assert!((here - around).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Angles<N> {
    network: N,
    angles: Vec<bool>,
}

impl<N> Angles<N> {
    /// A network of a state of `angles.len()` coordinates, of which those marked are angles. Of a
    /// Lagrangian's state `[q, v]` only the q can be.
    ///
    /// # Errors
    /// If the network has not one input a coordinate and one more an angle.
    pub fn new<T: Scalar>(network: N, angles: &[bool]) -> Result<Self, ModelError>
    where
        N: Network<T>,
    {
        let given = network.input_dim();
        let expected = angles.len() + angles.iter().filter(|angle| **angle).count();
        if given != expected {
            return Err(ModelError::InputSize { role: "wrapped", given, expected });
        }
        Ok(Self { network, angles: angles.to_vec() })
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// Which coordinates are angles.
    #[must_use]
    pub fn angles(&self) -> &[bool] {
        &self.angles
    }

    /// Checks slices of as many numbers as the states of a batch.
    fn check_lengths<const K: usize>(
        &self,
        batch: usize,
        slices: [(&'static str, usize); K],
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(self.angles.len() * batch, slices)
    }

    /// Number of features of the first `coordinates` coordinates.
    fn count(&self, coordinates: usize) -> usize {
        coordinates + self.angles[..coordinates].iter().filter(|angle| **angle).count()
    }

    /// Number of features of all coordinates.
    fn features_len(&self, batch: usize) -> usize {
        self.count(self.angles.len()) * batch
    }

    /// For each coordinate of a slice of `coordinates * B` numbers: its rows, its first feature's
    /// rows, and whether it is an angle.
    fn each(&self, batch: usize, coordinates: usize, mut visit: impl FnMut(usize, usize, bool)) {
        let mut feature = 0;
        for (i, angle) in self.angles[..coordinates].iter().enumerate() {
            visit(i * batch, feature * batch, *angle);
            feature += 1 + usize::from(*angle);
        }
    }

    /// `phi(x)`.
    fn features<T: Scalar>(&self, batch: usize, x: &[T], features: &mut [T]) {
        self.each(batch, x.len() / batch.max(1), |i, f, angle| {
            for row in 0..batch {
                if angle {
                    let (sin, cos) = x[i + row].sin_cos();
                    features[f + row] = cos;
                    features[f + batch + row] = sin;
                } else {
                    features[f + row] = x[i + row];
                }
            }
        });
    }

    /// `(dphi/dx) t`, for directions along the first coordinates.
    fn push<T: Scalar>(&self, batch: usize, features: &[T], t: &[T], out: &mut [T]) {
        self.each(batch, t.len() / batch.max(1), |i, f, angle| {
            for row in 0..batch {
                if angle {
                    out[f + row] = -features[f + batch + row] * t[i + row];
                    out[f + batch + row] = features[f + row] * t[i + row];
                } else {
                    out[f + row] = t[i + row];
                }
            }
        });
    }

    /// `(dphi/dx)^T g`, for the first coordinates.
    fn pull<T: Scalar>(&self, batch: usize, features: &[T], g: &[T], out: &mut [T]) {
        self.each(batch, out.len() / batch.max(1), |i, f, angle| {
            for row in 0..batch {
                out[i + row] = if angle {
                    features[f + row] * g[f + batch + row] - features[f + batch + row] * g[f + row]
                } else {
                    g[f + row]
                };
            }
        });
    }

    /// Adds the derivative of `g . (dphi/dx) t` by x, with g and t fixed: that of the map itself.
    fn add_curvature<T: Scalar>(
        &self,
        batch: usize,
        features: &[T],
        t: &[T],
        g: &[T],
        x_bar: &mut [T],
    ) {
        self.each(batch, t.len() / batch.max(1), |i, f, angle| {
            for row in (0..batch).filter(|_| angle) {
                let turned =
                    features[f + row] * g[f + row] + features[f + batch + row] * g[f + batch + row];
                x_bar[i + row] -= t[i + row] * turned;
            }
        });
    }
}

parameters!(Angles<N>: network);

impl<T: Scalar, N: Network<T>> Network<T> for Angles<N> {
    fn input_dim(&self) -> usize {
        self.angles.len()
    }

    fn coordinate(&self, index: usize) -> Coordinate {
        match self.angles.get(index) {
            Some(true) => Coordinate::Angle,
            _ => self.network.coordinate(self.count(index.min(self.angles.len()))),
        }
    }
}
