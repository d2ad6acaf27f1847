//! Noise and prior from the data.

use hnn_integrators::Scalar;
use hnn_losses::LossError;
use serde::{Deserialize, Serialize};

use super::linear::{Weights, square};
use super::locals::rows_of;
use super::normal::Normal;
use super::rows::{Block, Read, Rows, runs_within};
use super::settings::EvidenceRule;
use crate::linalg::Symmetric;

/// What least squares say about the noise of the residuals and about the prior (MacKay 1992).
///
/// The residuals of term `k` are taken as Gaussian with variance `sigma_k^2`, the parameters with
/// variance `1 / alpha`. Then the objective `E = sum_k |r_k|^2 / sigma_k^2 + alpha |theta|^2` is
/// twice the negative logarithm of their probability, but for a constant. With its Hessian
/// `H = sum_k J_k^T J_k / sigma_k^2 + alpha` (halved), the data determine
/// `gamma = P - alpha tr H^-1` of the parameters, of which term `k` determines
/// `gamma_k = tr(H^-1 J_k^T J_k) / sigma_k^2`. Estimated are `alpha = gamma / |theta|^2` and
/// `sigma_k^2 = |r_k|^2 / (N_k - gamma_k)`.
///
/// Variances are those of a *residual as the loss has it*: where the loss is a mean of squared errors
/// over `M` numbers, times a weight `w`, a residual is `sqrt(w / M)` times an error, and the variance
/// of an error is `M / w` times that of a residual.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evidence {
    /// `alpha`.
    pub prior: f64,
    /// `gamma`, without locals.
    pub effective_parameters: f64,
    /// Noise, term by term.
    pub terms: Vec<TermEvidence>,
    /// `ln p(data | model)` by Laplace's approximation: the larger, the better the model.
    ///
    /// Comparable between models of the same loss (whose residuals have the same units). Locals have
    /// a flat prior of density 1. Minus infinity without a prior.
    pub log_evidence: f64,
}

/// The noise of a term.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TermEvidence {
    /// Its name.
    pub name: String,
    /// Number of its residuals `N_k`.
    pub residuals: usize,
    /// `gamma_k`, its locals included.
    pub effective_parameters: f64,
    /// `sigma_k^2` in use, given or estimated.
    pub variance: f64,
    /// `|r_k|^2 / (sigma_k^2 (N_k - gamma_k))`: near 1 where the model and the variance are right.
    pub reduced_chi2: f64,
}

/// Residuals that parameters leave free count as at least one.
const LEAST_FREEDOM: f64 = 1.0;

impl Evidence {
    /// The weights with which its objective is twice a negative logarithm.
    pub(super) fn weights(&self) -> Weights {
        let of_terms = self.terms.iter().map(|term| 1.0 / term.variance).collect();
        Weights { prior: self.prior, of_terms }
    }

    /// At the point where the rows were read last, and with their weights; none if the data leave
    /// something undetermined.
    pub(super) fn new<T: Scalar>(
        normal: &mut Normal,
        rows: &mut Rows<'_, T>,
        theta: &[f64],
    ) -> Result<Option<Self>, LossError> {
        let (layout, weights) = (rows.layout, rows.weights);
        if !normal.factor_undamped(weights.prior, theta) {
            return Ok(None);
        }
        let squares = rows.buffer.squares().to_vec();
        let inverse = normal.factor.inverse();
        let trace: f64 = (0..theta.len()).map(|i| inverse.diagonal(i)).sum();
        let effective_parameters = theta.len() as f64 - weights.prior * trace;
        // All terms together determine what the prior does not.
        let mut left = effective_parameters + layout.num_locals() as f64;
        let mut terms = Vec::new();
        for (term, name) in layout.terms().iter().enumerate() {
            let is_last = term + 1 == layout.terms().len();
            let determined = if is_last { left } else { determined(normal, rows, &inverse, term)? };
            left -= determined;
            let residuals = layout.total_of(term);
            let free = (residuals as f64 - determined).max(LEAST_FREEDOM);
            terms.push(TermEvidence {
                name: name.clone(),
                residuals,
                effective_parameters: determined,
                variance: 1.0 / weights.of_term(term),
                reduced_chi2: squares[term] / free,
            });
        }
        let objective = squares.iter().sum::<f64>() + weights.prior * square(theta);
        let prior = theta.len() as f64 * weights.prior.ln();
        let noise: f64 = terms.iter().map(|t| t.residuals as f64 * t.variance.ln()).sum();
        let curvature = normal.factor.log_determinant() + normal.arrow.locals.log_determinant();
        let constant =
            (layout.total() as f64 - layout.num_locals() as f64) * std::f64::consts::TAU.ln();
        let log_evidence = 0.5 * (prior - noise - objective - curvature - constant);
        Ok(Some(Self { prior: weights.prior, effective_parameters, terms, log_evidence }))
    }

    /// The weights that follow from it. Variances do not fall below `least`.
    pub(super) fn estimate(&self, rule: &EvidenceRule, theta: &[f64], least: f64) -> Weights {
        let of_terms = self.terms.iter().map(|term| {
            let known = rule.variances.iter().find(|(name, _)| *name == term.name);
            let estimated = (term.variance * term.reduced_chi2).max(least);
            1.0 / known.map_or(estimated, |(_, variance)| *variance)
        });
        let of_terms = of_terms.collect();
        let prior = self.effective_parameters.max(0.0) / square(theta).max(f64::MIN_POSITIVE);
        Weights { prior: prior.min(f64::MAX), of_terms }
    }
}

/// What a term determines: `gamma_k`, the sum of `j H^-1 j^T` over its weighted rows.
fn determined<T: Scalar>(
    normal: &mut Normal,
    rows: &mut Rows<'_, T>,
    inverse: &Symmetric,
    term: usize,
) -> Result<f64, LossError> {
    let layout = rows.layout;
    let mut sums = Symmetric::default();
    sums.clear(rows.num_params);
    let (mut of_theta, mut of_locals) = (Vec::new(), 0.0);
    rows.each(Read::SameRows, &mut |block| {
        of_theta.clear();
        for (run, _) in runs_within(layout, &block.residuals).filter(|(_, of)| *of == term) {
            for row in run {
                of_locals += project(normal, block, row, rows_width(block), &mut of_theta);
            }
        }
        let values = vec![0.0; of_theta.len() / rows_width(block)];
        sums.add_rows(&of_theta, &values, &mut normal.packed);
    })?;
    rows.add_up_matrix(&mut sums);
    Ok(inverse.inner(&sums) + of_locals)
}

/// Numbers of a row by the parameters.
fn rows_width<T>(block: &Block<'_, T>) -> usize {
    block.by_theta.len() / block.values.len().max(1)
}

/// Appends a row of a block, less its locals' part, and gives what the locals take of it.
fn project<T: Scalar>(
    normal: &Normal,
    block: &Block<'_, T>,
    row: usize,
    width: usize,
    out: &mut Vec<f64>,
) -> f64 {
    let begin = out.len();
    out.extend(block.by_theta[row * width..][..width].iter().map(|j| j.to_f64()));
    let (groups, base) = normal.arrow.locals.in_block(block);
    let residual = block.residuals.start + row;
    let place = groups.partition_point(|group| group.residuals.end <= residual);
    let Some(group) = groups.get(place).filter(|group| group.residuals.contains(&residual)) else {
        return 0.0;
    };
    let mut all = rows_of(group, base, block).chunks_exact(group.locals.len());
    let Some(own) = all.nth(residual - group.residuals.start) else { return 0.0 };
    let own: Vec<f64> = own.iter().map(|j| j.to_f64()).collect();
    let mut solved = own.clone();
    normal.arrow.project(group, &mut solved, &mut out[begin..]);
    own.iter().zip(&solved).map(|(j, z)| j * z).sum()
}
