//! Processes that die, links, permissions.

use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use hnn_files::{FileError, write, write_all};

use crate::names;

/// What a child process of these tests does, if this process is one: see [`child`].
#[test]
fn the_child() {
    let Ok(path) = std::env::var("HNN_FILES_CHILD") else { return };
    if std::env::var("HNN_FILES_GOES_ON").is_ok() {
        (0_usize..).try_for_each(|i| write_all(&path, &content(i))).expect("written");
    }
    let result = write(path, |file| {
        file.write_all(&[1; 100_000])?;
        if std::env::var("HNN_FILES_HANGS").is_ok() {
            thread::sleep(Duration::from_secs(600));
        }
        Ok(())
    });
    let error = result.expect_err("the child is killed, or limited to small files");
    assert!(
        matches!(error, FileError::Write { source, .. } if source.kind() == ErrorKind::FileTooLarge)
    );
}

/// One byte, so many times: a mixture or a part is told at once.
fn content(i: usize) -> Vec<u8> {
    vec![(i % 251) as u8; 300_000 + 1000 * (i % 251)]
}

/// A command of a process that writes `path`, after a line of shell.
fn child(path: &Path, shell: &str) -> Command {
    let mut command = Command::new("sh");
    command.args(["-c", &format!("{shell}exec \"$0\" unix::the_child --exact")]);
    command.arg(std::env::current_exe().expect("this test")).env("HNN_FILES_CHILD", path);
    command.stdout(Stdio::null()).stderr(Stdio::null());
    command
}

/// A process that hangs while it writes `path`, and its temporary file.
fn hanging(path: &Path) -> (Child, String) {
    let folder = path.parent().expect("a folder");
    let before = names(folder);
    let mut child = child(path, "").env("HNN_FILES_HANGS", "1").spawn().expect("a shell");
    let begin = Instant::now();
    loop {
        let new = names(folder).into_iter().find(|name| !before.contains(name));
        let size = |name: &String| fs::metadata(folder.join(name)).map_or(0, |data| data.len());
        match new.filter(|name| size(name) > 50_000) {
            Some(name) => return (child, name),
            None => assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", child.try_wait()),
        }
        thread::sleep(Duration::from_millis(2));
    }
}

#[test]
fn a_killed_writer_is_cleaned_after_but_not_a_living_one() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model");
    let (mut dead, left) = hanging(&path);
    dead.kill().and_then(|()| dead.wait()).expect("killed");
    assert_eq!(names(folder.path()), [left.as_str()]);
    // Another target's write lets it be.
    write_all(folder.path().join("model.json"), b"x").expect("written");
    assert_eq!(names(folder.path()), [left.as_str(), "model.json"]);

    let (mut alive, kept) = hanging(&path);
    assert_eq!(names(folder.path()), [kept.as_str(), "model.json"], "the child cleaned");
    write_all(&path, b"new").expect("written");
    assert_eq!(names(folder.path()), [kept.as_str(), "model", "model.json"]);
    alive.kill().and_then(|()| alive.wait()).expect("killed");
    write_all(&path, b"newer").expect("written");
    assert_eq!(names(folder.path()), ["model", "model.json"]);
}

/// As often as `HNN_KILLS` says, or a few times, or until it was killed at two moments.
#[test]
fn a_writer_killed_at_any_moment_leaves_a_whole_file() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model");
    write_all(&path, &content(0)).expect("written");
    let kills = std::env::var("HNN_KILLS").map_or(5, |kills| kills.parse().expect("a number"));
    let (mut seen, mut litter) = (Vec::new(), 0);
    for kill in 0..kills.max(100) {
        if kill >= kills && seen.len() > 1 {
            break;
        }
        let mut writer = child(&path, "").env("HNN_FILES_GOES_ON", "1").spawn().expect("a shell");
        // Once it writes, at a moment of a writing.
        let begin = Instant::now();
        while fs::read(&path).expect("always there") == content(0) {
            assert!(begin.elapsed() < Duration::from_secs(60), "{:?}", writer.try_wait());
            thread::sleep(Duration::from_micros(500));
        }
        thread::sleep(Duration::from_micros(kill * 1237 % 9973));
        writer.kill().and_then(|()| writer.wait()).expect("killed");
        let bytes = fs::read(&path).expect("always there");
        assert_eq!(bytes, content(bytes[0].into()), "a part of a file");
        seen.push(bytes[0]);
        seen.dedup();
        litter += names(folder.path()).len() - 1;
        write_all(&path, &content(0)).expect("written");
        assert_eq!(names(folder.path()), ["model"]);
    }
    assert!(seen.len() > 1, "killed at one moment only");
    assert!(kills < 50 || litter > 0, "no kill came in a writing");
}

#[test]
fn a_real_error_of_the_system_leaves_nothing() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("model");
    // No file above a few blocks, and an error instead of a signal.
    let status = child(&path, "trap '' XFSZ; ulimit -f 8; ").status().expect("a shell");
    assert!(status.success(), "the child saw another error, or none");
    assert!(names(folder.path()).is_empty());
}

#[test]
fn links_are_replaced_and_never_followed() {
    let folder = tempfile::tempdir().expect("a folder");
    let at = |name: &str| folder.path().join(name);
    fs::write(at("precious"), "kept").expect("written");
    std::os::unix::fs::symlink(at("precious"), at("model")).expect("linked");
    // Bait with the name of a leftover: a link, and a pipe that would block who opens it.
    std::os::unix::fs::symlink(at("precious"), at(".model.abc.hnn-tmp")).expect("linked");
    let pipe = Command::new("mkfifo").arg(at(".model.pipe.hnn-tmp")).status().expect("mkfifo");
    assert!(pipe.success());
    write_all(at("model"), b"new").expect("written");
    assert_eq!(fs::read_to_string(at("precious")).expect("there"), "kept");
    assert!(fs::symlink_metadata(at("model")).expect("there").is_file());
    assert_eq!(fs::read_to_string(at("model")).expect("there"), "new");
}

#[test]
fn permissions_are_those_of_any_new_file() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().expect("a folder");
    let mode =
        |name: &str| fs::metadata(folder.path().join(name)).expect("there").permissions().mode();
    fs::write(folder.path().join("plain"), "x").expect("written");
    write_all(folder.path().join("ours"), b"x").expect("written");
    assert_eq!(mode("ours"), mode("plain"));
}
