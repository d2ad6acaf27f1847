//! How least squares are solved.

use crate::TrainError;
use crate::error::require;

/// When a run of [`LeastSquares`](crate::LeastSquares) has converged; all numbers are relative, so
/// that units do not matter. What rounding of the scalar type hides counts as nothing whatever they
/// say.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StopTolerances {
    /// Of the gradient: `max |g_j| / (sqrt(H_jj) sqrt(L))`, the largest cosine of an angle between
    /// the residuals and a column of their Jacobian.
    pub gradient: f64,
    /// Of a step: its norm beside that of the parameters and locals, both in the measure of the
    /// [`Scaling`].
    pub step: f64,
    /// Of what the linearised residuals promise and what is gained: both beside the loss.
    pub reduction: f64,
}

impl Default for StopTolerances {
    /// 1e-10, 1e-10 and 1e-12.
    fn default() -> Self {
        Self { gradient: 1e-10, step: 1e-10, reduction: 1e-12 }
    }
}

impl StopTolerances {
    pub(super) fn check(&self) -> Result<(), TrainError> {
        for (setting, value) in [
            ("the tolerance of the gradient", self.gradient),
            ("the tolerance of the step", self.step),
            ("the tolerance of the reduction", self.reduction),
        ] {
            require((0.0..1.0).contains(&value), setting, value, "in [0, 1)")?;
        }
        Ok(())
    }
}

/// In what measure a step is kept short: the `D` of `(J^T J + lambda D) s = -J^T r`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Scaling {
    /// Levenberg (1944): the identity. For parameters of one kind, such as the weights of a network.
    #[default]
    Identity,
    /// Marquardt (1963), as More (1978): the largest diagonal of `J^T J` so far, whatever the units
    /// of the parameters. For formulas with constants.
    Diagonal,
}

/// In what form the equations of a step are solved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Form {
    /// By a Cholesky factor of the normal equations, `J^T J + lambda D`: `P^2` numbers,
    /// `N P^2 / 2` multiplications an accepted step and `P^3 / 6` a trial.
    Normal,
    /// By one of `J J^T + lambda I`, where residuals are fewer than parameters: `N^2` numbers,
    /// `P N^2 / 2` and `N^3 / 6`. Without locals and evidence, scaled by the identity.
    Dual,
    /// By conjugate gradients on products with rows, which are computed anew where they do not fit
    /// the memory for rows: for wide networks. Without evidence.
    MatrixFree,
}

/// How noise and prior are estimated from the data (MacKay, Neural Computation 4, 1992).
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct EvidenceRule {
    /// Estimate anew after every so many steps, at least 1.
    pub every: usize,
    /// Begin when a step lowers the objective by less than this fraction, in (0, 1].
    pub begin: f64,
    /// Variances of a residual that are known, by the name of a term: they are kept.
    pub variances: Vec<(String, f64)>,
}

impl Default for EvidenceRule {
    /// After every third step, from one on that lowers the objective by less than 20 %; nothing is
    /// known.
    fn default() -> Self {
        Self { every: 3, begin: 0.2, variances: Vec::new() }
    }
}

impl EvidenceRule {
    pub(super) fn check(&self) -> Result<(), TrainError> {
        require(self.every > 0, "the interval of estimates of noise", 0, "at least 1 step")?;
        let begins = self.begin > 0.0 && self.begin <= 1.0;
        require(begins, "the reduction from which noise is estimated", self.begin, "in (0, 1]")?;
        for (_, variance) in &self.variances {
            let sensible = *variance > 0.0 && variance.is_finite();
            require(sensible, "a residual's variance", variance, "a positive number")?;
        }
        Ok(())
    }
}
