//! A product, cut into strips of columns.

use super::panel::{DEPTH, Panel, pack};
use super::tile::Strip;
use crate::Scalar;
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
    /// In strips of `P` times `W` columns each, and tiles of `R` rows.
    #[inline(always)]
    fn strips<I: Isa, const W: usize, const R: usize, const P: usize>(mut self) {
        let mut panel = Panel::<T, W, P>::new();
        let chunks = self.depth.div_ceil(DEPTH).max(1);
        for chunk in 0..chunks {
            let first = chunk * self.depth / chunks;
            let terms = (first, (chunk + 1) * self.depth / chunks - first);
            for column in (0..self.columns).step_by(W * P) {
                let columns = (column, (self.columns - column).min(W * P));
                let shape = (self.depth, self.columns);
                pack::<T, I, W, P>(&mut panel, self.right, shape, terms, columns);
                let filled = columns.1.div_ceil(W);
                // First by `P`, so that the compiler leaves out what is wider.
                match P {
                    1 => self.strip::<I, W, R, P, 1>(&panel, terms, columns),
                    2 => match filled {
                        1 => self.strip::<I, W, R, P, 1>(&panel, terms, columns),
                        _ => self.strip::<I, W, R, P, 2>(&panel, terms, columns),
                    },
                    _ => match filled {
                        1 => self.strip::<I, W, R, P, 1>(&panel, terms, columns),
                        2 => self.strip::<I, W, R, P, 2>(&panel, terms, columns),
                        _ => self.strip::<I, W, R, P, 3>(&panel, terms, columns),
                    },
                }
            }
            self.start = Start::Out;
        }
    }

    /// A strip of which the first `N` times `W` columns are used.
    #[inline(always)]
    fn strip<I: Isa, const W: usize, const R: usize, const P: usize, const N: usize>(
        &mut self,
        panel: &Panel<T, W, P>,
        terms: (usize, usize),
        (column, count): (usize, usize),
    ) {
        let Self { left, rows, depth, columns, start, .. } = *self;
        let (panel, columns) = (panel.items(), (column, count, columns));
        let strip = Strip { left, shape: (rows, depth), panel, terms, start, columns };
        strip.run::<I, R, N>(self.out);
    }
}
