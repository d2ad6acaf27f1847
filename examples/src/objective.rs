//! What the models minimise.

use clap::{Args, ValueEnum};
use hnn_data::DataSet;
use hnn_integrators::{FieldObject, RK4, Scalar, Tableau};
use hnn_losses::{DerivativeLoss, JointLoss, TotalLoss, TrajectoryLoss, Window};
use serde::Serialize;

use crate::Result;

/// A model's field while it trains: training is compiled once for all models.
pub type Field<'a, T> = &'a mut dyn FieldObject<T>;

/// How fast the fitted starts of trajectories move where an optimiser moves them by gradients.
const START_RATE: f64 = 0.1;

/// A loss, as options.
#[derive(Debug, Clone, Copy, Default, Args, Serialize)]
pub struct Objective {
    /// What the models are compared with [default: derivative; with noise and least squares
    /// fitted_trajectory].
    #[arg(long, value_enum)]
    pub loss: Option<LossKind>,
    /// Weight of the trajectories beside the derivatives.
    #[arg(long, default_value_t = 1.0)]
    pub alpha: f64,
}

/// A loss to train with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// The derivatives at the measured states.
    #[default]
    Derivative,
    /// Also one RK4 step from every measured state to the next.
    OneStep,
    /// Also RK4 over each whole trajectory from its first state.
    FullTrajectory,
    /// RK4 over each whole trajectory from a start that is fitted, and the derivatives along it
    /// instead of at the measured states.
    FittedTrajectory,
    /// The same without derivatives.
    FittedStates,
}

impl Objective {
    /// This loss, with alpha 1.
    #[must_use]
    pub fn new(loss: LossKind) -> Self {
        Self { loss: Some(loss), alpha: 1.0 }
    }

    /// The loss that is asked for.
    #[must_use]
    pub fn kind(&self) -> LossKind {
        self.loss.unwrap_or_default()
    }

    /// The loss of some data.
    ///
    /// # Errors
    /// If alpha makes no sense.
    pub(crate) fn loss<'f, T: Scalar>(
        &self,
        data: &DataSet<T>,
    ) -> Result<TotalLoss<T, Field<'f, T>>> {
        let joint = |window| -> Result<_> {
            let trajectories = TrajectoryLoss::new(RK4, window, data)?;
            Ok(TotalLoss::new(JointLoss::new(derivatives(data)?, self.alpha, trajectories)?))
        };
        match self.kind() {
            LossKind::Derivative => Ok(TotalLoss::new(derivatives(data)?)),
            LossKind::OneStep => joint(Window::Steps(1)),
            LossKind::FullTrajectory => joint(Window::Whole),
            LossKind::FittedTrajectory => {
                let trajectories = fitted(Window::Whole, data)?;
                let along = trajectories.with_derivatives(1.0 / self.alpha, data.derivatives())?;
                Ok(TotalLoss::empty().plus(self.alpha, along)?)
            }
            LossKind::FittedStates => Ok(TotalLoss::new(fitted(Window::Whole, data)?)),
        }
    }

    /// Losses to be fitted first, one after the other, so that whole trajectories begin near the
    /// measured ones.
    ///
    /// # Errors
    /// As [`loss`](Self::loss).
    pub(crate) fn first<'f, T: Scalar>(
        &self,
        data: &DataSet<T>,
    ) -> Result<Vec<TotalLoss<T, Field<'f, T>>>> {
        match self.kind() {
            LossKind::Derivative | LossKind::OneStep | LossKind::FullTrajectory => Ok(Vec::new()),
            LossKind::FittedTrajectory => Ok(vec![TotalLoss::new(derivatives(data)?)]),
            LossKind::FittedStates => {
                let short = |steps: &usize| fitted(Window::Steps(*steps), data).map(TotalLoss::new);
                SHORT_WINDOWS.iter().map(short).collect()
            }
        }
    }
}

/// The windows that lead to whole trajectories, in steps.
const SHORT_WINDOWS: [usize; 2] = [4, 11];

fn derivatives<T: Scalar>(data: &DataSet<T>) -> Result<DerivativeLoss<T>> {
    Ok(DerivativeLoss::new(data.times().into(), data.states(), data.derivatives())?)
}

fn fitted<T: Scalar>(window: Window, data: &DataSet<T>) -> Result<TrajectoryLoss<T, Tableau>> {
    Ok(TrajectoryLoss::new(RK4, window, data)?.with_fitted_starts(START_RATE)?)
}
