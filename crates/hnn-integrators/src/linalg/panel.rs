//! Some columns of the right factor, side by side in the first-level cache.

use super::product::Right;
use crate::simd::{Isa, Room, register};
use crate::{Scalar, Wide};

/// Rows of the right factor that are taken at a time.
pub(super) const DEPTH: usize = 128;

/// Up to [`DEPTH`] rows of `P` times `W` neighbouring columns.
pub(super) type Panel<T, const W: usize, const P: usize> = Room<[[T; W]; P], DEPTH>;

/// Copies `depth` rows from row `first` on of `count` columns from `column` on; the rest of the panel is 0.
///
/// The factor has the shape `shape`.
#[inline(always)]
pub(super) fn pack<T: Scalar, I: Isa, const W: usize, const P: usize>(
    panel: &mut Panel<T, W, P>,
    right: Right<'_, T>,
    shape: (usize, usize),
    (first, depth): (usize, usize),
    (column, count): (usize, usize),
) {
    panel.clear();
    match right {
        Right::Rows(x) => {
            for k in 0..depth {
                let row = &x[(first + k) * shape.1 + column..][..count];
                let mut lanes = [[T::ZERO; W]; P];
                for p in 0..P {
                    if p * W < count {
                        lanes[p] = Wide::<T, W, I>::load_first(&row[p * W..]).0;
                    }
                }
                panel.push(lanes);
            }
        }
        Right::Columns(x) => {
            for k in (0..depth).step_by(W) {
                let (at, width) = (first + k, W.min(depth - k));
                let mut squares = [[[T::ZERO; W]; W]; P];
                for p in 0..P {
                    if p * W >= count {
                        continue;
                    }
                    let mut square = [[T::ZERO; W]; W];
                    for i in 0..W {
                        if p * W + i < count {
                            let row = &x[(column + p * W + i) * shape.0 + at..][..width];
                            square[i] = Wide::<T, W, I>::load_first(row).0;
                        }
                    }
                    squares[p] = register::transposed::<T, I, W>(&square);
                }
                for i in 0..W {
                    let mut lanes = [[T::ZERO; W]; P];
                    for p in 0..P {
                        lanes[p] = squares[p][i];
                    }
                    panel.push(lanes);
                }
            }
        }
    }
}
