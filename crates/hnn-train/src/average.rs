//! Averages of parameters over a run.

use hnn_integrators::Scalar;
use serde::{Deserialize, Serialize};

use crate::state::numbers;

/// An exponential moving average of the parameters.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "T: Scalar")]
pub(crate) struct Average<T> {
    decay: f64,
    steps: i32,
    /// The running mean with the start's weight corrected for.
    #[serde(with = "numbers")]
    pub(crate) mean: Vec<T>,
}

impl<T: Scalar> Average<T> {
    pub(crate) fn new(decay: f64, num_params: usize) -> Self {
        Self { decay, steps: 0, mean: vec![T::ZERO; num_params] }
    }

    pub(crate) fn update(&mut self, theta: &[T]) {
        self.steps = self.steps.saturating_add(1);
        // The weight of the newest parameters in the bias-corrected mean.
        let newest = (1.0 - self.decay) / (1.0 - self.decay.powi(self.steps));
        let newest = T::from_f64(newest);
        for (mean, theta) in self.mean.iter_mut().zip(theta) {
            *mean += newest * (*theta - *mean);
        }
    }
}
