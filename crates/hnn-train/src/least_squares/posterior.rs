//! What a fit knows about its parameters.

use chacha20::ChaCha12Rng;
use hnn_integrators::{TooLarge, parallel};
use hnn_losses::ResidualLayout;
use ndarray::{Array1, Array2, ArrayView2};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};

use super::linear::Weights;
use super::normal::Normal;
use crate::TrainError;
use crate::error::require;
use crate::linalg::Cholesky;

/// The distribution of the parameters given the data, Gaussian about those of the model (Laplace's
/// approximation): covariance `s^2 H^-1`, with `H = J^T J + prior` and the locals integrated out.
///
/// Made by [`LeastSquares::posterior`](crate::LeastSquares::posterior).
#[derive(Debug, Clone)]
pub struct Posterior {
    mean: Vec<f64>,
    /// `U` of `H = U^T U`.
    factor: Cholesky,
    /// `s^2`.
    variance: f64,
    is_determined: bool,
}

impl Posterior {
    /// Of equations that have been read, with the evidence's weights or the loss's own; then the
    /// variance is that of the residuals, whose squares add up to `square`.
    pub(super) fn new(
        mut normal: Normal,
        layout: &ResidualLayout,
        weights: &Weights,
        square: f64,
        mean: Vec<f64>,
    ) -> Result<Self, TrainError> {
        let (parameters, residuals) = (mean.len() + layout.num_locals(), layout.total());
        let undetermined = TrainError::Undetermined { parameters, residuals };
        let is_determined = normal.factor(weights.prior, &mean, &|_| 0.0);
        if !is_determined && !normal.factor_undamped(weights.prior, &mean) {
            return Err(undetermined);
        }
        let mut variance = 1.0;
        if weights.of_terms.is_empty() {
            let mut determined = parameters as f64;
            if weights.prior > 0.0 {
                let inverse = normal.factor.inverse();
                let trace: f64 = (0..mean.len()).map(|i| inverse.diagonal(i)).sum();
                determined -= weights.prior * trace;
            }
            let free = residuals as f64 - determined;
            if !(free > 0.0) {
                return Err(undetermined);
            }
            variance = square / free;
        }
        Ok(Self { mean, factor: normal.factor, variance, is_determined })
    }

    /// Whether the data, and the prior, determine all parameters as far as rounding lets see. Where they
    /// do not, the standard errors of what they leave open are large, and say no more than that.
    #[must_use]
    pub fn is_determined(&self) -> bool {
        self.is_determined
    }

    /// Number of parameters `P`.
    #[must_use]
    pub fn num_params(&self) -> usize {
        self.mean.len()
    }

    /// `s^2`: 1 where noise and prior came from [`Evidence`](crate::Evidence), else the variance of
    /// a residual, `|r|^2 / (N - gamma)`.
    #[must_use]
    pub fn variance(&self) -> f64 {
        self.variance
    }

    /// The covariance of some parameters, by their places in the flat vector.
    ///
    /// # Errors
    /// If there is no such parameter, or they are more than memory holds.
    pub fn covariance(&self, params: &[usize]) -> Result<Array2<f64>, TrainError> {
        let row = 8 * self.num_params();
        TooLarge::check("rows of parameters", params.len(), row, "take fewer at a time")?;
        let mut rows = Array2::zeros((params.len(), self.num_params()));
        for (mut row, param) in rows.rows_mut().into_iter().zip(params) {
            let exists = *param < self.num_params();
            require(exists, "the number of a parameter", param, "less than their count")?;
            row[*param] = 1.0;
        }
        self.covariance_of(rows.view())
    }

    /// The covariance of linear functions of the parameters: a row of `P` numbers for each, such as
    /// the gradient of an output by the parameters.
    ///
    /// # Errors
    /// If rows have another length, or are more than memory holds.
    pub fn covariance_of(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        let (count, row) = (rows.nrows(), 8 * rows.nrows());
        TooLarge::check("rows of a covariance", count, row, "take fewer at a time")?;
        let z = self.whitened(rows)?;
        Ok(z.dot(&z.t()) * self.variance)
    }

    /// The standard errors of all parameters.
    #[must_use]
    pub fn standard_errors(&self) -> Array1<f64> {
        let inverse = self.factor.inverse();
        (0..self.num_params()).map(|i| (self.variance * inverse.diagonal(i)).sqrt()).collect()
    }

    /// The standard deviations of linear functions of the parameters, `sqrt(j^T Cov j)` for each row
    /// `j`: the half widths of bands about predictions whose gradients by the parameters the rows are.
    ///
    /// # Errors
    /// If rows have another length.
    pub fn standard_deviations(
        &self,
        rows: ArrayView2<'_, f64>,
    ) -> Result<Array1<f64>, TrainError> {
        let z = self.whitened(rows)?;
        Ok(z.rows().into_iter().map(|z| (self.variance * z.dot(&z)).sqrt()).collect())
    }

    /// Parameters drawn at random, a row each: `theta + s U^-1 z`. For constants of formulas: networks
    /// with weights drawn so are none that the data support, see
    /// [`rollout_deviations`](Self::rollout_deviations).
    ///
    /// # Errors
    /// If they are more than memory holds.
    pub fn samples(&self, count: usize, seed: u64) -> Result<Array2<f64>, TrainError> {
        let mut rng = ChaCha12Rng::seed_from_u64(seed);
        let (p, deviation) = (self.num_params(), self.variance.sqrt());
        TooLarge::check("samples of parameters", count, 8 * p, "take fewer")?;
        let mut numbers = vec![0.0; count * p];
        numbers.fill_with(|| deviation * Distribution::<f64>::sample(&StandardNormal, &mut rng));
        parallel::chunks_mut(&mut numbers, p, &|_, sample| {
            self.factor.backward(sample);
            sample.iter_mut().zip(&self.mean).for_each(|(x, mean)| *x += mean);
        });
        Ok(Array2::from_shape_vec((count, p), numbers).unwrap_or_default())
    }

    /// `U^-T j` for each row `j`.
    fn whitened(&self, rows: ArrayView2<'_, f64>) -> Result<Array2<f64>, TrainError> {
        let p = self.num_params();
        require(
            rows.ncols() == p,
            "the length of a row by the parameters",
            rows.ncols(),
            "the number of parameters",
        )?;
        let mut z: Vec<f64> = rows.iter().copied().collect();
        parallel::chunks_mut(&mut z, p, &|_, row| self.factor.forward(row));
        Ok(Array2::from_shape_vec(rows.dim(), z).unwrap_or_default())
    }
}
