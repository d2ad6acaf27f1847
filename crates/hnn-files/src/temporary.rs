//! Temporary files beside a target: `.NAME.RANDOM.hnn-tmp`, locked as long as their writer lives.

use std::ffi::OsStr;
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind};
use std::path::Path;

use tempfile::{Builder, NamedTempFile};

const SUFFIX: &str = ".hnn-tmp";
/// So much of the target's name that the temporary one keeps to the usual 255 bytes.
const NAME_CHARS: usize = 50;

/// The beginning of the names of the temporary files of a target. Two targets may share it: it
/// says where to look for leftovers, and the lock tells what is one.
pub(crate) fn prefix(target: &OsStr) -> String {
    let name: String = target.to_string_lossy().chars().take(NAME_CHARS).collect();
    format!(".{name}.")
}

/// A new temporary file, locked. Its permissions are those of any new file.
pub(crate) fn create(folder: &Path, prefix: &str) -> io::Result<NamedTempFile> {
    Builder::new().prefix(prefix).suffix(SUFFIX).rand_bytes(12).make_in(folder, |path| {
        let file = File::create_new(path)?;
        match file.try_lock() {
            Ok(()) if path.exists() => Ok(file),
            // Where there are no locks, nobody removes leftovers either.
            Err(TryLockError::Error(_)) => Ok(file),
            // Another writer took it for a leftover before it was locked: try another name.
            Ok(()) | Err(TryLockError::WouldBlock) => Err(ErrorKind::AlreadyExists.into()),
        }
    })
}

/// Removes the temporary files of writers that are no more, as far as the system allows.
pub(crate) fn remove_leftovers(folder: &Path, prefix: &str) {
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        let name = entry.file_name();
        let name = name.to_string_lossy();
        let is_file = || entry.file_type().is_ok_and(|kind| kind.is_file());
        if name.starts_with(prefix) && name.ends_with(SUFFIX) && is_file() {
            let _ = remove_if_left(&entry.path());
        }
    }
}

fn remove_if_left(path: &Path) -> io::Result<()> {
    // To write, because some network file systems lock no other files.
    let file = OpenOptions::new().write(true).open(path)?;
    file.try_lock()?;
    fs::remove_file(path)
}
