//! Proposals: sets of columns that may hold the right one.

use crate::linalg::{LeastSquares, Triangle};
use crate::{Gram, Lasso, Penalty, SparseError};

/// Lambdas of each path, and how far down it goes.
const PATH: (usize, f64) = (40, 1e-4);
/// Shares of the largest standardised coefficient that a threshold takes.
const THRESHOLDS: usize = 12;
/// With more columns than this all of them are no candidate: pruning takes their fourth power.
const MOST_COLUMNS: usize = 150;
/// What a column must have at least that those before it do not have, to be independent of them.
const NEW_SHARES: [f64; 5] = [1e-1, 1e-2, 1e-4, 1e-6, 1e-8];
/// A path stops once its support is larger: pruning it would repeat the thresholds' work.
const LARGEST_SUPPORT: usize = 24;

/// Every proposal of every method, over the columns `allowed`.
pub(crate) fn propose(
    triangle: &Triangle,
    names: &[String],
    allowed: &[usize],
) -> Result<Vec<Vec<usize>>, SparseError> {
    let gram = triangle.gram(names.to_vec())?;
    let all = LeastSquares::new(triangle, allowed);
    let mut sets = vec![forward(&gram, triangle, allowed)];
    if all.len() <= MOST_COLUMNS {
        sets.push(all.columns.clone());
        // Where columns nearly depend on each other, the first ones, which are the simplest.
        let independent =
            |share: &f64| LeastSquares::independent(triangle, allowed, *share).columns;
        sets.extend(NEW_SHARES.iter().map(independent));
        sets.extend(thresholded(triangle, &gram, &all));
    }
    let mask = |weights: Vec<f64>| {
        let weight = |j: usize| if all.columns.contains(&j) { weights[j] } else { f64::INFINITY };
        Penalty::default().with_weights((0..gram.columns()).map(weight).collect::<Vec<_>>())
    };
    let plain = path(&gram, mask(vec![1.0; gram.columns()])?)?;
    // First estimates for adaptive weights: least squares, and some of the plain path's.
    let mut estimates = vec![spread(&all, gram.columns())];
    estimates.extend(plain.iter().rev().step_by(12).take(2).map(|s| s.coefficients.clone()));
    sets.extend(plain.iter().map(|solution| solution.support()));
    for estimate in estimates.iter().filter(|e| e.iter().any(|w| *w != 0.0)) {
        let weights = Penalty::adaptive(&gram, estimate, 1.0)?;
        let weights = (0..gram.columns()).map(|j| weights.weight(j)).collect();
        sets.extend(path(&gram, mask(weights)?)?.iter().map(|solution| solution.support()));
    }
    Ok(sets)
}

/// A rough path: supports are proposals, so no tolerance is tight.
fn path(gram: &Gram, penalty: Penalty) -> Result<Vec<crate::LassoSolution>, SparseError> {
    let lasso = Lasso::default()
        .with_penalty(penalty)
        .with_gap_tolerance(1e-4)
        .with_kkt_tolerance(f64::INFINITY)
        .with_max_sweeps(50);
    let small = |solution: &crate::LassoSolution| solution.support().len() <= LARGEST_SUPPORT;
    match lasso.path_while(gram, PATH.0, PATH.1, small) {
        Err(SparseError::NothingFound { .. }) => Ok(vec![]),
        result => result,
    }
}

fn spread(fit: &LeastSquares, columns: usize) -> Vec<f64> {
    let mut w = vec![0.0; columns];
    fit.columns.iter().zip(fit.coefficients()).for_each(|(&j, value)| w[j] = value);
    w
}

/// Sequentially thresholded least squares (Brunton, Proctor and Kutz 2016), on standardised
/// coefficients, for a grid of thresholds.
fn thresholded(triangle: &Triangle, gram: &Gram, all: &LeastSquares) -> Vec<Vec<usize>> {
    let scales = gram.column_scales();
    let mut sets = vec![];
    let mut fit = all.clone();
    for k in 0..THRESHOLDS {
        let share = 10.0_f64.powf(-4.0 + 4.0 * k as f64 / THRESHOLDS as f64);
        loop {
            let sizes: Vec<f64> = fit
                .coefficients()
                .iter()
                .zip(&fit.columns)
                .map(|(w, &j)| (w * scales[j]).abs())
                .collect();
            let threshold = share * scale_of_target(gram);
            let kept: Vec<usize> = fit
                .columns
                .iter()
                .zip(&sizes)
                .filter(|(_, size)| **size >= threshold)
                .map(|(&j, _)| j)
                .collect();
            if kept.len() == fit.len() {
                break;
            }
            fit = LeastSquares::new(triangle, &kept);
        }
        sets.push(fit.columns.clone());
    }
    sets
}

fn scale_of_target(gram: &Gram) -> f64 {
    (gram.target_square() / gram.rows() as f64).sqrt()
}

/// Forward selection: the column that lowers the residual most, again and again (orthogonal
/// matching pursuit on the Gram matrix).
fn forward(gram: &Gram, triangle: &Triangle, allowed: &[usize]) -> Vec<usize> {
    let scales = gram.column_scales();
    let mut chosen: Vec<usize> = vec![];
    while chosen.len() < LARGEST_SUPPORT.min(allowed.len()) {
        let fit = LeastSquares::new(triangle, &chosen);
        let w = fit.coefficients();
        let correlation = |j: usize| {
            let known: f64 =
                fit.columns.iter().zip(&w).map(|(&k, w)| gram.matrix[[j, k]] * w).sum();
            ((gram.target[j] - known) / scales[j]).abs()
        };
        let next = allowed
            .iter()
            .filter(|j| !chosen.contains(j))
            .max_by(|&&a, &&b| correlation(a).total_cmp(&correlation(b)));
        let Some(&next) = next else { break };
        chosen.push(next);
    }
    chosen
}
