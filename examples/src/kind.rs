//! The models that the pendulum experiments compare.

use clap::ValueEnum;
use hnn_plots::Color;
use serde::Serialize;

/// A model of the pendulum experiments.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize)]
#[value(rename_all = "snake_case")]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// A network that learns the field itself.
    Baseline,
    /// A Hamiltonian neural network.
    Hnn,
    /// HNN with a free friction network F(q, p).
    HnnFriction,
    /// HNN with friction R(q, p) p, R >= 0.
    HnnDissipative,
}

impl Kind {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Baseline, Self::Hnn, Self::HnnFriction, Self::HnnDissipative];

    /// The name in `results.json` and of files.
    #[must_use]
    pub fn key(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Hnn => "hnn",
            Self::HnnFriction => "hnn_friction",
            Self::HnnDissipative => "hnn_dissipative",
        }
    }

    /// The name in tables and figures.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::Baseline => "baseline",
            Self::Hnn => "HNN",
            Self::HnnFriction => "HNN + friction F(q, p)",
            Self::HnnDissipative => "HNN + friction R(q, p) p",
        }
    }

    /// Its colour, the same in every figure.
    #[must_use]
    pub fn color(self) -> Color {
        Color::for_model(self as usize)
    }
}
