//! The normal equations.

use hnn_integrators::Scalar;
use hnn_losses::LossError;

use super::arrow::Arrow;
use super::linear::{Damped, Linear};
use super::rows::{Read, Rows};
use crate::linalg::{Cholesky, Panels, Symmetric};

/// `(J^T J + prior + lambda D) s = -(J^T r + prior theta)`, solved by a Cholesky factor, locals
/// eliminated first.
#[derive(Debug, Default)]
pub(super) struct Normal {
    sums: Symmetric,
    pub(super) arrow: Arrow,
    pub(super) factor: Cholesky,
    pub(super) packed: Panels,
}

impl Normal {
    /// Reads all rows.
    pub(super) fn linearise<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        linear: &mut Linear,
    ) -> Result<(), LossError> {
        let p = rows.num_params;
        self.sums.clear(p);
        self.arrow.clear(rows.layout, p);
        rows.each(Read::Rows, &mut |block| {
            self.sums.add_rows(block.by_theta, block.values, &mut self.packed);
            self.arrow.add(block);
        })?;
        rows.add_up_matrix(&mut self.sums);
        for i in 0..p {
            linear.gradient[i] = self.sums.vector(i);
            linear.diagonal[i] = self.sums.diagonal(i);
        }
        self.arrow.locals.summarise(&mut linear.gradient[p..], &mut linear.diagonal[p..]);
        Ok(())
    }

    /// The step of the parameters and the locals. False if there is none with this damping.
    pub(super) fn solve(&mut self, damped: &Damped<'_>, step: &mut [f64]) -> bool {
        if !self.factor(damped.prior, damped.theta, &|place| damped.of(place)) {
            return false;
        }
        let (of_theta, of_locals) = step.split_at_mut(damped.theta.len());
        self.factor.solution(of_theta);
        of_theta.iter_mut().for_each(|s| *s = -*s);
        self.arrow.back(of_theta, of_locals);
        true
    }

    /// Factors the equations without damping, or with as little of it as rounding needs.
    pub(super) fn factor_undamped(&mut self, prior: f64, theta: &[f64]) -> bool {
        let diagonal = (0..theta.len()).map(|i| self.sums.diagonal(i));
        let most = diagonal.fold(prior, f64::max);
        [0.0, 1e-14, 1e-13, 1e-12].iter().any(|share| self.factor(prior, theta, &|_| share * most))
    }

    /// Factors the equations of the parameters, and those of the locals.
    pub(super) fn factor(
        &mut self,
        prior: f64,
        theta: &[f64],
        damping: &dyn Fn(usize) -> f64,
    ) -> bool {
        let matrix = self.factor.matrix();
        matrix.copy(&self.sums);
        for (i, w) in theta.iter().enumerate() {
            *matrix.diagonal_mut(i) += prior + damping(i);
            *matrix.vector_mut(i) += prior * w;
        }
        if !self.arrow.locals.factor(&|local| damping(theta.len() + local)) {
            return false;
        }
        self.arrow.eliminate(matrix, &mut self.packed);
        self.factor.factor()
    }
}
