//! Cholesky factors of symmetric matrices.

use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Wide, parallel};

use super::panels::{self, Lane8, Panels, WIDTH};
use super::product::{Part, add_product};
use super::{Symmetric, axpy, dot};

/// Rows that are factored before the rest hears of it.
const BLOCK: usize = 64;

/// A pivot below this share of its diagonal entry is rounding.
const LEAST_PIVOT: f64 = f64::EPSILON;

/// The factor `U` of `A = U^T U`, in blocks (Golub and Van Loan, Matrix Computations, 4.2).
///
/// It takes the place of the matrix, and `U^-T g` that of its vector.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cholesky {
    matrix: Symmetric,
    packed: Panels,
    diagonal: Vec<f64>,
}

impl Cholesky {
    /// What is to be factored, or the factor.
    pub(crate) fn matrix(&mut self) -> &mut Symmetric {
        &mut self.matrix
    }

    /// Factors the matrix. False if it is not positive definite to rounding; then it is spoilt.
    pub(crate) fn factor(&mut self) -> bool {
        let Self { matrix, packed, diagonal } = self;
        let (n, stride) = (matrix.order(), matrix.stride());
        let padded = stride - WIDTH;
        (n..padded).for_each(|i| *matrix.diagonal_mut(i) = 1.0);
        diagonal.clear();
        diagonal.extend((0..padded).map(|i| matrix.diagonal(i)));
        for first in (0..padded).step_by(BLOCK) {
            let size = BLOCK.min(padded - first);
            let (above, below) = matrix.numbers_mut().split_at_mut((first + size) * stride);
            let rows = &mut above[first * stride..];
            if !factor_block(rows, stride, &diagonal[first..first + size], first) {
                return false;
            }
            let rest = first + size;
            packed.pack(size, (stride - rest) / WIDTH, |panel, lanes| {
                for (lane, row) in lanes.iter_mut().zip(rows.chunks_exact(stride)) {
                    *lane = panels::lane(row, rest + panel * WIDTH);
                }
                dispatch(Forward { rows, stride, first, lanes });
            });
            parallel::chunks_mut(rows, stride, &|k, row| {
                for (panel, place) in row[rest..].as_chunks_mut::<WIDTH>().0.iter_mut().enumerate()
                {
                    *place = packed.panel(panel)[k];
                }
            });
            let (pair, at) = ((&*packed, &*packed), (stride, rest));
            add_product(below, at, pair, (Part::Upper, -1.0));
        }
        true
    }

    /// `A^-1 g`.
    pub(crate) fn solution(&self, x: &mut [f64]) {
        x.iter_mut().enumerate().for_each(|(i, x)| *x = self.matrix.vector(i));
        self.backward(x);
    }

    /// `x <- U^-T x`.
    pub(crate) fn forward(&self, x: &mut [f64]) {
        for i in 0..x.len() {
            let row = self.matrix.row(i);
            let value = x[i] / row[0];
            x[i] = value;
            axpy(-value, &row[1..], &mut x[i + 1..]);
        }
    }

    /// `x <- U^-1 x`.
    pub(crate) fn backward(&self, x: &mut [f64]) {
        for i in (0..x.len()).rev() {
            let row = self.matrix.row(i);
            x[i] = (x[i] - dot(&row[1..], &x[i + 1..])) / row[0];
        }
    }

    /// `ln det A`.
    pub(crate) fn log_determinant(&self) -> f64 {
        (0..self.matrix.order()).map(|i| 2.0 * self.matrix.diagonal(i).ln()).sum()
    }

    /// `A^-1`, its vector zero.
    pub(crate) fn inverse(&self) -> Symmetric {
        let stride = self.matrix.stride();
        let padded = stride - WIDTH;
        let mut inverse = Symmetric::default();
        inverse.clear(self.matrix.order());
        // `U^-T`, block row after block row; `A^-1` is the sum of its rows' outer products.
        let mut lower = vec![0.0; padded * padded];
        (0..padded).for_each(|i| lower[i * padded + i] = 1.0);
        let (mut packed, mut factor) = (Panels::default(), Panels::default());
        for first in (0..padded).step_by(BLOCK) {
            let size = BLOCK.min(padded - first);
            let rest = first + size;
            let rows = &self.matrix.numbers()[first * stride..rest * stride];
            packed.pack(size, rest / WIDTH, |panel, lanes| {
                let known = lower[first * padded..].chunks_exact(padded);
                for (lane, row) in lanes.iter_mut().zip(known) {
                    *lane = panels::lane(row, panel * WIDTH);
                }
                dispatch(Forward { rows, stride, first, lanes });
            });
            inverse.add_packed(&packed, 1.0);
            factor.pack(size, (padded - rest) / WIDTH, |panel, lanes| {
                for (lane, row) in lanes.iter_mut().zip(rows.chunks_exact(stride)) {
                    *lane = panels::lane(row, rest + panel * WIDTH);
                }
            });
            let below = &mut lower[rest * padded..];
            add_product(below, (padded, 0), (&factor, &packed), (Part::Whole, -1.0));
        }
        inverse
    }
}

/// Factors the block on the diagonal that begins at column `first`.
fn factor_block(rows: &mut [f64], stride: usize, diagonal: &[f64], first: usize) -> bool {
    let size = diagonal.len();
    for i in 0..size {
        let (above, below) = rows.split_at_mut((i + 1) * stride);
        let row = &mut above[i * stride + first..][..size];
        let pivot = row[i];
        if !(pivot > LEAST_PIVOT * diagonal[i] && pivot.is_finite()) {
            return false;
        }
        let root = pivot.sqrt();
        row[i] = root;
        row[i + 1..].iter_mut().for_each(|u| *u /= root);
        for (k, other) in (i + 1..size).zip(below.chunks_exact_mut(stride)) {
            axpy(-row[k], &row[k..], &mut other[first + k..first + size]);
        }
    }
    true
}

/// `lanes <- U^-T lanes` with the block `U` on the diagonal of some rows, from column `first` on.
struct Forward<'a> {
    rows: &'a [f64],
    stride: usize,
    first: usize,
    lanes: &'a mut [Lane8],
}

impl Kernel for Forward<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let size = self.lanes.len();
        for k in 0..size {
            let factor = &self.rows[k * self.stride + self.first..][..size];
            let (known, rest) = self.lanes.split_at_mut(k + 1);
            let known = &mut known[k];
            let value = Wide::<f64, WIDTH, I>::new(*known) * Wide::splat(1.0 / factor[k]);
            *known = value.0;
            for (lane, u) in rest.iter_mut().zip(&factor[k + 1..]) {
                *lane = value.mul_add(Wide::splat(-u), Wide::new(*lane)).0;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rows of numbers that look random.
    fn rows(count: usize, n: usize) -> Vec<f64> {
        (0..count * n).map(|i| ((i * 7919 + i * i % 104_729) as f64).sin()).collect()
    }

    fn gram(count: usize, n: usize, ridge: f64) -> Symmetric {
        let (rows, values) = (rows(count, n), rows(count, 1));
        let mut gram = Symmetric::default();
        gram.clear(n);
        gram.add_rows(&rows, &values, &mut Panels::default());
        (0..n).for_each(|i| *gram.diagonal_mut(i) += ridge);
        gram
    }

    fn close(a: f64, b: f64, scale: f64) {
        assert!((a - b).abs() <= 1e-11 * scale, "{a}, expected {b}");
    }

    #[test]
    fn a_gram_matrix_is_the_sum_of_outer_products() {
        for (count, n) in [(1, 1), (3, 7), (130, 8), (300, 61), (257, 130)] {
            let (gram, rows, values) = (gram(count, n, 0.0), rows(count, n), rows(count, 1));
            let column = |i: usize| rows[i..].iter().step_by(n);
            for i in 0..n {
                for j in i..n {
                    let expected = column(i).zip(column(j)).map(|(a, b)| a * b).sum();
                    close(gram.row(i)[j - i], expected, count as f64);
                }
                let expected = column(i).zip(&values).map(|(a, b)| a * b).sum();
                close(gram.vector(i), expected, count as f64);
            }
        }
    }

    #[test]
    fn factor_solution_inverse_and_determinant_agree() {
        for n in [1, 5, 8, 64, 67, 150, 200] {
            let a = gram(2 * n, n, 0.5);
            let full = |i: usize, j: usize| a.row(i.min(j))[i.max(j) - i.min(j)];
            let mut factor = Cholesky::default();
            factor.matrix().copy(&a);
            assert!(factor.factor());
            let mut x = vec![0.0; n];
            factor.solution(&mut x);
            for i in 0..n {
                let product = (0..n).map(|j| full(i, j) * x[j]).sum();
                close(product, a.vector(i), n as f64);
            }
            let inverse = factor.inverse();
            for (i, j) in [(0, 0), (0, n - 1), (n / 2, n - 1), (n - 1, n - 1)] {
                let column = |k: usize| inverse.row(k.min(j))[k.max(j) - k.min(j)];
                let product = (0..n).map(|k| full(i, k) * column(k)).sum();
                close(product, f64::from(u8::from(i == j)), n as f64);
            }
            let mut unit = vec![0.0; n];
            unit[n / 2] = 1.0;
            factor.forward(&mut unit);
            close(dot(&unit, &unit), inverse.row(n / 2)[0], 1.0);
            // One more row changes it by what the inverse says (Sylvester).
            let before = factor.log_determinant();
            factor.matrix().copy(&a);
            *factor.matrix().diagonal_mut(n / 2) += 3.0;
            assert!(factor.factor());
            let change = (1.0 + 3.0 * inverse.row(n / 2)[0]).ln();
            close(factor.log_determinant() - before, change, n as f64);
        }
    }

    #[test]
    fn the_same_numbers_for_any_number_of_threads() {
        let run = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
            pool.install(|| {
                let mut factor = Cholesky::default();
                factor.matrix().copy(&gram(500, 203, 0.5));
                assert!(factor.factor());
                let mut x = vec![0.0; 203];
                factor.solution(&mut x);
                let inverse = factor.inverse();
                x.extend((0..203).flat_map(|i| inverse.row(i)));
                x.into_iter().map(f64::to_bits).collect::<Vec<_>>()
            })
        };
        assert_eq!(run(1), run(3));
    }

    #[test]
    fn a_matrix_that_is_not_positive_definite_is_refused() {
        let mut factor = Cholesky::default();
        factor.matrix().copy(&gram(20, 100, 0.0));
        assert!(!factor.factor());
        factor.matrix().copy(&gram(20, 10, f64::NAN));
        assert!(!factor.factor());
    }
}
