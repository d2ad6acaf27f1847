//! Inputs that act later than they are logged.

use hnn_losses::{DerivativeLoss, Loss, RowSelection};
use hnn_train::{LeastSquares, Scaling};
use ndarray::{Array1, ArrayView2, Axis};

use crate::fit::Recipe;
use crate::problem::{Part, Problem};
use crate::{IdentifyError, Law};

/// Delays that are tried, in rows, and the longest one, in periods.
const TRIED: usize = 24;
const LONGEST: f64 = 0.25;
/// Rows that are looked at, about.
const ROWS: usize = 2000;
/// Fewer rows tell no delay.
const FEWEST: usize = 100;
/// A delay that leaves more than this share of the squared errors is none.
const LEFT: f64 = 0.7;
const STEPS: usize = 8;

/// How much later than they are logged the inputs seem to act, if they do: the accelerations of a
/// [`Law`] with all features follow those of earlier rows much better.
pub(crate) fn delay(problem: &Problem) -> Result<Option<f64>, IdentifyError> {
    if problem.inputs.is_empty() || problem.has_momenta {
        return Ok(None);
    }
    let most = problem.steps(LONGEST * problem.period);
    let rows = problem.train.smooth.lengths().iter().map(|len| len.saturating_sub(most));
    if rows.sum::<usize>() < FEWEST {
        return Ok(None);
    }
    let stride = most.div_ceil(TRIED);
    let lags = Vec::from_iter((0..=most).step_by(stride));
    let errors = lags.iter().map(|lag| error(problem, *lag, most));
    let errors = errors.collect::<Result<Vec<_>, _>>()?;
    let best = (0..lags.len()).min_by(|a, b| errors[*a].total_cmp(&errors[*b])).unwrap_or(0);
    let is_late = errors[best] < LEFT * errors[0];
    Ok(is_late.then_some(lags[best] as f64 * problem.step()))
}

/// What the best law leaves of the accelerations where the inputs act so many rows later; of the same
/// rows for all lags up to `most`.
fn error(problem: &Problem, lag: usize, most: usize) -> Result<f64, IdentifyError> {
    let Part { smooth, slow_inputs, .. } = &problem.train;
    let rates = problem.scales.rate();
    let sigma = problem.train.sensible_errors(rates);
    let stride = smooth.len().div_ceil(ROWS);
    let (mut rows, mut earlier) = (Vec::new(), Vec::new());
    let mut first = 0;
    for len in smooth.lengths() {
        for row in (first + most..first + len).step_by(stride) {
            rows.push(row);
            earlier.push(row - lag);
        }
        first += len;
    }
    let features = Recipe::Supported.features(problem);
    let (n, constants) = (problem.degrees, vec![0.0; problem.degrees * features.len()]);
    let mut law = Law::new(n, problem.inputs.len(), &features, &constants)?;
    let of = |array: ArrayView2<'_, f64>, rows: &[usize]| array.select(Axis(0), rows);
    let times = Array1::from_iter(rows.iter().map(|row| smooth.times()[*row]));
    let (x, dx) = (of(smooth.states(), &rows), of(smooth.derivatives(), &rows));
    // That positions have these velocities says nothing.
    let mut weights = vec![1.0; 2 * n];
    weights[..n].fill(0.0);
    let mut loss = DerivativeLoss::new(times.view(), x.view(), dx.view())?
        .with_inputs(of(slow_inputs.view(), &earlier).view())?
        .with_standard_errors(of(sigma.view(), &rows).view())?
        .with_coordinate_weights(&weights)?;
    let solver = LeastSquares::new(STEPS).with_scaling(Scaling::Diagonal);
    solver.fit(&mut law, &mut loss, None, &mut ())?;
    Ok(loss.value(&law, RowSelection::All)?)
}
