//! Options and files that make no sense end in an error that says what to do.

use hnn_examples::{
    Kind, Learned, LossKind, Objective, Output, Recipe, Row, check_seeds, learn, use_threads,
};
use hnn_systems::{DampedPendulum, Sampling};
use hnn_train::{Control, Progress};

#[test]
fn an_output_folder_that_cannot_be_written_to() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("file");
    std::fs::write(&file, "in the way").expect("written");
    let error = Output::new("damped_pendulum", Some(&file.join("out"))).expect_err("a file");
    assert!(error.to_string().contains("--out"), "{error}");
}

#[test]
fn model_files_that_are_none() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("model.safetensors");
    assert!(Learned::load(Kind::Hnn, &path).is_err(), "missing");
    std::fs::write(&path, b"no model").expect("written");
    let error = Learned::load(Kind::Hnn, &path).err().expect("foreign");
    assert!(error.to_string().contains("model.safetensors"), "{error}");
}

#[test]
fn recipes_that_make_no_sense() {
    let recipe = Recipe { hidden: vec![16, 0], ..Recipe::clean() };
    assert!(recipe.architecture(2, 1).is_err());
    let none = Recipe { steps: 0, ..Recipe::clean() };
    assert!(none.trainer::<f32>(100, 0, "nowhere".into()).is_err());
    assert!(use_threads(Some(0)).is_err() && check_seeds(0).is_err());
}

/// A run leaves a model that loads as its own kind and no other, its checkpoint, and nothing
/// half-written.
#[test]
fn a_short_run() {
    let folder = tempfile::tempdir().expect("folder");
    let output = Output::new("test", Some(folder.path())).expect("writable");
    let sampling = Sampling { trajectories: 3, points: 8, ..Sampling::pendulum() };
    let data = sampling.sample(&DampedPendulum::default(), 0).expect("samples");
    let data = data.cast::<f32>().expect("casts");
    let recipe = Recipe { steps: 3, hidden: vec![8], batch: 10, ..Recipe::clean() };
    let objective = Objective { loss: LossKind::OneStep, alpha: 1.0 };
    for kind in Kind::ALL {
        let path = output.path(&format!("{}.safetensors", kind.key()));
        let record = learn(kind, &recipe, objective, 0, &data, &path, &mut ()).expect("trains");
        assert_eq!(record.steps.len(), 3);
        // What is trained is not trained again.
        let again = Recipe { resume: true, ..recipe.clone() };
        let mut watch = |_: &Progress<'_>| -> Control { panic!("a step") };
        let same = learn(kind, &again, objective, 0, &data, &path, &mut watch).expect("resumes");
        assert_eq!(same, record);
        let model = Learned::load(kind, &path).expect("loads");
        assert_eq!(model.hamiltonian().is_some(), kind != Kind::Baseline);
        let other = if kind == Kind::Hnn { Kind::Baseline } else { Kind::Hnn };
        assert!(Learned::load(other, &path).is_err());
    }
    let table = [Row::of("hnn", "energy_mse", &[1.0, f64::INFINITY]).expect("a row")];
    output.results(&(), 0.0, &table).expect("written");
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), 9);
}
