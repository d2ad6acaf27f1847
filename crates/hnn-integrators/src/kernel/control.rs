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
const SMALLEST_ERROR: f64 = 1e-4;

impl Controller {
    pub(crate) fn new(error_order: usize) -> Self {
        let order = error_order as f64;
        let beta = 0.2 / order;
        Self { alpha: 1.0 / order - 0.75 * beta, beta }
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
        // Below and above these the step changes as much as it may; NaN counts as huge.
        let (tiny, huge) = (Wide::<T, W, I>::constant(1e-30), Wide::<T, W, I>::constant(1e30));
        let clamped = squared.choose_le(huge, squared, huge);
        let log = clamped.choose_le(tiny, tiny, clamped).rough_log2() * Wide::constant(0.5);
        let safety = Wide::constant(SAFETY.log2());
        let by_error = log.mul_add(Wide::constant(-self.alpha), safety);
        let by_both = log_previous.mul_add(Wide::constant(self.beta), by_error);
        let factor = squared.choose_le(one, by_both, by_error).rough_exp2();
        let factor = factor.choose_le(growth, factor, growth);
        let least = Wide::<T, W, I>::constant(SHRINK_AT_MOST);
        let factor = least.choose_le(factor, factor, least);
        let smallest = Wide::<T, W, I>::constant(SMALLEST_ERROR.log2());
        (log.choose_le(smallest, smallest, log), factor)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::simd::Baseline;

    /// Factor of the step size after an accepted step with the given errors, in units of the
    /// tolerance.
    fn accepted(control: &Controller, error: f64, previous: f64) -> f64 {
        let factor = SAFETY * error.powf(-control.alpha) * previous.powf(control.beta);
        factor.clamp(SHRINK_AT_MOST, GROW_AT_MOST)
    }

    /// The lanes' factors are the scalar ones to six digits, whatever the error.
    #[test]
    fn lanes_agree_with_scalars() {
        let splat = Wide::<f64, 4, Baseline>::splat;
        for order in [5, 8] {
            let control = Controller::new(order);
            for (error, previous) in [(0.3, 0.01), (1.0, 1.0), (1e-9, 0.5), (40.0, 1.0), (1e6, 0.2)]
            {
                let (log, factor) = control.lanes(
                    splat(error * error),
                    splat(f64::log2(previous)),
                    splat(control.most()),
                );
                let expected = match error {
                    ..=1.0 => accepted(&control, error, previous),
                    _ => control.rejected(error),
                };
                assert!((factor.0[0] / expected - 1.0).abs() < 1e-5, "{error}: {factor:?}");
                let floor = error.max(SMALLEST_ERROR).log2();
                assert!((log.0[0] - floor).abs() < 1e-5, "{error}: {log:?}");
            }
            for error in [f64::NAN, -f64::NAN, f64::INFINITY] {
                let (_, factor) = control.lanes(splat(error), splat(0.0), splat(control.most()));
                assert_eq!(factor.0, [SHRINK_AT_MOST; 4], "{error}");
            }
            let (_, factor) = control.lanes(splat(0.0), splat(0.0), splat(control.most()));
            assert_eq!(factor.0, [GROW_AT_MOST; 4]);
        }
    }
}
