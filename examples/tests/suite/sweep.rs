//! A sweep in several jobs gives what it gives in one.

use std::path::Path;

use hnn_data::Share;
use hnn_examples::{ExampleError, Output, Sweep};
use serde::Serialize;

#[derive(Serialize)]
struct Config<'a> {
    steps: usize,
    out: &'a Path,
}

/// Runs a job of five seeds.
fn job(sweep: &Sweep, steps: usize, out: &Path) -> Result<Option<Vec<(u64, f64)>>, ExampleError> {
    let output = Output::new("sweep", Some(out))?;
    let seeds = [3, 4, 5, 6, 7];
    sweep.run(&output, &Config { steps, out }, &seeds, |seed| {
        Ok((seed, 1.0 / (seed as f64 * steps as f64)))
    })
}

fn share(index: usize, count: usize) -> Sweep {
    Sweep { share: Some(Share::new(index, count).expect("a share")), collect: None }
}

#[test]
fn parts_make_the_whole() {
    let [parts, other] = [(); 2].map(|()| tempfile::tempdir().expect("folder"));
    let whole = job(&Sweep::default(), 10, other.path()).expect("done").expect("all");
    let collect = Sweep { share: None, collect: Some(parts.path().to_owned()) };
    for index in 0..3 {
        let error = job(&collect, 10, other.path()).expect_err("missing").to_string();
        assert!(error.contains("is in no part: run its job again"), "{error}");
        assert_eq!(job(&share(index, 3), 10, parts.path()).expect("done"), None);
    }
    // Bit for bit, wherever the table is written.
    assert_eq!(job(&collect, 10, other.path()).expect("collected"), Some(whole));
    // Parts of other options, or of another sharing.
    let error = job(&collect, 11, other.path()).expect_err("other options").to_string();
    assert!(error.contains("part of another sweep"), "{error}");
    job(&share(0, 2), 10, parts.path()).expect("done");
    let error = job(&collect, 10, other.path()).expect_err("twice").to_string();
    assert!(error.contains("is in two parts"), "{error}");
}
