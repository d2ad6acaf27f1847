//! Dropout.

use chacha20::ChaCha12Rng;
use hnn_integrators::{Mode, Scalar};
use rand::{RngExt, SeedableRng};

use super::Mlp;
use crate::ModelError;

/// Dropout of hidden units (Srivastava et al. 2014), inverted: in training mode a unit's
/// activation is `m sigma(z)` with `m = 0` at probability `rate`, and `m = 1 / (1 - rate)`
/// otherwise; in evaluation mode `m = 1`.
///
/// One mask a training step thins the network for the whole batch. So all states of a step are
/// those of one function: the thinned energy has an exact gradient, a trajectory is integrated
/// along one field (as Gal and Ghahramani 2016 do for recurrent networks), and the numbers do not
/// depend on the number of threads. The mask is a function of the seed and the step.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Dropout<T> {
    rate: f64,
    seed: u64,
    /// `m` of each hidden unit; empty in evaluation mode.
    factors: Vec<T>,
}

impl<T: Scalar> Dropout<T> {
    pub(super) fn new(rate: f64, seed: u64) -> Result<Self, ModelError> {
        if !(0.0..1.0).contains(&rate) {
            return Err(ModelError::DropoutRate { rate });
        }
        Ok(Self { rate, seed, factors: Vec::new() })
    }

    pub(crate) fn set_mode(&mut self, mode: Mode, hidden_units: usize) {
        self.factors.clear();
        if let Mode::Training { step } = mode {
            let mut rng = ChaCha12Rng::seed_from_u64(self.seed);
            rng.set_stream(step);
            let kept = T::from_f64(1.0 / (1.0 - self.rate));
            let factor = |_| if rng.random_bool(self.rate) { T::ZERO } else { kept };
            self.factors.extend((0..hidden_units).map(factor));
        }
    }

    /// `m` of each hidden unit; empty in evaluation mode.
    #[cfg(feature = "tch")]
    pub(crate) fn factors(&self) -> &[T] {
        &self.factors
    }

    /// Multiplies the rows (a unit each, from `first` on) of a layer's activations, or of one of
    /// their derivatives, by the units' factors.
    pub(super) fn apply(&self, first: usize, batch: usize, values: &mut [T]) {
        let rows = values.chunks_exact_mut(batch.max(1));
        for (row, factor) in rows.zip(self.factors.iter().skip(first)) {
            row.iter_mut().for_each(|value| *value *= *factor);
        }
    }
}

impl<T: Scalar> Mlp<T> {
    /// The same network with dropout of its hidden units at probability `rate`: in training mode
    /// ([`Mode::Training`](hnn_integrators::Mode)) a unit's activation is `m sigma(z)` with
    /// `m = 0` at probability `rate`, and `m = 1 / (1 - rate)` otherwise (Srivastava et al. 2014).
    ///
    /// Each step has one mask for the whole batch, made of the seed and the step. So all states
    /// of a step are those of one thinned function: values and gradients are consistent, and a
    /// trajectory is integrated along one field (as Gal and Ghahramani 2016 do for recurrent
    /// networks).
    ///
    /// ```
    /// use hnn_integrators::{Mode, Parameters, VectorField};
    /// use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
    /// let net = Mlp::<f64>::new(Architecture::new(&[2, 32, 1])?, Initialisation::Orthogonal, 0);
    /// let mut model = Hnn::new(net.clone().with_dropout(0.2, 7)?)?;
    /// let plain = Hnn::new(net)?.eval_state(0.0, &[0.1, 0.2])?;
    /// assert_eq!(model.eval_state(0.0, &[0.1, 0.2])?, plain);
    /// model.set_mode(Mode::Training { step: 0 });
    /// assert_ne!(model.eval_state(0.0, &[0.1, 0.2])?, plain);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the rate is not in [0, 1).
    pub fn with_dropout(mut self, rate: f64, seed: u64) -> Result<Self, ModelError> {
        self.dropout = Some(Dropout::new(rate, seed)?);
        Ok(self)
    }
}
