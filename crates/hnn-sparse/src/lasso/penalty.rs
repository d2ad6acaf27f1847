//! What a LASSO penalises, and the scales of its lambda.

use crate::{Gram, SparseError, error::require, error::same_length};

/// The penalty of a LASSO or an elastic net.
///
/// The objective is
///
/// ```text
/// |X w - y|^2 / (2 n) + lambda sum_j v_j ( rho s_j |w_j| + (1 - rho) / 2 s_j^2 w_j^2 )
/// ```
///
/// with `n` rows, `s_j` the root mean square of column `j` (1 without standardisation), weights
/// `v_j` and the share `rho` of the L1 norm (1: LASSO). No intercept: a constant is a column.
///
/// | whose lambda | objective | in this crate's scale |
/// |---|---|---|
/// | a sum of squares' | `\|X w - y\|^2 + lambda \|w\|_1` | `lambda / (2 n)`, not standardised |
/// | scikit-learn's `alpha` | `\|X w - y\|^2 / (2 n) + alpha \|w\|_1` | the same, not standardised |
/// | scikit-learn's elastic net | `alpha`, `l1_ratio` | `lambda = alpha`, `rho = l1_ratio`, not standardised |
/// | glmnet, `standardize = FALSE, intercept = FALSE` | `\|X w - y\|^2 / (2 n) + lambda (alpha \|w\|_1 + (1 - alpha) / 2 \|w\|_2^2)` | the same; its `penalty.factor` is rescaled to the sum `m` first |
///
/// [`lambda_from_sum_of_squares`](Self::lambda_from_sum_of_squares) and its inverse convert that
/// of a sum of squares.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct Penalty {
    pub(crate) weights: Option<Vec<f64>>,
    pub(crate) standardize: bool,
    pub(crate) l1_share: f64,
}

impl Default for Penalty {
    /// A standardised LASSO with weights 1.
    fn default() -> Self {
        Self { weights: None, standardize: true, l1_share: 1.0 }
    }
}

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    weights: Option<Vec<f64>>,
    standardize: bool,
    l1_share: f64,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Penalty {
    type Error = SparseError;

    fn try_from(given: Unchecked) -> Result<Self, SparseError> {
        let penalty = Self::default().with_standardisation(given.standardize);
        let penalty = penalty.with_l1_share(given.l1_share)?;
        match given.weights {
            Some(weights) => penalty.with_weights(weights),
            None => Ok(penalty),
        }
    }
}

impl Penalty {
    /// Whether coefficients are penalised in units of their columns' root mean square (default:
    /// yes). scikit-learn does not.
    #[must_use]
    pub fn with_standardisation(mut self, yes: bool) -> Self {
        self.standardize = yes;
        self
    }

    /// A weight `v_j` for every column: 0 is never penalised, infinity excludes.
    ///
    /// # Errors
    /// If a weight is negative or NaN.
    pub fn with_weights(mut self, weights: impl Into<Vec<f64>>) -> Result<Self, SparseError> {
        let weights = weights.into();
        for &weight in &weights {
            require(weight >= 0.0, "a penalty weight", weight, "not negative (infinity excludes)")?;
        }
        self.weights = Some(weights);
        Ok(self)
    }

    /// The share `rho` of the L1 norm, `0 < rho <= 1` (1: LASSO; less: elastic net).
    ///
    /// # Errors
    /// If it lies outside.
    pub fn with_l1_share(mut self, share: f64) -> Result<Self, SparseError> {
        require(share > 0.0 && share <= 1.0, "the share of the L1 norm", share, "in (0, 1]")?;
        self.l1_share = share;
        Ok(self)
    }

    /// The adaptive LASSO (Zou 2006): weights `v_j = 1 / |s_j w_j|^gamma` of a first estimate, so
    /// that `v_j s_j` is `1 / |w_j|` for `gamma = 1` up to the scale of the columns. Columns with
    /// estimate 0 are excluded.
    ///
    /// # Errors
    /// If there are not as many estimates as columns, one is not finite, or `gamma` is not positive
    /// and finite.
    pub fn adaptive(gram: &Gram, estimate: &[f64], gamma: f64) -> Result<Self, SparseError> {
        same_length("first estimates, one a column", estimate.len(), gram.columns())?;
        require(gamma > 0.0 && gamma.is_finite(), "gamma", gamma, "positive and finite")?;
        if let Some(column) = estimate.iter().position(|w| !w.is_finite()) {
            return Err(SparseError::NotFinite { what: "the first estimate", row: 0, column });
        }
        let scales = gram.column_scales();
        let sizes: Vec<f64> = estimate.iter().zip(scales).map(|(w, s)| (w * s).abs()).collect();
        let largest = sizes.iter().fold(0.0_f64, |a, &b| a.max(b));
        let weight =
            |size: f64| if size > 0.0 { (largest / size).powf(gamma) } else { f64::INFINITY };
        Self::default().with_weights(sizes.into_iter().map(weight).collect::<Vec<_>>())
    }

    /// The `lambda` of the objective `|X w - y|^2 + lambda |w|_1`, a sum of squares, in this crate's
    /// scale.
    #[must_use]
    pub fn lambda_from_sum_of_squares(lambda: f64, rows: usize) -> f64 {
        lambda / (2.0 * rows as f64)
    }

    /// This crate's `lambda` in the scale of a sum of squares, `2 n lambda`.
    #[must_use]
    pub fn lambda_to_sum_of_squares(lambda: f64, rows: usize) -> f64 {
        2.0 * rows as f64 * lambda
    }

    pub(crate) fn weight(&self, j: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[j])
    }
}
