//! The mean of a metric over trajectories or seeds, and how far it can be trusted.

use crate::LossError;

/// Mean, spread and median of a sample.
///
/// ```
/// use hnn_losses::metrics::Spread;
/// let s = Spread::new(&[1.0, 2.0, 6.0])?;
/// assert_eq!((s.mean, s.median, s.n), (3.0, 2.0, 3));
/// assert!((s.std_error - (7.0f64 / 3.0).sqrt()).abs() < 1e-12);
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Spread {
    /// Mean.
    pub mean: f64,
    /// Standard deviation of the sample, with `n - 1` in the divisor (0 for one value).
    pub std_deviation: f64,
    /// Standard error of the mean, `std_deviation / sqrt(n)`.
    pub std_error: f64,
    /// Median.
    pub median: f64,
    /// Number of values.
    pub n: usize,
}

impl Spread {
    /// Of a sample.
    ///
    /// # Errors
    /// If it is empty or holds a NaN. An infinite value makes an infinite mean: a rollout that
    /// left every bound is a result.
    pub fn new(values: &[f64]) -> Result<Self, LossError> {
        if values.is_empty() {
            return Err(LossError::Empty { what: "values" });
        }
        if let Some(row) = values.iter().position(|v| v.is_nan()) {
            return Err(LossError::NonFinite { what: "values", row, value: f64::NAN });
        }
        let n = values.len();
        let mean = values.iter().sum::<f64>() / n as f64;
        let squares: f64 = values.iter().map(|v| (v - mean).powi(2)).sum();
        let variance = if n > 1 { squares / (n - 1) as f64 } else { 0.0 };
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let median = 0.5 * (sorted[(n - 1) / 2] + sorted[n / 2]);
        let std_deviation = variance.sqrt();
        Ok(Self { mean, std_deviation, std_error: std_deviation / (n as f64).sqrt(), median, n })
    }
}
