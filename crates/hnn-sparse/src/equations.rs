//! The linear equations of an identification, block by block.

use std::sync::Arc;

use hnn_integrators::TooLarge;
use hnn_losses::Ranks;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use crate::gram::not_finite;
use crate::unknowns::Unknowns;
use crate::{Ansatz, SparseError, error::require};

/// Some rows of a regression `X w = y`.
pub(crate) struct RowBlock<'a> {
    /// The columns of `X`, one after the other.
    pub(crate) columns: &'a [f64],
    /// `y`.
    pub(crate) target: &'a [f64],
    /// Which observation each row is of: rows of one observation stay together in a
    /// cross-validation by point.
    pub(crate) observations: &'a [usize],
    /// Which trajectory each row is of.
    pub(crate) trajectories: &'a [usize],
    /// Which component of the field all of them are about.
    pub(crate) component: usize,
}

impl RowBlock<'_> {
    pub(crate) fn rows(&self) -> usize {
        self.target.len()
    }
}

/// What a block is handed to.
pub(crate) type Visitor<'a> = dyn FnMut(RowBlock<'_>) -> Result<(), SparseError> + 'a;

/// Where the rows come from: tables, or states that features are evaluated at as they are needed.
pub(crate) trait RowSource: Send + Sync {
    fn rows(&self) -> usize;
    fn trajectories(&self) -> usize;
    /// Root mean square of `y`, for each component of the field.
    fn target_sizes(&self) -> Vec<f64>;
    fn visit(&self, visitor: &mut Visitor<'_>) -> Result<(), SparseError>;
}

/// The linear equations `X w = y` of an identification.
///
/// Made of derivatives ([`Samples`](crate::Samples)) or of trajectories alone
/// ([`WeakForm`](crate::WeakForm) and others). Rows are made as they are needed, so memory does
/// not grow with their number where the features do not have to be kept.
///
/// They are about an [`Ansatz`], or about an [`InverseDynamics`](crate::InverseDynamics).
pub struct Equations<A = Ansatz> {
    ansatz: A,
    names: Vec<String>,
    source: Box<dyn RowSource>,
    relative_errors: Vec<f64>,
    scales: Vec<f64>,
    state_sizes: Vec<f64>,
    independent: f64,
    warnings: Vec<String>,
    /// Those that have other rows, and the number of the rows of all.
    ranks: Option<(Arc<dyn Ranks>, usize)>,
}

/// Columns of sizes beyond these have squares that overflow or vanish.
const SIZES: std::ops::RangeInclusive<f64> = 1e-140..=1e140;

impl<A: Unknowns> std::fmt::Debug for Equations<A> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Equations");
        debug.field("rows", &self.rows()).field("columns", &self.names).finish()
    }
}

impl<A: Unknowns> Equations<A> {
    /// `relative_errors` are those of the equations themselves (differences, quadrature, rounding)
    /// for each component of the field, relative to its size: no residual is taken to be smaller. `state_sizes` are the root mean squares of the coordinates.
    pub(crate) fn new(
        ansatz: A,
        source: Box<dyn RowSource>,
        relative_errors: Vec<f64>,
        state_sizes: &[f64],
    ) -> Result<Self, SparseError> {
        let names = ansatz.names();
        let (given, needed) = (source.rows(), names.len());
        if given < needed {
            return Err(SparseError::TooFew {
                what: "equations (rows), for as many features",
                given,
                needed,
            });
        }
        let scales = component_scales(&source.target_sizes(), state_sizes);
        Ok(Self {
            ansatz,
            names,
            source,
            relative_errors,
            scales,
            state_sizes: state_sizes.to_vec(),
            independent: 1.0,
            warnings: vec![],
            ranks: None,
        })
    }

    /// The equations of all ranks, each of which has those of its own files or trials: what is found, and
    /// what a [`Gram`](crate::Gram) holds, is then that of all of them, on every rank, and no rank holds the
    /// rows of another. All ranks call this together, and whatever is then done with the equations, but for
    /// a cross-validation, which is refused.
    ///
    /// # Errors
    /// If ranks have equations of different columns.
    pub fn over_ranks(mut self, ranks: &Arc<dyn Ranks>) -> Result<Self, SparseError> {
        let names = ranks.gather(self.names.join("\n").as_bytes());
        if let Some(rank) = names.iter().position(|other| *other != names[0]) {
            return Err(SparseError::Setting {
                name: "the columns of the equations of a rank",
                given: format!("others on rank {rank} than on rank 0"),
                expected: "the same on all ranks: read the same columns, and take the same library",
            });
        }
        let (rows, targets) = (self.source.rows() as f64, self.source.target_sizes());
        let squares = targets.iter().chain(&self.state_sizes).map(|size| rows * size * size);
        let mut sums: Vec<f64> =
            [rows, rows * self.independent].into_iter().chain(squares).collect();
        ranks.add_up(&mut sums);
        let all = sums[0];
        let mut sizes: Vec<f64> = sums[2..].iter().map(|square| (square / all).sqrt()).collect();
        self.state_sizes = sizes.split_off(targets.len());
        self.scales = component_scales(&sizes, &self.state_sizes);
        self.independent = sums[1] / all;
        let errors = serde_json::to_vec(&(&self.relative_errors, &self.warnings))?;
        for given in ranks.gather(&errors) {
            let (errors, warnings): (Vec<f64>, Vec<String>) = serde_json::from_slice(&given)?;
            let pairs = self.relative_errors.iter_mut().zip(errors);
            pairs.for_each(|(error, other)| *error = error.max(other));
            for warning in warnings {
                if !self.warnings.contains(&warning) {
                    self.warnings.push(warning);
                }
            }
        }
        self.ranks = Some((Arc::clone(ranks), all as usize));
        Ok(self)
    }

    /// The ranks that have a part of the rows each.
    pub(crate) fn ranks(&self) -> Option<&dyn Ranks> {
        self.ranks.as_ref().map(|(ranks, _)| &**ranks)
    }

    /// Rows that share their noise, as overlapping windows do, count for less: `share` of their
    /// number.
    pub(crate) fn with_independent_share(mut self, share: f64) -> Self {
        self.independent = share.clamp(0.0, 1.0);
        self
    }

    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// What of the data was left out, or looks wrong. A selection repeats it.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The number of rows whose noise is independent.
    pub(crate) fn independent_rows(&self) -> f64 {
        self.independent * self.rows() as f64
    }

    /// What the equations are about.
    #[must_use]
    pub fn ansatz(&self) -> &A {
        &self.ansatz
    }

    /// Names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of rows `n`, of all ranks.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.ranks.as_ref().map_or(self.source.rows(), |(_, rows)| *rows)
    }

    /// Number of columns `m`.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.names.len()
    }

    /// Number of trajectories that the rows come from.
    #[must_use]
    pub fn trajectories(&self) -> usize {
        self.source.trajectories()
    }

    /// Error of the equations themselves, relative to the root mean square of `y`: that of the
    /// component of the field that is known worst.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        self.relative_errors.iter().fold(0.0, |a, &b| if b > a || b.is_nan() { b } else { a })
    }

    /// Declares the equations of every component of the field to hold no better than this, relative
    /// to the root mean square of its `y`: what is below is not taken for a term. A selection
    /// refuses a number that is negative or not finite.
    #[must_use]
    pub fn with_relative_error(mut self, relative_error: f64) -> Self {
        self.relative_errors.fill(relative_error);
        self
    }

    /// The error of each component of the field, if all are numbers that an error can have.
    pub(crate) fn relative_errors(&self) -> Result<&[f64], SparseError> {
        check_relative_errors(&self.relative_errors)?;
        Ok(&self.relative_errors)
    }

    /// The size of all components together.
    pub(crate) fn size(&self) -> f64 {
        root_mean_square(self.scales.iter().copied())
    }

    /// The size of each component of the field, so that `y` over it is of order 1.
    pub(crate) fn scales(&self) -> &[f64] {
        &self.scales
    }

    /// All rows of this process at once: `X` (n, m) and `y` (n).
    ///
    /// # Errors
    /// If a number is not finite, or so many do not fit in memory.
    pub fn to_arrays(&self) -> Result<(Array2<f64>, Array1<f64>), SparseError> {
        let remedy = "take `Gram::of`, which does not hold them all";
        let rows = self.source.rows();
        TooLarge::check("rows of a regression", rows, 8 * (self.columns() + 1), remedy)?;
        let mut x = Array2::zeros((rows, self.columns()));
        let mut y = Array1::zeros(rows);
        let mut first = 0;
        self.visit(&mut |block| {
            for row in 0..block.rows() {
                y[first + row] = block.target[row];
                for j in 0..x.ncols() {
                    x[[first + row, j]] = block.columns[j * block.rows() + row];
                }
            }
            first += block.rows();
            Ok(())
        })?;
        Ok((x, y))
    }

    /// Hands every block to the visitor, after a look for numbers that are not finite.
    pub(crate) fn visit(&self, visitor: &mut Visitor<'_>) -> Result<(), SparseError> {
        let mut first = 0;
        self.source.visit(&mut |block| {
            let sum: f64 = block.columns.iter().chain(block.target).map(|v| v * 0.0).sum();
            if sum.is_nan() {
                return Err(locate(&block, self.columns(), first));
            }
            first += block.rows();
            visitor(block)
        })
    }
}

impl<A: Unknowns> Equations<A> {
    /// As [`visit`](Self::visit), with a weight for the rows of every component of the field that
    /// gives it the size `size`: what is compared or added up does not depend on the units of the
    /// data.
    pub(crate) fn visit_scaled(
        &self,
        size: f64,
        visitor: &mut Visitor<'_>,
    ) -> Result<(), SparseError> {
        let mut largest = vec![0.0_f64; self.columns()];
        let (mut columns, mut target) = (vec![], vec![]);
        self.visit(&mut |block| {
            let weight = size / self.scales[block.component];
            let scaled = |numbers: &[f64], into: &mut Vec<f64>| {
                into.clear();
                into.extend(numbers.iter().map(|number| number * weight));
            };
            scaled(block.columns, &mut columns);
            scaled(block.target, &mut target);
            for (largest, column) in largest.iter_mut().zip(columns.chunks_exact(block.rows())) {
                *largest = column.iter().fold(*largest, |a, b| a.max(b.abs()));
            }
            visitor(RowBlock { columns: &columns, target: &target, ..block })
        })?;
        let outside = |(_, size): &(usize, &f64)| **size != 0.0 && !SIZES.contains(*size);
        match largest.iter().enumerate().find(outside) {
            None => Ok(()),
            Some((j, size)) => Err(SparseError::Setting {
                name: "the size of a column",
                given: format!("{size:e} ({})", self.names[j]),
                expected: "between 1e-140 and 1e140: measure the coordinates in other units, or drop \
                           the feature",
            }),
        }
    }
}

/// That these are numbers that an error can have.
pub(crate) fn check_relative_errors(errors: &[f64]) -> Result<(), SparseError> {
    let valid = |error: f64| error >= 0.0 && error.is_finite();
    let check = |&error: &f64| {
        require(valid(error), "the relative error", error, "finite and not negative")
    };
    errors.iter().try_for_each(check)
}

/// The root mean square, of numbers of any size; 0 of none.
pub(crate) fn root_mean_square(numbers: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest = numbers.clone().fold(0.0_f64, |a, b| a.max(b.abs()));
    if largest == 0.0 {
        return 0.0;
    }
    let (sum, count) =
        numbers.fold((0.0, 0_usize), |(sum, n), b| (sum + (b / largest) * (b / largest), n + 1));
    largest * (sum / count as f64).sqrt()
}

/// The size of every component of the field. One that is 0, or rounding, is compared with what
/// the fastest coordinate would make of its own coordinate.
pub(crate) fn component_scales(targets: &[f64], states: &[f64]) -> Vec<f64> {
    const ROUNDING: f64 = 1e-13;
    let pairs = targets.iter().zip(states);
    let rates = pairs.clone().map(|(y, x)| y / x).filter(|rate| rate.is_finite());
    let rate = rates.fold(0.0_f64, f64::max);
    let scale = |(&y, &x): (&f64, &f64)| {
        let expected = rate * x;
        let size = if y > ROUNDING * expected { y } else { expected };
        if size > 0.0 && size.is_finite() { size } else { 1.0 }
    };
    pairs.map(scale).collect()
}

fn locate(block: &RowBlock<'_>, columns: usize, first: usize) -> SparseError {
    let shape = (columns, block.rows());
    let Ok(x) = ArrayView2::from_shape(shape, block.columns) else {
        return SparseError::NotFinite { what: "X", row: first, column: 0 };
    };
    match not_finite(x.t(), ArrayView1::from(block.target)) {
        SparseError::NotFinite { what, row, column } => {
            SparseError::NotFinite { what, row: row + first, column }
        }
        other => other,
    }
}

/// Rows kept in memory: what a transformation of trajectories leaves behind.
pub(crate) struct Table {
    /// For every component of the field the columns of `X`, one after the other.
    pub(crate) columns: Vec<Vec<f64>>,
    /// For every component `y`, as long as the two below.
    pub(crate) target: Vec<Vec<f64>>,
    pub(crate) observations: Vec<usize>,
    pub(crate) trajectories: Vec<usize>,
}

impl RowSource for Table {
    fn rows(&self) -> usize {
        self.target.len() * self.observations.len()
    }

    fn trajectories(&self) -> usize {
        self.trajectories.iter().max().map_or(0, |last| last + 1)
    }

    fn target_sizes(&self) -> Vec<f64> {
        self.target.iter().map(|y| root_mean_square(y.iter().copied())).collect()
    }

    fn visit(&self, visitor: &mut Visitor<'_>) -> Result<(), SparseError> {
        for (component, (columns, target)) in self.columns.iter().zip(&self.target).enumerate() {
            visitor(RowBlock {
                columns,
                target,
                observations: &self.observations,
                trajectories: &self.trajectories,
                component,
            })?;
        }
        Ok(())
    }
}
