//! Windows whose starts are fitted, and derivatives compared along windows.

use crate::common::{lengths_of, network, wave};
use hnn_data::DataSet;
use hnn_integrators::{DifferentiableField, RK4, Tableau};
use hnn_losses::{Loss, LossError, RowSelection, TrajectoryData, TrajectoryLoss, Window};
use hnn_models::{Hnn, Mlp};
use hnn_systems::{Sampling, Spring};
use ndarray::{Array1, Array2};
use proptest::prelude::*;

type Model = Hnn<Mlp<f64>>;
type Rk4Loss = TrajectoryLoss<f64, Tableau>;

fn gradient<F: DifferentiableField<f64>>(loss: &mut Rk4Loss, field: &F) -> f64 {
    let mut theta_bar = vec![0.0; field.num_params()];
    loss.value_and_gradient(field, RowSelection::All, 1.0, &mut theta_bar).expect("evaluates")
}

/// Random trajectories of a random HNN, as data of another.
fn random_loss(window: Window, weight: f64, rate: f64, seed: u64) -> (Model, Rk4Loss) {
    let lengths = lengths_of(seed);
    let rows = lengths.iter().sum();
    let times = Array1::from_shape_fn(rows, |row| 0.1 * row as f64);
    let pairs = |phase| wave(seed, phase, 2 * rows).into_shape_with_order((rows, 2)).expect("rows");
    let (states, dx) = (pairs(1.9), pairs(0.4));
    let data = TrajectoryData::new(times.view(), states.view(), &lengths);
    let loss = Rk4Loss::new(RK4, window, data).expect("fits").with_segments(3);
    let loss = loss.with_derivatives(weight, dx.view()).expect("a weight");
    let model = Hnn::new(network(&[2, 7, 5, 1], seed)).expect("even");
    (model, loss.with_fitted_starts(rate).expect("a rate"))
}

proptest! {
    /// A move `d` changes the loss by `2 g . d / divisor`, where `d = -rate / (k + 1) g`.
    #[test]
    fn starts_move_down_the_gradient(k in 1..7_usize, weight in 0.0..2.0, seed in 0..999_u64) {
        let rate = 1e-5;
        let (model, mut loss) = random_loss(Window::Steps(k), weight, rate, seed);
        let before = loss.fitted_starts().expect("fitted").to_owned();
        let value = gradient(&mut loss, &model);
        Loss::<f64, Model>::begin_step(&mut loss, 1, 2).expect("moves");
        let moves = &loss.fitted_starts().expect("fitted") - &before;
        let change = loss.value(&model, RowSelection::All).expect("evaluates") - value;
        // Windows begin at every k-th row of a trajectory and end with it at the latest.
        let (mut first, mut states, mut expected) = (0, 0, 0.0);
        for length in lengths_of(seed) {
            for begin in (0..length - 1).step_by(k) {
                let size = k.min(length - 1 - begin) + 1;
                let square: f64 = moves.row(first + begin).iter().map(|d| d * d).sum();
                expected -= 2.0 * size as f64 / rate * square;
                states += size;
            }
            first += length;
        }
        expected /= 2.0 * states as f64;
        prop_assert!(expected < 0.0);
        prop_assert!((change / expected - 1.0).abs() < 1e-3, "{change}, expected {expected}");
    }
}

#[test]
fn evaluations_alone_move_nothing() {
    let (model, mut loss) = random_loss(Window::Steps(3), 1.0, 0.5, 7);
    let value = gradient(&mut loss, &model);
    assert_eq!(value, gradient(&mut loss, &model));
    Loss::<f64, Model>::begin_step(&mut loss, 1, 9).expect("moves");
    let moved = gradient(&mut loss, &model);
    assert!(moved < value);
    // Each gradient moves them once.
    Loss::<f64, Model>::begin_step(&mut loss, 2, 9).expect("moves");
    let starts = loss.fitted_starts().expect("fitted").to_owned();
    Loss::<f64, Model>::begin_step(&mut loss, 3, 9).expect("moves");
    assert_eq!(starts, loss.fitted_starts().expect("fitted"));
}

fn noisy_spring() -> (DataSet<f64>, DataSet<f64>) {
    let sampling = Sampling { trajectories: 20, noise: 0.1, ..Sampling::spring() };
    let noisy = sampling.sample(&Spring::default(), 3).expect("samples");
    let clean = Sampling { noise: 0.0, ..sampling }.sample(&Spring::default(), 3).expect("samples");
    (noisy, clean)
}

/// With the true field, whole trajectories average the noise of 30 states: the starts end nearer
/// to the true ones than the measured ones are by about sqrt(30). Derivatives without noise tell
/// more still.
#[test]
fn starts_come_near_the_true_ones() {
    let (noisy, clean) = noisy_spring();
    let error = |states: ndarray::ArrayView2<'_, f64>| {
        let firsts = (0..600).step_by(30).map(|row| &states.row(row) - &clean.states().row(row));
        firsts.map(|error| error.mapv(|e| e * e).sum()).sum::<f64>().sqrt()
    };
    let fitted = |weight: f64| {
        let mut loss = Rk4Loss::new(RK4, Window::Whole, &noisy)
            .and_then(|loss| loss.with_fitted_starts(0.2))
            .and_then(|loss| loss.with_derivatives(weight, noisy.derivatives()))
            .expect("fits");
        for step in 0..200 {
            gradient(&mut loss, &Spring::default());
            Loss::<f64, Model>::begin_step(&mut loss, step, 200).expect("moves");
        }
        error(loss.fitted_starts().expect("fitted"))
    };
    let (measured, states, derivatives) = (error(noisy.states()), fitted(0.0), fitted(1.0));
    assert!((3.5..8.0).contains(&(measured / states)), "{measured}, {states}");
    assert!(derivatives < 0.5 * states, "{states}, {derivatives}");
}

#[test]
fn bad_input_is_an_error() {
    let (noisy, _) = noisy_spring();
    let new = || Rk4Loss::new(RK4, Window::Whole, &noisy).expect("fits");
    for rate in [0.0, -0.1, 1.5, f64::NAN] {
        let error = new().with_fitted_starts(rate).map(|_| ()).expect_err("refused");
        assert!(matches!(error, LossError::StartRate { .. }), "{error}");
    }
    let refused = |weight, dx: &Array2<f64>| {
        new().with_derivatives(weight, dx.view()).map(|_| ()).expect_err("refused")
    };
    let unknown = new().with_derivative_weights(&[1.0, 1.0]).map(|_| ());
    assert!(matches!(unknown, Err(LossError::NoDerivatives)));
    let mut dx = noisy.derivatives().to_owned();
    assert!(matches!(refused(-1.0, &dx), LossError::Weight { .. }));
    assert!(matches!(refused(1.0, &Array2::zeros((600, 1))), LossError::Shape { .. }));
    dx[(4, 1)] = f64::INFINITY;
    assert!(matches!(refused(1.0, &dx), LossError::NonFinite { row: 4, .. }));
}
