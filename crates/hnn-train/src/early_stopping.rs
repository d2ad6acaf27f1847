//! Early stopping on a validation loss.

use hnn_integrators::Scalar;
use serde::{Deserialize, Serialize};

use crate::TrainError;
use crate::error::require;
use crate::state::numbers;

/// When to stop, by the validation loss, and which parameters are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EarlyStopping {
    /// Validate every so many steps, at least 1.
    pub every: usize,
    /// Stop after so many validations without an improvement, at least 1; `usize::MAX` never
    /// stops.
    pub patience: usize,
    /// What counts as an improvement: by at least this fraction of the best loss, in [0, 1).
    pub min_improvement: f64,
    /// Whether the model ends with the parameters that were best, instead of the last ones.
    pub keep_best: bool,
}

impl Default for EarlyStopping {
    /// Every 10 steps, 20 times patient, any improvement; the best parameters are kept.
    fn default() -> Self {
        Self { patience: 20, ..Self::NEVER }
    }
}

impl EarlyStopping {
    /// Validates at the default interval, and keeps the best, but never stops.
    pub(crate) const NEVER: Self =
        Self { every: 10, patience: usize::MAX, min_improvement: 0.0, keep_best: true };

    pub(crate) fn check(&self) -> Result<(), TrainError> {
        require(self.every > 0, "the validation interval", 0, "at least 1 step")?;
        require(self.patience > 0, "the patience", 0, "at least 1 validation")?;
        let fraction = self.min_improvement;
        require((0.0..1.0).contains(&fraction), "the least improvement", fraction, "in [0, 1)")
    }
}

/// The best parameters so far.
#[derive(Debug, Serialize, Deserialize)]
#[serde(bound = "T: Scalar")]
pub(crate) struct Best<T> {
    pub(crate) step: usize,
    /// The smallest finite loss; infinite if there was none.
    pub(crate) loss: f64,
    #[serde(with = "numbers")]
    pub(crate) theta: Vec<T>,
    /// Validations since the best improvement.
    waited: usize,
    /// The loss an improvement is measured against.
    reference: f64,
}

impl<T: Scalar> Best<T> {
    pub(crate) fn new() -> Self {
        let (loss, reference) = (f64::INFINITY, f64::INFINITY);
        Self { step: 0, loss, theta: Vec::new(), waited: 0, reference }
    }

    /// Takes a validation loss in. One that is not finite is no improvement.
    pub(crate) fn update(&mut self, rule: &EarlyStopping, step: usize, loss: f64, theta: &[T]) {
        if loss < self.loss {
            (self.step, self.loss) = (step, loss);
            self.theta.clear();
            self.theta.extend_from_slice(theta);
        }
        // Of its size, since a loss may be negative.
        let least = match self.reference.is_finite() {
            true => rule.min_improvement * self.reference.abs(),
            false => 0.0,
        };
        if loss < self.reference - least {
            (self.reference, self.waited) = (loss, 0);
        } else {
            self.waited += 1;
        }
    }

    /// Whether patience is at an end.
    pub(crate) fn waited_enough(&self, rule: &EarlyStopping) -> bool {
        self.waited >= rule.patience
    }
}
