//! The product of packed matrices, tile by tile.

use hnn_integrators::simd::{Isa, Kernel, dispatch};
use hnn_integrators::{Lane, Wide, parallel};

use super::panels::{Lane8, Panels, WIDTH};

/// Panels of rows that a thread takes at a time: the columns' panels in the first-level cache serve
/// all of them.
const BAND: usize = 6;

/// Which part of a product is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Part {
    /// All of it.
    Whole,
    /// What is on and above the diagonal (tiles on the diagonal are computed as a whole).
    Upper,
}

/// `C += sign A^T B`, for `A` and `B` of as many rows: row `i` of the product is added to row `i` of
/// `c`, from column `column` on.
///
/// `c` consists of rows of `stride` numbers, eight for each panel of `A`.
pub(super) fn add_product(
    c: &mut [f64],
    (stride, column): (usize, usize),
    (a, b): (&Panels, &Panels),
    (part, sign): (Part, f64),
) {
    let band = BAND * WIDTH * stride;
    let len = c.len().min(a.len().div_ceil(BAND) * band);
    parallel::chunks_mut(&mut c[..len], band, &|band, rows| {
        let first = band * BAND;
        let end = (first + BAND).min(a.len());
        let begin = if part == Part::Upper { first } else { 0 };
        dispatch(Band { rows, stride, column, a, b, first, end, begin, part, sign });
    });
}

/// A band of rows of `C`.
struct Band<'a> {
    rows: &'a mut [f64],
    stride: usize,
    column: usize,
    a: &'a Panels,
    b: &'a Panels,
    /// The panels of `A`.
    first: usize,
    end: usize,
    /// The first panel of `B`.
    begin: usize,
    part: Part,
    sign: f64,
}

impl Kernel for Band<'_> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(mut self) {
        // As many sums as there are registers, less those that the factors need.
        match I::VECTOR_BYTES {
            64 => self.tiles::<I, 8, 3>(),
            _ => self.tiles::<I, 4, 1>(),
        }
    }
}

impl Band<'_> {
    /// In tiles of `R` rows and `P` panels of columns.
    #[inline(always)]
    fn tiles<I: Isa, const R: usize, const P: usize>(&mut self) {
        let whole = self.begin + (self.b.len() - self.begin) / P * P;
        for panel in (self.begin..whole).step_by(P) {
            self.column_of_tiles::<I, R, P>(panel);
        }
        for panel in whole..self.b.len() {
            self.column_of_tiles::<I, R, 1>(panel);
        }
    }

    #[inline(always)]
    fn column_of_tiles<I: Isa, const R: usize, const P: usize>(&mut self, panel: usize) {
        let mut b = [&[][..]; P];
        for p in 0..P {
            b[p] = self.b.panel(panel + p);
        }
        let end = match self.part {
            Part::Whole => self.end,
            Part::Upper => self.end.min(panel + P),
        };
        for of_a in self.first..end {
            let a = self.a.panel(of_a);
            for part in 0..WIDTH / R {
                let row = (of_a - self.first) * WIDTH + part * R;
                let c = &mut self.rows[row * self.stride..][..R * self.stride];
                let at = self.column + panel * WIDTH;
                add_tile::<I, R, P>(c, (self.stride, at), (a, part * R), b, self.sign);
            }
        }
    }
}

/// Adds one tile: columns `offset` to `offset + R` of `a`, times the panels `b`.
#[inline(always)]
fn add_tile<I: Isa, const R: usize, const P: usize>(
    c: &mut [f64],
    (stride, at): (usize, usize),
    (a, offset): (&[Lane8], usize),
    b: [&[Lane8]; P],
    sign: f64,
) {
    let mut sums = [[Wide::<f64, WIDTH, I>::splat(0.0); P]; R];
    for k in 0..a.len() {
        let mut columns = [Wide::<f64, WIDTH, I>::splat(0.0); P];
        for p in 0..P {
            columns[p] = Wide::new(b[p][k]);
        }
        for r in 0..R {
            let factor = Wide::splat(a[k][offset + r]);
            for p in 0..P {
                sums[r][p] = columns[p].mul_add(factor, sums[r][p]);
            }
        }
    }
    let sign = Wide::splat(sign);
    for r in 0..R {
        for p in 0..P {
            let place = &mut c[r * stride + at + p * WIDTH..][..WIDTH];
            sums[r][p].mul_add(sign, Wide::load(place)).store(place);
        }
    }
}
