//! libtorch trains what the native engine trains.
#![cfg(feature = "tch")]

use hnn_data::DataSet;
use hnn_double_pendulum_examples::{Contender, Kind, Training};
use hnn_examples::{Engine, Recipe, Result};
use hnn_losses::ErrorMeasure;
use hnn_systems::{DoublePendulum, Sampling};

const STEPS: usize = 5;

/// The losses of a few steps of a model, and the field of the model read back at one state.
fn train(engine: Engine, kind: Kind, plain: bool, data: &DataSet<f64>) -> [Vec<f64>; 2] {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let model = kind.with_seed(0);
    let training = Training {
        kind,
        plain,
        recipe: &Recipe { steps: STEPS, engine, hidden: vec![16, 12], ..Recipe::clean() },
        seed: 0,
        train: data,
        measure: ErrorMeasure::Absolute,
        clip: Some(1.0),
        path: &model.file(folder.path()),
    };
    let record = training.run(&mut ()).expect("trains");
    let contender = Contender::load(&model, folder.path()).expect("a model");
    let field = contender.field.eval_state(0.0, &[0.4, -0.3, 0.2, 0.7]).expect("defined");
    [record.steps.iter().map(|step| step.loss).collect(), field]
}

#[track_caller]
fn assert_engines_agree(kind: Kind, plain: bool, data: &DataSet<f64>) {
    let [[ours, our_field], [theirs, their_field]] =
        [Engine::Native, Engine::Tch].map(|engine| train(engine, kind, plain, data));
    assert_eq!([ours.len(), theirs.len()], [STEPS; 2], "{kind:?}");
    assert!(ours[STEPS - 1] < ours[0], "{kind:?} learns: {ours:?}");
    // Single precision.
    for (a, b) in ours.iter().zip(&theirs).chain(our_field.iter().zip(&their_field)) {
        let scale = b.abs().max(0.1);
        assert!((a - b).abs() < 1e-4 * scale, "{kind:?}: {a} and {b}");
    }
}

fn few(data: &DataSet<f64>) -> Result<DataSet<f64>> {
    Ok(data.split_at(2)?.0)
}

#[test]
fn canonical_models() -> Result<()> {
    let data = few(&Sampling::double_pendulum().sample(&DoublePendulum::default(), 0)?)?;
    for kind in Kind::CANONICAL {
        for plain in [false, true] {
            assert_engines_agree(kind, plain, &data);
        }
    }
    Ok(())
}

#[test]
fn lagrangian_models() -> Result<()> {
    let system = DoublePendulum::default().lagrangian();
    let data = few(&Sampling::double_pendulum().sample(&system, 0)?)?;
    for kind in Kind::LAGRANGIAN {
        assert_engines_agree(kind, false, &data);
    }
    Ok(())
}
