//! A tile of a product: as many sums as there are registers, less those that the factors need.

use super::product::{Left, Start};
use crate::simd::{Isa, register};
use crate::{Lane, Scalar, Wide};

/// Rows of a product, `depth` terms of whose sums are added up in `columns` columns.
#[derive(Clone, Copy)]
pub(super) struct Strip<'a, T, const W: usize, const P: usize> {
    pub(super) left: Left<'a, T>,
    /// The rows and columns of the left factor.
    pub(super) shape: (usize, usize),
    pub(super) panel: &'a [[[T; W]; P]],
    /// The first term and their number.
    pub(super) terms: (usize, usize),
    pub(super) start: Start<'a, T>,
    /// The first column, their number, and the numbers of a row.
    pub(super) columns: (usize, usize, usize),
}

impl<T: Scalar, const W: usize, const P: usize> Strip<'_, T, W, P> {
    /// Adds up all rows in the first `N` times `W` columns, in tiles of `R`; the last one goes back to rows that
    /// have been done.
    #[inline(always)]
    pub(super) fn run<I: Isa, const R: usize, const N: usize>(&self, out: &mut [T]) {
        match self.shape.0 {
            0 => {}
            1 => self.tiles::<I, 1, N>(out),
            rows if rows < R => self.tiles::<I, 2, N>(out),
            _ => self.tiles::<I, R, N>(out),
        }
    }

    #[inline(always)]
    fn tiles<I: Isa, const R: usize, const N: usize>(&self, out: &mut [T]) {
        let rows = self.shape.0;
        for row in (0..rows).step_by(R) {
            let begin = row.min(rows - R);
            self.tile::<I, R, N>(out, begin, row - begin);
        }
    }

    /// Rows `row` to `row + R`, of which the first `skip` are not written.
    #[inline(always)]
    fn tile<I: Isa, const R: usize, const N: usize>(&self, out: &mut [T], row: usize, skip: usize) {
        let (first, depth) = self.terms;
        let (column, count, stride) = self.columns;
        let mut sums = [[Wide::<T, W, I>::splat(T::ZERO); N]; R];
        match self.start {
            Start::Zero => {}
            Start::Bias(b) => {
                for r in 0..R {
                    sums[r] = [Wide::splat(b[row + r]); N];
                }
            }
            Start::Out => {
                for r in 0..R {
                    let place = &out[(row + r) * stride + column..][..count];
                    for p in 0..N {
                        sums[r][p] = Wide::load_first(&place[p * W..]);
                    }
                }
            }
        }
        let panel = &self.panel[..depth];
        match self.left {
            Left::Rows(a) => {
                let mut factors = [&[][..]; R];
                for r in 0..R {
                    factors[r] = &a[(row + r) * self.shape.1 + first..][..depth];
                }
                for k in 0..depth {
                    let mut column = [T::ZERO; R];
                    for r in 0..R {
                        column[r] = factors[r][k];
                    }
                    add_term(&mut sums, column, &panel[k]);
                }
            }
            Left::Columns(a) => {
                for k in 0..depth {
                    let column = *register::first(&a[(first + k) * self.shape.0 + row..]);
                    add_term::<_, _, R, N, P, W>(&mut sums, column, &panel[k]);
                }
            }
        }
        // From a constant on: what is indexed by a variable is kept in memory throughout.
        for r in 0..R {
            if r < skip {
                continue;
            }
            let place = &mut out[(row + r) * stride + column..][..count];
            for p in 0..N {
                sums[r][p].store_first(&mut place[p * W..]);
            }
        }
    }
}

/// Adds a term to all sums.
#[inline(always)]
fn add_term<T: Scalar, I: Isa, const R: usize, const N: usize, const P: usize, const W: usize>(
    sums: &mut [[Wide<T, W, I>; N]; R],
    left: [T; R],
    right: &[[T; W]; P],
) {
    let mut lanes = [Wide::<T, W, I>::splat(T::ZERO); N];
    for p in 0..N {
        lanes[p] = Wide::new(right[p]);
    }
    for r in 0..R {
        let factor = Wide::splat(left[r]);
        for p in 0..N {
            sums[r][p] = lanes[p].mul_add(factor, sums[r][p]);
        }
    }
}
