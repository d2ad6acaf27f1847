//! Writing a figure's file.

use std::path::Path;

use crate::PlotError;

/// Writes the file as a whole or not at all. Folders on the way are made.
pub(crate) fn with_folders(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    let at = |place: &Path, source| PlotError::Write { path: place.to_path_buf(), source };
    let folder = path.parent().unwrap_or(Path::new(""));
    std::fs::create_dir_all(folder).map_err(|source| at(folder, source))?;
    hnn_files::write_all(path, bytes).map_err(|error| at(path, error.into()))
}
