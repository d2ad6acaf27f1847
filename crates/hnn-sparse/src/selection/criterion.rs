//! Information criteria.

/// What a set of terms is judged by: the fit, and the number of its terms.
///
/// With `n` equations, `m` columns, `k` terms and the squared residual `RSS`:
///
/// - BIC: `n ln(RSS / n) + k ln n` (Schwarz 1978);
/// - EBIC: `BIC + 2 gamma ln binomial(m, k)` (Chen and Chen 2008), which pays for having looked at
///   many sets; from `m / 2` terms on, as for so many: more terms never pay less.
///
/// A [`Selection`](crate::Selection) counts in `n` the equations whose noise is independent, and takes
/// `RSS / (1 - k / n)`: `k` terms explain their share of any noise. `RSS` is taken no smaller than what the equations themselves can hold to, so that data without
/// noise do not send the logarithm to rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Criterion {
    /// The Bayesian information criterion.
    Bic,
    /// The extended one.
    Ebic {
        /// Strength of the extension; 0 is BIC.
        gamma: f64,
    },
}

impl Criterion {
    /// Its value; less is better. NaN if the residual is, or there is no row.
    #[must_use]
    pub fn score(self, residual_square: f64, rows: usize, columns: usize, terms: usize) -> f64 {
        self.score_of(residual_square, rows as f64, columns, terms)
    }

    /// The same for a number `n` of independent rows that need not be whole.
    pub(crate) fn score_of(
        self,
        residual_square: f64,
        n: f64,
        columns: usize,
        terms: usize,
    ) -> f64 {
        if residual_square.is_nan() || n <= 0.0 {
            return f64::NAN;
        }
        let gamma = match self {
            Self::Bic => 0.0,
            Self::Ebic { gamma } => gamma,
        };
        n * (residual_square / n).max(f64::MIN_POSITIVE).ln()
            + terms as f64 * n.ln()
            + 2.0 * gamma * ln_binomial(columns, terms.min(columns / 2))
    }
}

/// `ln binomial(m, k)`.
fn ln_binomial(m: usize, k: usize) -> f64 {
    const MOST_FACTORS: usize = 1000;
    let k = k.min(m).min(m - k.min(m));
    if k <= MOST_FACTORS {
        return (0..k).map(|i| ((m - i) as f64 / (k - i) as f64).ln()).sum();
    }
    // Stirling: the terms left out are below rounding.
    let ln_factorial = |n: usize| {
        let n = n as f64;
        n * n.ln() - n + 0.5 * (std::f64::consts::TAU * n).ln() + 1.0 / (12.0 * n)
    };
    ln_factorial(m) - ln_factorial(k) - ln_factorial(m - k)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomials() {
        assert!((ln_binomial(69, 3) - 52_394.0_f64.ln()).abs() < 1e-12);
        assert_eq!(ln_binomial(5, 0), 0.0);
        assert!(ln_binomial(5, 5).abs() < 1e-12);
        // The series and the sum of logarithms meet.
        let (few, more) = (ln_binomial(100_000, 1000), ln_binomial(100_000, 1001));
        let ratio = (99_000.0_f64 / 1001.0).ln();
        assert!((more - few - ratio).abs() < 1e-8, "{few} {more}");
        assert!(ln_binomial(usize::MAX, usize::MAX / 2).is_finite());
    }

    #[test]
    fn perfect_fits_have_a_finite_score() {
        assert!(Criterion::Ebic { gamma: 2.0 }.score(0.0, 100, 10, 2).is_finite());
        assert!(Criterion::Bic.score(f64::NAN, 100, 10, 2).is_nan());
        assert!(Criterion::Bic.score(1.0, 0, 10, 2).is_nan());
    }
}
