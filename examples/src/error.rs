//! What can go wrong in an example.

use std::path::PathBuf;

use thiserror::Error;

/// What can go wrong in an example.
#[derive(Debug, Error)]
pub enum ExampleError {
    /// A file or folder cannot be written.
    #[error("cannot write {}: {reason}", path.display())]
    Write {
        /// The file or folder.
        path: PathBuf,
        /// Why.
        reason: String,
    },
    /// A file of the output folder cannot be used.
    #[error("cannot use {}: {source}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// An option makes no sense.
    #[error("option {option}: {reason}")]
    Option {
        /// The option.
        option: &'static str,
        /// Why, and what to give instead.
        reason: String,
    },
    /// A file cannot be written.
    #[error(transparent)]
    File(#[from] hnn_files::FileError),
    /// A library's own error.
    #[error(transparent)]
    Data(#[from] hnn_data::DataError),
    /// A library's own error.
    #[error(transparent)]
    System(#[from] hnn_systems::SystemError),
    /// A library's own error.
    #[error(transparent)]
    Field(#[from] hnn_integrators::FieldError),
    /// A library's own error.
    #[error(transparent)]
    Solve(#[from] hnn_integrators::SolveError),
    /// A library's own error.
    #[error(transparent)]
    Model(#[from] hnn_models::ModelError),
    /// A library's own error.
    #[error(transparent)]
    Loss(#[from] hnn_losses::LossError),
    /// A library's own error.
    #[error(transparent)]
    Train(#[from] hnn_train::TrainError),
    /// A library's own error.
    #[error(transparent)]
    Plot(#[from] hnn_plots::PlotError),
}
