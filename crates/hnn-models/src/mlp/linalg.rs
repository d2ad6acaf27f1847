//! Products of a weight matrix with a batch.
//!
//! `W` has shape (m, k), row-major; a batch has shape (m, B) or (k, B), row-major. Batches go to
//! [`Product`], a single state to kernels of its own (`single`).

use hnn_integrators::linalg::Product;
use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Scalar, ThetaBar, Wide};

use super::single::{MatVec, TransposedMatVec};
use super::{Weights, rows};

/// `out = W x + b`, shapes (m, B) = (m, k) (k, B) + (m).
pub(super) fn affine<T: Scalar>(
    out: &mut [T],
    w: Weights<'_, T>,
    b: Option<&[T]>,
    x: &[T],
    (m, k, batch): (usize, usize, usize),
) {
    if batch == 0 {
        return;
    }
    if batch == 1 {
        return dispatch(MatVec { out, w: w.packed(), b, x });
    }
    T::product(Product::affine(out, w.rows, b, x, (m, k, batch)));
}

/// `out = W^T d`, shapes (k, B) = (k, m) (m, B).
pub(super) fn transposed<T: Scalar>(
    out: &mut [T],
    w: Weights<'_, T>,
    d: &[T],
    (m, k, batch): (usize, usize, usize),
) {
    if batch == 0 {
        return;
    }
    if batch == 1 {
        return dispatch(TransposedMatVec { out, w: w.packed(), d });
    }
    T::product(Product::transposed(out, w.rows, d, (m, k, batch)));
}

/// `W_bar += d a^T`, shapes (m, k) += (m, B) (B, k), or the outer product of each column of `d` and
/// `a` to a row of its own.
pub(super) fn add_outer<T: Scalar>(
    w_bar: ThetaBar<'_, T>,
    d: &[T],
    a: &[T],
    (m, k, batch): (usize, usize, usize),
) {
    let w_bar = match w_bar {
        ThetaBar::Sum(w_bar) => w_bar,
        ThetaBar::Rows(rows) => return dispatch(rows::AddOuter { rows, d, a, k, batch }),
        ThetaBar::None => return,
    };
    if batch == 0 {
        return;
    }
    if batch == 1 {
        for (row, d) in w_bar.chunks_exact_mut(k).zip(d) {
            row.iter_mut().zip(a).for_each(|(w, a)| *w += *d * *a);
        }
        return;
    }
    T::product(Product::add_outer(w_bar, d, a, (m, k, batch)));
}

/// `b_bar += ` the sum of each row of `d`, shapes (m) += (m, B), or each column of `d` to a row of its
/// own.
pub(super) fn add_row_sums<T: Scalar>(b_bar: ThetaBar<'_, T>, d: &[T], batch: usize) {
    match b_bar {
        ThetaBar::Sum(b_bar) if batch == 1 => {
            b_bar.iter_mut().zip(d).for_each(|(b, d)| *b += *d);
        }
        ThetaBar::Sum(b_bar) if batch > 0 => dispatch(AddRowSums { b_bar, d, batch }),
        ThetaBar::Rows(rows) => dispatch(rows::AddColumns { rows, d, batch }),
        ThetaBar::Sum(_) | ThetaBar::None => {}
    }
}

struct AddRowSums<'a, T> {
    b_bar: &'a mut [T],
    d: &'a [T],
    batch: usize,
}

impl<T: Scalar> Kernel for AddRowSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (b, d) in self.b_bar.iter_mut().zip(self.d.chunks_exact(self.batch)) {
            // Several sums, so that none waits for its last term.
            let mut sums = [Wide::<T, 16, I>::splat(T::ZERO); 4];
            let whole = d.len() - d.len() % 64;
            for i in (0..whole).step_by(64) {
                for k in 0..4 {
                    sums[k] += Wide::load(&d[i + 16 * k..]);
                }
            }
            for i in (whole..d.len()).step_by(16) {
                sums[0] += Wide::load_first(&d[i..]);
            }
            let sums = (sums[0] + sums[1]) + (sums[2] + sums[3]);
            *b += sums.0.into_iter().fold(T::ZERO, |sum, term| sum + term);
        }
    }
}
