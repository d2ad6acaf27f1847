//! The baseline: a network that learns the field itself.

use hnn_integrators::{At, Bars, DifferentiableField, FieldError, Scalar, VectorField, Workspace};

use crate::keep::Record;
use crate::parameters::parameters;
use crate::{DifferentiableMap, Keep, ModelError};

/// `dx/dt = N(x, u)`: a network of `D + K` inputs, the state and the field's inputs, and `D` outputs with no
/// physics in it, the yardstick of Greydanus et al. 2019, "Hamiltonian Neural Networks".
///
/// ```
/// use hnn_integrators::{At, VectorField, Workspace};
/// use hnn_models::{Architecture, Baseline, Initialisation, Mlp};
/// let network = |inputs| -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[inputs, 16, 2])?, Initialisation::Orthogonal, 1))
/// };
/// let model = Baseline::new(network(2)?)?;
/// assert_eq!(model.eval_state(0.0, &[0.1, 0.2])?.len(), 2);
/// // With one input, a torque of 0.5.
/// let driven = Baseline::with_inputs(network(3)?, 1)?;
/// let (at, mut dx) = (At { t: &[0.0], u: &[0.5] }, [0.0; 2]);
/// driven.eval(at, &[0.1, 0.2], &mut dx, &mut Workspace::default())?;
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Baseline<N> {
    network: N,
    inputs: usize,
}

impl<N> Baseline<N> {
    /// The field of a network, without inputs.
    ///
    /// # Errors
    /// If it has not as many outputs as inputs.
    pub fn new<T: Scalar>(network: N) -> Result<Self, ModelError>
    where
        N: DifferentiableMap<T>,
    {
        Self::with_inputs(network, 0)
    }

    /// The field of a network that sees so many inputs of the field after the state.
    ///
    /// # Errors
    /// If it has another number of outputs than it has inputs beside these.
    pub fn with_inputs<T: Scalar>(network: N, inputs: usize) -> Result<Self, ModelError>
    where
        N: DifferentiableMap<T>,
    {
        let (all, given) = (network.input_dim(), network.output_dim());
        match all.checked_sub(inputs) {
            Some(expected) if expected == given => Ok(Self { network, inputs }),
            Some(expected) => Err(ModelError::OutputSize { role: "baseline", given, expected }),
            None => {
                let expected = given.saturating_add(inputs);
                Err(ModelError::InputSize { role: "baseline", given: all, expected })
            }
        }
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// The field, plain or recorded.
    fn slope<T: Scalar>(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        keep: Keep<'_, T, Record<T, N::Residuals>>,
    ) -> Result<(), FieldError>
    where
        N: DifferentiableMap<T>,
    {
        let batch = at.batch();
        FieldError::check_lengths(self.network.output_dim() * batch, [("the states", x.len())])?;
        FieldError::check_lengths(self.inputs * batch, [("the inputs", at.u.len())])?;
        let (numbers, network) = keep.split(batch, self.numbers(x.len(), at.u.len()));
        if self.inputs == 0 {
            return self.network.eval(batch, x, dx, network);
        }
        let (joined, _) = numbers.split_at_mut(x.len() + at.u.len());
        joined[..x.len()].copy_from_slice(x);
        joined[x.len()..].copy_from_slice(at.u);
        self.network.eval(batch, joined, dx, network)
    }

    /// States with their inputs, and the cotangents of both.
    fn numbers(&self, states: usize, inputs: usize) -> usize {
        if self.inputs == 0 { 0 } else { 2 * (states + inputs) }
    }
}

parameters!(Baseline<N>: network);

impl<T: Scalar, N: DifferentiableMap<T>> VectorField<T> for Baseline<N> {
    fn dim(&self) -> usize {
        self.network.output_dim()
    }

    fn inputs(&self) -> usize {
        self.inputs
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.slope(at, x, dx, Keep::Nothing(workspace))
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}

impl<T: Scalar, N: DifferentiableMap<T>> DifferentiableField<T> for Baseline<N> {
    type Residuals = Record<T, N::Residuals>;

    fn eval_recorded(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.slope(at, x, dx, Keep::Residuals(residuals))
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        v: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError> {
        let (dim, batch) = (self.network.output_dim(), residuals.batch);
        bars.check(batch, [dim, self.inputs, self.network.num_params()], [x, v])?;
        let inputs = self.inputs * batch;
        let (numbers, network) = residuals.recorded(self.numbers(x.len(), inputs))?;
        if self.inputs == 0 {
            return self.network.vjp(x, network, v, bars.x, bars.theta);
        }
        let (joined, bar) = numbers.split_at_mut(x.len() + inputs);
        self.network.vjp(joined, network, v, bar, bars.theta)?;
        bars.x.copy_from_slice(&bar[..x.len()]);
        if let Some(u) = bars.u {
            u.iter_mut().zip(&bar[x.len()..]).for_each(|(sum, more)| *sum += *more);
        }
        Ok(())
    }
}
