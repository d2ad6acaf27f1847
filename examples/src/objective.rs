//! What the models minimise.

use clap::{Args, ValueEnum};
use hnn_losses::Window;
use serde::Serialize;

/// `L = L_derivative + alpha L_trajectory`, as options.
#[derive(Debug, Clone, Copy, Args, Serialize)]
pub struct Objective {
    /// What is added to the loss of the derivatives.
    #[arg(long, value_enum, default_value_t = LossKind::Derivative)]
    pub loss: LossKind,
    /// Weight of the trajectory loss.
    #[arg(long, default_value_t = 1.0)]
    pub alpha: f64,
}

impl Default for Objective {
    /// Derivatives alone.
    fn default() -> Self {
        Self { loss: LossKind::Derivative, alpha: 1.0 }
    }
}

/// A loss to train with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum LossKind {
    /// Nothing: derivatives alone.
    Derivative,
    /// One RK4 step from every measured state to the next.
    OneStep,
    /// RK4 over each whole trajectory from its first state.
    FullTrajectory,
}

impl LossKind {
    /// The window of the trajectory loss, where there is one.
    #[must_use]
    pub fn window(self) -> Option<Window> {
        match self {
            Self::Derivative => None,
            Self::OneStep => Some(Window::Steps(1)),
            Self::FullTrajectory => Some(Window::Whole),
        }
    }
}
