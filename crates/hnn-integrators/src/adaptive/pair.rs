//! Embedded pairs of explicit Runge-Kutta methods.

use crate::runge_kutta::Tableau;

/// The coefficients of an embedded pair whose last stage is the end of the step ("first same as
/// last": the last slope of a step is the first of the next).
#[derive(Debug, Clone, Copy)]
pub struct EmbeddedPair<'a> {
    /// The method that is propagated. Its last row of `a` equals its weights `b`.
    pub tableau: Tableau<'a>,
    /// Weights of the error estimate: `h sum_i error_i k_i`.
    pub error: &'a [f64],
    /// Order of the error estimate in `h`, the exponent of the step-size control being its
    /// inverse.
    pub error_order: usize,
    /// Weights of a second estimate of lower order, combined with the first as in DOP853.
    pub coarse_error: Option<&'a [f64]>,
    /// The interpolant `x(t + theta h) = x + h sum_i b_i(theta) k_i`,
    /// `b_i(theta) = sum_k dense[i][k] theta^(k + 1)`; stages beyond the tableau's are those of
    /// `extra`.
    pub dense: &'a [[f64; 7]],
    /// Stages that only the interpolant needs: their nodes and rows.
    pub extra: &'a [(f64, &'a [f64])],
}

impl EmbeddedPair<'_> {
    /// The weights `b_i(theta)` of the interpolant.
    pub(crate) fn dense_weights(&self, theta: f64, weights: &mut [f64]) {
        for (weight, coefficients) in weights.iter_mut().zip(self.dense) {
            let horner = coefficients.iter().rev().fold(0.0, |sum, c| sum * theta + c);
            *weight = theta * horner;
        }
    }
}

/// An explicit Runge-Kutta method with an error estimate and a continuous extension.
pub trait EmbeddedRungeKutta: Send + Sync {
    /// The coefficients.
    fn pair(&self) -> EmbeddedPair<'_>;
}
