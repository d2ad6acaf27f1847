//! What all learned functions of a state have in common.

use hnn_integrators::{Parameters, Scalar};

/// A learned function of `D` numbers, whatever its values are: an energy, a map, a Lagrangian.
///
/// ```
/// use hnn_models::{Architecture, Coordinate, Initialisation, Mlp, Network};
/// let network = Mlp::<f64>::new(Architecture::new(&[3, 32, 1])?, Initialisation::Orthogonal, 1);
/// assert_eq!(network.input_dim(), 3);
/// assert_eq!(network.coordinate(2), Coordinate::Number);
/// # Ok::<(), hnn_models::ModelError>(())
/// ```
pub trait Network<T: Scalar>: Parameters<T> + Send + Sync {
    /// Number of inputs `D`: the dimension of the state.
    fn input_dim(&self) -> usize;

    /// What input `index` is to the function, and so how [`Scales`](crate::Scales) may change it.
    fn coordinate(&self, index: usize) -> Coordinate {
        let _ = index;
        Coordinate::Number
    }
}

/// What an input is to a function of the state.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Coordinate {
    /// A number, whose origin and unit mean nothing.
    Number,
    /// An angle in radians, seen as its cosine and sine.
    Angle,
    /// A velocity or a momentum whose zero is rest.
    Velocity,
}
