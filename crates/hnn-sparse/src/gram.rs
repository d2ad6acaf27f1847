//! The Gram matrix of a regression: all that a LASSO needs to know of its rows.

use hnn_losses::Ranks;
use ndarray::linalg::general_mat_mul;
use ndarray::{Array1, Array2, ArrayView1, ArrayView2, Axis, s};

use crate::equations::{Equations, RowBlock};
use crate::size::require_square;
use crate::unknowns::Unknowns;
use crate::{SparseError, error::require, error::same_length};

/// `X^T X`, `X^T y` and `y^T y` of the rows of a regression `X w = y`, whatever their number `n`.
///
/// Rows with weights are multiplied by the root of theirs.
///
/// ```
/// use hnn_sparse::Gram;
/// use ndarray::array;
/// let x = array![[1.0, 0.0], [1.0, 1.0], [0.0, 2.0]];
/// let gram = Gram::new(x.view(), array![1.0, 3.0, 4.0].view())?;
/// assert_eq!(gram.matrix(), array![[2.0, 1.0], [1.0, 5.0]]);
/// assert_eq!((gram.rows(), gram.target_square()), (3, 26.0));
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Gram {
    pub(crate) rows: usize,
    pub(crate) matrix: Array2<f64>,
    pub(crate) target: Vec<f64>,
    pub(crate) target_square: f64,
    pub(crate) names: Vec<String>,
}

/// Columns of one block of a large product: only blocks on and above the diagonal are computed.
const COLUMN_BLOCK: usize = 128;
/// Rows of one product.
const ROW_BLOCK: usize = 4096;

impl Gram {
    /// Of the rows of `x` (n, m) with the targets `y` (n).
    ///
    /// # Errors
    /// If the lengths differ, there is no row or too many columns, or a number is not finite.
    pub fn new(x: ArrayView2<'_, f64>, y: ArrayView1<'_, f64>) -> Result<Self, SparseError> {
        same_length("targets y, one a row of X", y.len(), x.nrows())?;
        if x.nrows() == 0 {
            return Err(SparseError::TooFew { what: "rows", given: 0, needed: 1 });
        }
        check_columns(x.ncols())?;
        let mut gram = Self::empty(column_names(x.ncols()))?;
        for (x, y) in
            x.axis_chunks_iter(Axis(0), ROW_BLOCK).zip(y.axis_chunks_iter(Axis(0), ROW_BLOCK))
        {
            gram.add(x, y);
        }
        gram.finish();
        if gram.is_finite() { Ok(gram) } else { Err(not_finite(x, y)) }
    }

    /// As [`new`](Self::new) with a weight for each row: the sum of squares is
    /// `sum of weight * residual^2`, and `n` stays the number of rows.
    ///
    /// # Errors
    /// As [`new`](Self::new), or if a weight is negative or not finite.
    pub fn weighted(
        x: ArrayView2<'_, f64>,
        y: ArrayView1<'_, f64>,
        weights: ArrayView1<'_, f64>,
    ) -> Result<Self, SparseError> {
        same_length("weights, one a row of X", weights.len(), x.nrows())?;
        for &weight in weights {
            let valid = weight >= 0.0 && weight.is_finite();
            require(valid, "a row weight", weight, "finite and not negative")?;
        }
        let root = weights.mapv(f64::sqrt);
        let x = &x * &root.view().insert_axis(Axis(1));
        Self::new(x.view(), (&y * &root).view())
    }

    /// Of the equations of an identification, block by block: memory does not grow with their
    /// number.
    ///
    /// Rows are weighted so that all components of the field have the same size, whatever the units
    /// of the coordinates; `y^T y` stays what it is without weights.
    ///
    /// # Errors
    /// If a number is not finite, or there are too many columns.
    pub fn from_equations<A: Unknowns>(equations: &Equations<A>) -> Result<Self, SparseError> {
        let mut gram = Self::empty(equations.names().to_vec())?;
        equations.visit_scaled(equations.size(), &mut |block| {
            gram.add_block(&block);
            Ok(())
        })?;
        gram.finish();
        match equations.ranks() {
            Some(ranks) => gram.over_ranks(ranks),
            None => Ok(gram),
        }
    }

    /// With more rows of the same columns, `x` (n, m) and `y` (n): those of the next file, so that no more
    /// than one is in memory.
    ///
    /// ```
    /// use hnn_sparse::Gram;
    /// use ndarray::array;
    /// let gram = Gram::new(array![[1.0, 2.0]].view(), array![3.0].view())?;
    /// let gram = gram.with_rows(array![[0.0, 1.0]].view(), array![1.0].view())?;
    /// assert_eq!((gram.rows(), gram.target()), (2, &[3.0, 7.0][..]));
    /// # Ok::<(), hnn_sparse::SparseError>(())
    /// ```
    ///
    /// # Errors
    /// As [`new`](Self::new), or if there are other columns.
    pub fn with_rows(
        self,
        x: ArrayView2<'_, f64>,
        y: ArrayView1<'_, f64>,
    ) -> Result<Self, SparseError> {
        same_length("columns of the rows", x.ncols(), self.columns())?;
        Ok(self.with(&Self::new(x, y)?))
    }

    /// Of the rows of all ranks, each of which has given its own. All ranks call this together.
    ///
    /// # Errors
    /// If ranks have different numbers of columns.
    pub fn over_ranks(mut self, ranks: &dyn Ranks) -> Result<Self, SparseError> {
        for given in ranks.gather(&(self.columns() as u64).to_le_bytes()) {
            let columns = given.first_chunk().map_or(0, |bytes| u64::from_le_bytes(*bytes));
            same_length("columns of a rank's rows", columns as usize, self.columns())?;
        }
        let m = self.columns();
        let mut sums = vec![self.rows as f64, self.target_square];
        sums.extend(&self.target);
        (0..m).for_each(|i| sums.extend(self.matrix.slice(s![i, i..])));
        ranks.add_up(&mut sums);
        (self.rows, self.target_square) = (sums[0] as usize, sums[1]);
        let mut numbers = sums.into_iter().skip(2);
        self.target.iter_mut().zip(&mut numbers).for_each(|(own, sum)| *own = sum);
        for i in 0..m {
            let row = self.matrix.slice_mut(s![i, i..]);
            row.into_iter().zip(&mut numbers).for_each(|(own, sum)| *own = sum);
        }
        self.finish();
        Ok(self)
    }

    pub(crate) fn empty(names: Vec<String>) -> Result<Self, SparseError> {
        let columns = names.len();
        check_columns(columns)?;
        let matrix = Array2::zeros((columns, columns));
        Ok(Self { rows: 0, matrix, target: vec![0.0; columns], target_square: 0.0, names })
    }

    /// Adds the rows of a block; [`finish`](Self::finish) must follow the last one.
    pub(crate) fn add_block(&mut self, block: &RowBlock<'_>) {
        let shape = (self.columns(), block.rows());
        if let Ok(columns) = ArrayView2::from_shape(shape, block.columns) {
            self.add(columns.t(), ArrayView1::from(block.target));
        }
    }

    fn add(&mut self, x: ArrayView2<'_, f64>, y: ArrayView1<'_, f64>) {
        self.rows += x.nrows();
        self.target_square += y.dot(&y);
        let target = x.t().dot(&y);
        self.target.iter_mut().zip(&target).for_each(|(sum, new)| *sum += new);
        let m = self.columns();
        for first in (0..m).step_by(COLUMN_BLOCK) {
            let (a, last) = (x.slice(s![.., first..m.min(first + COLUMN_BLOCK)]), m);
            let b = x.slice(s![.., first..last]);
            let mut sum = self.matrix.slice_mut(s![first..first + a.ncols(), first..last]);
            general_mat_mul(1.0, &a.t(), &b, 1.0, &mut sum);
        }
    }

    /// Copies the upper triangle to the lower one.
    pub(crate) fn finish(&mut self) {
        for i in 0..self.columns() {
            for j in 0..i {
                self.matrix[[i, j]] = self.matrix[[j, i]];
            }
        }
    }

    fn is_finite(&self) -> bool {
        let diagonal = self.matrix.diag();
        self.target_square.is_finite() && diagonal.iter().all(|d| d.is_finite())
    }

    /// These rows and those of `other`, of the same columns.
    pub(crate) fn with(&self, other: &Self) -> Self {
        Self {
            rows: self.rows + other.rows,
            matrix: &self.matrix + &other.matrix,
            target: self.target.iter().zip(&other.target).map(|(a, b)| a + b).collect(),
            target_square: self.target_square + other.target_square,
            names: self.names.clone(),
        }
    }

    /// `|X w - y|^2`, with the rounding of the squares (see [`Triangle`](crate::linalg::Triangle)).
    pub(crate) fn residual_square(&self, w: &[f64]) -> f64 {
        let w = ArrayView1::from(w);
        let target = ArrayView1::from(self.target.as_slice());
        self.target_square - 2.0 * target.dot(&w) + w.dot(&self.matrix.dot(&w))
    }

    /// Gives the columns names, for errors and reports.
    ///
    /// # Errors
    /// If there are not as many names as columns.
    pub fn with_names<S: Into<String>>(
        mut self,
        names: impl IntoIterator<Item = S>,
    ) -> Result<Self, SparseError> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        same_length("names of columns", names.len(), self.columns())?;
        self.names = names;
        Ok(self)
    }

    /// Number of rows `n`.
    #[must_use]
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Number of columns `m`.
    #[must_use]
    pub fn columns(&self) -> usize {
        self.target.len()
    }

    /// `X^T X` (m, m).
    #[must_use]
    pub fn matrix(&self) -> ArrayView2<'_, f64> {
        self.matrix.view()
    }

    /// `X^T y` (m).
    #[must_use]
    pub fn target(&self) -> &[f64] {
        &self.target
    }

    /// `y^T y`.
    #[must_use]
    pub fn target_square(&self) -> f64 {
        self.target_square
    }

    /// Names of the columns.
    #[must_use]
    pub fn names(&self) -> &[String] {
        &self.names
    }

    /// Root mean square of every column.
    #[must_use]
    pub fn column_scales(&self) -> Array1<f64> {
        self.matrix.diag().mapv(|square| (square / self.rows as f64).sqrt())
    }
}

fn check_columns(columns: usize) -> Result<(), SparseError> {
    Ok(require_square("columns of a regression", columns, "take fewer")?)
}

/// `column 0`, `column 1`, ...
pub(crate) fn column_names(columns: usize) -> Vec<String> {
    (0..columns).map(|j| format!("column {j}")).collect()
}

/// The error that names the first number that is not finite.
pub(crate) fn not_finite(x: ArrayView2<'_, f64>, y: ArrayView1<'_, f64>) -> SparseError {
    let in_x = x.indexed_iter().find(|(_, value)| !value.is_finite());
    if let Some(((row, column), _)) = in_x {
        return SparseError::NotFinite { what: "X", row, column };
    }
    match y.iter().position(|value| !value.is_finite()) {
        Some(row) => SparseError::NotFinite { what: "y", row, column: 0 },
        None => SparseError::Setting {
            name: "the size of the numbers",
            given: "so large that squares overflow".to_owned(),
            expected: "below 1e150",
        },
    }
}
