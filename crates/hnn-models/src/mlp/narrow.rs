//! Products with a weight matrix of few columns, the first layer's, and sums of rows.
//!
//! Each is one pass over the batch; shapes as in [`linalg`](super::linalg).

use hnn_integrators::simd::{Isa, Kernel};
use hnn_integrators::{Lane, Scalar, Wide};

/// `out = W x + b`: each row of `out` is a sum of a few scaled rows of `x`.
pub(super) struct Affine<'a, T> {
    pub(super) out: &'a mut [T],
    pub(super) w: &'a [T],
    pub(super) b: Option<&'a [T]>,
    pub(super) x: &'a [T],
    pub(super) k: usize,
    pub(super) batch: usize,
}

impl<T: Scalar> Kernel for Affine<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        let rows = self.out.chunks_exact_mut(self.batch).zip(self.w.chunks_exact(self.k));
        for (index, (out, w)) in rows.enumerate() {
            out.fill(self.b.map_or(T::ZERO, |b| b[index]));
            for (w, x) in w.iter().zip(self.x.chunks_exact(self.batch)) {
                add_scaled::<T, I>(out, *w, x);
            }
        }
    }
}

/// `out = W^T d`: the rows of `d`, scaled, are added up.
pub(super) struct Transposed<'a, T> {
    pub(super) out: &'a mut [T],
    pub(super) w: &'a [T],
    pub(super) d: &'a [T],
    pub(super) k: usize,
    pub(super) batch: usize,
}

impl<T: Scalar> Kernel for Transposed<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.out.fill(T::ZERO);
        for (w, d) in self.w.chunks_exact(self.k).zip(self.d.chunks_exact(self.batch)) {
            for (w, out) in w.iter().zip(self.out.chunks_exact_mut(self.batch)) {
                add_scaled::<T, I>(out, *w, d);
            }
        }
    }
}

/// `W_bar += d a^T`: the dot products of the rows of `d` and `a`.
pub(super) struct AddOuter<'a, T> {
    pub(super) w_bar: &'a mut [T],
    pub(super) d: &'a [T],
    pub(super) a: &'a [T],
    pub(super) k: usize,
    pub(super) batch: usize,
}

impl<T: Scalar> Kernel for AddOuter<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (w, d) in self.w_bar.chunks_exact_mut(self.k).zip(self.d.chunks_exact(self.batch)) {
            for (w, a) in w.iter_mut().zip(self.a.chunks_exact(self.batch)) {
                *w += sum_of::<T, I>(d, |i, d| d * Wide::load(&a[i..]), |i| d[i] * a[i]);
            }
        }
    }
}

/// `b_bar += ` the sum of each row of `d`.
pub(super) struct AddRowSums<'a, T> {
    pub(super) b_bar: &'a mut [T],
    pub(super) d: &'a [T],
    pub(super) batch: usize,
}

impl<T: Scalar> Kernel for AddRowSums<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        for (b, d) in self.b_bar.iter_mut().zip(self.d.chunks_exact(self.batch)) {
            *b += sum_of::<T, I>(d, |_, d| d, |i| d[i]);
        }
    }
}

/// `out += w x`.
#[inline(always)]
fn add_scaled<T: Scalar, I: Isa>(out: &mut [T], w: T, x: &[T]) {
    let w = Wide::<T, 1, I>::splat(w);
    for (out, x) in out.iter_mut().zip(x) {
        [*out] = w.mul_add(Wide::new([*x]), Wide::new([*out])).0;
    }
}

/// The sum of a row, in lanes: `lanes(i, d[i..])` gives the terms from `i` on, `one(i)` the term
/// `i` of the tail.
#[inline(always)]
fn sum_of<T: Scalar, I: Isa>(
    d: &[T],
    lanes: impl Fn(usize, Wide<T, 16, I>) -> Wide<T, 16, I>,
    one: impl Fn(usize) -> T,
) -> T {
    let whole = d.len() - d.len() % 16;
    let mut sums = Wide::splat(T::ZERO);
    for i in (0..whole).step_by(16) {
        sums += lanes(i, Wide::load(&d[i..]));
    }
    sums.0.into_iter().chain((whole..d.len()).map(one)).fold(T::ZERO, |sum, term| sum + term)
}
