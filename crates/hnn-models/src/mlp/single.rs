//! Products of a weight matrix with a single state, which read the weights once, row by row.

use std::marker::PhantomData;

use hnn_integrators::simd::{Isa, Kernel};
use hnn_integrators::{Lane, Scalar, Wide};

/// How many numbers a register holds: a constant to `match` on, so that the compiler leaves all lanes
/// but one out.
struct Lanes<T, I>(PhantomData<(T, I)>);

impl<T, I: Isa> Lanes<T, I> {
    const COUNT: usize = I::VECTOR_BYTES / size_of::<T>();
}

/// Rows that are added up before they are added to the sums.
const BAND: usize = 8;

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
        let k = self.x.len();
        let (x, x_rest) = self.x.as_chunks::<W>();
        let (mut rows, mut rests) = ([&[][..]; W], [&[][..]; W]);
        for r in 0..W {
            let (row, rest) = self.w[(first + r) * k..][..k].as_chunks::<W>();
            (rows[r], rests[r]) = (&row[..x.len()], rest);
        }
        let mut sums = [Wide::<T, W, I>::splat(T::ZERO); W];
        for i in 0..x.len() {
            let x = Wide::new(x[i]);
            for r in 0..W {
                sums[r] = Wide::new(rows[r][i]).mul_add(x, sums[r]);
            }
        }
        if !x_rest.is_empty() {
            let x = Wide::load_first(x_rest);
            for r in 0..W {
                sums[r] = Wide::load_first(rests[r]).mul_add(x, sums[r]);
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
        let k = self.x.len();
        let mut sum = Wide::<T, W, I>::splat(T::ZERO);
        let pairs = self.w[row * k..][..k].chunks(W).zip(self.x.chunks(W));
        for (w, x) in pairs {
            sum = Wide::load_first(w).mul_add(Wide::load_first(x), sum);
        }
        let start = self.b.map_or(T::ZERO, |b| b[row]);
        self.out[row] = sum.0.into_iter().fold(start, |sum, term| sum + term);
    }
}

/// `out = W^T d`.
pub(super) struct TransposedMatVec<'a, T> {
    pub(super) out: &'a mut [T],
    pub(super) w: &'a [T],
    pub(super) d: &'a [T],
}

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
        let k = out.len();
        out.fill(T::ZERO);
        let mut bands = w.chunks_exact(BAND * k);
        let mut factors = d.chunks_exact(BAND);
        for (band, d) in (&mut bands).zip(&mut factors) {
            add_rows::<T, I, W, BAND>(out, band, d);
        }
        for (row, d) in bands.remainder().chunks_exact(k).zip(factors.remainder().chunks_exact(1)) {
            add_rows::<T, I, W, 1>(out, row, d);
        }
    }
}

/// Adds `R` rows of a matrix to `out`, each multiplied by its factor: in two sums, which do not wait
/// for each other.
#[inline(always)]
fn add_rows<T: Scalar, I: Isa, const W: usize, const R: usize>(out: &mut [T], w: &[T], d: &[T]) {
    let k = out.len();
    let (sums, sums_rest) = out.as_chunks_mut::<W>();
    let (mut rows, mut rests) = ([&[][..]; R], [&[][..]; R]);
    let mut factors = [Wide::<T, W, I>::splat(T::ZERO); R];
    for r in 0..R {
        let (row, rest) = w[r * k..][..k].as_chunks::<W>();
        (rows[r], rests[r]) = (&row[..sums.len()], rest);
        factors[r] = Wide::splat(d[r]);
    }
    for i in 0..sums.len() {
        let mut terms = [Wide::splat(T::ZERO); 2];
        for r in 0..R {
            terms[r % 2] = Wide::new(rows[r][i]).mul_add(factors[r], terms[r % 2]);
        }
        sums[i] = (Wide::<T, W, I>::new(sums[i]) + (terms[0] + terms[1])).0;
    }
    if !sums_rest.is_empty() {
        let mut terms = [Wide::splat(T::ZERO); 2];
        for r in 0..R {
            terms[r % 2] = Wide::load_first(rests[r]).mul_add(factors[r], terms[r % 2]);
        }
        (Wide::<T, W, I>::load_first(sums_rest) + (terms[0] + terms[1])).store_first(sums_rest);
    }
}
