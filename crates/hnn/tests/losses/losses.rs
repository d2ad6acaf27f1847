//! Losses against PyTorch and finite differences; bad input.

use hnn_integrators::{DifferentiableField, Parameters, RK4, VectorField};
use hnn_losses::metrics::{Spread, derivative_mse};
use hnn_losses::{
    DerivativeLoss, ErrorMeasure, JointLoss, L2Penalty, Loss, LossError, RowSelection, TotalLoss,
    TrajectoryData, TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Baseline, Hnn, Initialisation, Mlp};
use hnn_testing::{golden, numbers, slope};
use ndarray::{Array1, Array2, array};
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
    rows: RowSelection<'_>,
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
    let (value, theta_bar) = gradient(&mut loss, &model, RowSelection::All);
    let expected = g["hnn_loss"].as_f64().expect("a number");
    assert!((value / expected - 1.0).abs() < 1e-12);
    assert!(
        (loss.value(&model, RowSelection::All).expect("evaluates") / expected - 1.0).abs() < 1e-12
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
        let mut loss = loss.with_error_measure(measure).expect("positive");
        let (value, theta_bar) = gradient(&mut loss, &model, RowSelection::All);
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
            let shifted = |h: f64| {
                let (mut model, mut theta) = (model.clone(), theta.clone());
                theta[index] += h;
                model.set_params(&theta).expect("fits");
                loss.value(&model, RowSelection::All).expect("evaluates")
            };
            let slope = slope(1e-6, shifted);
            assert!((slope - theta_bar[index]).abs() < 1e-7 * (1.0 + slope.abs()), "{measure:?}");
        }
    }
    let loss = DerivativeLoss::<f64>::new(t.view(), x.view(), dx.view()).expect("fits");
    assert!(loss.with_error_measure(ErrorMeasure::Huber { threshold: 0.0 }).is_err());
}

/// What a loss keeps of a model's evaluation is made anew for a model of another kind.
#[test]
fn one_loss_serves_models_of_several_kinds() {
    fn gradient<F: DifferentiableField<f64>>(loss: &mut dyn Loss<f64, F>, field: &F) -> Vec<f64> {
        let mut theta_bar = vec![0.0; field.num_params()];
        let value = loss.value_and_gradient(field, RowSelection::All, 1.0, &mut theta_bar);
        theta_bar.push(value.expect("evaluates"));
        theta_bar
    }
    let g = golden("hnn_tanh_2_16_16_1");
    let (_, x, dx) = data(&g);
    let t = Array1::from_shape_fn(33, |row| 0.1 * row as f64);
    let new = || {
        let derivative = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
        let data = TrajectoryData::new(t.view(), x.view(), &[33]);
        let windows = TrajectoryLoss::new(RK4, Window::Steps(2), data).expect("fits");
        JointLoss::new(derivative, 1.0, windows).expect("the same data")
    };
    let architecture = Architecture::new(&[2, 5, 2]).expect("sizes");
    let baseline = Baseline::new(Mlp::new(architecture, Initialisation::He, 0)).expect("square");
    let (hnn, mut shared) = (model(&g), new());
    for _ in 0..2 {
        assert_eq!(gradient(&mut shared, &hnn), gradient(&mut new(), &hnn));
        assert_eq!(gradient(&mut shared, &baseline), gradient(&mut new(), &baseline));
    }
}

#[test]
fn mini_batches_average_to_the_full_batch() {
    let g = golden("hnn_tanh_2_16_16_1");
    let model = model(&g);
    let (t, x, dx) = data(&g);
    let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
    let (full, full_bar) = gradient(&mut loss, &model, RowSelection::All);
    let rows: Vec<usize> = (0..33).rev().collect();
    let mut sum = 0.0;
    let mut sum_bar = vec![0.0; full_bar.len()];
    for part in rows.chunks(11) {
        let (value, theta_bar) = gradient(&mut loss, &model, RowSelection::Rows(part));
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
    let (value, theta_bar) = gradient(&mut loss, &model, RowSelection::All);
    let terms = loss.terms();
    assert_eq!((terms[0].0.as_str(), terms[1].0.as_str()), ("derivative", "l2"));
    assert!((value - terms[0].1 - 0.01 * terms[1].1).abs() < 1e-12);
    // Central differences along one direction.
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta).expect("fits");
    let direction: Vec<f64> = (0..theta.len()).map(|i| (i as f64).cos()).collect();
    let at = |h: f64| {
        let shifted: Vec<f64> = theta.iter().zip(&direction).map(|(w, d)| w + h * d).collect();
        model.set_params(&shifted).expect("fits");
        loss.value(&model, RowSelection::All).expect("evaluates")
    };
    let difference = slope(1e-5, at);
    let exact: f64 = theta_bar.iter().zip(&direction).map(|(g, d)| g * d).sum();
    assert!((exact / difference - 1.0).abs() < 1e-7);
}

#[test]
fn bad_input_is_an_error() {
    let new = |t: &Array1<f64>, x: &Array2<f64>, dx: &Array2<f64>| {
        DerivativeLoss::<f64>::new(t.view(), x.view(), dx.view()).map(|_| ())
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
    assert!(loss.value(&net(&[4, 3, 1]), RowSelection::All).is_err());
    let model = net(&[2, 3, 1]);
    assert!(loss.value(&model, RowSelection::Rows(&[2])).is_err());
    assert!(loss.value(&model, RowSelection::Rows(&[])).is_err());
    assert!(loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut [0.0]).is_err());
    let total = TotalLoss::<f64, Model>::new(L2Penalty::new());
    assert!(total.plus(f64::NAN, L2Penalty::new()).is_err());
    assert!(Spread::new(&[]).is_err() && Spread::new(&[f64::NAN]).is_err());
}
