//! Weight cotangents of each row of a batch, to rows of their own.

use hnn_integrators::simd::{Isa, Kernel};
use hnn_integrators::{Lane, Scalar, ThetaRows, Wide};

/// Inputs of a layer taken at a time.
const INPUTS: usize = 32;

/// Row `b` of the block gains the outer product `d_b a_b^T`; shapes (m, B) and (k, B).
pub(super) struct AddOuter<'a, T> {
    pub(super) rows: ThetaRows<'a, T>,
    pub(super) d: &'a [T],
    pub(super) a: &'a [T],
    pub(super) k: usize,
    pub(super) batch: usize,
}

impl<T: Scalar> Kernel for AddOuter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { mut rows, d, a, k, batch } = self;
        let mut inputs = [T::ZERO; INPUTS];
        for (b, w_bar) in rows.iter_mut().enumerate().take(batch) {
            for first in (0..k).step_by(INPUTS) {
                // The row's inputs side by side.
                let count = INPUTS.min(k - first);
                let column = a[first * batch + b..].iter().step_by(batch);
                inputs[..count].iter_mut().zip(column).for_each(|(input, a)| *input = *a);
                let units = d[b..].iter().step_by(batch);
                for (w_bar, d) in w_bar.chunks_exact_mut(k).zip(units) {
                    add_scaled::<T, I>(&mut w_bar[first..first + count], *d, &inputs[..count]);
                }
            }
        }
    }
}

/// Row `b` of the block gains the column `d_b`; shape (m, B).
pub(super) struct AddColumns<'a, T> {
    pub(super) rows: ThetaRows<'a, T>,
    pub(super) d: &'a [T],
    pub(super) batch: usize,
}

impl<T: Scalar> Kernel for AddColumns<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let Self { mut rows, d, batch } = self;
        for (b, row) in rows.iter_mut().enumerate().take(batch) {
            row.iter_mut().zip(d[b..].iter().step_by(batch)).for_each(|(row, d)| *row += *d);
        }
    }
}

/// `out += d x`, in lanes of 8, then one by one.
#[inline(always)]
fn add_scaled<T: Scalar, I: Isa>(out: &mut [T], d: T, x: &[T]) {
    let whole = out.len() - out.len() % 8;
    for i in (0..whole).step_by(8) {
        let sum = Wide::<T, 8, I>::splat(d).mul_add(Wide::load(&x[i..]), Wide::load(&out[i..]));
        sum.store(&mut out[i..]);
    }
    for i in whole..out.len() {
        out[i] += d * x[i];
    }
}
