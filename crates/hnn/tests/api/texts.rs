//! Feature `serde`: values come back as they went, and what has rules is checked on its way in.

use std::fmt::Debug;

use hnn::data::{Column, DataSet, DerivativeScheme, Recording, Share, Trajectory};
use hnn::integrators::{
    Adjoint, Between, Checkpoints, FixedStep, FnField, GAUSS_LEGENDRE4, ImplicitTableau, RK4,
    Signal, Splitting, Tableau, Tolerances, YOSHIDA4, solve,
};
use hnn::losses::metrics::{Spread, valid_prediction_time};
use hnn::losses::{ErrorMeasure, Reduction, Window};
use hnn::models::{Harmonics, Scales};
use hnn::ndarray::array;
use hnn::sparse::{
    Criterion, Differentiation, Distillation, IntegralForm, Lasso, Penalty, Selection, Shooting,
    WeakForm,
};
use hnn::systems::{Conservation, EnergyShell, Lyapunov, Sampling, Starts};
use hnn::train::{
    Adam, Checkpoint, EarlyStopping, EvidenceRule, Lbfgs, LeastSquares, Schedule, WeightDecay,
};
use serde_json::{Value, from_value, json, to_value};

/// Out and in again is the same.
fn comes_back<T: serde::Serialize + serde::de::DeserializeOwned + PartialEq + Debug>(value: T) {
    let text = serde_json::to_string(&value).expect("finite numbers");
    assert_eq!(serde_json::from_str::<T>(&text).expect(&text), value);
}

/// The same of what cannot be compared: its words are.
fn words_come_back<T: serde::Serialize + serde::de::DeserializeOwned + Debug>(value: &T) {
    let back: T = from_value(to_value(value).expect("finite numbers")).expect("as it went");
    assert_eq!(format!("{back:?}"), format!("{value:?}"));
}

/// A value with one entry replaced is refused, for this reason.
fn refused<T: serde::Serialize + serde::de::DeserializeOwned + Debug>(
    value: &T,
    entry: &str,
    bad: Value,
    reason: &str,
) {
    let mut text = to_value(value).expect("finite numbers");
    *text.pointer_mut(entry).expect(entry) = bad;
    let error = from_value::<T>(text).expect_err(entry).to_string();
    assert!(error.contains(reason), "{entry}: {error}");
}

#[test]
fn data() {
    let one = Trajectory::states_only(vec![0.0, 0.5, 1.0], array![[1.0], [0.25], [-0.75]]);
    let two = Trajectory::states_only(vec![2.0], array![[4.0]]);
    let data = DataSet::new([one, two]).expect("a data set");
    comes_back(data.clone());
    refused(&data, "/0/times/2", json!(0.5), "does not come after");
    refused(&data, "/1/states/data/0", json!(null), "null");
    comes_back(Share::new(1, 4).expect("a share"));
    refused(&Share::ALL, "/index", json!(1), "give I/N");
    comes_back(Column::new("angle").degrees().wrapped());
    comes_back(DerivativeScheme::Central);
    let columns = [("t", &[0.0, 0.1, 0.2, 0.3][..]), ("q", &[0.0, 0.1, 0.3, 0.2])];
    let reader = Recording::from_columns(columns).time("t").position("q");
    let recording = reader.load().expect("a recording");
    let report = to_value(recording.report()).expect("a report");
    assert_eq!((&report["rows_read"], &report["channels"][0]["name"]), (&json!(4), &json!("q")));
}

#[test]
fn integrators() {
    comes_back(Tolerances::default());
    comes_back::<Tableau>(RK4);
    comes_back::<Splitting>(YOSHIDA4);
    comes_back::<ImplicitTableau>(GAUSS_LEGENDRE4);
    refused(&RK4, "/b/0", json!(0.5), "the weights b sum to");
    refused(&RK4, "/a", json!([0.5]), "a has 1 numbers");
    refused(&YOSHIDA4, "/lengths/0", json!(2.0), "flows sum to");
    refused(&GAUSS_LEGENDRE4, "/b", json!([]), "at least one stage");
    words_come_back(&FixedStep::size(RK4, 0.1).with_save_every(2));
    comes_back(Adjoint::count(RK4, 10).with_checkpoints(Checkpoints::Count(3)));
    comes_back(Between::Held);
    comes_back(Signal::linear(&[0.0, 1.0], array![[1.0], [2.0]].view()));
    let decay = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = -x[0]);
    let x0 = array![1.0];
    comes_back(solve(&decay, x0.view(), &[0.0, 1.0], Tolerances::default()).expect("decays"));
}

#[test]
fn losses() {
    comes_back(ErrorMeasure::Huber { threshold: 0.5 });
    comes_back(Reduction::MaskedMean);
    comes_back(Window::Steps(10));
    comes_back(Spread::new(&[1.0, 2.0]).expect("two numbers"));
    let (model, truth) = (array![[0.0], [1.0]], array![[0.0], [0.0]]);
    let time = valid_prediction_time(&[0.0, 1.0], model.view(), truth.view(), 0.1);
    comes_back(time.expect("two states"));
}

#[test]
fn systems_and_models() {
    comes_back(Sampling { points: 7, ..Sampling::pendulum() });
    comes_back(Starts::Box(vec![(-1.0, 1.0)]));
    comes_back(EnergyShell { positions: vec![(-1.0, 1.0)], energies: (0.5, 1.0) });
    comes_back(Lyapunov::default());
    comes_back(Conservation::default());
    let harmonics = Harmonics::periodic(1.5, 2).expect("a period");
    comes_back(harmonics);
    refused(&harmonics, "/period", json!(0.0), "the period");
    refused(&harmonics, "/count", json!(0), "harmonics");
    let (x, dx) = (array![[1.0, 0.0], [0.0, 1.0]], array![[0.0, -1.0], [1.0, 0.0]]);
    let scales = Scales::new(x.view(), dx.view()).expect("scales");
    assert!(to_value(&scales).expect("finite numbers").is_object());
}

#[test]
fn sparse() {
    let selection = Selection::default().require(["p^2"]).know("q^2", 0.5);
    comes_back(selection.clone());
    comes_back(WeakForm::default().with_width(2.0).expect("positive"));
    comes_back(Differentiation::savitzky_golay(0.5));
    comes_back(Shooting::default());
    let penalty = Penalty::default().with_l1_share(0.5).expect("a share");
    comes_back(Lasso::default().with_penalty(penalty.clone()).with_max_sweeps(7));
    let box_of = Distillation::new(&[(-1.0, 1.0)]).expect("an interval");
    words_come_back(&box_of.clone().with_selection(selection.clone()));
    let ebic = json!({ "Ebic": { "gamma": -1.0 } });
    assert_eq!(to_value(Criterion::Ebic { gamma: 2.0 }).expect("finite")["Ebic"]["gamma"], 2.0);
    refused(&selection, "/criterion", ebic, "gamma");
    refused(&WeakForm::default(), "/stride", json!(2.0), "stride");
    refused(&IntegralForm::new(1.0).expect("positive"), "/width", json!(-1.0), "width");
    refused(&Shooting::default(), "/points", json!(1), "at least 2");
    refused(&penalty, "/l1_share", json!(0.0), "L1");
    refused(&penalty, "/weights", json!([-1.0]), "penalty weight");
    refused(&box_of, "/domain/0/0", json!(2.0), "an interval of the domain");
    refused(&box_of, "/samples", json!(0), "samples");
}

#[test]
fn train() {
    comes_back(Schedule::Cosine { from: 1e-2, to: 0.0 });
    comes_back(Adam::<f64>::default().with_decay(WeightDecay::Decoupled(1e-3)));
    comes_back(Lbfgs::new(100).with_memory(5));
    comes_back(EarlyStopping::default());
    comes_back(EvidenceRule::default());
    comes_back(Checkpoint::new("run.checkpoint").with_step_interval(10));
    words_come_back(&LeastSquares::new(40).with_evidence(EvidenceRule::default()));
}

#[cfg(feature = "identify")]
#[test]
fn identify() {
    use hnn::identify::{Feature, Identify, Law};
    words_come_back(&Identify::default().with_seed(3).with_inputs_between(Between::Held));
    let law = Law::new(1, 0, &[Feature::Sin(0)], &[-9.0]).expect("a law");
    comes_back(law.clone());
    refused(&law, "/features/0", json!({ "sin": 1 }), "is no feature of 1 degrees");
    refused(&law, "/constants", json!([]), "takes 1 finite constants");
}

#[cfg(feature = "plots")]
#[test]
fn plots() {
    use hnn::plots::{Color, Dash, Mark};
    comes_back((Color::BLUE, Dash::DashDot, Mark::Bars));
}
