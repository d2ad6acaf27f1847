//! `A y = b` with the symmetric mass matrix of every row of a batch.

use hnn_integrators::Scalar;
use nalgebra::{DMatrix, DVector};

/// Singular values at most `rcond` times the largest count as 0.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct MassSolver {
    rcond: Option<f64>,
}

impl MassSolver {
    /// The threshold `10 n eps`, or a given one.
    pub(super) const fn new(rcond: Option<f64>) -> Self {
        Self { rcond }
    }

    /// The threshold given.
    pub(super) const fn given(self) -> Option<f64> {
        self.rcond
    }

    fn rcond<T: Scalar>(self, n: usize) -> f64 {
        self.rcond.unwrap_or(10.0 * n as f64 * T::EPSILON.to_f64())
    }

    /// Numbers of scratch that [`solve`](Self::solve) needs.
    pub(super) const fn scratch_len(n: usize) -> usize {
        n * n + n
    }

    /// `y = A^-1 b` row by row, `A^+ b` where `A` is singular to the threshold, in units of the
    /// `sizes` of `y`; entry (i, j) of all `B` matrices at `(i * n + j) * B`.
    pub(super) fn solve<T: Scalar>(
        self,
        sizes: Option<&[f64]>,
        batch: usize,
        mass: &[T],
        b: &[T],
        y: &mut [T],
        scratch: &mut [T],
    ) {
        if batch == 0 {
            return;
        }
        let n = b.len() / batch;
        let rcond = T::from_f64(self.rcond::<T>(n));
        let (a, rest) = scratch.split_at_mut(n * n);
        let solution = &mut rest[..n];
        for row in 0..batch {
            let size = |i: usize| size_of(sizes, n, i);
            let of = |k: usize| mass[k * batch + row] * T::from_f64(size(k / n) * size(k % n));
            a.iter_mut().enumerate().for_each(|(k, a)| *a = of(k));
            let of = |i: usize| b[i * batch + row] * T::from_f64(size(i));
            solution.iter_mut().enumerate().for_each(|(i, y)| *y = of(i));
            if !eliminate(a, solution, rcond) {
                let matrix = matrix_of_row(sizes, n, batch, row, mass);
                let b = DVector::from_fn(n, |i, _| of(i).to_f64());
                let least = pseudo_solve(&matrix, &b, rcond.to_f64());
                solution.iter_mut().zip(least.iter()).for_each(|(y, v)| *y = T::from_f64(*v));
            }
            let found = solution.iter().enumerate();
            found.for_each(|(i, v)| y[i * batch + row] = *v * T::from_f64(size(i)));
        }
    }
}

/// The size of unknown `i` of `n`, which are the last of a state's coordinates.
fn size_of(sizes: Option<&[f64]>, n: usize, i: usize) -> f64 {
    sizes.and_then(|sizes| sizes.get((sizes.len() + i).checked_sub(n)?)).copied().unwrap_or(1.0)
}

/// The matrix of one row, in `f64` and in units of the sizes.
pub(super) fn matrix_of_row<T: Scalar>(
    sizes: Option<&[f64]>,
    n: usize,
    batch: usize,
    row: usize,
    mass: &[T],
) -> DMatrix<f64> {
    let size = |i: usize| size_of(sizes, n, i);
    DMatrix::from_fn(n, n, |i, j| size(i) * size(j) * mass[(i * n + j) * batch + row].to_f64())
}

/// Gaussian elimination with partial pivoting in place of `a` (row-major) and `b`; false if a
/// pivot is at most `rcond` times the largest.
fn eliminate<T: Scalar>(a: &mut [T], b: &mut [T], rcond: T) -> bool {
    let n = b.len();
    let mut largest = T::ZERO;
    for k in 0..n {
        let size = |i: usize| hnn_integrators::Lane::abs(a[i * n + k]);
        let pivot = (k + 1..n).fold(k, |best, i| if size(i) > size(best) { i } else { best });
        largest = largest.max(size(pivot));
        if size(pivot) <= rcond * largest {
            return false;
        }
        if pivot != k {
            (k..n).for_each(|j| a.swap(k * n + j, pivot * n + j));
            b.swap(k, pivot);
        }
        let inverse = T::ONE / a[k * n + k];
        for i in k + 1..n {
            let factor = a[i * n + k] * inverse;
            for j in k + 1..n {
                let above = a[k * n + j];
                a[i * n + j] -= factor * above;
            }
            let above = b[k];
            b[i] -= factor * above;
        }
    }
    for k in (0..n).rev() {
        let known: T = (k + 1..n).map(|j| a[k * n + j] * b[j]).sum();
        b[k] = (b[k] - known) / a[k * n + k];
    }
    true
}

/// `A^+ b`, eigenvalues at most `rcond` times the largest dropped; NaN if `A` is not finite.
fn pseudo_solve(a: &DMatrix<f64>, b: &DVector<f64>, rcond: f64) -> DVector<f64> {
    if !a.iter().all(|entry| entry.is_finite()) {
        return DVector::from_element(b.len(), f64::NAN);
    }
    let eigen = a.clone().symmetric_eigen();
    let cut = rcond * eigen.eigenvalues.amax();
    let mut coordinates = eigen.eigenvectors.tr_mul(b);
    for (c, value) in coordinates.iter_mut().zip(eigen.eigenvalues.iter()) {
        *c = if value.abs() > cut { *c / value } else { 0.0 };
    }
    eigen.eigenvectors * coordinates
}

/// Smallest over largest size of the eigenvalues: 1 for a multiple of the identity, 0 for a
/// singular matrix, NaN if an entry is not finite.
pub(super) fn reciprocal_condition(a: &DMatrix<f64>) -> f64 {
    if !a.iter().all(|entry| entry.is_finite()) {
        return f64::NAN;
    }
    let sizes = a.symmetric_eigenvalues().abs();
    if sizes.max() > 0.0 { sizes.min() / sizes.max() } else { 0.0 }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.linalg.pinv(rcond=1e-15)` of regular and singular matrices.
    #[test]
    fn golden_pseudo_inverses() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/lnn_softplus_4_16_16_1.json");
        let text = std::fs::read_to_string(path).expect("golden file");
        let golden: serde_json::Value = serde_json::from_str(&text).expect("JSON");
        let numbers = |v: &serde_json::Value| -> Vec<f64> {
            let rows: Vec<Vec<f64>> = serde_json::from_value(v.clone()).expect("rows");
            rows.concat()
        };
        let cases = golden["pinv_cases"].as_array().expect("cases");
        assert!(cases.len() > 2);
        for case in cases {
            let (a, pinv) = (numbers(&case["a"]), numbers(&case["pinv"]));
            let n = case["a"].as_array().expect("rows").len();
            let scale = pinv.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
            for j in 0..n {
                let b: Vec<f64> = (0..n).map(|i| f64::from(u8::from(i == j))).collect();
                let (mut y, mut scratch) = (vec![0.0; n], vec![0.0; MassSolver::scratch_len(n)]);
                MassSolver::new(Some(1e-15)).solve(None, 1, &a, &b, &mut y, &mut scratch);
                for i in 0..n {
                    let error = (y[i] - pinv[i * n + j]).abs();
                    assert!(error <= 1e-9 * scale, "{a:?}: {} is not {}", y[i], pinv[i * n + j]);
                }
            }
        }
    }

    #[test]
    fn non_finite_matrices_give_nan() {
        let mut y = [0.0; 2];
        let mut scratch = [0.0; MassSolver::scratch_len(2)];
        let a = [f64::NAN, 1.0, 1.0, 1.0];
        MassSolver::new(None).solve(None, 1, &a, &[1.0, 1.0], &mut y, &mut scratch);
        assert!(y.iter().all(|y| y.is_nan()));
        assert!(reciprocal_condition(&matrix_of_row(None, 2, 1, 0, &a)).is_nan());
    }
}
