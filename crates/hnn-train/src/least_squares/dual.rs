//! The dual form: one equation a residual.

use hnn_integrators::{Scalar, parallel};
use hnn_losses::LossError;

use super::linear::{Damped, Linear};
use super::rows::{Read, Rows};
use crate::linalg::{Cholesky, Panels, Symmetric, axpy, dot};

/// With `m = prior + lambda`, `(J J^T + m) y = r - (prior / m) J theta` and
/// `s = -J^T y - (prior / m) theta`: the step of the normal equations, by the matrix of the residuals.
#[derive(Debug, Default)]
pub(super) struct Dual {
    /// `J J^T`.
    products: Symmetric,
    factor: Cholesky,
    packed: Panels,
    residuals: Vec<f64>,
    /// `J theta`.
    image: Vec<f64>,
    solution: Vec<f64>,
}

/// Numbers of a step that are computed at a time.
const BLOCK: usize = 256;

impl Dual {
    /// Reads all rows, which stay in the buffer.
    pub(super) fn linearise<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        theta: &[f64],
        linear: &mut Linear,
    ) -> Result<(), LossError> {
        rows.each(Read::Rows, &mut |block| {
            let p = theta.len();
            self.residuals.clear();
            self.residuals.extend(block.values.iter().map(|r| r.to_f64()));
            self.image.clear();
            self.image.extend(block.by_theta.chunks_exact(p).map(|row| dot(row, theta)));
            self.products.clear(self.residuals.len());
            self.products.add_columns(block.by_theta, p, &mut self.packed);
            let Linear { gradient, diagonal, .. } = linear;
            add_transposed(block.by_theta, &self.residuals, gradient);
            add_squares(block.by_theta, diagonal);
        })
    }

    /// The step, from the rows that were read. False if there is none with this damping.
    pub(super) fn solve<T: Scalar>(
        &mut self,
        by_theta: &[T],
        damped: &Damped<'_>,
        step: &mut [f64],
    ) -> bool {
        let prior = damped.prior;
        let ridge = prior + damped.lambda;
        let share = prior / ridge;
        let matrix = self.factor.matrix();
        matrix.copy(&self.products);
        for (i, (r, image)) in self.residuals.iter().zip(&self.image).enumerate() {
            *matrix.diagonal_mut(i) += ridge;
            *matrix.vector_mut(i) = r - share * image;
        }
        if !self.factor.factor() {
            return false;
        }
        self.solution.resize(self.residuals.len(), 0.0);
        self.factor.solution(&mut self.solution);
        step.fill(0.0);
        add_transposed(by_theta, &self.solution, step);
        for (s, w) in step.iter_mut().zip(damped.theta) {
            *s = -*s - share * w;
        }
        true
    }
}

/// `out += J^T x`.
pub(super) fn add_transposed<T: Scalar>(by_theta: &[T], x: &[f64], out: &mut [f64]) {
    let p = out.len();
    parallel::chunks_mut(out, BLOCK, &|at, out| {
        for (row, x) in by_theta.chunks_exact(p).zip(x) {
            axpy(*x, &row[at * BLOCK..][..out.len()], out);
        }
    });
}

/// `out += ` the squares of each column's numbers.
pub(super) fn add_squares<T: Scalar>(by_theta: &[T], out: &mut [f64]) {
    let p = out.len();
    parallel::chunks_mut(out, BLOCK, &|at, out| {
        for row in by_theta.chunks_exact(p) {
            let row = &row[at * BLOCK..];
            out.iter_mut().zip(row).for_each(|(d, j)| *d += j.to_f64() * j.to_f64());
        }
    });
}
