//! How well a model predicts what it has not seen.

use hnn_data::DataSet;
use hnn_integrators::{Tolerances, VectorField};

use crate::problem::{Part, Problem};

/// Errors on held-out rows. All are relative: root mean squares over the size (standard deviation) of
/// each coordinate, so that 1 is what the mean would do.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Score {
    /// Of rollouts over each window of held-out rows; infinite where the model cannot be integrated.
    pub windows: Vec<f64>,
    /// Of one rollout over all held-out rows of each piece.
    pub whole: Vec<f64>,
    /// Of the derivatives, against those that smoothing finds.
    pub derivatives: f64,
}

impl Score {
    pub(crate) fn of(field: &dyn VectorField<f64>, problem: &Problem) -> Self {
        let smooth = &problem.test.smooth;
        let rates = problem.scales.rate();
        let mean = derivative_error(field, smooth, rates);
        Self {
            windows: rollouts(field, problem, &problem.test),
            whole: rollouts(field, problem, &problem.whole),
            derivatives: mean.unwrap_or(f64::INFINITY),
        }
    }

    /// The mean over the windows.
    #[must_use]
    pub fn mean(&self) -> f64 {
        mean(&self.windows)
    }

    /// The standard error of the mean.
    #[must_use]
    pub fn std_error(&self) -> f64 {
        std_error(&self.windows)
    }
}

pub(crate) fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len().max(1) as f64
}

/// The standard error of a mean.
pub(crate) fn std_error(values: &[f64]) -> f64 {
    let (n, mean) = (values.len() as f64, mean(values));
    let square: f64 = values.iter().map(|x| (x - mean).powi(2)).sum();
    if n > 1.0 { (square / (n - 1.0) / n).sqrt() } else { f64::INFINITY }
}

/// What a model makes of the smoothed first state of each trajectory.
pub(crate) fn rollout(
    field: &dyn VectorField<f64>,
    problem: &Problem,
    part: &Part,
    index: usize,
) -> Option<DataSet<f64>> {
    let one = part.smooth.select(&[index]).ok()?;
    let run = one.rollout_of(field, problem.between, Tolerances::both(1e-6)).ok()?;
    run.states().iter().all(|x| x.is_finite()).then_some(run)
}

pub(crate) fn rollouts(field: &dyn VectorField<f64>, problem: &Problem, part: &Part) -> Vec<f64> {
    let sizes = problem.scales.size();
    let error = |index: usize| {
        let (run, truth) =
            (rollout(field, problem, part, index)?, part.measured.trajectory(index)?);
        let (mut sum, mut count) = (0.0, 0.0);
        for (i, _) in problem.weights.iter().enumerate().filter(|(_, weight)| **weight > 0.0) {
            let difference = &run.states().column(i) - &truth.states.column(i);
            sum += difference.iter().map(|e| (e / sizes[i]).powi(2)).sum::<f64>();
            count += difference.len() as f64;
        }
        Some((sum / count).sqrt())
    };
    (0..part.measured.num_trajectories()).map(|k| error(k).unwrap_or(f64::INFINITY)).collect()
}

/// Of derivatives, each relative to its size.
fn derivative_error(
    field: &dyn VectorField<f64>,
    data: &DataSet<f64>,
    rates: &[f64],
) -> Option<f64> {
    let found = data.clone().with_derivatives_of(field).ok()?;
    let difference = &found.derivatives() - &data.derivatives();
    let square = difference.indexed_iter().map(|((_, i), e)| (e / rates[i]).powi(2));
    Some((square.sum::<f64>() / difference.len() as f64).sqrt())
}
