//! Products of a weight matrix with a batch.
//!
//! `W` has shape (m, k), row-major; a batch has shape (m, B) or (k, B), row-major. Batches go to
//! [`Product`]; for a single state the kernels of this file read `W` once.

use hnn_integrators::linalg::Product;
use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Scalar, ThetaBar, Wide};

use super::rows;

/// `out = W x + b`, shapes (m, B) = (m, k) (k, B) + (m).
pub(super) fn affine<T: Scalar>(
    out: &mut [T],
    w: &[T],
    b: Option<&[T]>,
    x: &[T],
    (m, k, batch): (usize, usize, usize),
) {
    if batch == 0 {
        return;
    }
    if batch == 1 {
        dispatch(MatVec { out, w, x });
        if let Some(b) = b {
            out.iter_mut().zip(b).for_each(|(y, b)| *y += *b);
        }
        return;
    }
    T::product(Product::affine(out, w, b, x, (m, k, batch)));
}

/// `out = W^T d`, shapes (k, B) = (k, m) (m, B).
pub(super) fn transposed<T: Scalar>(
    out: &mut [T],
    w: &[T],
    d: &[T],
    (m, k, batch): (usize, usize, usize),
) {
    if batch == 0 {
        return;
    }
    if batch == 1 {
        return dispatch(TransposedMatVec { out, w, d });
    }
    T::product(Product::transposed(out, w, d, (m, k, batch)));
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

struct MatVec<'a, T> {
    out: &'a mut [T],
    w: &'a [T],
    x: &'a [T],
}

impl<T: Scalar> Kernel for MatVec<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let k = self.x.len();
        let mut rows = self.w.chunks_exact(4 * k);
        let mut out = self.out.chunks_exact_mut(4);
        for (rows, out) in (&mut rows).zip(&mut out) {
            let split = std::array::from_fn(|r| &rows[r * k..(r + 1) * k]);
            out.copy_from_slice(&dots::<T, I, 4>(split, self.x));
        }
        let rest = rows.remainder().chunks_exact(k);
        for (row, out) in rest.zip(out.into_remainder()) {
            [*out] = dots::<T, I, 1>([row], self.x);
        }
    }
}

/// The dot products of `R` rows with `x`: in lanes of 16, then one of 8, then one by one.
///
/// (Plain loops: what `std::array::from_fn` or `map` is given is not always inlined, and then is no
/// vector code.)
#[inline(always)]
fn dots<T: Scalar, I: Isa, const R: usize>(rows: [&[T]; R], x: &[T]) -> [T; R] {
    let mut sums = [Wide::<T, 16, I>::splat(T::ZERO); R];
    let whole = x.len() - x.len() % 16;
    for i in (0..whole).step_by(16) {
        let x = Wide::load(&x[i..]);
        for r in 0..R {
            sums[r] = Wide::load(&rows[r][i..]).mul_add(x, sums[r]);
        }
    }
    let mut result = [T::ZERO; R];
    for r in 0..R {
        let (low, high) = sums[r].0.split_at(8);
        let mut sum = Wide::<T, 8, I>::load(low) + Wide::load(high);
        let mut next = whole;
        if x.len() - next >= 8 {
            sum = Wide::load(&rows[r][next..]).mul_add(Wide::load(&x[next..]), sum);
            next += 8;
        }
        let [a, b, c, d, e, f, g, h] = sum.0;
        result[r] = ((a + e) + (c + g)) + ((b + f) + (d + h));
        for i in next..x.len() {
            result[r] += rows[r][i] * x[i];
        }
    }
    result
}

struct TransposedMatVec<'a, T> {
    out: &'a mut [T],
    w: &'a [T],
    d: &'a [T],
}

impl<T: Scalar> Kernel for TransposedMatVec<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let k = self.out.len();
        let whole = k - k % 32;
        for i in (0..whole).step_by(32) {
            self.columns::<I, 32>(k, i).store(&mut self.out[i..]);
        }
        for i in whole..k {
            self.columns::<I, 1>(k, i).store(&mut self.out[i..]);
        }
    }
}

impl<T: Scalar> TransposedMatVec<'_, T> {
    /// The products of `d` with `W` columns from column `i` on.
    #[inline(always)]
    fn columns<I: Isa, const W: usize>(&self, k: usize, i: usize) -> Wide<T, W, I> {
        let mut sum = Wide::splat(T::ZERO);
        for (row, d) in self.w.chunks_exact(k).zip(self.d) {
            sum = Wide::load(&row[i..]).mul_add(Wide::splat(*d), sum);
        }
        sum
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
            let mut sums = Wide::<T, 16, I>::splat(T::ZERO);
            for i in (0..d.len()).step_by(16) {
                sums += Wide::load_first(&d[i..]);
            }
            *b += sums.0.into_iter().fold(T::ZERO, |sum, term| sum + term);
        }
    }
}
