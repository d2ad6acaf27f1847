//! Errors of this crate.

use std::path::PathBuf;

use hnn_files::FileError;
use hnn_integrators::{FieldError, TooLarge};
use hnn_losses::LossError;
use thiserror::Error;

/// What can go wrong in training.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum TrainError {
    /// The loss, its gradient or a parameter is no longer finite.
    #[error(
        "training diverged at step {step}: {what} is {value} (the last finite loss was {last_finite}); lower the learning rate (begin with Adam where it was L-BFGS), clip the gradient, or look for outliers in the data"
    )]
    Diverged {
        /// The step.
        step: usize,
        /// `"the loss"`, a term of it, the gradient, or a parameter.
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
    /// What was asked for takes more memory than one call may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// Early stopping has nothing to go by.
    #[error(
        "early stopping needs a validation loss, and none was given: give `fit` one, or take `with_early_stopping` away"
    )]
    NoValidation,
    /// An optimiser was given more or fewer numbers than it was started for.
    #[error(
        "an optimiser's step was given {given} {what}, but it was started for {expected} parameters: call `start` with their number first"
    )]
    Length {
        /// `"parameters"` or `"derivatives"`.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// How many it was started for.
        expected: usize,
    },
    /// A run with this optimiser cannot be saved and resumed.
    #[error(
        "the optimiser {optimiser} cannot be resumed: implement `save_state` and `restore_state`, or train without a checkpoint"
    )]
    NotResumable {
        /// Its name.
        optimiser: String,
    },
    /// The state of an optimiser was saved by another method, or for fewer parameters.
    #[error("a saved state has {left} numbers left where {needed} are needed: it is another run's")]
    State {
        /// How many numbers are needed.
        needed: usize,
        /// How many are left.
        left: usize,
    },
    /// A run cannot go on from a checkpoint.
    #[error(
        "cannot resume from {}: {reason}; begin anew, or give the checkpoint of the same run", path.display()
    )]
    Checkpoint {
        /// The file.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// Least squares begin, or have come, where residuals or their derivatives are not finite.
    #[error(
        "step {step}: {what} of the loss \"{loss}\" is {value}; begin at other parameters, or look for outliers and for rows at which the model has no derivative"
    )]
    NotFinite {
        /// The step.
        step: usize,
        /// The loss.
        loss: String,
        /// `"the value"` or `"the gradient"`.
        what: &'static str,
        /// Its value.
        value: f64,
    },
    /// Noise cannot be estimated from a loss that does not count squares.
    #[error(
        "the loss \"{loss}\" is {value}, but its squared residuals add up to {squares}: estimate noise from squared errors, or fit without evidence"
    )]
    NotSquares {
        /// The loss.
        loss: String,
        /// Its value.
        value: f64,
        /// The squares, and the prior.
        squares: f64,
    },
    /// The data leave parameters undetermined.
    #[error(
        "{residuals} residuals do not determine {parameters} unknowns: give more data, a prior (`L2Penalty`), or the evidence of a fit"
    )]
    Undetermined {
        /// Number of unknowns, locals included.
        parameters: usize,
        /// Number of residuals.
        residuals: usize,
    },
    /// Too few groups of residuals for the scatter between them.
    #[error(
        "{groups} groups of residuals do not tell how {parameters} parameters scatter: take shorter windows, or more data"
    )]
    FewGroups {
        /// Number of groups.
        groups: usize,
        /// Number of parameters.
        parameters: usize,
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
