//! Lambda by cross-validation, on Gram matrices of folds.

use hnn_integrators::TooLarge;
use std::collections::BTreeMap;

use crate::equations::RowBlock;
use crate::unknowns::Unknowns;
use crate::{Equations, Gram, Lasso, LassoSolution, SparseError, error::require};

/// What is left out together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Folds {
    /// Whole trajectories: what a model is for. Points of one trajectory are no independent test.
    ByTrajectory,
    /// Every `k`-th point.
    ByPoint {
        /// Number of folds `k`.
        count: usize,
    },
}

/// Mean squared residuals of a path on rows that were left out, all components of the field
/// weighted to the same size as [`Gram::from_equations`] does.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct CrossValidation {
    /// The lambdas, falling.
    pub lambdas: Vec<f64>,
    /// Mean over folds of the mean squared residual on the fold left out.
    pub mean: Vec<f64>,
    /// Standard error of that mean.
    pub std_error: Vec<f64>,
    /// The solutions on all rows.
    pub path: Vec<LassoSolution>,
}

/// Squared residuals below this share of the squared data are the rounding of a Gram matrix: of
/// solutions that reach it, the one with the largest lambda is the best.
const ROUNDING: f64 = 1e-14;

impl CrossValidation {
    /// Runs a path of `count` lambdas down to `smallest_share` of the largest, once on all rows and
    /// once without each fold.
    ///
    /// ```
    /// use hnn_sparse::{Ansatz, CrossValidation, Folds, Lasso, Library, Samples};
    /// # use ndarray::Array2;
    /// # let x = Array2::from_shape_fn((60, 2), |(k, i)| ((7 * k + 3 * i) as f64).sin());
    /// # let dx = Array2::from_shape_fn((60, 2), |(k, i)| if i == 0 { x[[k, 1]] } else { -x[[k, 0]] });
    /// let ansatz = Ansatz::new(&Library::monomials(1, 1..=3)?)?;
    /// let equations = Samples::new(x, dx)?.equations(&ansatz)?;
    /// let folds = Folds::ByPoint { count: 5 };
    /// let validation = CrossValidation::run(&equations, &Lasso::default(), folds, 30, 1e-3)?;
    /// assert!(validation.one_std_error().lambda >= validation.best().lambda);
    /// # Ok::<(), hnn_sparse::SparseError>(())
    /// ```
    ///
    /// # Errors
    /// If there are fewer than two folds, or more than points, or as [`Lasso::path`].
    pub fn run<A: Unknowns>(
        equations: &Equations<A>,
        lasso: &Lasso,
        folds: Folds,
        count: usize,
        smallest_share: f64,
    ) -> Result<Self, SparseError> {
        let parts = fold_grams(equations, folds)?;
        let whole = Gram::from_equations(equations)?;
        let path = lasso.path(&whole, count, smallest_share)?;
        let lambdas: Vec<f64> = path.iter().map(|solution| solution.lambda).collect();
        let mut errors = vec![vec![]; lambdas.len()];
        for (part, rest) in parts.iter().zip(rests(&parts)) {
            let solutions = lasso.without_zero_columns(&rest)?.path_at(&rest, &lambdas)?;
            for (errors, solution) in errors.iter_mut().zip(&solutions) {
                let square = part.residual_square(&solution.coefficients);
                let square = square.max(ROUNDING * part.target_square());
                errors.push(square / part.rows() as f64);
            }
        }
        let k = parts.len() as f64;
        let mean: Vec<f64> = errors.iter().map(|e| e.iter().sum::<f64>() / k).collect();
        let deviation = |(errors, mean): (&Vec<f64>, &f64)| {
            let square: f64 = errors.iter().map(|e| (e - mean).powi(2)).sum();
            (square / (k - 1.0) / k).sqrt()
        };
        let std_error = errors.iter().zip(&mean).map(deviation).collect();
        Ok(Self { lambdas, mean, std_error, path })
    }

    /// The solution with the smallest mean.
    #[must_use]
    pub fn best(&self) -> &LassoSolution {
        &self.path[self.best_place()]
    }

    /// The solution with the largest lambda whose mean is within one standard error of the
    /// smallest (the 1-SE rule of Breiman et al. 1984).
    #[must_use]
    pub fn one_std_error(&self) -> &LassoSolution {
        let best = self.best_place();
        let limit = self.mean[best] + self.std_error[best];
        let place = self.mean.iter().position(|mean| *mean <= limit).unwrap_or(best);
        &self.path[place]
    }

    fn best_place(&self) -> usize {
        let places = 0..self.mean.len();
        places.min_by(|&a, &b| self.mean[a].total_cmp(&self.mean[b])).unwrap_or(0)
    }
}

/// All folds but one, for each: sums from both ends, since a difference of the whole and the fold
/// would leave rounding where there is nothing.
fn rests(parts: &[Gram]) -> Vec<Gram> {
    let mut after: Vec<Option<Gram>> = vec![None];
    for part in parts.iter().skip(1).rev() {
        let sum = after.last().and_then(Option::as_ref).map_or(part.clone(), |sum| part.with(sum));
        after.push(Some(sum));
    }
    let mut before: Option<Gram> = None;
    let mut rests = vec![];
    for (part, after) in parts.iter().zip(after.into_iter().rev()) {
        rests.extend(match (&before, after) {
            (Some(before), Some(after)) => Some(before.with(&after)),
            (before, after) => after.or_else(|| before.clone()),
        });
        before = Some(before.map_or(part.clone(), |sum| sum.with(part)));
    }
    rests
}

/// The Gram matrix of each fold.
fn fold_grams<A: Unknowns>(
    equations: &Equations<A>,
    folds: Folds,
) -> Result<Vec<Gram>, SparseError> {
    let ranks = equations.ranks().map_or(1, |ranks| ranks.count());
    require(ranks == 1, "the number of ranks of a cross-validation", ranks, "1")?;
    let count = match folds {
        Folds::ByTrajectory => equations.trajectories(),
        Folds::ByPoint { count } => count,
    };
    require(count >= 2, "the number of folds", count, "at least 2")?;
    let rows = equations.rows();
    require(count <= rows, "the number of folds", count, "at most the number of points")?;
    // Each fold, and sums of those before and after it.
    let each = 24 * equations.columns().saturating_mul(equations.columns());
    TooLarge::check("folds", count, each, "take fewer folds or features")?;
    let mut grams = vec![Gram::empty(equations.names().to_vec())?; count];
    equations.visit_scaled(equations.size(), &mut |block| {
        let fold = |row: usize| match folds {
            Folds::ByTrajectory => block.trajectories[row],
            Folds::ByPoint { .. } => block.observations[row] % count,
        };
        let mut members: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        (0..block.rows()).for_each(|row| members.entry(fold(row)).or_default().push(row));
        members.iter().for_each(|(&fold, rows)| add_rows(&mut grams[fold], &block, rows));
        Ok(())
    })?;
    for (fold, gram) in grams.iter_mut().enumerate() {
        gram.finish();
        if gram.rows() == 0 {
            return Err(SparseError::Setting {
                name: "the number of folds",
                given: format!("{count}, but fold {fold} has no row"),
                expected: "at most the number of points",
            });
        }
    }
    Ok(grams)
}

fn add_rows(gram: &mut Gram, block: &RowBlock<'_>, rows: &[usize]) {
    let pick = |lane: &[f64]| -> Vec<f64> { rows.iter().map(|&row| lane[row]).collect() };
    let columns: Vec<f64> = block.columns.chunks_exact(block.rows()).flat_map(pick).collect();
    let part = RowBlock { columns: &columns, target: &pick(block.target), ..*block };
    gram.add_block(&part);
}
