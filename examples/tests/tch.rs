//! What libtorch trains, the native engine runs.
#![cfg(feature = "tch")]

use hnn_examples::{Engine, ExampleError, Kind, Learned, Objective, Recipe, Result, learn};
use hnn_systems::{DampedPendulum, Sampling};

#[test]
fn models_trained_by_libtorch_are_saved_for_both() -> Result<()> {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = folder.path().join("model.safetensors");
    let hidden = vec![8];
    let recipe = Recipe { steps: 3, engine: Engine::Tch, hidden, ..Recipe::protocol() };
    let sampling = Sampling { trajectories: 2, ..Sampling::pendulum() };
    let train = sampling.sample(&DampedPendulum::new(0.1, 6.0)?, 0)?;
    for kind in Kind::ALL {
        learn(kind, &recipe, Objective::default(), 0, &train, &path, &mut ())?;
        Learned::load(kind, &path)?;
    }
    let absent = Recipe { device: "abacus".to_owned(), ..recipe };
    let error = learn(Kind::Hnn, &absent, Objective::default(), 0, &train, &path, &mut ())
        .expect_err("no such device");
    assert!(matches!(error, ExampleError::Model(_)), "{error}");
    Ok(())
}
