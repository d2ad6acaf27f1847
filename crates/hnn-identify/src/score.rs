//! How well a model predicts what it has not seen.

use hnn_data::{DataSet, TrajectoryView};
use hnn_integrators::{
    Adaptive, Between, Inputs, Interval, Stepper, Tolerances, VectorField, Workspace,
    coordinate_major,
};
use ndarray::{ArrayView2, s};

use crate::problem::{Part, Problem};

/// Steps of the solver from row to row. A model that needs more moves faster than any row can show.
const MOST_STEPS: usize = 200;

/// Errors on held-out rows. All are relative: root mean squares over the size (standard deviation) of
/// each coordinate, so that 1 is what the mean would do.
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Score {
    /// Of rollouts over each window of held-out rows; infinite where the model cannot be integrated, or
    /// moves so much faster than the rows that they cannot judge it.
    pub windows: Vec<f64>,
    /// Of one rollout over all held-out rows of each piece.
    pub whole: Vec<f64>,
    /// Of the change from each row to the next, from the smoothed states of each window; relative to the
    /// size of that change.
    pub steps: Vec<f64>,
}

impl Score {
    pub(crate) fn of(field: &dyn VectorField<f64>, problem: &Problem) -> Self {
        let steps = problem.test.smooth.iter();
        Self {
            windows: rollouts(field, problem, &problem.test),
            whole: rollouts(field, problem, &problem.whole),
            steps: steps
                .map(|one| step_error(field, one, problem).unwrap_or(f64::INFINITY))
                .collect(),
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
    let solver = Adaptive::from(Tolerances::both(1e-6)).with_max_steps(MOST_STEPS * one.len());
    let run = one.rollout_of(field, problem.between, solver).ok()?;
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

/// Of one step from each row to the next.
fn step_error(
    field: &dyn VectorField<f64>,
    one: TrajectoryView<'_, f64>,
    problem: &Problem,
) -> Option<f64> {
    let (rows, dim) = one.states.dim();
    let before = |array: ArrayView2<'_, f64>| coordinate_major(array.slice(s![..rows - 1, ..]));
    let after = |array: ArrayView2<'_, f64>| coordinate_major(array.slice(s![1.., ..]));
    let t = &one.times[..rows - 1];
    let dt = Vec::from_iter(one.times.windows(2).map(|pair| pair[1] - pair[0]));
    let begin = before(one.inputs);
    let end = match problem.between {
        Between::Held => begin.clone(),
        Between::Linear => after(one.inputs),
    };
    let u = match begin.is_empty() {
        true => Inputs::None,
        false => Inputs::Linear { begin: &begin, end: &end },
    };
    let (x, truth) = (before(one.states), after(one.states));
    let mut next = vec![0.0; x.len()];
    let over = Interval { t, dt: &dt, u };
    problem.method.step(field, over, &x, &mut next, &mut Workspace::default()).ok()?;
    let errors = next.iter().zip(&truth).enumerate().map(|(at, (next, truth))| {
        let (i, row) = (at / (rows - 1), at % (rows - 1));
        (next - truth) / (problem.scales.rate()[i] * dt[row])
    });
    let mean = errors.map(|e| e * e).sum::<f64>() / (dim * (rows - 1)) as f64;
    mean.is_finite().then(|| mean.sqrt())
}
