//! Writing a file as a whole or not at all.

use std::io::Write;
use std::path::Path;

use crate::PlotError;

/// Writes the bytes to a temporary file beside `path`, then renames it: `path` holds the old
/// contents or the new, never a part. Folders on the way are made.
pub(crate) fn atomically(path: &Path, bytes: &[u8]) -> Result<(), PlotError> {
    let folder = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let at = |place: &Path| {
        let path = place.to_path_buf();
        move |source: std::io::Error| PlotError::Write { path, source }
    };
    std::fs::create_dir_all(folder).map_err(at(folder))?;
    let mut builder = tempfile::Builder::new();
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        // As `File::create`: readable by others, less the process's mask.
        builder.permissions(std::fs::Permissions::from_mode(0o666));
    }
    let mut file = builder.tempfile_in(folder).map_err(at(folder))?;
    file.write_all(bytes).map_err(at(path))?;
    file.persist(path).map_err(|error| at(path)(error.error))?;
    Ok(())
}
