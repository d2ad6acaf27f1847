//! Step-size control.

use crate::simd::Isa;
use crate::{Lane, Scalar, Wide};

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

/// The same controller over lanes, on binary logarithms of the squared error. They are rough: six
/// digits of a step size are more than enough.
impl Controller {
    /// Largest growth of a step.
    pub(crate) fn most(&self) -> f64 {
        GROW_AT_MOST
    }

    /// Logarithm of the smallest error that counts.
    pub(crate) fn log_smallest(&self) -> f64 {
        SMALLEST_ERROR.log2()
    }

    /// From the squared error: its logarithm halved (that of the error, at least that of the
    /// smallest), and the factor of the step size, at most `growth` after an accepted step.
    #[inline(always)]
    pub(crate) fn lanes<T: Scalar, const W: usize, I: Isa>(
        &self,
        squared: Wide<T, W, I>,
        log_previous: Wide<T, W, I>,
        growth: Wide<T, W, I>,
    ) -> (Wide<T, W, I>, Wide<T, W, I>) {
        let one = Wide::<T, W, I>::splat(T::ONE);
        // Below this the step grows as much as it may; it also keeps the logarithm finite.
        let tiny = Wide::<T, W, I>::splat(T::from_f64(1e-30));
        let log = squared.choose_le(tiny, tiny, squared).rough_log2() * Wide::constant(0.5);
        let safety = Wide::constant(SAFETY.log2());
        let by_error = log.mul_add(Wide::constant(-self.alpha), safety);
        let by_both = log_previous.mul_add(Wide::constant(self.beta), by_error);
        let factor = squared.choose_le(one, by_both, by_error).rough_exp2();
        let factor = factor.choose_le(growth, factor, growth);
        // NaN and infinity, too, shrink.
        let least = Wide::<T, W, I>::constant(SHRINK_AT_MOST);
        let factor = least.choose_le(factor, factor, least);
        let smallest = Wide::<T, W, I>::constant(SMALLEST_ERROR.log2());
        (log.choose_le(smallest, smallest, log), factor)
    }
}
