//! Losses against PyTorch and finite differences; bad input.

mod common;

use common::{golden, numbers};
use hnn_integrators::{Parameters, Rk4, VectorFieldExt};
use hnn_losses::metrics::{Spread, coordinate_mse, derivative_mse, energy_mse};
use hnn_losses::{
    DerivativeLoss, ErrorMeasure, L2Penalty, Loss, LossError, Selection, TotalLoss, TrajectoryData,
    TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::{Duffing, Spring};
use ndarray::{Array1, Array2, Array3, array};
use serde_json::Value;

type Model = Hnn<Mlp<f64>>;

fn model(g: &Value) -> Model {
    let theta = ["W1", "b1", "W2", "b2", "W3"].iter().flat_map(|n| numbers(&g["params"][n]));
    let architecture = Architecture::new(&[2, 16, 16, 1]).expect("sizes");
    Hnn::new(Mlp::from_params(architecture, theta.collect()).expect("parameters")).expect("even")
}

fn data(g: &Value) -> (Array1<f64>, Array2<f64>, Array2<f64>) {
    let pairs = |name: &str| {
        let numbers = numbers(&g[name]);
        Array2::from_shape_vec((numbers.len() / 2, 2), numbers).expect("pairs")
    };
    (Array1::zeros(33), pairs("x"), pairs("dx"))
}

fn gradient(
    loss: &mut dyn Loss<f64, Model>,
    model: &Model,
    rows: Selection<'_>,
) -> (f64, Vec<f64>) {
    let mut theta_bar = vec![0.0; model.num_params()];
    let value = loss.value_and_gradient(model, rows, 1.0, &mut theta_bar).expect("evaluates");
    (value, theta_bar)
}

#[test]
fn derivative_loss_agrees_with_pytorch() {
    let g = golden("hnn_tanh_2_16_16_1");
    let model = model(&g);
    let (t, x, dx) = data(&g);
    let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
    let (value, theta_bar) = gradient(&mut loss, &model, Selection::All);
    let expected = g["hnn_loss"].as_f64().expect("a number");
    assert!((value / expected - 1.0).abs() < 1e-12);
    assert!(
        (loss.value(&model, Selection::All).expect("evaluates") / expected - 1.0).abs() < 1e-12
    );
    for (a, e) in theta_bar.iter().zip(numbers(&g["hnn_grad"])) {
        assert!((a - e).abs() < 1e-12);
    }
    let mse = derivative_mse(&model, t.view(), x.view(), dx.view()).expect("evaluates");
    assert!((mse.mean / expected - 1.0).abs() < 1e-12);
}

/// Each measure's value from the errors themselves, and its gradient by central differences.
#[test]
fn measures_of_the_errors() {
    let g = golden("hnn_tanh_2_16_16_1");
    let model = model(&g);
    let (t, x, dx) = data(&g);
    let errors = model.eval_rows(0.0, x.view()).expect("evaluates") - &dx;
    let huber = ErrorMeasure::Huber { threshold: 0.3 };
    for measure in [ErrorMeasure::Absolute, huber, ErrorMeasure::Squared] {
        let loss = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
        let mut loss = loss.measured_by(measure).expect("positive");
        let (value, theta_bar) = gradient(&mut loss, &model, Selection::All);
        let cost = |e: &f64| match measure {
            ErrorMeasure::Absolute => e.abs(),
            ErrorMeasure::Huber { .. } if e.abs() > 0.3 => 0.09 + 0.6 * (e.abs() - 0.3),
            _ => e * e,
        };
        let expected = errors.iter().map(cost).sum::<f64>() / errors.len() as f64;
        assert!((value / expected - 1.0).abs() < 1e-12);
        let mut theta = vec![0.0; model.num_params()];
        model.copy_params(&mut theta).expect("fits");
        for index in [0, 40, 100, theta.len() - 1] {
            let mut shifted = |h: f64| {
                let (mut model, mut theta) = (model.clone(), theta.clone());
                theta[index] += h;
                model.set_params(&theta).expect("fits");
                loss.value(&model, Selection::All).expect("evaluates")
            };
            let slope = (shifted(1e-6) - shifted(-1e-6)) / 2e-6;
            assert!((slope - theta_bar[index]).abs() < 1e-7 * (1.0 + slope.abs()), "{measure:?}");
        }
    }
    let loss = DerivativeLoss::<f64, Model>::new(t.view(), x.view(), dx.view()).expect("fits");
    assert!(loss.measured_by(ErrorMeasure::Huber { threshold: 0.0 }).is_err());
}

#[test]
fn mini_batches_average_to_the_full_batch() {
    let g = golden("hnn_tanh_2_16_16_1");
    let model = model(&g);
    let (t, x, dx) = data(&g);
    let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
    let (full, full_bar) = gradient(&mut loss, &model, Selection::All);
    let rows: Vec<usize> = (0..33).rev().collect();
    let mut sum = 0.0;
    let mut sum_bar = vec![0.0; full_bar.len()];
    for part in rows.chunks(11) {
        let (value, theta_bar) = gradient(&mut loss, &model, Selection::Rows(part));
        sum += value / 3.0;
        sum_bar.iter_mut().zip(theta_bar).for_each(|(s, g)| *s += g / 3.0);
    }
    assert!((sum / full - 1.0).abs() < 1e-12);
    assert!(sum_bar.iter().zip(&full_bar).all(|(a, b)| (a - b).abs() < 1e-12));
}

#[test]
fn total_weighs_and_reports_its_terms() {
    let g = golden("hnn_tanh_2_16_16_1");
    let mut model = model(&g);
    let (t, x, dx) = data(&g);
    let derivative = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
    let mut loss = TotalLoss::new(derivative).plus(0.01, L2Penalty::new()).expect("weight");
    let (value, theta_bar) = gradient(&mut loss, &model, Selection::All);
    let terms = loss.terms();
    assert_eq!((terms[0].0.as_str(), terms[1].0.as_str()), ("derivative", "l2"));
    assert!((value - terms[0].1 - 0.01 * terms[1].1).abs() < 1e-12);
    // Central differences along one direction.
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta).expect("fits");
    let direction: Vec<f64> = (0..theta.len()).map(|i| (i as f64).cos()).collect();
    let mut at = |h: f64| {
        let shifted: Vec<f64> = theta.iter().zip(&direction).map(|(w, d)| w + h * d).collect();
        model.set_params(&shifted).expect("fits");
        loss.value(&model, Selection::All).expect("evaluates")
    };
    let difference = (at(1e-5) - at(-1e-5)) / 2e-5;
    let exact: f64 = theta_bar.iter().zip(&direction).map(|(g, d)| g * d).sum();
    assert!((exact / difference - 1.0).abs() < 1e-7);
}

#[test]
fn bad_input_is_an_error() {
    let new = |t: &Array1<f64>, x: &Array2<f64>, dx: &Array2<f64>| {
        DerivativeLoss::<f64, Model>::new(t.view(), x.view(), dx.view()).map(|_| ())
    };
    let (t, x) = (array![0.0, 0.1], array![[1.0, 2.0], [3.0, 4.0]]);
    assert!(new(&t, &x, &x).is_ok());
    let empty = Array2::zeros((0, 2));
    assert!(matches!(new(&array![], &empty, &empty), Err(LossError::Empty { .. })));
    assert!(matches!(new(&t, &x, &array![[1.0, 2.0]]), Err(LossError::Shape { .. })));
    assert!(matches!(new(&array![0.0], &x, &x), Err(LossError::Shape { .. })));
    let nan = array![[1.0, 2.0], [f64::NAN, 4.0]];
    assert!(matches!(new(&t, &nan, &x), Err(LossError::NonFinite { row: 1, .. })));

    let net = |sizes: &[usize]| {
        let architecture = Architecture::new(sizes).expect("sizes");
        Hnn::new(Mlp::<f64>::new(architecture, Initialisation::He, 0)).expect("even")
    };
    let mut loss = DerivativeLoss::new(t.view(), x.view(), x.view()).expect("fits");
    assert!(loss.value(&net(&[4, 3, 1]), Selection::All).is_err());
    let model = net(&[2, 3, 1]);
    assert!(loss.value(&model, Selection::Rows(&[2])).is_err());
    assert!(loss.value(&model, Selection::Rows(&[])).is_err());
    assert!(loss.value_and_gradient(&model, Selection::All, 1.0, &mut [0.0]).is_err());
    let total = TotalLoss::<f64, Model>::new(L2Penalty::new());
    assert!(total.plus(f64::NAN, L2Penalty::new()).is_err());
    for lengths in [&[usize::MAX, 6][..], &[usize::MAX, 3], &[1], &[3]] {
        let data = TrajectoryData { times: t.view(), states: x.view(), lengths };
        let loss = TrajectoryLoss::<f64, Model, _>::new(Rk4, Window::Whole, data);
        assert!(matches!(loss, Err(LossError::Shape { .. })), "{lengths:?}");
    }
    assert!(Spread::of(&[]).is_err() && Spread::of(&[f64::NAN]).is_err());
}

/// A driven system has no error against itself, at any times.
#[test]
fn derivative_error_at_the_rows_own_times() {
    let driven = Duffing::new(1.0, 0.3).and_then(|d| d.with_forcing(0.7, 1.9)).expect("constants");
    let t = Array1::linspace(0.0, 5.0, 12);
    let x = Array2::from_shape_fn((12, 2), |(row, i)| ((3 * row + i) as f64).sin());
    let mut dx = Array2::zeros((12, 2));
    for ((t, x), mut dx) in t.iter().zip(x.outer_iter()).zip(dx.outer_iter_mut()) {
        let state = VectorFieldExt::<f64>::eval_state(&driven, *t, &x.to_vec()).expect("defined");
        dx.assign(&Array1::from(state));
    }
    let mse = derivative_mse(&driven, t.view(), x.view(), dx.view()).expect("evaluates");
    assert_eq!((mse.mean, mse.n), (0.0, 12));
    let short = t.slice(ndarray::s![..3]);
    assert!(derivative_mse(&driven, short, x.view(), dx.view()).is_err());
}

#[test]
fn rollout_metrics() {
    let spring = Spring::default();
    // Two trajectories of three states; the second one is off by 0.1 in q throughout.
    let truth = Array3::from_shape_fn((2, 3, 2), |(m, t, i)| (m + 2 * t + i) as f64 / 10.0);
    let mut model = truth.clone();
    model.slice_mut(ndarray::s![1, .., 0]).mapv_inplace(|q| q + 0.1);
    let mse = coordinate_mse(model.view(), truth.view()).expect("fits");
    assert!((mse.mean - 0.0025).abs() < 1e-15 && mse.n == 2);
    let errors: Vec<f64> =
        truth.slice(ndarray::s![1, .., 0]).iter().map(|q| (0.2 * q + 0.01).powi(2)).collect();
    let expected = errors.iter().sum::<f64>() / 6.0;
    let mse = energy_mse(&spring, model.view(), truth.view()).expect("fits");
    assert!((mse.mean / expected - 1.0).abs() < 1e-12);
    let short = truth.slice(ndarray::s![.., ..2, ..]);
    assert!(coordinate_mse(short, truth.view()).is_err());
}
