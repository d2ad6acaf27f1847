//! Fits of one kind of model each.

mod formula;
mod friction;
mod law;
mod network;
mod torques;

use hnn_integrators::{Substeps, Tableau};
use hnn_losses::{DerivativeLoss, TrajectoryLoss, Window};

pub(crate) use self::formula::formula;
pub(crate) use self::law::{Recipe, law};
pub(crate) use self::network::{baseline, hnn, lnn};
pub(crate) use self::torques::torques;
use crate::IdentifyError;
use crate::problem::Problem;

/// The rate at which the starts of windows are fitted by first-order optimisers; least squares solve for
/// them.
const START_RATE: f64 = 0.1;

/// The field against smoothed derivatives, each by its standard error, of inputs as smooth.
fn derivative_loss(problem: &Problem) -> Result<DerivativeLoss<f64>, IdentifyError> {
    let slow_inputs = problem.train.slow_inputs.view();
    let loss = DerivativeLoss::from_data(&problem.train.smooth)?.with_inputs(slow_inputs)?;
    let errors = problem.train.sensible_errors(problem.scales.rate());
    Ok(loss.with_standard_errors(errors.view())?)
}

/// Trajectories over windows of so long a time, with starts of their own, against what was measured.
fn trajectory_loss(
    problem: &Problem,
    time: f64,
) -> Result<TrajectoryLoss<f64, Substeps<Tableau>>, IdentifyError> {
    let window = Window::Steps(problem.steps(time));
    let loss = TrajectoryLoss::new(problem.method.clone(), window, &problem.train.measured)?;
    let loss = loss.with_inputs_between(problem.between).with_fitted_starts(START_RATE)?;
    Ok(loss.with_coordinate_weights(&problem.weights)?)
}
