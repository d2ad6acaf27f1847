//! Errors of this crate.

use hnn_files::FileError;
use hnn_integrators::FieldError;
use hnn_losses::LossError;
use thiserror::Error;

/// What can go wrong in training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The loss or its gradient is no longer finite.
    #[error(
        "training diverged at step {step}: {what} is {value} (the last finite loss was {last_finite}); lower the learning rate, clip the gradient, or look for outliers in the data"
    )]
    Diverged {
        /// The step.
        step: usize,
        /// `"the loss"`, a term of it, or `"the gradient"`.
        what: String,
        /// Its value.
        value: f64,
        /// The last finite loss.
        last_finite: f64,
    },
    /// A setting makes no sense.
    #[error("{setting} is {value}, but must be {expected}")]
    Setting {
        /// Which setting.
        setting: &'static str,
        /// Its value.
        value: String,
        /// What it must be.
        expected: &'static str,
    },
    /// The loss failed.
    #[error("step {step}: {source}")]
    Loss {
        /// The step.
        step: usize,
        /// The loss's error.
        source: LossError,
    },
    /// The model failed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] FileError),
}

/// Checks a setting.
pub(crate) fn require(
    holds: bool,
    setting: &'static str,
    value: impl ToString,
    expected: &'static str,
) -> Result<(), TrainError> {
    if holds {
        Ok(())
    } else {
        Err(TrainError::Setting { setting, value: value.to_string(), expected })
    }
}
