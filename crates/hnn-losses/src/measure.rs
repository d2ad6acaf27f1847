//! How the error of a derivative is measured.

use hnn_integrators::Scalar;

/// What an error `e = f - dx/dt` costs.
///
/// ```
/// use hnn_losses::ErrorMeasure;
/// let huber = ErrorMeasure::Huber { threshold: 1.0 };
/// assert_eq!((huber.value(0.5), huber.value(3.0)), (0.25, 5.0));
/// assert_eq!((huber.slope(0.5), huber.slope(3.0)), (1.0, 2.0));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum ErrorMeasure {
    /// `e^2`: the mean is estimated; large errors rule.
    #[default]
    Squared,
    /// `|e|`: the median is estimated. The measure of the LNN paper (Cranmer et al. 2020), for
    /// derivatives whose size varies over orders of magnitude.
    Absolute,
    /// `e^2` up to the threshold `c`, `c (2 |e| - c)` beyond (Huber 1964, times 2): smooth where
    /// errors are small, insensitive where they are large.
    Huber {
        /// The threshold, positive; in the unit of the derivatives, or with weights of the
        /// coordinates, `1 / sigma^2`, in units of each one's sigma.
        threshold: f64,
    },
}

impl ErrorMeasure {
    /// What an error costs.
    #[inline]
    #[must_use]
    pub fn value(self, error: f64) -> f64 {
        match self {
            Self::Squared => error * error,
            Self::Absolute => error.abs(),
            Self::Huber { threshold } if error.abs() > threshold => {
                threshold * (2.0 * error.abs() - threshold)
            }
            Self::Huber { .. } => error * error,
        }
    }

    /// The derivative of that cost by the error; 0 for an absolute error of 0, NaN for NaN.
    #[inline]
    #[must_use]
    pub fn slope(self, error: f64) -> f64 {
        match self {
            Self::Squared => 2.0 * error,
            Self::Absolute if error == 0.0 => 0.0,
            Self::Absolute => error.signum(),
            Self::Huber { threshold } => 2.0 * error.clamp(-threshold, threshold),
        }
    }

    /// The measure for a coordinate whose costs are multiplied by a weight.
    pub(crate) fn of_weight<T: Scalar>(self, weight: T) -> Self {
        match self {
            Self::Huber { threshold } => {
                Self::Huber { threshold: threshold / weight.to_f64().sqrt() }
            }
            other => other,
        }
    }

    /// The weight `w` for which `w e^2` has the slope of the cost: that of iteratively reweighted
    /// least squares (of a Huber cost; the square's is 1).
    pub(crate) fn weight(self, error: f64) -> f64 {
        match self {
            Self::Huber { threshold } if error.abs() > threshold => threshold / error.abs(),
            _ => 1.0,
        }
    }

    /// What the error of `f` against `target` costs, and `scale` times the derivative of that.
    #[inline]
    pub(crate) fn compare<T: Scalar>(self, f: T, target: T, scale: T) -> (f64, T) {
        let error = (f - target).to_f64();
        (self.value(error), scale * T::from_f64(self.slope(error)))
    }
}

/// An error of an angle, by whole turns nearest to 0.
pub(crate) fn within_turn<T: Scalar>(error: T) -> T {
    let turns = (error.to_f64() / std::f64::consts::TAU).round();
    if turns == 0.0 { error } else { error - T::from_f64(turns * std::f64::consts::TAU) }
}
