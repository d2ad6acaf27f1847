//! Errors.

use std::path::PathBuf;

use thiserror::Error;

/// Why nothing was identified.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum IdentifyError {
    /// The channels make no mechanical state.
    #[error("the recording has {given}: {cure}")]
    State {
        /// What is there.
        given: String,
        /// What to declare.
        cure: String,
    },
    /// Too few rows.
    #[error(
        "{given} rows are left to {purpose}, and at least {needed} are needed: record for longer"
    )]
    TooFew {
        /// What for.
        purpose: &'static str,
        /// How many there are.
        given: usize,
        /// How many it takes.
        needed: usize,
    },
    /// Inputs that act before they were logged, or after the recording.
    #[error(
        "inputs that act {given} later than they are logged leave no {least} rows: give a time from 0 to well \
         below {longest}, the longest piece",
        least = crate::problem::FEWEST
    )]
    Delay {
        /// The delay given.
        given: f64,
        /// How long the longest piece without a gap lasts.
        longest: f64,
    },
    /// No candidate could be fitted.
    #[error("none of the {candidates} models could be fitted; the first failed so: {first}")]
    NothingFits {
        /// How many were tried.
        candidates: usize,
        /// The first one's error.
        first: String,
    },
    /// A law makes no sense.
    #[error("this is no law of motion: {reason}")]
    Law {
        /// Why.
        reason: String,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}", path = path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A folder cannot be made.
    #[error("cannot make the folder {path}: {source}", path = path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] hnn_files::FileError),
    /// The recording.
    #[error(transparent)]
    Data(#[from] hnn_data::DataError),
    /// A loss.
    #[error(transparent)]
    Loss(#[from] hnn_losses::LossError),
    /// A fit.
    #[error(transparent)]
    Train(#[from] hnn_train::TrainError),
    /// A network.
    #[error(transparent)]
    Model(#[from] hnn_models::ModelError),
    /// A sparse regression.
    #[error(transparent)]
    Sparse(#[from] hnn_sparse::SparseError),
    /// A field.
    #[error(transparent)]
    Field(#[from] hnn_integrators::FieldError),
    /// A figure.
    #[cfg(feature = "plots")]
    #[error(transparent)]
    Plot(#[from] hnn_plots::PlotError),
}
