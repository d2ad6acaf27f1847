//! Products of a weight matrix with a single state, which read the [packed](super::packed) weights once,
//! row by row.

use std::marker::PhantomData;

use hnn_integrators::simd::{Isa, Kernel};
use hnn_integrators::{Lane, Scalar, Wide};

use super::packed::stride;

/// How many numbers a register holds: a constant to `match` on, so that the compiler leaves all lanes
/// but one out.
struct Lanes<T, I>(PhantomData<(T, I)>);

impl<T, I: Isa> Lanes<T, I> {
    const COUNT: usize = I::VECTOR_BYTES / size_of::<T>();
}

/// `out = W x + b`.
pub(super) struct MatVec<'a, T> {
    pub(super) out: &'a mut [T],
    pub(super) w: &'a [T],
    pub(super) b: Option<&'a [T]>,
    pub(super) x: &'a [T],
}

impl<T: Scalar> Kernel for MatVec<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match Lanes::<T, I>::COUNT {
            16 => self.tiles::<I, 16>(),
            8 => self.tiles::<I, 8>(),
            _ => self.tiles::<I, 4>(),
        }
    }
}

impl<T: Scalar> MatVec<'_, T> {
    /// In tiles of as many rows as there are numbers in a lane; the last tile goes back to rows that
    /// have been done.
    #[inline(always)]
    fn tiles<I: Isa, const W: usize>(mut self) {
        let rows = self.out.len();
        if rows < W {
            return (0..rows).for_each(|row| self.row::<I, W>(row));
        }
        for row in (0..rows).step_by(W) {
            self.tile::<I, W>(row.min(rows - W));
        }
    }

    #[inline(always)]
    fn tile<I: Isa, const W: usize>(&mut self, first: usize) {
        let (x, x_rest) = self.x.as_chunks::<W>();
        let chunks = self.x.len().div_ceil(W);
        let mut rows = [&[][..]; W];
        for r in 0..W {
            rows[r] = &row_of::<T, W>(self.w, self.x.len(), first + r)[..chunks];
        }
        let mut sums = [Wide::<T, W, I>::splat(T::ZERO); W];
        for i in 0..chunks {
            let x = if i < x.len() { Wide::new(x[i]) } else { Wide::load_first(x_rest) };
            for r in 0..W {
                sums[r] = Wide::new(rows[r][i]).mul_add(x, sums[r]);
            }
        }
        let mut y = Wide::sums(sums);
        if let Some(b) = self.b {
            y += Wide::load(&b[first..]);
        }
        y.store(&mut self.out[first..]);
    }

    /// A row on its own.
    #[inline(always)]
    fn row<I: Isa, const W: usize>(&mut self, row: usize) {
        let mut sum = Wide::<T, W, I>::splat(T::ZERO);
        let weights = row_of::<T, W>(self.w, self.x.len(), row);
        for (w, x) in weights.iter().zip(self.x.chunks(W)) {
            sum = Wide::new(*w).mul_add(Wide::load_first(x), sum);
        }
        let start = self.b.map_or(T::ZERO, |b| b[row]);
        self.out[row] = sum.0.into_iter().fold(start, |sum, term| sum + term);
    }
}

/// A row of packed weights of `cols` columns, in lanes.
#[inline(always)]
fn row_of<T, const W: usize>(w: &[T], cols: usize, row: usize) -> &[[T; W]] {
    w[row * stride(cols)..][..stride(cols)].as_chunks::<W>().0
}

/// `out = W^T d`.
pub(super) struct TransposedMatVec<'a, T> {
    pub(super) out: &'a mut [T],
    pub(super) w: &'a [T],
    pub(super) d: &'a [T],
}

/// Rows that are added up before they are added to the sums.
const BAND: usize = 8;

impl<T: Scalar> Kernel for TransposedMatVec<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match Lanes::<T, I>::COUNT {
            16 => self.bands::<I, 16>(),
            8 => self.bands::<I, 8>(),
            _ => self.bands::<I, 4>(),
        }
    }
}

impl<T: Scalar> TransposedMatVec<'_, T> {
    #[inline(always)]
    fn bands<I: Isa, const W: usize>(self) {
        let Self { out, w, d } = self;
        out.fill(T::ZERO);
        let whole = d.len() - d.len() % BAND;
        for row in (0..whole).step_by(BAND) {
            add_rows::<T, I, W, BAND>(out, w, d, row);
        }
        for row in whole..d.len() {
            add_rows::<T, I, W, 1>(out, w, d, row);
        }
    }
}

/// Adds `R` rows of a matrix to `out`, each multiplied by its factor: in two sums, which do not wait
/// for each other.
#[inline(always)]
fn add_rows<T: Scalar, I: Isa, const W: usize, const R: usize>(
    out: &mut [T],
    w: &[T],
    d: &[T],
    first: usize,
) {
    let cols = out.len();
    let (sums, sums_rest) = out.as_chunks_mut::<W>();
    let chunks = cols.div_ceil(W);
    let mut rows = [&[][..]; R];
    let mut factors = [Wide::<T, W, I>::splat(T::ZERO); R];
    for r in 0..R {
        rows[r] = &row_of::<T, W>(w, cols, first + r)[..chunks];
        factors[r] = Wide::splat(d[first + r]);
    }
    for i in 0..chunks {
        let mut terms = [Wide::splat(T::ZERO); 2];
        for r in 0..R {
            terms[r % 2] = Wide::new(rows[r][i]).mul_add(factors[r], terms[r % 2]);
        }
        let sum = terms[0] + terms[1];
        if i < sums.len() {
            sums[i] = (Wide::<T, W, I>::new(sums[i]) + sum).0;
        } else {
            (Wide::<T, W, I>::load_first(sums_rest) + sum).store_first(sums_rest);
        }
    }
}
