//! Measured derivatives, a row a sample.

use hnn_integrators::{Kept, Scalar, Workspace};

use crate::ErrorMeasure;

/// The data, a row a sample.
pub(super) struct Rows<T> {
    pub(super) dim: usize,
    /// Number of inputs a sample.
    pub(super) inputs: usize,
    pub(super) t: Vec<T>,
    pub(super) x: Vec<T>,
    pub(super) u: Vec<T>,
    pub(super) dx: Vec<T>,
    /// What the cost of each coordinate is multiplied by.
    pub(super) weights: Vec<T>,
    /// The square of the standard error of each number of `dx`, inverted; empty where all count alike.
    pub(super) precisions: Vec<T>,
}

impl<T: Scalar> Rows<T> {
    /// What the cost of a coordinate of a row is multiplied by.
    pub(super) fn weight(&self, row: usize, i: usize) -> T {
        let precision = self.precisions.get(row * self.dim + i);
        precision.map_or(self.weights[i], |precision| self.weights[i] * *precision)
    }

    /// The derivatives of a coordinate.
    fn column(&self, i: usize) -> impl Iterator<Item = f64> {
        self.dx[i..].iter().step_by(self.dim).map(|dx| dx.to_f64())
    }

    /// The sum of each coordinate's derivatives.
    pub(super) fn sums(&self) -> impl Iterator<Item = f64> {
        (0..self.dim).map(|i| self.column(i).sum())
    }

    /// The sum of the costs of constants in place of the field.
    pub(super) fn constant_cost(&self, measure: ErrorMeasure, constants: &[f64]) -> f64 {
        let of = |(i, constant): (usize, &f64)| {
            let cost = |(row, dx): (usize, f64)| {
                let weight = self.weight(row, i);
                weight.to_f64() * measure.of_weight(weight).value(dx - constant)
            };
            self.column(i).enumerate().map(cost).sum::<f64>()
        };
        constants.iter().enumerate().map(of).sum()
    }

    /// Copies the samples of a block into its scratch, coordinate-major.
    pub(super) fn gather(
        &self,
        rows: impl ExactSizeIterator<Item = usize>,
        scratch: &mut Scratch<T>,
    ) {
        let batch = rows.len();
        let Scratch { t, x, u, target, weights, f, x_bar, .. } = scratch;
        t.resize(batch, T::ZERO);
        u.resize(batch * self.inputs, T::ZERO);
        for buffer in [&mut *x, target, weights, f, x_bar] {
            buffer.resize(batch * self.dim, T::ZERO);
        }
        for (lane, row) in rows.enumerate() {
            t[lane] = self.t[row];
            for i in 0..self.dim {
                x[i * batch + lane] = self.x[row * self.dim + i];
                target[i * batch + lane] = self.dx[row * self.dim + i];
                weights[i * batch + lane] = self.weight(row, i);
            }
            for k in 0..self.inputs {
                u[k * batch + lane] = self.u[row * self.inputs + k];
            }
        }
    }
}

/// One block's samples, coordinate-major, and what its evaluation needs.
#[derive(Default)]
pub(super) struct Scratch<T> {
    pub(super) t: Vec<T>,
    pub(super) x: Vec<T>,
    pub(super) u: Vec<T>,
    pub(super) target: Vec<T>,
    pub(super) weights: Vec<T>,
    /// The field, then its cotangent.
    pub(super) f: Vec<T>,
    pub(super) x_bar: Vec<T>,
    pub(super) residuals: Kept,
    pub(super) workspace: Workspace<T>,
}
