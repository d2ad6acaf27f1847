//! What other processes, threads and accidents see of a write.

#[cfg(unix)]
mod unix;

use std::fs;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use hnn_files::{FileError, LARGEST_FILE, read, read_text, write, write_all};

/// The names in a folder, sorted.
fn names(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut names: Vec<_> = entries
        .map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

#[test]
fn readers_see_whole_files_while_two_threads_write() {
    // In memory where there is such a folder: 3000 syncs of a disk take long.
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    let folder = folder.expect("a folder");
    let path = folder.path().join("model");
    // Each content is one byte, so many times: a mixture or a part is told at once.
    let content = |i: usize| vec![(i % 251) as u8; 1000 + 37 * (i % 100)];
    write_all(&path, &content(0)).expect("written");
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let reader = || {
            let mut reads = 0;
            while !done.load(Ordering::Relaxed) {
                let bytes = fs::read(&path).expect("always there");
                assert!(
                    bytes.len() >= 1000 && (bytes.len() - 1000).is_multiple_of(37),
                    "{}",
                    bytes.len()
                );
                assert!(bytes.iter().all(|byte| *byte == bytes[0]));
                reads += 1;
            }
            reads
        };
        let readers = [scope.spawn(reader), scope.spawn(reader)];
        let writer = |first: usize| {
            let path = &path;
            move || (first..3000).step_by(2).try_for_each(|i| write_all(path, &content(i)))
        };
        let writers = [scope.spawn(writer(0)), scope.spawn(writer(1))];
        let results = writers.map(|writer| writer.join().expect("no panic"));
        done.store(true, Ordering::Relaxed);
        results.into_iter().for_each(|result| result.expect("written"));
        assert!(readers.map(|r| r.join().expect("whole files")).iter().all(|reads| *reads > 0));
    });
    assert_eq!(names(folder.path()), ["model"]);
}

#[test]
fn an_error_or_a_panic_keeps_the_old_file_and_leaves_no_other() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model");
    write_all(&path, b"old").expect("written");
    let error = write(&path, |file| {
        file.write_all(&[7; 100_000])?;
        Err(ErrorKind::StorageFull.into())
    });
    assert!(
        matches!(&error, Err(FileError::Write { source, .. }) if source.kind() == ErrorKind::StorageFull)
    );
    let message = error.expect_err("full").to_string();
    assert!(message.starts_with(&format!("cannot write {}: ", path.display())), "{message}");
    let panic = std::panic::catch_unwind(|| write(&path, |_| panic!("in the content")));
    assert!(panic.is_err());
    assert_eq!(fs::read(&path).expect("there"), b"old");
    assert_eq!(names(folder.path()), ["model"]);
}

#[test]
fn paths_that_name_no_file_to_write_are_errors() {
    let folder = tempfile::tempdir().expect("a folder");
    for path in ["", "/", ".."] {
        let error = write_all(path, b"x").expect_err("no name");
        assert!(matches!(error, FileError::NoName { .. }), "{error}");
        assert_eq!(io::Error::from(error).kind(), ErrorKind::InvalidInput);
    }
    write_all(folder.path().join("missing/file"), b"x").expect_err("no folder");
    write_all(folder.path(), b"x").expect_err("a folder is in the way");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn what_is_read_is_bounded() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("large");
    fs::write(&path, "θ = 1").expect("written");
    assert_eq!(read_text(&path).expect("text"), "θ = 1");
    fs::write(&path, b"\xff").expect("written");
    assert_eq!(read(&path).expect("bytes"), b"\xff");
    assert_eq!(read_text(&path).expect_err("no text").kind(), ErrorKind::InvalidData);
    assert_eq!(read(folder.path().join("none")).expect_err("none").kind(), ErrorKind::NotFound);
    // A hole takes no room on the disk.
    let large = fs::File::create(&path).expect("created");
    large.set_len(LARGEST_FILE + 1).expect("sized");
    let error = read(&path).expect_err("too large");
    assert!(error.to_string().contains("268435456 bytes"), "{error}");
}

#[test]
fn names_may_be_long_or_strange() {
    let folder = tempfile::tempdir().expect("a folder");
    for name in ["x".repeat(255), "θ̈".repeat(60), "a b\n*.{}".to_owned()] {
        write_all(folder.path().join(&name), name.as_bytes()).expect("written");
        assert_eq!(fs::read(folder.path().join(&name)).expect("there"), name.as_bytes());
    }
    #[cfg(target_os = "linux")]
    {
        use std::os::unix::ffi::OsStrExt;
        let name = std::ffi::OsStr::from_bytes(b"\xff\xfe");
        write_all(folder.path().join(name), b"x").expect("written");
    }
}
