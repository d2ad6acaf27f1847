//! What all learned functions of a state have in common.

use hnn_integrators::{Parameters, Scalar};

/// A learned function of `D` numbers, whatever its values are: an energy, a map, a Lagrangian.
///
/// ```
/// use hnn_models::{Architecture, Initialisation, Mlp, Network};
/// let network = Mlp::<f64>::new(Architecture::new(&[3, 32, 1])?, Initialisation::Orthogonal, 1);
/// assert_eq!(network.input_dim(), 3);
/// # Ok::<(), hnn_models::ModelError>(())
/// ```
pub trait Network<T: Scalar>: Parameters<T> + Send + Sync {
    /// Number of inputs `D`: the dimension of the state.
    fn input_dim(&self) -> usize;
}
