//! The baseline: a network that learns the field itself.

use hnn_integrators::{At, Bars, DifferentiableField, FieldError, Scalar, VectorField, Workspace};

use crate::parameters::parameters;
use crate::{DifferentiableMap, Keep, ModelError};

/// `dx/dt = N(x)`: a network of `D` inputs and `D` outputs with no physics in it, the yardstick
/// of Greydanus et al. 2019, "Hamiltonian Neural Networks".
///
/// ```
/// use hnn_models::{Architecture, Baseline, Initialisation, Mlp};
/// use hnn_integrators::VectorField;
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 2])?, Initialisation::Orthogonal, 1);
/// let model = Baseline::new(network)?;
/// assert_eq!(model.eval_state(0.0, &[0.1, 0.2])?.len(), 2);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline<N> {
    network: N,
}

impl<N> Baseline<N> {
    /// The field of a network.
    ///
    /// # Errors
    /// If it has not as many outputs as inputs.
    pub fn new<T: Scalar>(network: N) -> Result<Self, ModelError>
    where
        N: DifferentiableMap<T>,
    {
        let (expected, given) = (network.input_dim(), network.output_dim());
        if given != expected {
            return Err(ModelError::OutputSize { role: "baseline", given, expected });
        }
        Ok(Self { network })
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }
}

parameters!(Baseline<N>: network);

impl<T: Scalar, N: DifferentiableMap<T>> VectorField<T> for Baseline<N> {
    fn dim(&self) -> usize {
        self.network.input_dim()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.network.eval(at.batch(), x, dx, Keep::Nothing(workspace))
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}

impl<T: Scalar, N: DifferentiableMap<T>> DifferentiableField<T> for Baseline<N> {
    type Residuals = N::Residuals;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut N::Residuals,
    ) -> Result<(), FieldError> {
        self.network.eval(at.batch(), x, dx, Keep::Residuals(residuals))
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut N::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        bars.check_inputs(0)?;
        self.network.vjp(x, residuals, v, bars.x, bars.theta)
    }
}
