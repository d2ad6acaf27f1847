//! Dropout acts in training alone, with one mask for a value and its gradient.

use hnn_integrators::{DifferentiableField, Parameters, VectorField, Workspace};
use hnn_models::tch::{TchEnergy, TchMlp};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp, ModelError};
use tch::Device;

type Model = Hnn<TchEnergy<f64>>;

fn network() -> Mlp<f64> {
    let architecture = Architecture::new(&[2, 32, 32, 1]).expect("sizes are positive");
    Mlp::new(architecture, Initialisation::Orthogonal, 3)
}

fn model(dropout: f64) -> Model {
    let mlp = TchMlp::from(network()).with_dropout(dropout).expect("a probability");
    Hnn::new(TchEnergy::mlp(mlp, Device::Cpu).expect("a CPU")).expect("D is even")
}

const X: [f64; 2] = [0.4, -0.9];

fn recorded(
    model: &Model,
    residuals: &mut <Model as DifferentiableField<f64>>::Residuals,
) -> [f64; 2] {
    let mut dx = [0.0; 2];
    model.eval_recorded(&[0.0], &X, &mut dx, residuals).expect("defined");
    dx
}

#[test]
fn evaluation_ignores_it_and_training_draws_masks() {
    let (without, with) = (model(0.0), model(0.5));
    let eval = |model: &Model| {
        let mut dx = [0.0; 2];
        model.eval(&[0.0], &X, &mut dx, &mut Workspace::default()).expect("defined");
        dx
    };
    assert_eq!(eval(&without), eval(&with));
    let residuals = &mut Default::default();
    assert_eq!(recorded(&without, residuals), eval(&without));
    let draws: Vec<_> = (0..4).map(|_| recorded(&with, residuals)).collect();
    assert!(draws.windows(2).any(|d| d[0] != d[1]), "{draws:?}");
}

#[test]
fn a_value_and_its_gradient_share_the_mask() {
    // H is homogeneous of degree 1 in its last layer W (no bias), so W . d(v . f)/dW = v . f,
    // whatever the mask, if both were computed with the same one.
    let model = model(0.5);
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta).expect("the lengths agree");
    let last = theta.len() - 32..;
    for _ in 0..5 {
        let mut residuals = Default::default();
        let f = recorded(&model, &mut residuals);
        let v = [0.7, 0.2];
        let (mut x_bar, mut theta_bar) = ([0.0; 2], vec![0.0; theta.len()]);
        model.vjp(&X, &mut residuals, &v, &mut x_bar, Some(&mut theta_bar)).expect("recorded");
        let product: f64 =
            theta[last.clone()].iter().zip(&theta_bar[last.clone()]).map(|(w, g)| w * g).sum();
        approx::assert_relative_eq!(product, v[0] * f[0] + v[1] * f[1], max_relative = 1e-12);
    }
}

#[test]
fn a_recording_is_pulled_back_once() {
    let model = model(0.0);
    let mut residuals = Default::default();
    let _ = recorded(&model, &mut residuals);
    let mut x_bar = [0.0; 2];
    model.vjp(&X, &mut residuals, &X, &mut x_bar, None).expect("recorded");
    let error = model.vjp(&X, &mut residuals, &X, &mut x_bar, None).expect_err("used up");
    assert!(error.to_string().contains("pulled back already"), "{error}");
}

#[test]
fn impossible_probabilities_are_refused() {
    for probability in [-0.1, 1.0, f64::NAN] {
        let error = TchMlp::from(network()).with_dropout(probability).expect_err("impossible");
        assert!(matches!(error, ModelError::Dropout { .. }));
    }
}
