//! Information criteria.

/// What a set of terms is judged by: the fit, and the number of its terms.
///
/// With `n` equations, `m` columns, `k` terms and the squared residual `RSS`:
///
/// - BIC: `n ln(RSS / n) + k ln n` (Schwarz 1978);
/// - EBIC: `BIC + 2 gamma ln binomial(m, k)` (Chen and Chen 2008), which pays for having looked at
///   many sets.
///
/// `RSS` is taken no smaller than what the equations themselves can hold to, so that data without
/// noise do not send the logarithm to rounding.
#[derive(Debug, Clone, Copy, PartialEq)]
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
    /// Its value; less is better.
    #[must_use]
    pub fn score(self, residual_square: f64, rows: usize, columns: usize, terms: usize) -> f64 {
        let gamma = match self {
            Self::Bic => 0.0,
            Self::Ebic { gamma } => gamma,
        };
        let n = rows as f64;
        n * (residual_square / n).max(f64::MIN_POSITIVE).ln()
            + terms as f64 * n.ln()
            + 2.0 * gamma * ln_binomial(columns, terms)
    }
}

/// `ln binomial(m, k)`.
fn ln_binomial(m: usize, k: usize) -> f64 {
    (0..k.min(m)).map(|i| ((m - i) as f64 / (k - i) as f64).ln()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn binomials() {
        assert!((ln_binomial(69, 3) - 52_394.0_f64.ln()).abs() < 1e-12);
        assert_eq!(ln_binomial(5, 0), 0.0);
        assert!(ln_binomial(5, 5).abs() < 1e-12);
    }

    #[test]
    fn perfect_fits_have_a_finite_score() {
        assert!(Criterion::Ebic { gamma: 2.0 }.score(0.0, 100, 10, 2).is_finite());
    }
}
