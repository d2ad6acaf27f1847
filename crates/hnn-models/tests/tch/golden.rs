//! libtorch against the golden files, losses computed wholly in tensors.

use hnn_integrators::{Parameters, VectorField};
use hnn_models::tch::{TchEnergy, TchMap};
use hnn_models::{Activation, Baseline, Hnn, Lnn};
use hnn_systems::Hamiltonian;
use ndarray::{Array2, ArrayView2};
use serde_json::Value;
use tch::Tensor;

use hnn_testing::{golden, numbers};

use crate::common::{network, own_golden};
use crate::device;
use crate::random::{assert_close, field_and_vjp};
use crate::tensors::{TensorField, TensorLagrangian};
use crate::trajectory;

const TOLERANCE: f64 = 1e-11;

fn rows(value: &Value) -> Array2<f64> {
    let count = value.as_array().expect("rows").len();
    let all = numbers(value);
    Array2::from_shape_vec((count, all.len() / count), all).expect("rows of one length")
}

fn tensor(x: ArrayView2<'_, f64>) -> Tensor {
    trajectory::states(x)
}

/// A loss and its gradient against those of the file.
fn check(
    data: &Value,
    name: &str,
    model: &impl TensorField,
    loss: impl FnOnce(&trajectory::Field<'_>) -> Result<Tensor, hnn_integrators::FieldError>,
) {
    let (value, gradient) = trajectory::value_and_gradient(model, loss);
    let expected = numbers(&data[format!("{name}_loss")]);
    assert_close(&format!("{name} loss"), &[value], &expected, TOLERANCE);
    let expected = numbers(&data[format!("{name}_grad")]);
    assert_close(&format!("gradient of the {name} loss"), &gradient, &expected, TOLERANCE);
}

#[test]
fn hamiltonian_network() {
    let data = golden("hnn_tanh_2_16_16_1");
    let native = network(&data["params"], Activation::Tanh);
    let model = Hnn::new(TchEnergy::mlp(native, device()).expect("a device")).expect("even");
    let (x, dx) = (tensor(rows(&data["x"]).view()), tensor(rows(&data["dx"]).view()));
    let trajectories = x.view([3, 11, 2]);
    let dt = data["dt"].as_f64().expect("a number");
    check(&data, "hnn", &model, |f| trajectory::derivative_loss(f, &x, &dx));
    check(&data, "one_step", &model, |f| trajectory::one_step_loss(f, &trajectories, dt));
    check(&data, "full_trajectory", &model, |f| {
        trajectory::full_trajectory_loss(f, &trajectories, dt)
    });
}

#[test]
fn friction_and_baseline() {
    let data = golden("friction_and_baseline");
    let h = network(&data["h_params"], Activation::Tanh);
    let f = network(&data["f_params"], Activation::Tanh);
    let base = network(&data["base_params"], Activation::Tanh);
    let energy = TchEnergy::mlp(h, device()).expect("a device");
    let map = |native| TchMap::mlp(native, device()).expect("a device");
    let model = Hnn::with_friction(energy, map(f)).expect("the shapes fit");
    let baseline = Baseline::new(map(base)).expect("the shapes fit");
    let (x, dx) = (tensor(rows(&data["x"]).view()), tensor(rows(&data["dx"]).view()));
    let dt = data["dt"].as_f64().expect("a number");
    check(&data, "friction", &model, |f| trajectory::derivative_loss(f, &x, &dx));
    check(&data, "friction_one_step", &model, |f| {
        trajectory::one_step_loss(f, &x.view([3, 11, 2]), dt)
    });
    check(&data, "baseline", &baseline, |f| trajectory::derivative_loss(f, &x, &dx));
}

#[test]
fn lagrangian_network() {
    let data = own_golden("lnn_softplus_4_16_16_1");
    let native = network(&data["params"], Activation::Softplus);
    let model = TensorLagrangian(TchEnergy::mlp(native, device()).expect("a device"));
    let x = rows(&data["x"]);
    let lanes: Vec<f64> = x.t().iter().copied().collect();
    let (acc, target) = (rows(&data["acc"]), rows(&data["target"]));
    let acceleration: Vec<f64> = acc.t().iter().copied().collect();

    // The loss is over the accelerations alone: its cotangent is 0 on dq/dt.
    let entries = acc.len() as f64;
    let mut v = vec![0.0; acc.len()];
    v.extend((&acc - &target).t().iter().map(|d| 2.0 * d / entries));
    let [plain, recorded, _, theta_bar] = field_and_vjp(&model, &lanes, &v);
    assert_eq!(plain, recorded);
    assert_eq!(plain[..acc.len()], lanes[acc.len()..], "dq/dt = v");
    assert_close("acceleration", &plain[acc.len()..], &acceleration, TOLERANCE);
    assert_close("gradient", &theta_bar, &numbers(&data["grad"]), 1e-10);

    // The same by the graph alone, and along RK4 steps.
    let (states, target) = (tensor(x.view()), tensor(target.view()));
    let (loss, gradient) = trajectory::value_and_gradient(&model, |field| {
        let acceleration = field(&states)?.narrow(1, 2, 2);
        Ok((acceleration - &target).square().mean(target.kind()))
    });
    assert_close("loss", &[loss], &numbers(&data["loss"]), TOLERANCE);
    assert_close("gradient", &gradient, &numbers(&data["grad"]), 1e-10);
    let path = rows(&data["rk4_states"]);
    let dt = data["rk4_dt"].as_f64().expect("a number");
    let mut state = tensor(path.slice(ndarray::s![..1, ..]));
    for expected in path.rows().into_iter().skip(1) {
        let field = |x: &Tensor| model.tensor_field(x);
        state = trajectory::next_point(&field, &state, dt).expect("defined").detach();
        let numbers: Vec<f64> = Vec::try_from(state.view(-1)).expect("a vector");
        assert_close("RK4", &numbers, &expected.to_vec(), TOLERANCE);
    }
}

/// `E = v . dL/dv - L`, against the file's `L` and its gradient; its own gradient by differences.
#[test]
fn energy_of_a_lagrangian() {
    let data = own_golden("lnn_softplus_4_16_16_1");
    let native = network(&data["params"], Activation::Softplus);
    let model = Lnn::new(TchEnergy::mlp(native, device()).expect("a device")).expect("even");
    assert_eq!((model.num_params(), VectorField::<f64>::dim(&model)), (368, 4));
    let (x, gradient) = (rows(&data["x"]), rows(&data["L_grad"]));
    let expected: Vec<f64> = numbers(&data["L"])
        .iter()
        .zip(x.rows().into_iter().zip(gradient.rows()))
        .map(|(l, (x, g))| x[2] * g[2] + x[3] * g[3] - l)
        .collect();
    let evaluate = |x: &Array2<f64>| {
        let lanes: Vec<f64> = x.t().iter().copied().collect();
        let (mut energy, mut gradient) = (vec![0.0; x.nrows()], vec![0.0; lanes.len()]);
        let workspace = &mut Default::default();
        model.energy(&lanes, &mut energy, workspace).expect("defined");
        model.energy_gradient(x.nrows(), &lanes, &mut gradient, workspace).expect("defined");
        (energy, gradient)
    };
    let (energy, gradient) = evaluate(&x);
    assert_close("energy", &energy, &expected, TOLERANCE);
    let h = 1e-5;
    for i in 0..4 {
        let mut shifted = [x.clone(), x.clone()];
        shifted[0].column_mut(i).mapv_inplace(|x| x + h);
        shifted[1].column_mut(i).mapv_inplace(|x| x - h);
        let [up, down] = shifted.map(|x| evaluate(&x).0);
        let slope: Vec<f64> = up.iter().zip(&down).map(|(u, d)| (u - d) / (2.0 * h)).collect();
        assert_close("gradient", &gradient[12 * i..12 * (i + 1)], &slope, 1e-7);
    }
}
