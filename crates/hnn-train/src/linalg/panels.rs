//! Rows packed for the product of matrices.

use hnn_integrators::parallel;

/// Columns of a panel: a vector register of AVX-512.
pub(super) const WIDTH: usize = 8;

/// Neighbouring numbers of a row.
pub(super) type Lane8 = [f64; WIDTH];

/// Some rows of a matrix, cut into panels of eight columns: panel `p` holds columns `8 p` to
/// `8 p + 7` of each row, row after row.
///
/// So a product reads both of its factors from the first to the last number.
#[derive(Debug, Clone, Default)]
pub(crate) struct Panels {
    rows: usize,
    lanes: Vec<Lane8>,
}

impl Panels {
    /// Replaces all: `fill` is given the number of a panel and its rows, which hold what they held
    /// before.
    pub(crate) fn pack(
        &mut self,
        rows: usize,
        panels: usize,
        fill: impl Fn(usize, &mut [Lane8]) + Sync,
    ) {
        self.rows = rows;
        self.lanes.resize(rows * panels, [0.0; WIDTH]);
        if rows > 0 {
            parallel::chunks_mut(&mut self.lanes, rows, &fill);
        }
    }

    /// Number of panels.
    pub(super) fn len(&self) -> usize {
        self.lanes.len().checked_div(self.rows).unwrap_or(0)
    }

    /// A panel, a lane a row.
    #[inline(always)]
    pub(super) fn panel(&self, panel: usize) -> &[Lane8] {
        &self.lanes[panel * self.rows..][..self.rows]
    }
}

/// Eight neighbouring numbers of a row: an array, as copying a slice may be a call.
#[inline(always)]
pub(super) fn lane(row: &[f64], at: usize) -> Lane8 {
    match row[at..at + WIDTH].first_chunk() {
        Some(numbers) => *numbers,
        None => unreachable!("there are eight"),
    }
}
