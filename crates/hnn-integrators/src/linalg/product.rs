//! A product, cut into strips of columns.

use super::panel::{DEPTH, pack};
use super::tile::Strip;
use crate::Scalar;
use crate::lane::Aligned;
use crate::simd::{Isa, Kernel};

/// The left factor: by its rows, or its transposed by its rows.
#[derive(Debug, Clone, Copy)]
pub(super) enum Left<'a, T> {
    Rows(&'a [T]),
    Columns(&'a [T]),
}

/// The right factor likewise.
#[derive(Debug, Clone, Copy)]
pub(super) enum Right<'a, T> {
    Rows(&'a [T]),
    Columns(&'a [T]),
}

/// What the sums begin with.
#[derive(Debug, Clone, Copy)]
pub(super) enum Start<'a, T> {
    Zero,
    /// A number for each row.
    Bias(&'a [T]),
    /// What is there.
    Out,
}

/// `out = start + left right`, shapes (rows, columns) and (rows, depth) (depth, columns).
#[derive(Debug)]
pub struct Product<'a, T> {
    pub(super) out: &'a mut [T],
    pub(super) start: Start<'a, T>,
    pub(super) left: Left<'a, T>,
    pub(super) right: Right<'a, T>,
    pub(super) rows: usize,
    pub(super) depth: usize,
    pub(super) columns: usize,
}

impl<'a, T: Scalar> Product<'a, T> {
    /// `out = W x + b`, shapes (m, n) = (m, k) (k, n) + (m).
    pub fn affine(
        out: &'a mut [T],
        w: &'a [T],
        b: Option<&'a [T]>,
        x: &'a [T],
        (rows, depth, columns): (usize, usize, usize),
    ) -> Self {
        let start = b.map_or(Start::Zero, Start::Bias);
        Self { out, start, left: Left::Rows(w), right: Right::Rows(x), rows, depth, columns }
    }

    /// `out = W^T d`, shapes (k, n) = (k, m) (m, n).
    pub fn transposed(
        out: &'a mut [T],
        w: &'a [T],
        d: &'a [T],
        (depth, rows, columns): (usize, usize, usize),
    ) -> Self {
        let (left, right) = (Left::Columns(w), Right::Rows(d));
        Self { out, start: Start::Zero, left, right, rows, depth, columns }
    }

    /// `out += d a^T`, shapes (m, k) += (m, n) (n, k).
    pub fn add_outer(
        out: &'a mut [T],
        d: &'a [T],
        a: &'a [T],
        (rows, columns, depth): (usize, usize, usize),
    ) -> Self {
        let (left, right) = (Left::Rows(d), Right::Columns(a));
        Self { out, start: Start::Out, left, right, rows, depth, columns }
    }
}

/// A constant to `match` on, so that the compiler leaves all tiles but one out.
struct Tile<T, I>(std::marker::PhantomData<(T, I)>);

impl<T, I: Isa> Tile<T, I> {
    const KIND: usize = match (I::VECTOR_BYTES, size_of::<T>()) {
        (64, 4) => 0,
        (64, _) => 1,
        (32, 4) => 2,
        (32, _) => 3,
        (_, 4) => 4,
        _ => 5,
    };
}

impl<T: Scalar> Kernel for Product<'_, T> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match Tile::<T, I>::KIND {
            0 => self.strips::<I, 16, 8, 3>(),
            1 => self.strips::<I, 8, 8, 3>(),
            2 => self.strips::<I, 8, 6, 2>(),
            3 => self.strips::<I, 4, 6, 2>(),
            4 => self.strips::<I, 8, 4, 1>(),
            _ => self.strips::<I, 4, 4, 1>(),
        }
    }
}

impl<T: Scalar> Product<'_, T> {
    /// In strips of `P` panels of `W` columns each, and tiles of `R` rows.
    #[inline(always)]
    fn strips<I: Isa, const W: usize, const R: usize, const P: usize>(mut self) {
        let mut panels = Aligned([[[T::ZERO; W]; DEPTH]; P]);
        let chunks = self.depth.div_ceil(DEPTH).max(1);
        for chunk in 0..chunks {
            let first = chunk * self.depth / chunks;
            let depth = (chunk + 1) * self.depth / chunks - first;
            for column in (0..self.columns).step_by(W * P) {
                let count = (self.columns - column).min(W * P);
                for p in 0..count.div_ceil(W) {
                    let (shape, column) = ((self.depth, self.columns), column + p * W);
                    let (panel, right) = (&mut panels.0[p], self.right);
                    pack::<T, I, W>(panel, right, shape, (first, depth), column);
                }
                let (terms, columns) = ((first, depth), (column, count));
                let (panels, filled) = (&panels.0, count.div_ceil(W));
                // First by `P`, so that the compiler leaves out what is wider.
                match P {
                    1 => self.strip::<I, W, R, 1>([&panels[0]], terms, columns),
                    2 => match filled {
                        1 => self.strip::<I, W, R, 1>([&panels[0]], terms, columns),
                        _ => self.strip::<I, W, R, 2>([&panels[0], &panels[1]], terms, columns),
                    },
                    _ => match filled {
                        1 => self.strip::<I, W, R, 1>([&panels[0]], terms, columns),
                        2 => self.strip::<I, W, R, 2>([&panels[0], &panels[1]], terms, columns),
                        _ => {
                            let panels = [&panels[0], &panels[1], &panels[2]];
                            self.strip::<I, W, R, 3>(panels, terms, columns);
                        }
                    },
                }
            }
            self.start = Start::Out;
        }
    }

    #[inline(always)]
    fn strip<I: Isa, const W: usize, const R: usize, const P: usize>(
        &mut self,
        panels: [&super::panel::Panel<T, W>; P],
        terms: (usize, usize),
        (column, count): (usize, usize),
    ) {
        let Self { left, rows, depth, columns, start, .. } = *self;
        let columns = (column, count, columns);
        Strip { left, shape: (rows, depth), panels, terms, start, columns }.run::<I, R>(self.out);
    }
}
