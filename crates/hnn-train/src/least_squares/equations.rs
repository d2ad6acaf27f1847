//! The equations of a step, in the form that suits their size.

use hnn_integrators::Scalar;
use hnn_losses::{LossError, ResidualLayout};

use super::dual::Dual;
use super::linear::{Damped, Linear};
use super::matrix_free::MatrixFree;
use super::normal::Normal;
use super::rows::Rows;
use super::settings::Form;
use super::{LeastSquares, ROWS_BYTES, size};
use crate::TrainError;
use crate::error::require;

/// Larger matrices are not chosen unasked: factoring one takes seconds.
const LARGEST_MATRIX: usize = 5000;

/// The equations of a step.
#[derive(Debug)]
pub(super) enum Equations {
    Normal(Box<Normal>),
    Dual(Box<Dual>),
    MatrixFree(Box<MatrixFree>),
}

impl Equations {
    /// In the form that is asked for, or that suits, for parameters of type `T`.
    pub(super) fn new<T: Scalar>(
        settings: &LeastSquares,
        num_params: usize,
        layout: &ResidualLayout,
    ) -> Result<Self, TrainError> {
        require(num_params > 0, "the number of parameters to fit", 0, "at least 1")?;
        require(layout.total() > 0, "the number of residuals to fit", 0, "at least 1")?;
        let scalar = size_of::<T>();
        let has_evidence = settings.evidence.is_some();
        let normal = || size::check_normal(num_params, layout, has_evidence);
        let dual = || size::check_dual(num_params, layout, scalar);
        size::check_groups(num_params, layout, scalar)?;
        // Products of rows need all of them in one place.
        let is_whole = layout.total() == layout.len();
        let has_dual = layout.num_locals() == 0 && !has_evidence && is_whole;
        let form = settings.form.unwrap_or_else(|| {
            let is_wide = layout.len() < num_params && layout.len() <= LARGEST_MATRIX;
            if has_dual && is_wide && dual().is_ok() {
                Form::Dual
            } else if has_evidence || num_params <= LARGEST_MATRIX && normal().is_ok() {
                Form::Normal
            } else {
                Form::MatrixFree
            }
        });
        match form {
            Form::Normal => {
                normal()?;
                Ok(Self::Normal(Box::default()))
            }
            Form::Dual => {
                let cure = "normal or matrix-free where there are locals or several ranks, normal with evidence";
                require(has_dual, "the form of the equations", "dual", cure)?;
                let identity = settings.scaling == super::Scaling::Identity;
                let cure = "the identity in the dual form";
                require(identity, "the scaling", "diagonal", cure)?;
                dual()?;
                Ok(Self::Dual(Box::default()))
            }
            Form::MatrixFree => {
                let cure = "normal with evidence";
                require(!has_evidence, "the form of the equations", "matrix-free", cure)?;
                Ok(Self::MatrixFree(Box::default()))
            }
        }
    }

    /// Bytes of rows that are read at a time.
    pub(super) fn rows_bytes(&self) -> usize {
        if matches!(self, Self::Dual(_)) { usize::MAX } else { ROWS_BYTES }
    }

    /// Reads the rows at the model's parameters: the gradient and the diagonal.
    pub(super) fn linearise<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        theta: &[f64],
        linear: &mut Linear,
    ) -> Result<(), LossError> {
        rows.buffer.forget();
        linear.resize(theta.len(), rows.layout.num_locals());
        match self {
            Self::Normal(normal) => normal.linearise(rows, linear),
            Self::Dual(dual) => dual.linearise(rows, theta, linear),
            Self::MatrixFree(free) => free.linearise(rows, linear),
        }?;
        linear.add_prior(rows.weights.prior, theta);
        Ok(())
    }

    /// The step of the parameters and the locals. False if there is none with this damping.
    pub(super) fn solve<T: Scalar>(
        &mut self,
        rows: &mut Rows<'_, T>,
        damped: &Damped<'_>,
        step: &mut [f64],
    ) -> Result<bool, LossError> {
        match self {
            Self::Normal(normal) => Ok(normal.solve(damped, step)),
            Self::Dual(dual) => Ok(dual.solve(rows.buffer.by_theta(), damped, step)),
            Self::MatrixFree(free) => free.solve(rows, damped, step),
        }
    }
}
