//! Errors of this crate.

use std::io;
use std::path::PathBuf;

use thiserror::Error;

/// Why a file could not be written.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum FileError {
    /// The path ends in no file name.
    #[error("cannot write {path:?}: it names no file; give a path that ends in a file's name")]
    NoName {
        /// The path given.
        path: PathBuf,
    },
    /// The file cannot be written.
    #[error("cannot write {}: {source}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system, or the maker of the content, answered.
        source: io::Error,
    },
}

impl From<FileError> for io::Error {
    /// The system's answer, without the path.
    fn from(error: FileError) -> Self {
        match error {
            FileError::Write { source, .. } => source,
            FileError::NoName { .. } => Self::new(io::ErrorKind::InvalidInput, error),
        }
    }
}
