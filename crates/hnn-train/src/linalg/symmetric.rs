//! Sums of outer products.

use hnn_integrators::Scalar;

use super::dot;
use super::panels::{Panels, WIDTH};
use super::product::{Part, add_product};

/// Rows that are packed at a time: a panel and its neighbours stay in the first-level cache.
const DEPTH: usize = 192;

/// A symmetric matrix of order `n` and a vector, `A` and `g` (of least squares, `J^T J` and
/// `J^T r`): the upper triangle in rows, the vector as one more column.
///
/// Rows are padded with zeros to a multiple of eight numbers; the vector follows after that.
#[derive(Debug, Clone, Default)]
pub(crate) struct Symmetric {
    n: usize,
    stride: usize,
    /// A row for each column. What is below the diagonal means nothing.
    numbers: Vec<f64>,
}

impl Symmetric {
    /// Bytes of a matrix of order `n`.
    pub(crate) fn bytes(n: usize) -> u128 {
        let stride = n.next_multiple_of(WIDTH) as u128 + WIDTH as u128;
        8 * stride * stride
    }

    /// All zeros, of order `n`.
    pub(crate) fn clear(&mut self, n: usize) {
        self.n = n;
        self.stride = n.next_multiple_of(WIDTH) + WIDTH;
        self.numbers.clear();
        self.numbers.resize(self.stride * self.stride, 0.0);
    }

    /// The order `n`.
    pub(crate) fn order(&self) -> usize {
        self.n
    }

    /// The numbers of a row.
    pub(super) fn stride(&self) -> usize {
        self.stride
    }

    /// Number of panels of a packed row, the vector's last.
    pub(crate) fn panels(&self) -> usize {
        self.stride / WIDTH
    }

    /// Row after row, the columns from `n` to the next multiple of eight zero, then the vector's.
    pub(super) fn numbers_mut(&mut self) -> &mut [f64] {
        &mut self.numbers
    }

    /// The same to be read.
    pub(super) fn numbers(&self) -> &[f64] {
        &self.numbers
    }

    /// Row `i` from the diagonal on, without the vector's entry.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        &self.numbers[i * self.stride..][i..self.n]
    }

    /// `A[i, i]`.
    pub(crate) fn diagonal(&self, i: usize) -> f64 {
        self.numbers[i * self.stride + i]
    }

    /// `A[i, i]`, to be changed.
    pub(crate) fn diagonal_mut(&mut self, i: usize) -> &mut f64 {
        &mut self.numbers[i * self.stride + i]
    }

    /// `g[i]`.
    pub(crate) fn vector(&self, i: usize) -> f64 {
        self.numbers[(i + 1) * self.stride - WIDTH]
    }

    /// `g[i]`, to be changed.
    pub(crate) fn vector_mut(&mut self, i: usize) -> &mut f64 {
        &mut self.numbers[(i + 1) * self.stride - WIDTH]
    }

    /// Has the upper triangle and the vector changed as one slice.
    pub(crate) fn change_all(&mut self, change: impl FnOnce(&mut [f64])) {
        let (n, stride) = (self.n, self.stride);
        let places =
            || (0..n).flat_map(|i| (i..n).chain([stride - WIDTH]).map(move |j| i * stride + j));
        let mut numbers: Vec<f64> = places().map(|place| self.numbers[place]).collect();
        change(&mut numbers);
        places().zip(numbers).for_each(|(place, number)| self.numbers[place] = number);
    }

    /// Becomes another one.
    pub(crate) fn copy(&mut self, other: &Self) {
        (self.n, self.stride) = (other.n, other.stride);
        self.numbers.clone_from(&other.numbers);
    }

    /// `tr(A B)` with another one of the same order.
    pub(crate) fn inner(&self, other: &Self) -> f64 {
        let rows = (0..self.n).map(|i| (self.row(i), other.row(i)));
        rows.map(|(a, b)| 2.0 * dot(a, b) - a[0] * b[0]).sum()
    }

    /// Adds `rows^T rows` to `A` and `rows^T values` to `g`: a row of `n` numbers for each value.
    pub(crate) fn add_rows<T: Scalar>(&mut self, rows: &[T], values: &[T], packed: &mut Panels) {
        let (n, panels) = (self.n, self.panels());
        for (block, values) in values.chunks(DEPTH).enumerate() {
            let rows = &rows[block * DEPTH * n..];
            packed.pack(values.len(), panels, |panel, lanes| {
                if panel + 1 == panels {
                    lanes.iter_mut().zip(values).for_each(|(lane, value)| {
                        *lane = [0.0; WIDTH];
                        lane[0] = value.to_f64();
                    });
                } else {
                    pack_columns(lanes, rows, n, panel * WIDTH);
                }
            });
            self.add_packed(packed, 1.0);
        }
    }

    /// Adds `rows rows^T` to `A`, for `n` rows of `width` numbers.
    pub(crate) fn add_columns<T: Scalar>(&mut self, rows: &[T], width: usize, packed: &mut Panels) {
        for begin in (0..width).step_by(DEPTH) {
            let count = DEPTH.min(width - begin);
            packed.pack(count, self.panels(), |panel, lanes| {
                lanes.fill([0.0; WIDTH]);
                let rows = rows.chunks_exact(width).skip(panel * WIDTH).take(WIDTH);
                for (i, row) in rows.enumerate() {
                    let row = &row[begin..begin + count];
                    lanes.iter_mut().zip(row).for_each(|(lane, x)| lane[i] = x.to_f64());
                }
            });
            self.add_packed(packed, 1.0);
        }
    }

    /// Adds `sign rows^T rows` of packed rows with the vector's column.
    pub(crate) fn add_packed(&mut self, packed: &Panels, sign: f64) {
        let pair = (packed, packed);
        add_product(&mut self.numbers, (self.stride, 0), pair, (Part::Upper, sign));
    }
}

/// Eight columns of rows of `n` numbers, those beyond the last one zero.
pub(crate) fn pack_columns<T: Scalar>(lanes: &mut [[f64; WIDTH]], rows: &[T], n: usize, at: usize) {
    let width = WIDTH.min(n.saturating_sub(at));
    for (lane, row) in lanes.iter_mut().zip(rows.chunks_exact(n.max(1))) {
        *lane = [0.0; WIDTH];
        // A loop of a length that is known is a vector instruction, another one a call.
        match row[at.min(n)..].first_chunk::<WIDTH>() {
            Some(row) => {
                for i in 0..WIDTH {
                    lane[i] = row[i].to_f64();
                }
            }
            None => {
                for (to, from) in lane.iter_mut().zip(&row[at..at + width]) {
                    *to = from.to_f64();
                }
            }
        }
    }
}
