//! Early stopping on a validation loss.

use hnn_integrators::Scalar;

/// When to stop, by the validation loss, and which parameters are kept.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct EarlyStopping {
    /// Validate every so many steps.
    pub every: usize,
    /// Stop after so many validations without an improvement.
    pub patience: usize,
    /// What counts as an improvement: by at least this fraction of the best loss.
    pub min_improvement: f64,
    /// Whether the model ends with the parameters that were best, instead of the last ones.
    pub keep_best: bool,
}

impl Default for EarlyStopping {
    /// Every 10 steps, 20 times patient, any improvement; the best parameters are kept.
    fn default() -> Self {
        Self { every: 10, patience: 20, min_improvement: 0.0, keep_best: true }
    }
}

/// The best parameters so far.
#[derive(Debug)]
pub(crate) struct Best<T> {
    pub(crate) step: usize,
    pub(crate) loss: f64,
    pub(crate) theta: Vec<T>,
    /// Validations since the best improvement.
    waited: usize,
    /// The loss an improvement is measured against.
    reference: f64,
}

impl<T: Scalar> Best<T> {
    pub(crate) fn new() -> Self {
        Self {
            step: 0,
            loss: f64::INFINITY,
            theta: Vec::new(),
            waited: 0,
            reference: f64::INFINITY,
        }
    }

    /// Takes a validation loss in, and tells whether patience is at an end.
    pub(crate) fn update(
        &mut self,
        rule: &EarlyStopping,
        step: usize,
        loss: f64,
        theta: &[T],
    ) -> bool {
        if loss < self.loss {
            (self.step, self.loss) = (step, loss);
            self.theta.clear();
            self.theta.extend_from_slice(theta);
        }
        if loss < self.reference * (1.0 - rule.min_improvement) {
            (self.reference, self.waited) = (loss, 0);
        } else {
            self.waited += 1;
        }
        self.waited >= rule.patience
    }
}
