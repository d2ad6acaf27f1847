//! A sweep in several jobs gives what it gives in one.

use std::path::Path;

use hnn_data::Share;
use hnn_examples::{ExampleError, Kind, Model, Objective, Output, Recipe, Sweep, learn};
use hnn_systems::{Pendulum, Sampling};
use hnn_train::{Observer, TrainingRecord};
use serde::Serialize;

#[derive(Serialize)]
struct Config<'a> {
    steps: usize,
    out: &'a Path,
}

/// Runs a job of five seeds; gives the bits of its numbers.
fn job(sweep: &Sweep, steps: usize, out: &Path) -> Result<Option<Vec<(u64, u64)>>, ExampleError> {
    let output = Output::new("sweep", Some(out))?;
    let result = |seed: &u64| match seed {
        3 => (3, f64::NEG_INFINITY),
        4 => (4, f64::NAN),
        _ => (*seed, 1.0 / (*seed as f64 * steps as f64)),
    };
    let results = sweep.run(&output, &Config { steps, out }, &[3, 4, 5, 6, 7], |seeds| {
        Ok::<Vec<(u64, f64)>, ExampleError>(seeds.iter().map(result).collect())
    })?;
    Ok(results.map(|all| all.into_iter().map(|(seed, x)| (seed, x.to_bits())).collect()))
}

fn share(index: usize, count: usize) -> Sweep {
    Sweep { share: Some(Share::new(index, count).expect("a share")), collect: None }
}

fn collect(folder: &Path) -> Sweep {
    Sweep { share: None, collect: Some(folder.to_owned()) }
}

#[test]
fn parts_make_the_whole() {
    let [parts, other] = [(); 2].map(|()| tempfile::tempdir().expect("folder"));
    let whole = job(&Sweep::default(), 10, other.path()).expect("done").expect("all");
    let collect = collect(parts.path());
    for index in 0..3 {
        let error = job(&collect, 10, other.path()).expect_err("missing").to_string();
        assert!(error.contains("is in no part: run its job again"), "{error}");
        assert_eq!(job(&share(index, 3), 10, parts.path()).expect("done"), None);
    }
    // Bit for bit, wherever the table is written, infinite numbers and NaN as well.
    assert_eq!(job(&collect, 10, other.path()).expect("collected"), Some(whole));
    // Parts of other options, or of another sharing.
    let error = job(&collect, 11, other.path()).expect_err("other options").to_string();
    assert!(error.contains("part of another sweep"), "{error}");
    job(&share(0, 2), 10, parts.path()).expect("done");
    let error = job(&collect, 10, other.path()).expect_err("twice").to_string();
    assert!(error.contains("is in two parts"), "{error}");
}

#[test]
fn a_part_cut_short_is_an_error() {
    let parts = tempfile::tempdir().expect("folder");
    job(&share(0, 1), 10, parts.path()).expect("done");
    let path = parts.path().join("part-0-of-1.postcard");
    let bytes = std::fs::read(&path).expect("a part");
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).expect("written");
        let error = job(&collect(parts.path()), 10, parts.path()).expect_err("cut").to_string();
        assert!(error.contains("part-0-of-1.postcard"), "{error}");
    }
}

#[test]
fn models_trained_in_parts_are_those_of_one_run() {
    let folders = [(); 2].map(|()| tempfile::tempdir().expect("folder"));
    let [whole, parts] = folders.each_ref().map(|folder| folder.path());
    let models = [(Kind::Baseline, 0), (Kind::Hnn, 0), (Kind::Hnn, 1)];
    let models = models.map(|(kind, seed)| Model::new(kind, seed));
    let recipe = Recipe { steps: 3, hidden: vec![4], ..Recipe::least_squares() };
    let sampling = Sampling { trajectories: 3, points: 8, ..Sampling::pendulum() };
    let train = |model: &Model<'_, Kind>, path: &Path, observer: &mut dyn Observer| {
        let Model { kind, seed, .. } = *model;
        let data = sampling.sample(&Pendulum::default(), seed)?;
        learn(kind, &recipe, Objective::default(), seed, &data, path, observer)
    };
    let run = |sweep: &Sweep, out: &Path| -> Option<Vec<TrainingRecord>> {
        let output = Output::new("models", Some(out)).expect("writable");
        let records = sweep.train(&output, &recipe, &models, recipe.steps, train).expect("trains");
        let mut records = records?;
        records.iter_mut().for_each(|record| record.seconds = 0.0);
        Some(records)
    };
    let records = run(&Sweep::default(), whole).expect("all");
    assert_eq!(records.len(), models.len());
    for index in 0..2 {
        assert_eq!(run(&share(index, 2), parts), None);
    }
    assert_eq!(run(&collect(parts), whole), Some(records));
    for model in &models {
        let [one, other] = [whole, parts].map(|folder| std::fs::read(model.file(folder)));
        assert_eq!(one.expect("a model"), other.expect("a model"));
    }
}
