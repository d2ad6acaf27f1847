//! Streamed QR: a regression of any number of rows as one small triangle.
//!
//! A Gram matrix squares the condition number and loses residuals below `1e-8 |y|`; the triangle
//! does neither, at twice the work. (Golub and Van Loan, Matrix Computations, 5.2 and 6.5.)

use hnn_integrators::TooLarge;
use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_losses::Ranks;
use ndarray::Array2;

use super::{axpy_wide, dot_wide};
use crate::SparseError;
use crate::equations::Equations;
use crate::gram::Gram;
use crate::unknowns::Unknowns;

/// `R` of the QR decomposition of `[X y]`, rows packed one after the other with full length.
#[derive(Debug, Clone)]
pub(crate) struct Triangle {
    rows: usize,
    columns: usize,
    /// `(columns + 1)^2` numbers; row `i` starts at `i (columns + 1)`.
    r: Vec<f64>,
}

impl Triangle {
    /// One triangle for each component of the field, of that component's rows in units of its
    /// size.
    pub(crate) fn by_component<A: Unknowns>(
        equations: &Equations<A>,
    ) -> Result<Vec<Self>, SparseError> {
        let (columns, dim) = (equations.columns(), equations.scales().len());
        let each = 8 * (columns + 1).saturating_mul(columns + 1);
        TooLarge::check(
            "triangles of a regression, one a coordinate",
            dim,
            each,
            "take fewer features",
        )?;
        let mut triangles = vec![Self::empty(columns); dim];
        let mut scratch = vec![];
        equations.visit_scaled(1.0, &mut |block| {
            scratch.clear();
            scratch.extend_from_slice(block.columns);
            scratch.extend_from_slice(block.target);
            triangles[block.component].add(block.rows(), &mut scratch);
            Ok(())
        })?;
        let Some(ranks) = equations.ranks() else { return Ok(triangles) };
        let remedy = "take fewer features, or fewer ranks";
        TooLarge::check("triangles of a regression, one a rank", ranks.count(), each, remedy)?;
        Ok(triangles.into_iter().map(|own| own.over_ranks(ranks)).collect())
    }

    /// The triangle of the rows of all ranks.
    fn over_ranks(self, ranks: &dyn Ranks) -> Self {
        let numbers = std::iter::once(self.rows as f64).chain(self.r.iter().copied());
        let own: Vec<u8> = numbers.flat_map(f64::to_le_bytes).collect();
        let parse = |given: Vec<u8>| {
            let numbers = given.as_chunks().0;
            let mut numbers = numbers.iter().map(|number| f64::from_le_bytes(*number));
            let rows = numbers.next().unwrap_or_default() as usize;
            Self { rows, columns: self.columns, r: numbers.collect() }
        };
        let parts: Vec<Self> = ranks.gather(&own).into_iter().map(parse).collect();
        Self::merged(&parts, &vec![1.0; parts.len()])
    }

    /// The triangle of the rows of all parts, each part's multiplied by its weight.
    pub(crate) fn merged(parts: &[Self], weights: &[f64]) -> Self {
        let mut whole = Self::empty(parts.first().map_or(0, |part| part.columns));
        for (part, weight) in parts.iter().zip(weights) {
            let width = part.columns + 1;
            let row = |k: usize| (0..width).map(move |i| weight * part.row(i)[k]);
            let mut block: Vec<f64> = (0..width).flat_map(row).collect();
            whole.add(width, &mut block);
            whole.rows += part.rows;
            whole.rows -= width;
        }
        whole
    }

    pub(crate) fn of<A: Unknowns>(equations: &Equations<A>) -> Result<Self, SparseError> {
        let parts = Self::by_component(equations)?;
        Ok(Self::merged(&parts, &vec![1.0; parts.len()]))
    }

    /// `|X w - y|^2`.
    pub(crate) fn residual_square(&self, w: &[f64]) -> f64 {
        let residual = |i: usize| self.dot(i, w) - self.row(i)[self.columns];
        (0..=self.columns).map(|i| residual(i).powi(2)).sum()
    }

    /// `|X w|`.
    pub(crate) fn image(&self, w: &[f64]) -> f64 {
        (0..=self.columns).map(|i| self.dot(i, w).powi(2)).sum::<f64>().sqrt()
    }

    fn dot(&self, i: usize, w: &[f64]) -> f64 {
        self.row(i)[..self.columns].iter().zip(w).map(|(x, w)| x * w).sum()
    }

    /// Squared residual of the least-squares fit on all columns.
    pub(crate) fn rest(&self) -> f64 {
        self.row(self.columns)[self.columns].powi(2)
    }

    /// Number of columns that are not 0 in every row.
    pub(crate) fn active_columns(&self) -> usize {
        (0..self.columns).filter(|&j| self.column_square(j) > 0.0).count()
    }

    pub(crate) fn empty(columns: usize) -> Self {
        Self { rows: 0, columns, r: vec![0.0; (columns + 1) * (columns + 1)] }
    }

    /// Adds rows: `block` holds the columns of `X` and then `y`, `rows` numbers each, and is
    /// overwritten.
    pub(crate) fn add(&mut self, rows: usize, block: &mut [f64]) {
        self.rows += rows;
        dispatch(Reflect { width: self.columns + 1, r: &mut self.r, rows, block });
    }

    pub(crate) fn rows(&self) -> usize {
        self.rows
    }

    pub(crate) fn columns(&self) -> usize {
        self.columns
    }

    /// Moves a column with a known coefficient to the target's side: `y -= w X_j`.
    pub(crate) fn subtract(&mut self, j: usize, w: f64) {
        let width = self.columns + 1;
        for i in 0..=j {
            self.r[i * width + self.columns] -= w * self.r[i * width + j];
        }
    }

    /// Row `i` of `R`, the target's column last.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.r[i * (self.columns + 1)..][..self.columns + 1]
    }

    /// Column `j` of `R` down to its diagonal; `j = columns` is the target's.
    pub(crate) fn column(&self, j: usize) -> Vec<f64> {
        (0..=j).map(|i| self.row(i)[j]).collect()
    }

    /// `|X_j|^2`.
    pub(crate) fn column_square(&self, j: usize) -> f64 {
        self.column(j).iter().map(|r| r * r).sum()
    }

    /// `y^T y`.
    pub(crate) fn target_square(&self) -> f64 {
        self.column_square(self.columns)
    }

    /// `R` with every column divided by its norm; zero columns stay zero.
    pub(crate) fn standardised(&self) -> Array2<f64> {
        let norms: Vec<f64> = (0..self.columns).map(|j| self.column_square(j).sqrt()).collect();
        Array2::from_shape_fn((self.columns, self.columns), |(i, j)| {
            if norms[j] > 0.0 { self.row(i)[j] / norms[j] } else { 0.0 }
        })
    }

    /// The Gram matrix `R^T R`.
    pub(crate) fn gram(&self, names: Vec<String>) -> Result<Gram, SparseError> {
        let mut gram = Gram::empty(names)?;
        let m = self.columns;
        for i in 0..=m {
            let row = self.row(i);
            for j in i..m {
                for k in j..m {
                    gram.matrix[[j, k]] += row[j] * row[k];
                }
                gram.target[j] += row[j] * row[m];
            }
        }
        gram.rows = self.rows;
        gram.target_square = self.target_square();
        gram.finish();
        Ok(gram)
    }
}

/// Householder reflections that merge a block of rows into the triangle.
struct Reflect<'a> {
    width: usize,
    r: &'a mut [f64],
    rows: usize,
    block: &'a mut [f64],
}

impl Kernel for Reflect<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        let (width, rows) = (self.width, self.rows);
        for j in 0..width {
            let (before, after) = self.block.split_at_mut((j + 1) * rows);
            let below = &mut before[j * rows..];
            let square = dot_wide::<I>(below, below);
            if square == 0.0 {
                continue;
            }
            let diagonal = self.r[j * width + j];
            let length = -(diagonal * diagonal + square).sqrt().copysign(diagonal);
            // The reflection is 1 - factor v v^T with v = (1, below / (diagonal - length)).
            let first = diagonal - length;
            below.iter_mut().for_each(|value| *value /= first);
            let factor = -first / length;
            self.r[j * width + j] = length;
            for k in j + 1..width {
                let other = &mut after[(k - j - 1) * rows..][..rows];
                let above = &mut self.r[j * width + k];
                let projection = factor * (*above + dot_wide::<I>(below, other));
                *above -= projection;
                axpy_wide::<I>(-projection, below, other);
            }
        }
    }
}

/// The least-squares fit on some of the columns, from which columns are dropped one by one.
#[derive(Debug, Clone)]
pub(crate) struct LeastSquares {
    /// The columns, in the order of the triangle.
    pub(crate) columns: Vec<usize>,
    /// `T`, upper triangular, row after row with `stride` numbers each.
    t: Vec<f64>,
    stride: usize,
    /// `Q^T y` in the space of the columns.
    z: Vec<f64>,
    /// Squared residual.
    pub(crate) residual_square: f64,
}

/// A column of which less than this share is new, given those before it, depends on them.
const DEPENDENT: f64 = 1e-14;

impl LeastSquares {
    /// On these columns, less those that depend on the ones before them.
    pub(crate) fn new(triangle: &Triangle, columns: &[usize]) -> Self {
        Self::independent(triangle, columns, DEPENDENT)
    }

    /// The same, less those of which no more than `share` is new.
    pub(crate) fn independent(triangle: &Triangle, columns: &[usize], share: f64) -> Self {
        let height = triangle.columns + 1;
        let padded = |j: usize| {
            let mut column = triangle.column(j);
            column.resize(height, 0.0);
            column
        };
        let mut reflectors: Vec<(Vec<f64>, f64)> = vec![];
        let mut kept: Vec<(usize, Vec<f64>)> = vec![];
        for &j in columns {
            let mut column = padded(j);
            let norm = square(&column).sqrt();
            reflect_all(&reflectors, &mut column);
            let k = kept.len();
            let tail = square(&column[k..]).sqrt();
            if tail <= share * norm || k + 1 >= height {
                continue;
            }
            let length = -tail.copysign(column[k]);
            let mut v = column[k..].to_vec();
            v[0] -= length;
            let factor = 2.0 / square(&v);
            column[k] = length;
            column.truncate(k + 1);
            reflectors.push((v, factor));
            kept.push((j, column));
        }
        let mut target = padded(triangle.columns);
        reflect_all(&reflectors, &mut target);
        let stride = kept.len();
        let mut t = vec![0.0; stride * stride];
        for (k, (_, column)) in kept.iter().enumerate() {
            for (i, &value) in column.iter().enumerate() {
                t[i * stride + k] = value;
            }
        }
        Self {
            columns: kept.into_iter().map(|(j, _)| j).collect(),
            t,
            stride,
            residual_square: square(&target[stride..]),
            z: target[..stride].to_vec(),
        }
    }

    pub(crate) fn len(&self) -> usize {
        self.columns.len()
    }

    /// The coefficients.
    pub(crate) fn coefficients(&self) -> Vec<f64> {
        let mut w = self.z.clone();
        for i in (0..self.len()).rev() {
            let row = &self.t[i * self.stride..];
            let known: f64 = (i + 1..self.len()).map(|k| row[k] * w[k]).sum();
            w[i] = (w[i] - known) / row[i];
        }
        w
    }

    /// `(T^T T)^-1`'s diagonal: the variances of the coefficients in units of the noise's.
    pub(crate) fn unit_variances(&self) -> Vec<f64> {
        let n = self.len();
        let mut variances = vec![0.0; n];
        let mut column = vec![0.0; n];
        for k in 0..n {
            // Column k of T^-1.
            column[k] = 1.0 / self.t[k * self.stride + k];
            for i in (0..k).rev() {
                let row = &self.t[i * self.stride..];
                let known: f64 = (i + 1..=k).map(|j| row[j] * column[j]).sum();
                column[i] = -known / row[i];
            }
            for i in 0..=k {
                variances[i] += column[i] * column[i];
            }
        }
        variances
    }

    /// The smallest part of a column, relative, that the columns before it do not have.
    pub(crate) fn smallest_new_share(&self) -> f64 {
        let share = |k: usize| {
            let entry = |i: usize| self.t[i * self.stride + k];
            entry(k).abs() / (0..=k).map(|i| entry(i) * entry(i)).sum::<f64>().sqrt()
        };
        (0..self.len()).map(share).fold(1.0, f64::min)
    }

    /// By how much the squared residual grows when a column is dropped, for each.
    pub(crate) fn increases(&self) -> Vec<f64> {
        let pairs = self.coefficients().into_iter().zip(self.unit_variances());
        pairs.map(|(w, variance)| w * w / variance).collect()
    }

    /// Drops column `k` (its place in [`columns`](Self::columns)).
    pub(crate) fn remove(&mut self, k: usize) {
        let (n, stride) = (self.len(), self.stride);
        for i in 0..n {
            self.t.copy_within(i * stride + k + 1..i * stride + n, i * stride + k);
        }
        for j in k..n - 1 {
            let (a, b) = (self.t[j * stride + j], self.t[(j + 1) * stride + j]);
            let length = a.hypot(b);
            let (c, s) = if length > 0.0 { (a / length, b / length) } else { (1.0, 0.0) };
            for column in j..n - 1 {
                let (a, b) = (self.t[j * stride + column], self.t[(j + 1) * stride + column]);
                self.t[j * stride + column] = c * a + s * b;
                self.t[(j + 1) * stride + column] = c * b - s * a;
            }
            (self.z[j], self.z[j + 1]) =
                (c * self.z[j] + s * self.z[j + 1], c * self.z[j + 1] - s * self.z[j]);
        }
        self.residual_square += self.z.pop().map_or(0.0, |last| last * last);
        self.columns.remove(k);
    }
}

fn square(v: &[f64]) -> f64 {
    v.iter().map(|x| x * x).sum()
}

/// Applies the reflections in order; reflection `k` acts on entries from `k` on.
fn reflect_all(reflectors: &[(Vec<f64>, f64)], column: &mut [f64]) {
    for (k, (v, factor)) in reflectors.iter().enumerate() {
        let tail = &mut column[k..];
        let projection = factor * v.iter().zip(&*tail).map(|(a, b)| a * b).sum::<f64>();
        tail.iter_mut().zip(v).for_each(|(x, a)| *x -= projection * a);
    }
}
