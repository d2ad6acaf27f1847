//! Step-size control.

/// A proportional-integral controller with Hairer's constants (Hairer, Wanner, *Solving Ordinary
/// Differential Equations II*, IV.2): damps the oscillation of the step size that a purely
/// integral one shows where stability limits it.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Controller {
    /// Exponent of the current error.
    alpha: f64,
    /// Exponent of the previous error.
    beta: f64,
}

const SAFETY: f64 = 0.9;
const SHRINK_AT_MOST: f64 = 0.2;
const GROW_AT_MOST: f64 = 10.0;
/// A previous error below this counts as this, or one lucky step would hold the next ones back.
pub(crate) const SMALLEST_ERROR: f64 = 1e-4;

impl Controller {
    pub(crate) fn new(error_order: usize) -> Self {
        let order = error_order as f64;
        let beta = 0.2 / order;
        Self { alpha: 1.0 / order - 0.75 * beta, beta }
    }

    /// Factor of the step size after an accepted step with the given errors, in units of the
    /// tolerance.
    pub(crate) fn accepted(&self, error: f64, previous: f64) -> f64 {
        if error == 0.0 {
            return GROW_AT_MOST;
        }
        let factor = SAFETY * error.powf(-self.alpha) * previous.powf(self.beta);
        factor.clamp(SHRINK_AT_MOST, GROW_AT_MOST)
    }

    /// Factor of the step size after a rejected step; the error may be infinite or NaN.
    pub(crate) fn rejected(&self, error: f64) -> f64 {
        if error.is_finite() {
            (SAFETY * error.powf(-self.alpha)).max(SHRINK_AT_MOST)
        } else {
            SHRINK_AT_MOST
        }
    }
}
