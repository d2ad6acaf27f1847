//! The linear equations of an identification, block by block.

use ndarray::{Array1, Array2, ArrayView1, ArrayView2};

use crate::gram::not_finite;
use crate::{Ansatz, SparseError};

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
    fn visit(&self, visitor: &mut Visitor<'_>) -> Result<(), SparseError>;
}

/// The linear equations `X w = y` of an identification.
///
/// Made of derivatives ([`Samples`](crate::Samples)) or of trajectories alone
/// ([`WeakForm`](crate::WeakForm) and others). Rows are made as they are needed, so memory does
/// not grow with their number where the features do not have to be kept.
pub struct Equations {
    ansatz: Ansatz,
    names: Vec<String>,
    source: Box<dyn RowSource>,
    relative_error: f64,
}

impl std::fmt::Debug for Equations {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut debug = f.debug_struct("Equations");
        debug.field("rows", &self.rows()).field("columns", &self.names).finish()
    }
}

impl Equations {
    /// `relative_error` is the error of the equations themselves (differences, quadrature,
    /// rounding), relative to the root mean square of `y`: no residual is taken to be smaller.
    pub(crate) fn new(
        ansatz: Ansatz,
        source: Box<dyn RowSource>,
        relative_error: f64,
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
        Ok(Self { ansatz, names, source, relative_error })
    }

    /// What the equations are about.
    #[must_use]
    pub fn ansatz(&self) -> &Ansatz {
        &self.ansatz
    }

    /// Names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Number of rows `n`.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.source.rows()
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

    /// Error of the equations themselves, relative to the root mean square of `y`.
    #[must_use]
    pub fn relative_error(&self) -> f64 {
        self.relative_error
    }

    /// Declares the equations to hold no better than this, relative to the root mean square of
    /// `y`: what is below is not taken for a term.
    #[must_use]
    pub fn with_relative_error(mut self, relative_error: f64) -> Self {
        self.relative_error = relative_error.abs();
        self
    }

    /// All rows at once: `X` (n, m) and `y` (n).
    ///
    /// # Errors
    /// If a number is not finite.
    pub fn to_arrays(&self) -> Result<(Array2<f64>, Array1<f64>), SparseError> {
        let mut x = Array2::zeros((self.rows(), self.columns()));
        let mut y = Array1::zeros(self.rows());
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
