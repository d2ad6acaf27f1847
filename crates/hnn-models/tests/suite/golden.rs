//! The native engine against PyTorch (f64): `tests/data/*.json` say their conventions.

use hnn_integrators::{At, Bars, DifferentiableField, ThetaBar, Workspace};
use hnn_models::{Activation, Baseline, DifferentiableEnergy, Hnn, Keep};
use hnn_testing::{assert_close, golden, numbers};
use serde_json::Value;

use crate::common::{lanes, network, own_golden, transpose};

const TOLERANCE: f64 = 1e-10;

/// Mean squared error against `dx`, and its gradient by the parameters.
fn derivative_loss<F: DifferentiableField<f64>>(
    field: &F,
    x: &Value,
    dx: &Value,
) -> (Vec<f64>, f64, Vec<f64>) {
    let (batch, x) = lanes(x);
    let (_, target) = lanes(dx);
    let mut f = vec![0.0; x.len()];
    let mut residuals = F::Residuals::default();
    field
        .eval_recorded(At::time(&vec![0.0; batch]), &x, &mut f, &mut residuals)
        .expect("evaluates");
    let count = x.len() as f64;
    let error: Vec<f64> = f.iter().zip(&target).map(|(f, y)| f - y).collect();
    let loss = error.iter().map(|e| e * e).sum::<f64>() / count;
    let v: Vec<f64> = error.iter().map(|e| 2.0 * e / count).collect();
    let mut x_bar = vec![0.0; x.len()];
    let mut theta_bar = vec![0.0; field.num_params()];
    field
        .vjp(&x, &mut residuals, &v, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("pulls back");
    (transpose(&f, x.len() / batch), loss, theta_bar)
}

#[test]
fn hnn_of_one_degree_of_freedom() {
    let g = golden("hnn_tanh_2_16_16_1");
    let net = network(&g["params"], Activation::Tanh);
    let (batch, x) = lanes(&g["x"]);
    let mut energy = vec![0.0; batch];
    net.energy(&x, &mut energy, &mut Workspace::default()).expect("evaluates");
    assert_close("H", &energy, &numbers(&g["H"]), TOLERANCE);
    let mut gradient = vec![0.0; x.len()];
    net.gradient(batch, &x, &mut gradient, Keep::Nothing(&mut Workspace::default()))
        .expect("evaluates");
    assert_close("grad H", &transpose(&gradient, 2), &numbers(&g["grad_H"]), TOLERANCE);

    let (field, loss, theta_bar) =
        derivative_loss(&Hnn::new(net).expect("even"), &g["x"], &g["dx"]);
    assert_close("field", &field, &numbers(&g["field"]), TOLERANCE);
    assert_close("loss", &[loss], &numbers(&g["hnn_loss"]), TOLERANCE);
    assert_close("gradient", &theta_bar, &numbers(&g["hnn_grad"]), TOLERANCE);
}

#[test]
fn one_state_at_a_time_gives_the_same() {
    let g = golden("hnn_tanh_2_16_16_1");
    let net = network(&g["params"], Activation::Tanh);
    let gradients = numbers(&g["grad_H"]);
    for (x, expected) in numbers(&g["x"]).chunks(2).zip(gradients.chunks(2)) {
        let mut gradient = [0.0; 2];
        net.gradient(1, x, &mut gradient, Keep::Nothing(&mut Workspace::default()))
            .expect("evaluates");
        assert_close("grad H", &gradient, expected, TOLERANCE);
    }
}

#[test]
fn hnn_of_two_degrees_of_freedom_with_every_activation() {
    let g = own_golden("hnn_4d_activations");
    for (name, activation) in [
        ("tanh", Activation::Tanh),
        ("softplus", Activation::Softplus),
        ("sigmoid", Activation::Sigmoid),
        ("swish", Activation::Swish),
    ] {
        let block = &g[name];
        let net = network(&block["params"], activation);
        let (batch, x) = lanes(&g["x"]);
        let mut energy = vec![0.0; batch];
        net.energy(&x, &mut energy, &mut Workspace::default()).expect("evaluates");
        assert_close(name, &energy, &numbers(&block["H"]), TOLERANCE);

        let (_, v) = lanes(&g["dx"]);
        let (mut gradient, mut hvp) = (vec![0.0; x.len()], vec![0.0; x.len()]);
        let mut residuals = Default::default();
        net.gradient(batch, &x, &mut gradient, Keep::Residuals(&mut residuals)).expect("evaluates");
        net.gradient_vjp(&x, &mut residuals, &v, &mut hvp, ThetaBar::None).expect("pulls back");
        assert_close(name, &transpose(&gradient, 4), &numbers(&block["grad_H"]), TOLERANCE);
        assert_close(name, &transpose(&hvp, 4), &numbers(&block["hvp"]), TOLERANCE);

        let (field, loss, theta_bar) =
            derivative_loss(&Hnn::new(net).expect("even"), &g["x"], &g["dx"]);
        assert_close(name, &field, &numbers(&block["field"]), TOLERANCE);
        assert_close(name, &[loss], &numbers(&block["hnn_loss"]), TOLERANCE);
        assert_close(name, &theta_bar, &numbers(&block["hnn_grad"]), TOLERANCE);
    }
}

#[test]
fn friction_and_baseline() {
    let g = golden("friction_and_baseline");
    let energy = network(&g["h_params"], Activation::Tanh);
    let friction = network(&g["f_params"], Activation::Tanh);
    let model = Hnn::with_friction(energy, friction).expect("fits");
    let (field, loss, theta_bar) = derivative_loss(&model, &g["x"], &g["dx"]);
    assert_close("field", &field, &numbers(&g["field"]), TOLERANCE);
    assert_close("loss", &[loss], &numbers(&g["friction_loss"]), TOLERANCE);
    assert_close("gradient", &theta_bar, &numbers(&g["friction_grad"]), TOLERANCE);

    let net = network(&g["base_params"], Activation::Tanh);
    let model = Baseline::new(net).expect("square");
    let (out, loss, theta_bar) = derivative_loss(&model, &g["x"], &g["dx"]);
    assert_close("output", &out, &numbers(&g["baseline_out"]), TOLERANCE);
    assert_close("loss", &[loss], &numbers(&g["baseline_loss"]), TOLERANCE);
    assert_close("gradient", &theta_bar, &numbers(&g["baseline_grad"]), TOLERANCE);
}
