//! libtorch trains what the native engine trains.
#![cfg(feature = "tch")]

use hnn_data::DataSet;
use hnn_double_pendulum_examples::{Canonical, Contender, Lagrangian, Training};
use hnn_examples::{Bars, Engine, Output, Recipe, Result};
use hnn_losses::ErrorMeasure;
use hnn_systems::{DoublePendulum, Sampling};

const STEPS: usize = 5;

/// The losses of a few steps of every model of a folder, and the fields of the models read back at
/// one state.
struct Trained {
    losses: Vec<(String, Vec<f64>)>,
    fields: Vec<Vec<f64>>,
}

fn train(
    engine: Engine,
    data: &DataSet<f64>,
    learn: impl Fn(&Training<'_>) -> Result<Vec<Contender>>,
) -> Trained {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let output = Output::new("engines", Some(folder.path())).expect("a folder");
    let recipe = Recipe { steps: STEPS, engine, hidden: vec![16, 12], ..Recipe::clean() };
    let training = Training {
        recipe: &recipe,
        train: data,
        seed: 0,
        output: &output,
        load: None,
        measure: ErrorMeasure::Absolute,
        clip: Some(1.0),
        bars: &Bars::new(STEPS),
    };
    let contenders = learn(&training).expect("trains");
    let losses = contenders.iter().map(|contender| {
        let file = output.path(&format!("{}_0.csv", contender.key));
        let text = std::fs::read_to_string(file).expect("a record");
        let losses = text.lines().skip(1).map(|line| {
            line.split(',').nth(2).and_then(|loss| loss.parse().ok()).expect("step, rate, loss")
        });
        (contender.key.to_owned(), losses.collect())
    });
    let field = |contender: &Contender| contender.field.eval_state(0.0, &[0.4, -0.3, 0.2, 0.7]);
    Trained {
        losses: losses.collect(),
        fields: contenders.iter().map(|c| field(c).expect("defined")).collect(),
    }
}

#[track_caller]
fn assert_engines_agree(
    models: &[&str],
    data: &DataSet<f64>,
    learn: impl Fn(&Training<'_>) -> Result<Vec<Contender>>,
) {
    let [native, tch] = [Engine::Native, Engine::Tch].map(|engine| train(engine, data, &learn));
    let names: Vec<_> = tch.losses.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(names, models);
    for (((name, ours), (_, theirs)), fields) in
        native.losses.iter().zip(&tch.losses).zip(native.fields.iter().zip(&tch.fields))
    {
        assert_eq!([ours.len(), theirs.len()], [STEPS; 2], "{name}");
        assert!(ours[STEPS - 1] < ours[0], "{name} learns: {ours:?}");
        // Single precision.
        for (a, b) in ours.iter().zip(theirs).chain(fields.0.iter().zip(fields.1)) {
            let scale = b.abs().max(0.1);
            assert!((a - b).abs() < 1e-4 * scale, "{name}: {a} and {b}");
        }
    }
}

fn few(data: &DataSet<f64>) -> Result<DataSet<f64>> {
    Ok(data.split_at(2)?.0)
}

#[test]
fn canonical_models() -> Result<()> {
    let data = few(&Sampling::double_pendulum().sample(&DoublePendulum::default(), 0)?)?;
    for plain in [false, true] {
        assert_engines_agree(&["baseline", "hnn"], &data, |training| {
            Canonical { training, plain }.learn()
        });
    }
    Ok(())
}

#[test]
fn lagrangian_models() -> Result<()> {
    let system = DoublePendulum::default().lagrangian();
    let data = few(&Sampling::double_pendulum().sample(&system, 0)?)?;
    assert_engines_agree(&Lagrangian::NAMES, &data, |training| {
        Lagrangian { training, models: &[] }.learn()
    });
    let asked = ["mechanical".to_owned()];
    assert_engines_agree(&["mechanical"], &data, |training| {
        Lagrangian { training, models: &asked }.learn()
    });
    Ok(())
}
