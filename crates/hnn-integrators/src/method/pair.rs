//! Embedded pairs of explicit Runge-Kutta methods.

use std::borrow::Cow;

use super::conditions::differ;
use super::{Tableau, TableauError};

/// An explicit Runge-Kutta method with an error estimate and a continuous extension: what
/// [`Adaptive`](crate::Adaptive) integrates with.
///
/// Its last stage is the end of the step ("first same as last": the last slope of a step is the
/// first of the next). [`DORMAND_PRINCE5`](crate::DORMAND_PRINCE5),
/// [`TSITOURAS5`](crate::TSITOURAS5) and [`DOP853`](crate::DOP853) are constants.
///
/// ```
/// use hnn_integrators::{Adaptive, EmbeddedPair, FnField, Tableau, Tolerances};
/// use ndarray::array;
/// // Bogacki and Shampine (1989), with Hermite's cubic between the ends of a step.
/// let b = [2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0, 0.0];
/// let a: [&[f64]; 4] = [&[], &[0.5], &[0.0, 0.75], &b[..3]];
/// let tableau = Tableau::new("Bogacki-Shampine 3", 3, &a, &b, &[0.0, 0.5, 0.75, 1.0])?;
/// let error = [-5.0 / 72.0, 1.0 / 12.0, 1.0 / 9.0, -1.0 / 8.0];
/// let mut dense = b.map(|b| [0.0, 3.0 * b, -2.0 * b, 0.0, 0.0, 0.0, 0.0]);
/// dense[0] = [1.0, dense[0][1] - 2.0, dense[0][2] + 1.0, 0.0, 0.0, 0.0, 0.0];
/// dense[3] = [0.0, -1.0, 1.0, 0.0, 0.0, 0.0, 0.0];
/// let pair = EmbeddedPair::new(tableau, &error, 3, &dense)?;
/// let decay = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
/// let solver = Adaptive::new(pair, Tolerances::both(1e-8));
/// let run = solver.solve(&decay, array![1.0].view(), &[0.0, 0.5, 1.0])?;
/// assert!((run.states[[1, 0]] - (-0.5f64).exp()).abs() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct EmbeddedPair {
    /// The method that is propagated. Its last row of `a` equals its weights `b`.
    pub(crate) tableau: Tableau,
    /// Weights of the error estimate: `h sum_i error_i k_i`.
    pub(crate) error: Cow<'static, [f64]>,
    /// Order of the error estimate in `h`, the exponent of the step-size control being its
    /// inverse.
    pub(crate) error_order: usize,
    /// Weights of a second estimate of lower order, combined with the first as in DOP853.
    pub(crate) coarse_error: Option<Cow<'static, [f64]>>,
    /// The interpolant `x(t + theta h) = x + h sum_i b_i(theta) k_i`,
    /// `b_i(theta) = sum_k dense[i][k] theta^(k + 1)`; stages beyond the tableau's are those of
    /// `extra`.
    pub(crate) dense: Cow<'static, [[f64; 7]]>,
    /// Stages that only the interpolant needs: their nodes and rows.
    pub(crate) extra: &'static [(f64, &'static [f64])],
}

impl EmbeddedPair {
    /// A pair of one's own: the weights `error` (one a stage) of an error estimate of the order
    /// `error_order`, and the interpolant's coefficients `dense` (a row a stage):
    /// `b_i(theta) = sum_k dense[i][k] theta^(k + 1)`.
    ///
    /// # Errors
    /// If there is not one of each for every stage, an interpolant that does not end with the
    /// step (`b_i(1) = b_i`), weights of the estimate that do not sum to 0, or a last stage that is
    /// not the end of the step.
    pub fn new(
        tableau: Tableau,
        error: &[f64],
        error_order: usize,
        dense: &[[f64; 7]],
    ) -> Result<Self, TableauError> {
        let stages = tableau.stages();
        for (what, given) in [("the error estimate", error.len()), ("the interpolant", dense.len())]
        {
            if given != stages {
                return Err(TableauError::Length { what, given, stages, expected: stages });
            }
        }
        let (last, end) = (tableau.row(stages - 1), tableau.weights());
        if last != &end[..stages - 1] || end[stages - 1] != 0.0 {
            return Err(TableauError::NotLast);
        }
        let sum: f64 = error.iter().sum();
        if differ(sum, 0.0) {
            return Err(TableauError::ErrorSum { sum });
        }
        for (stage, (row, weight)) in dense.iter().zip(end).enumerate() {
            let sum: f64 = row.iter().sum();
            if differ(sum, *weight) {
                return Err(TableauError::DenseSum { stage, sum, weight: *weight });
            }
        }
        let (error, dense) = (error.to_vec().into(), dense.to_vec().into());
        Ok(Self {
            tableau,
            error,
            error_order: error_order.max(1),
            coarse_error: None,
            dense,
            extra: &[],
        })
    }

    /// The name the literature uses.
    #[must_use]
    pub fn name(&self) -> &str {
        self.tableau.name()
    }

    /// Order of convergence of the method that is propagated.
    #[must_use]
    pub fn order(&self) -> usize {
        self.tableau.order()
    }

    /// The method that is propagated, for steps of a fixed size: without the last stage, which only
    /// the error estimate and the next step need.
    ///
    /// ```
    /// use hnn_integrators::{DOP853, FixedStep, FnField};
    /// use ndarray::array;
    /// let decay = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
    /// let run = FixedStep::count(DOP853.propagated(), 4);
    /// let end = run.run(&decay, (0.0, 1.0), array![[1.0]].view())?;
    /// assert!((end.last()[[0, 0]] - (-1.0f64).exp()).abs() < 1e-11);
    /// # Ok::<(), hnn_integrators::SolveError>(())
    /// ```
    #[must_use]
    pub fn propagated(&self) -> Tableau {
        self.tableau.without_last(1)
    }

    /// Number of stages, those of the interpolant included.
    pub(crate) fn all_stages(&self) -> usize {
        self.tableau.stages() + self.extra.len()
    }

    /// The weights `b_i(theta)` of the interpolant.
    pub(crate) fn dense_weights(&self, theta: f64, weights: &mut [f64]) {
        for (weight, coefficients) in weights.iter_mut().zip(self.dense.iter()) {
            let horner = coefficients.iter().rev().fold(0.0, |sum, c| sum * theta + c);
            *weight = theta * horner;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{DOP853, DORMAND_PRINCE5, TSITOURAS5};

    /// The order conditions of the method, those that make an interpolant of order 4 (Hairer,
    /// Norsett, Wanner I, II.6), and the interpolant's end the step itself.
    #[test]
    fn coefficients_are_consistent() {
        for pair in [DORMAND_PRINCE5, TSITOURAS5, DOP853] {
            let (tableau, stages) = (&pair.tableau, pair.tableau.stages());
            let rows: Vec<&[f64]> = (0..stages).map(|i| tableau.row(i)).collect();
            let (b, c) = (tableau.weights(), tableau.nodes());
            Tableau::new(pair.name(), pair.order(), &rows, b, c).expect("tableau");
            assert_eq!((rows[stages - 1], b[stages - 1]), (&b[..stages - 1], 0.0));
            let sum: f64 = pair.error.iter().sum();
            assert!(sum.abs() < 1e-15, "a constant slope makes no error");
            let mut weights = vec![0.0; pair.all_stages()];
            let nodes = c.iter().chain(pair.extra.iter().map(|(node, _)| node));
            let nodes: Vec<f64> = nodes.copied().collect();
            for theta in [0.1_f64, 0.35, 0.8, 1.0] {
                pair.dense_weights(theta, &mut weights);
                for power in 0..4 {
                    let terms = weights.iter().zip(&nodes).map(|(w, c)| w * c.powi(power));
                    let (sum, exact) =
                        (terms.sum::<f64>(), theta.powi(power + 1) / f64::from(power + 1));
                    assert!((sum - exact).abs() < 1e-13, "{theta}, {power}: {sum} {exact}");
                }
            }
            for (end, b) in weights.iter().zip(b) {
                assert!((end - b).abs() < 1e-13 * (1.0 + b.abs()), "{end} {b}");
            }
        }
    }
}
