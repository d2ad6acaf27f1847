//! Options and files that make no sense end in an error that says what to do.

use clap::Parser;
use hnn_examples::{
    Kind, Learned, LossKind, Objective, Output, Recipe, RecipeOptions, Row, learn, seed_range,
    use_threads,
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
    assert!(none.solver(0, "nowhere".into()).is_err());
    assert!(use_threads(Some(0)).is_err());
    for (first, count) in [(0, 0), (0, u64::MAX), (u64::MAX, 1)] {
        assert!(seed_range(first, count).is_err());
    }
}

/// Least squares take no options of Adam's, and say so.
#[test]
fn options_of_another_optimiser() {
    #[derive(Parser)]
    struct Options {
        #[command(flatten)]
        recipe: RecipeOptions,
    }
    let change = |options: &[&str], recipe: Recipe| {
        let all = ["example"].iter().chain(options);
        Options::try_parse_from(all).expect("options").recipe.change(recipe)
    };
    for (options, recipe) in [
        (&["--optimiser", "adam"][..], Recipe::least_squares()),
        (&["--optimiser", "least-squares"], Recipe::protocol()),
        (&["--batch", "64"], Recipe::least_squares()),
        (&["--constant-rate"], Recipe::least_squares()),
        (&["--weight-decay", "1e-3"], Recipe::noisy_least_squares()),
    ] {
        let error = change(options, recipe).expect_err(options[0]).to_string();
        assert!(error.contains(options[0]), "{error}");
    }
    assert!(change(&["--weight-decay", "1e-3"], Recipe::least_squares()).is_ok());
}

/// A run leaves a model that loads as its own kind and no other, its checkpoints, and nothing
/// half-written.
#[test]
fn a_short_run() {
    let folder = tempfile::tempdir().expect("folder");
    let output = Output::new("test", Some(folder.path())).expect("writable");
    let sampling = Sampling { trajectories: 3, points: 8, noise: 0.02, ..Sampling::pendulum() };
    let data = sampling.sample(&DampedPendulum::default(), 0).expect("samples");
    let small = |recipe: Recipe, batch| {
        let (hidden, friction_hidden) = (vec![4], vec![4]);
        Recipe { steps: 3, hidden, friction_hidden, batch, ..recipe }
    };
    for (name, recipe, loss) in [
        ("adam", small(Recipe::clean(), 10), LossKind::OneStep),
        ("squares", small(Recipe::least_squares(), 0), LossKind::FullTrajectory),
        ("evidence", small(Recipe::noisy_least_squares(), 0), LossKind::FittedTrajectory),
        ("states", small(Recipe::noisy_least_squares(), 0), LossKind::FittedStates),
    ] {
        let objective = Objective::new(loss);
        for kind in Kind::ALL {
            let path = output.path(&format!("{}_{name}.safetensors", kind.key()));
            let record = learn(kind, &recipe, objective, 0, &data, &path, &mut ()).expect("trains");
            assert!((1..=3).contains(&record.steps.len()), "{name}");
            assert_eq!(record.evidence.is_some(), recipe.evidence, "{name}");
            // What is trained is not trained again.
            let again = Recipe { resume: true, ..recipe.clone() };
            let mut watch = |_: &Progress<'_>| -> Control { panic!("a step") };
            let same =
                learn(kind, &again, objective, 0, &data, &path, &mut watch).expect("resumes");
            assert_eq!(same, record, "{name}");
            let model = Learned::load(kind, &path).expect("loads");
            assert_eq!(model.hamiltonian().is_some(), kind != Kind::Baseline);
            let other = if kind == Kind::Hnn { Kind::Baseline } else { Kind::Hnn };
            assert!(Learned::load(other, &path).is_err());
        }
    }
    let table = [Row::of("hnn", "energy_mse", &[1.0, f64::INFINITY]).expect("a row")];
    output.results(&(), 0.0, &table).expect("written");
    // Models and checkpoints, those of what is fitted first among them, and the results.
    let files = 4 * (2 + 2 + 3 + 4) + 1;
    assert_eq!(std::fs::read_dir(folder.path()).expect("folder").count(), files);
}
