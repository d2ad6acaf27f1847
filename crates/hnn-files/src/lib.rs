//! Files that are written as a whole or not at all, and read up to a size: the one way in which this
//! workspace writes and reads.
//!
//! [`write`](fn@write) fills a temporary file beside the target, syncs it to the disk, renames it
//! over the target, and syncs the folder. So
//!
//! - a reader, and a machine that starts again after a crash, finds the old file or the new one,
//!   never a part;
//! - writers of one path do not meet: each has a temporary file of its own, and the last to rename
//!   wins;
//! - a symbolic link at the target is replaced, and what it points to is left alone;
//! - the file may be read by whom the process's mask (umask) allows, as any other new file;
//! - an error leaves nothing behind, and what a killed process left is removed by the next write
//!   of the same target. A writer holds a lock on its temporary file, so that no other takes it
//!   for a leftover; the system releases the lock of a process that dies.
//!
//! ```
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("table.csv");
//! hnn_files::write(&path, |file| {
//!     writeln!(file, "t,q")?;
//!     (0..3).try_for_each(|i| writeln!(file, "{},{}", i, i * i))
//! })?;
//! hnn_files::write_all(&path, b"t,q\n0,1\n")?; // replaces it at once
//! assert_eq!(std::fs::read_to_string(&path)?, "t,q\n0,1\n");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod error;
mod temporary;

use std::fs::File;
use std::io::{self, BufWriter, ErrorKind, Read, Write};
use std::path::Path;

pub use error::FileError;

/// The most bytes of a file that [`read`] reads: 256 MiB.
pub const LARGEST_FILE: u64 = 1 << 28;

/// Reads the file `path`. A device or a pipe without an end is an error instead of all the memory.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.txt");
/// hnn_files::write_all(&path, &[1, 2, 3])?;
/// assert_eq!(hnn_files::read(&path)?, [1, 2, 3]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If the system does not let the file be read, or it is larger than [`LARGEST_FILE`].
pub fn read(path: impl AsRef<Path>) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(LARGEST_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 <= LARGEST_FILE {
        return Ok(bytes);
    }
    let reason = format!("it is larger than {LARGEST_FILE} bytes: give it in parts");
    Err(io::Error::new(ErrorKind::FileTooLarge, reason))
}

/// As [`read`], of text in UTF-8.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.txt");
/// hnn_files::write_all(&path, "ω = 2".as_bytes())?;
/// assert_eq!(hnn_files::read_text(&path)?, "ω = 2");
/// hnn_files::write_all(&path, &[0xff])?;
/// assert!(hnn_files::read_text(&path).is_err());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`read`], and if it is no such text.
pub fn read_text(path: impl AsRef<Path>) -> io::Result<String> {
    String::from_utf8(read(path)?)
        .map_err(|error| io::Error::new(ErrorKind::InvalidData, error.utf8_error()))
}

/// Writes the file `path`, with what `content` puts into it, at once or not at all. The folder
/// must be there.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.txt");
/// hnn_files::write(&path, |file| writeln!(file, "kept"))?;
/// let failed = hnn_files::write(&path, |file| {
///     writeln!(file, "lost")?;
///     Err(std::io::Error::other("no more numbers"))
/// });
/// assert!(failed.is_err());
/// assert_eq!(hnn_files::read_text(&path)?, "kept\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// If `path` ends in no file name, `content` fails, or the system does not let the file be
/// written; `path` is then as it was. Also if the system reports that the folder's new entry may
/// not outlive a crash.
pub fn write(
    path: impl AsRef<Path>,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> Result<(), FileError> {
    let path = path.as_ref();
    let Some(name) = path.file_name() else {
        return Err(FileError::NoName { path: path.to_owned() });
    };
    let folder = path.parent().filter(|p| !p.as_os_str().is_empty()).unwrap_or(Path::new("."));
    replace(path, folder, &temporary::prefix(name), content)
        .map_err(|source| FileError::Write { path: path.to_owned(), source })
}

/// Writes the file `path`, with these bytes, at once or not at all: [`write`](fn@write) for
/// content that is ready.
///
/// ```
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("notes.txt");
/// hnn_files::write_all(&path, b"old")?;
/// hnn_files::write_all(&path, b"new")?;
/// assert_eq!(hnn_files::read(&path)?, b"new");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
/// As [`write`](fn@write).
pub fn write_all(path: impl AsRef<Path>, bytes: &[u8]) -> Result<(), FileError> {
    write(path, |file| file.write_all(bytes))
}

fn replace(
    path: &Path,
    folder: &Path,
    prefix: &str,
    content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
) -> io::Result<()> {
    temporary::remove_leftovers(folder, prefix);
    let mut buffer = BufWriter::new(temporary::create(folder, prefix)?);
    content(&mut buffer)?;
    let file = buffer.into_inner()?;
    file.as_file().sync_all()?;
    file.persist(path)?;
    sync_folder(folder)
}

/// Makes a new name in the folder outlive a crash, where the system can.
fn sync_folder(folder: &Path) -> io::Result<()> {
    if !cfg!(unix) {
        return Ok(()); // Elsewhere, folders do not open as files.
    }
    match File::open(folder).and_then(|folder| folder.sync_all()) {
        // The folder may be written but not read, or its file system syncs no folders.
        Err(e) if matches!(e.kind(), ErrorKind::PermissionDenied | ErrorKind::InvalidInput) => {
            Ok(())
        }
        result => result,
    }
}
