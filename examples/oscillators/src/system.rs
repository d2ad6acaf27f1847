//! The systems to choose from.

use clap::ValueEnum;
use serde::Serialize;

use super::{OscillatorOptions, Setting};
use hnn_examples::Result;

/// An oscillator.
#[derive(Debug, Clone, Copy, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum System {
    /// H = q^2 + p^2.
    Spring,
    /// H = 3 (1 - cos q) + p^2.
    Pendulum,
}

impl System {
    /// The system with its data and test starts.
    ///
    /// # Errors
    /// If the truth cannot be computed.
    pub fn setting(self, options: &OscillatorOptions) -> Result<Setting> {
        match self {
            Self::Spring => Setting::spring(options),
            Self::Pendulum => Setting::pendulum(options),
        }
    }
}
