//! Trajectories cut into windows, and formulas fitted to them.

use std::num::NonZeroUsize;

use hnn_data::{DataSet, Trajectory};
use hnn_integrators::{Between, RK4, Substeps, Tableau};
use hnn_losses::{Loss, LossError, Reduction, ResidualRows, RowSelection, TrajectoryLoss, Window};
use hnn_train::{LeastSquares, Scaling, StopReason, StopTolerances, TrainError};

use super::Refined;
use crate::data::Observed;
use crate::equations::root_mean_square;
use crate::{Observations, SparseError, SparseHamiltonian};

/// The most steps of least squares for windows of one length.
const MOST_ITERATIONS: usize = 50;
const UNDETERMINED: &str = "the data do not determine all coefficients; drop terms";
/// The first damping: rough formulas come from a regression, and are near.
const DAMPING: f64 = 1e-6;

/// The squared distance between the trajectories of a formula and the measured states.
type Distance = TrajectoryLoss<f64, Substeps<Tableau>>;

/// How far a fit goes on.
#[derive(Debug, Clone, Copy)]
pub(super) enum Accuracy {
    /// As long as steps promise a thousandth of the squared distance.
    Rough,
    /// Until they promise nothing that is worth a standard error.
    Full,
}

/// What is fitted.
pub(super) struct Problem {
    data: DataSet<f64>,
    between: Between,
    method: Substeps<Tableau>,
    /// The most steps from row to row of a trajectory.
    longest: usize,
    sizes: Vec<f64>,
}

/// Where a fit has come to, and the windows to go on with.
#[derive(Debug, Clone)]
pub(super) struct Fit {
    model: SparseHamiltonian,
    pub(super) window: Window,
    /// The state of each row at which a window may begin.
    starts: Vec<f64>,
    /// Root mean square distance to the measured states, of each coordinate.
    noise: Vec<f64>,
    /// The same of all, in units of the noise there was before.
    pub(super) distance: f64,
    iterations: usize,
}

impl Fit {
    pub(super) fn with_window(&self, window: Window) -> Self {
        Self { window, ..self.clone() }
    }
}

impl Problem {
    pub(super) fn new(
        steps: NonZeroUsize,
        observations: &Observations,
        sizes: Vec<f64>,
    ) -> Result<Self, SparseError> {
        let trajectories = observations.trajectories.iter().filter(|t| !t.times.is_empty());
        let data =
            DataSet::new(trajectories.cloned().map(|Observed { times, states, inputs }| {
                Trajectory { inputs, ..Trajectory::states_only(times, states) }
            }))?;
        let longest = data.lengths().iter().max().map_or(0, |rows| rows - 1);
        let method = Substeps::new(RK4, steps);
        Ok(Self { data, between: observations.between, method, longest, sizes })
    }

    /// At the measured states.
    pub(super) fn begin(&self, model: &SparseHamiltonian, points: usize) -> Fit {
        Fit {
            model: model.clone(),
            window: self.window(points),
            starts: self.data.states().iter().copied().collect(),
            noise: self.sizes.clone(),
            distance: 0.0,
            iterations: 0,
        }
    }

    /// Windows of so many steps from row to row.
    pub(super) fn window(&self, steps: usize) -> Window {
        if steps < self.longest { Window::Steps(steps) } else { Window::Whole }
    }

    fn loss(&self, at: &Fit) -> Result<Distance, LossError> {
        let weights: Vec<_> = at.noise.iter().map(|noise| noise.powi(-2)).collect();
        let mut loss = TrajectoryLoss::new(self.method.clone(), at.window, &self.data)?
            .with_inputs_between(self.between)
            .with_reduction(Reduction::Sum)
            .with_coordinate_weights(&weights)?
            .with_fitted_starts(1.0)?;
        Loss::<f64, SparseHamiltonian>::restore_state(&mut loss, &mut &at.starts[..])?;
        Ok(loss)
    }

    /// Goes on from a fit, with its windows, in units of its noise.
    pub(super) fn fit(&self, from: &Fit, accuracy: Accuracy) -> Result<Fit, SparseError> {
        let mut to = from.clone();
        let mut loss = self.loss(from).map_err(no_loss)?;
        let record = solver(accuracy)
            .fit(&mut to.model, &mut loss, None, &mut ())
            .map_err(|error| failed(error, from.iterations))?;
        to.iterations += record.steps.len();
        if record.stop == StopReason::Steps {
            let reason = "the steps are still large: start from a better formula, or take fewer \
                          points a window";
            return Err(no_convergence(to.iterations, reason));
        }
        let errors = errors(&mut loss, &to.model).map_err(no_loss)?;
        for (i, noise) in to.noise.iter_mut().enumerate() {
            let share = root_mean_square(errors.iter().skip(i).step_by(self.data.dim()).copied());
            // No noise is below the rounding of a coordinate's own size.
            *noise = (*noise * share).max(f64::EPSILON * self.sizes[i]);
        }
        to.distance = root_mean_square(errors.iter().copied());
        to.starts.clear();
        Loss::<f64, SparseHamiltonian>::save_state(&loss, &mut to.starts);
        Ok(to)
    }

    /// With the standard errors of the coefficients.
    pub(super) fn finish(&self, mut fit: Fit) -> Result<Refined, SparseError> {
        let mut loss = self.loss(&fit).map_err(no_loss)?;
        let posterior = solver(Accuracy::Full)
            .posterior(&mut fit.model, &mut loss, None)
            .map_err(|error| failed(error, fit.iterations))?;
        if !posterior.is_determined() {
            return Err(no_convergence(fit.iterations, UNDETERMINED));
        }
        // Where a window ends and the next one begins, a state is counted twice.
        let layout = loss.residual_layout(&fit.model, RowSelection::All).map_err(no_loss)?;
        let counted = layout.len() as f64 / self.data.states().len() as f64;
        let errors = posterior.standard_errors() * counted.sqrt();
        Ok(Refined {
            model: fit.model.with_std_errors(&errors.to_vec()),
            residuals: fit.noise,
            window: fit.window,
            iterations: fit.iterations,
        })
    }
}

fn solver(accuracy: Accuracy) -> LeastSquares {
    let reduction = match accuracy {
        Accuracy::Rough => 1e-3,
        Accuracy::Full => 1e-9,
    };
    let tolerances = StopTolerances { reduction, ..StopTolerances::default() };
    LeastSquares::new(MOST_ITERATIONS)
        .with_scaling(Scaling::Diagonal)
        .with_damping(DAMPING)
        .with_tolerances(tolerances)
}

/// The errors of all states of all windows in units of the noise, state after state.
fn errors(loss: &mut Distance, model: &SparseHamiltonian) -> Result<Vec<f64>, LossError> {
    let layout = loss.residual_layout(model, RowSelection::All)?;
    let mut errors = vec![0.0; layout.len()];
    let rows = ResidualRows { values: &mut errors, jacobian: None };
    loss.residuals(model, 0..layout.num_groups(), rows)?;
    Ok(errors)
}

fn no_loss(source: LossError) -> SparseError {
    TrainError::Loss { step: 0, source }.into()
}

fn no_convergence(iterations: usize, reason: &str) -> SparseError {
    SparseError::NoConvergence { iterations, reason: reason.to_owned() }
}

fn failed(error: TrainError, iterations: usize) -> SparseError {
    let reason = match error {
        TrainError::Undetermined { .. } => UNDETERMINED,
        TrainError::NotFinite { .. } => {
            "a trajectory of the formula runs to infinity: start from a better formula, or take \
             fewer points a window or more steps between them"
        }
        error => return error.into(),
    };
    no_convergence(iterations, reason)
}
