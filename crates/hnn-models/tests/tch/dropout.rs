//! Dropout acts in training alone: on a perceptron, the native engine's own, unit by unit.

use approx::assert_relative_eq;
use hnn_integrators::{At, Bars, DifferentiableField, Mode, Parameters, VectorField, Workspace};
use hnn_models::tch::{TchEnergy, TchMap};
use hnn_models::{Architecture, Baseline, DifferentiableEnergy, Hnn, Initialisation, Mlp};
use tch::nn;

use crate::device;

const X: [f64; 4] = [0.4, -0.3, -0.9, 0.2];

fn network(rate: f64) -> Mlp<f64> {
    let architecture = Architecture::new(&[2, 32, 24, 1]).expect("sizes are positive");
    let network = Mlp::new(architecture, Initialisation::Orthogonal, 3);
    network.with_dropout(rate, 11).expect("a probability")
}

/// `dx/dt` of two states, and both cotangents of it.
fn field_and_cotangents<E: DifferentiableEnergy<f64>>(model: &Hnn<E>) -> Vec<f64> {
    let (mut dx, mut x_bar) = ([0.0; 4], [0.0; 4]);
    let mut theta_bar = vec![0.0; model.num_params()];
    let mut residuals = Default::default();
    model.eval_recorded(At::time(&[0.0; 2]), &X, &mut dx, &mut residuals).expect("defined");
    let v = [0.7, 0.2, -1.1, 0.5];
    model
        .vjp(&X, &mut residuals, &v, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("recorded");
    [&dx[..], &x_bar, &theta_bar].concat()
}

#[test]
fn both_engines_drop_the_same_units() {
    let mut native = Hnn::new(network(0.4)).expect("D is even");
    let energy = TchEnergy::mlp(network(0.4), device()).expect("a device");
    let mut judge = Hnn::new(energy).expect("D is even");
    let whole = field_and_cotangents(&judge);
    let mut previous = whole.clone();
    for step in [0, 1, 7] {
        native.set_mode(Mode::Training { step });
        judge.set_mode(Mode::Training { step });
        let thinned = field_and_cotangents(&judge);
        assert_ne!(thinned, previous, "step {step} has a mask of its own");
        assert_eq!(thinned, field_and_cotangents(&judge), "one mask a step");
        for (ours, theirs) in field_and_cotangents(&native).iter().zip(&thinned) {
            assert_relative_eq!(ours, theirs, epsilon = 1e-14, max_relative = 1e-10);
        }
        previous = thinned;
    }
    judge.set_mode(Mode::Evaluation);
    assert_eq!(field_and_cotangents(&judge), whole);
}

#[test]
fn a_module_is_told_its_mode() {
    let store = nn::VarStore::new(device());
    let map = TchMap::from_fn(store, 2, |x, train| if train { x * 2.0 } else { x.shallow_clone() });
    let mut model = Baseline::new(map.expect("a map")).expect("as many outputs as inputs");
    let eval = |model: &Baseline<TchMap<f64>>| {
        let mut dx = [0.0; 4];
        model.eval(At::time(&[0.0; 2]), &X, &mut dx, &mut Workspace::default()).expect("defined");
        dx
    };
    assert_eq!(eval(&model), X);
    model.set_mode(Mode::Training { step: 0 });
    assert_eq!(eval(&model), X.map(|x| 2.0 * x));
    model.set_mode(Mode::Evaluation);
    assert_eq!(eval(&model), X);
}

#[test]
fn a_recording_is_pulled_back_once() {
    let energy = TchEnergy::mlp(network(0.0), device()).expect("a device");
    let model = Hnn::new(energy).expect("D is even");
    let (mut residuals, mut dx, mut x_bar) = (Default::default(), [0.0; 4], [0.0; 4]);
    model.eval_recorded(At::time(&[0.0; 2]), &X, &mut dx, &mut residuals).expect("defined");
    model.vjp(&X, &mut residuals, &X, Bars::new(&mut x_bar)).expect("recorded");
    let error = model.vjp(&X, &mut residuals, &X, Bars::new(&mut x_bar)).expect_err("used up");
    assert!(error.to_string().contains("pulled back already"), "{error}");
}
