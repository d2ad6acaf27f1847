//! A Cholesky factor that columns are appended to and removed from.

use hnn_integrators::simd::{Isa, Kernel, dispatch};

use super::{axpy_wide, dot_wide};

/// The factor `L` of `A = L L^T`, rows packed: row `i` holds `i + 1` numbers.
#[derive(Debug, Clone, Default)]
pub(crate) struct Cholesky {
    packed: Vec<f64>,
    len: usize,
}

/// Below this share of its diagonal entry a pivot is rounding: the column depends on the others.
const SMALLEST_PIVOT: f64 = 1e-14;

fn start(row: usize) -> usize {
    row * (row + 1) / 2
}

impl Cholesky {
    pub(crate) fn len(&self) -> usize {
        self.len
    }

    pub(crate) fn clear(&mut self) {
        self.packed.clear();
        self.len = 0;
    }

    /// Appends a row and column to `A`: `cross` with the columns there are, `diagonal` with
    /// itself. False, and nothing is changed, if it depends on them.
    pub(crate) fn push(&mut self, cross: &[f64], diagonal: f64) -> bool {
        let mut row = cross.to_vec();
        dispatch(Forward { factor: self, right: &mut row });
        let pivot = diagonal - row.iter().map(|l| l * l).sum::<f64>();
        if pivot.is_nan() || pivot <= SMALLEST_PIVOT * diagonal {
            return false;
        }
        self.packed.extend_from_slice(&row);
        self.packed.push(pivot.sqrt());
        self.len += 1;
        true
    }

    /// Removes row and column `i` from `A`, by plane rotations.
    pub(crate) fn remove(&mut self, i: usize) {
        let mut rotations: Vec<(f64, f64)> = vec![];
        let mut kept = self.packed[..start(i)].to_vec();
        for r in i + 1..self.len {
            let mut row = self.packed[start(r)..start(r + 1)].to_vec();
            for (j, &(c, s)) in (i..).zip(&rotations) {
                (row[j], row[j + 1]) = (c * row[j] + s * row[j + 1], c * row[j + 1] - s * row[j]);
            }
            let length = row[r - 1].hypot(row[r]);
            rotations.push((row[r - 1] / length, row[r] / length));
            row[r - 1] = length;
            kept.extend_from_slice(&row[..r]);
        }
        self.packed = kept;
        self.len -= 1;
    }

    /// Replaces `right` by `A^-1 right`.
    pub(crate) fn solve(&self, right: &mut [f64]) {
        dispatch(Forward { factor: self, right });
        dispatch(Backward { factor: self, right });
    }
}

/// `right <- L^-1 right`.
struct Forward<'a> {
    factor: &'a Cholesky,
    right: &'a mut [f64],
}

impl Kernel for Forward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for i in 0..self.factor.len {
            let row = &self.factor.packed[start(i)..start(i + 1)];
            let known = dot_wide::<I>(&row[..i], &self.right[..i]);
            self.right[i] = (self.right[i] - known) / row[i];
        }
    }
}

/// `right <- L^-T right`.
struct Backward<'a> {
    factor: &'a Cholesky,
    right: &'a mut [f64],
}

impl Kernel for Backward<'_> {
    type Output = ();
    #[inline(always)]
    fn run<I: Isa>(self) {
        for i in (0..self.factor.len).rev() {
            let row = &self.factor.packed[start(i)..start(i + 1)];
            let value = self.right[i] / row[i];
            self.right[i] = value;
            axpy_wide::<I>(-value, &row[..i], &mut self.right[..i]);
        }
    }
}
