//! Some columns of the right factor, side by side in the first-level cache.

use super::product::Right;
use crate::simd::{Isa, register};
use crate::{Scalar, Wide};

/// Rows of the right factor that are taken at a time.
pub(super) const DEPTH: usize = 128;

/// `W` neighbouring columns of up to [`DEPTH`] rows.
pub(super) type Panel<T, const W: usize> = [[T; W]; DEPTH];

/// Copies `depth` rows from row `first` on of the columns from `column` on; columns that the factor,
/// of shape `shape`, does not have are 0.
#[inline(always)]
pub(super) fn pack<T: Scalar, I: Isa, const W: usize>(
    panel: &mut Panel<T, W>,
    right: Right<'_, T>,
    shape: (usize, usize),
    (first, depth): (usize, usize),
    column: usize,
) {
    match right {
        Right::Rows(x) => {
            let count = W.min(shape.1 - column);
            for k in 0..depth {
                let row = &x[(first + k) * shape.1 + column..][..count];
                panel[k] = Wide::<T, W, I>::load_first(row).0;
            }
        }
        Right::Columns(x) => {
            let count = W.min(shape.1 - column);
            for k in (0..depth).step_by(W) {
                let (at, width) = (first + k, W.min(depth - k));
                let mut square = [[T::ZERO; W]; W];
                for i in 0..W {
                    if i < count {
                        let row = &x[(column + i) * shape.0 + at..][..width];
                        square[i] = Wide::<T, W, I>::load_first(row).0;
                    }
                }
                let square = register::transposed::<T, I, W>(&square);
                panel[k..k + W].copy_from_slice(&square);
            }
        }
    }
}
