//! Residuals and their Jacobians against values, gradients and differences.

use crate::common::{lengths_of, network, params, wave};
use hnn_integrators::{Between, GAUSS_LEGENDRE4, Parameters, RK4};
use hnn_losses::{
    DerivativeLoss, ErrorMeasure, JacobianRows, JointLoss, L1Penalty, L2Penalty, Loss, LossError,
    ResidualRows, RowSelection, TotalLoss, TrajectoryData, TrajectoryLoss, Window,
};
use hnn_models::{Dissipative, ExternalForce, Harmonics, Hnn, InputPort, Mlp, StatePort, Sum};
use ndarray::{Array1, Array2};
use proptest::prelude::*;

/// Friction, a force of the clock and ports on all of the state.
type Force = Sum<
    Sum<Dissipative<Mlp<f64>>, ExternalForce<StatePort<Mlp<f64>>>>,
    Sum<InputPort, StatePort<Mlp<f64>>>,
>;
type Model = Hnn<Mlp<f64>, Force>;
type AnyLoss = Box<dyn Loss<f64, Model>>;

fn model(seed: u64) -> Model {
    let friction = Dissipative::new(network(&[2, 4, 3], seed + 1)).expect("three outputs");
    let port = |inputs, seed| StatePort::new(network(&[2, 3, 2 * inputs], seed), inputs);
    let harmonics = Harmonics::periodic(0.9, 1).expect("a period");
    let clock = ExternalForce::new(port(2, seed + 2).expect("fits"), harmonics);
    let gains = InputPort::with_matrix(ndarray::array![[0.8], [-1.1]]).expect("finite").fitted();
    let ports = Sum(gains, port(1, seed + 3).expect("fits"));
    let force = Sum(Sum(friction, clock.expect("two functions")), ports);
    Hnn::port_hamiltonian(network(&[2, 6, 5, 1], seed), force).expect("even")
}

/// The losses that are sums of squares, of random data.
fn losses(seed: u64, k: usize) -> Vec<AnyLoss> {
    let lengths = lengths_of(seed);
    let rows = lengths.iter().sum();
    let times = Array1::from_shape_fn(rows, |row| 0.1 * row as f64);
    let pairs = |phase| wave(seed, phase, 2 * rows).into_shape_with_order((rows, 2)).expect("rows");
    let (states, dx): (Array2<f64>, Array2<f64>) = (pairs(1.9), pairs(0.4));
    let (u, sigma) = (pairs(0.8), pairs(2.7).mapv(|w: f64| 1.5 + w));
    let data = TrajectoryData::new(times.view(), states.view(), &lengths).with_inputs(u.view());
    let derivative = || {
        let loss = DerivativeLoss::new(times.view(), states.view(), dx.view());
        loss.and_then(|loss| loss.with_inputs(u.view())).expect("derivatives")
    };
    let with_errors = || derivative().with_standard_errors(sigma.view()).expect("errors");
    let windows = |window| {
        TrajectoryLoss::<f64, _>::new(RK4, window, data)
            .expect("fits")
            .with_inputs_between(if seed.is_multiple_of(2) {
                Between::Held
            } else {
                Between::Linear
            })
            .with_angles(&[true, false])
            .expect("two coordinates")
    };
    let fitted = || windows(Window::Steps(k)).with_fitted_starts(0.1).expect("a rate");
    let weighed = |window| windows(window).with_coordinate_weights(&[4.0, 0.0]).expect("weights");
    let weighed_derivative = with_errors().with_coordinate_weights(&[0.5, 9.0]).expect("weights");
    let joint = JointLoss::new(weighed_derivative, 10.0, weighed(Window::Steps(1)));
    let implicit = TrajectoryLoss::new(GAUSS_LEGENDRE4, Window::Steps(k), data).expect("fits");
    let along = fitted()
        .with_derivatives(0.3, dx.view())
        .and_then(|loss| loss.with_derivative_weights(&[0.5, 4.0]));
    let total = TotalLoss::new(derivative())
        .plus(3.0, fitted())
        .and_then(|total| total.plus(0.5, windows(Window::Steps(1))))
        .and_then(|total| total.plus(1e-2, L2Penalty::new()));
    vec![
        Box::new(derivative()),
        Box::new(with_errors()),
        Box::new(windows(Window::Steps(1))),
        Box::new(windows(Window::Whole)),
        Box::new(windows(Window::Steps(k)).with_derivatives(0.3, dx.view()).expect("a weight")),
        Box::new(along.expect("weights")),
        Box::new(implicit),
        Box::new(JointLoss::new(derivative(), 10.0, fitted()).expect("the same data")),
        Box::new(weighed(Window::Steps(k)).with_fitted_starts(0.1).expect("a rate")),
        Box::new(joint.expect("the same data")),
        Box::new(L2Penalty::new()),
        Box::new(total.expect("weights")),
    ]
}

/// Residuals and their rows by parameters, then by locals.
struct Evaluated {
    residuals: Vec<f64>,
    by_theta: Array2<f64>,
    by_locals: Vec<Vec<f64>>,
    prior: f64,
}

/// Groups in pieces of `piece`.
fn evaluate(loss: &mut AnyLoss, model: &Model, piece: usize) -> Evaluated {
    let layout = loss.residual_layout(model, RowSelection::All).expect("a sum of squares");
    let params = Parameters::<f64>::num_params(model);
    let mut by_theta = Array2::from_elem((layout.len(), params), f64::NAN);
    let (mut residuals, mut by_locals) = (vec![f64::NAN; layout.len()], Vec::new());
    for begin in (0..layout.num_groups()).step_by(piece) {
        let groups = begin..(begin + piece).min(layout.num_groups());
        let widths = groups
            .clone()
            .flat_map(|g| std::iter::repeat_n(layout.locals(g).len(), layout.residuals(g).len()));
        let widths: Vec<_> = widths.collect();
        let first = layout.residuals(begin).start;
        let mut locals = vec![f64::NAN; widths.iter().sum()];
        let rows = by_theta.as_slice_mut().expect("in order");
        let jacobian = JacobianRows {
            by_theta: &mut rows[first * params..][..widths.len() * params],
            by_locals: &mut locals,
        };
        let values = &mut residuals[first..][..widths.len()];
        let rows = ResidualRows { values, jacobian: Some(jacobian) };
        loss.residuals(model, groups.clone(), rows).expect("writes");
        let mut alone = vec![f64::NAN; widths.len()];
        let rows = ResidualRows { values: &mut alone, jacobian: None };
        loss.residuals(model, groups, rows).expect("writes");
        for (alone, with_rows) in alone.iter().zip(&residuals[first..]) {
            assert!((alone - with_rows).abs() < 1e-12, "{}", loss.name());
        }
        let mut rest = &locals[..];
        for width in widths {
            let (own, others) = rest.split_at(width);
            by_locals.push(own.to_vec());
            rest = others;
        }
    }
    Evaluated { residuals, by_theta, by_locals, prior: layout.prior }
}

fn close(a: f64, b: f64, tolerance: f64) -> bool {
    (a - b).abs() <= tolerance * (1.0 + a.abs())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    /// `L = |r|^2 + prior |theta|^2`, and `2 (J^T r + prior theta)` is its gradient.
    #[test]
    fn values_and_gradients(seed in 0..999_u64, k in 1..6_usize, piece in 1..9_usize) {
        let model = model(seed);
        let theta = params(&model);
        for mut loss in losses(seed, k) {
            let Evaluated { residuals, by_theta, prior, .. } = evaluate(&mut loss, &model, piece);
            let square = |numbers: &[f64]| numbers.iter().map(|x| x * x).sum::<f64>();
            let mut gradient = vec![0.0; theta.len()];
            let value = loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient);
            let value = value.expect("evaluates");
            let sum = square(&residuals) + prior * square(&theta);
            prop_assert!(close(value, sum, 1e-12), "{}: {value}, {sum}", loss.name());
            let product = by_theta.t().dot(&Array1::from(residuals));
            for ((g, product), w) in gradient.iter().zip(&product).zip(&theta) {
                let half = product + prior * w;
                prop_assert!(close(*g, 2.0 * half, 1e-10), "{}: {g}, {half}", loss.name());
            }
        }
    }

    /// Rows against differences along a direction of all parameters, and of all locals.
    #[test]
    fn rows_are_derivatives(seed in 0..999_u64, k in 1..6_usize) {
        let mut model = model(seed);
        let theta = params(&model);
        let direction = wave(seed, 0.7, theta.len());
        for mut loss in losses(seed, k) {
            let at = evaluate(&mut loss, &model, usize::MAX);
            let h = 1e-5;
            let mut moved = |h: f64| {
                let moved = theta.iter().zip(&direction).map(|(w, d)| w + h * d);
                model.set_params(&moved.collect::<Vec<_>>()).expect("fits");
                evaluate(&mut loss, &model, usize::MAX).residuals
            };
            let (up, down) = (moved(h), moved(-h));
            model.set_params(&theta).expect("fits");
            let exact = at.by_theta.dot(&direction);
            for ((up, down), exact) in up.iter().zip(&down).zip(&exact) {
                let difference = (up - down) / (2.0 * h);
                prop_assert!(close(*exact, difference, 1e-7), "{exact}, {difference}");
            }

            let layout = loss.residual_layout(&model, RowSelection::All).expect("squares");
            let mut locals = vec![0.0; layout.num_locals()];
            loss.copy_locals(&mut locals).expect("fits");
            let direction = wave(seed, 0.2, locals.len());
            let mut moved = |h: f64| {
                let moved = locals.iter().zip(&direction).map(|(s, d)| s + h * d);
                loss.set_locals(&moved.collect::<Vec<_>>()).expect("fits");
                evaluate(&mut loss, &model, usize::MAX).residuals
            };
            let (up, down) = (moved(h), moved(-h));
            for group in 0..layout.num_groups() {
                let direction = &direction.as_slice().expect("in order")[layout.locals(group)];
                for row in layout.residuals(group) {
                    let by_locals = at.by_locals[row].iter().zip(direction);
                    let exact: f64 = by_locals.map(|(row, d)| row * d).sum();
                    let difference = (up[row] - down[row]) / (2.0 * h);
                    prop_assert!(close(exact, difference, 1e-7), "{exact}, {difference}");
                }
            }
        }
    }
}

/// Large errors of a Huber loss weigh less; the gradient is that of the loss.
#[test]
fn robust_residuals_have_the_gradient_of_the_loss() {
    let model = model(1);
    let (x, dx) = (wave(1, 0.3, 40), wave(1, 0.9, 40) * 3.0);
    let pairs = |numbers: Array1<f64>| numbers.into_shape_with_order((20, 2)).expect("pairs");
    let times = Array1::zeros(20);
    let u = pairs(wave(1, 0.5, 40));
    let loss = DerivativeLoss::new(times.view(), pairs(x).view(), pairs(dx).view());
    let loss = loss.and_then(|loss| loss.with_inputs(u.view())).expect("fits");
    let loss =
        loss.with_error_measure(ErrorMeasure::Huber { threshold: 0.7 }).expect("a threshold");
    let mut loss: AnyLoss = Box::new(loss);
    let at = evaluate(&mut loss, &model, 1);
    let mut gradient = vec![0.0; at.by_theta.ncols()];
    let value = loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient);
    assert!(at.residuals.iter().map(|r| r * r).sum::<f64>() < 0.9 * value.expect("evaluates"));
    let half = at.by_theta.t().dot(&Array1::from(at.residuals));
    assert!(gradient.iter().zip(&half).all(|(g, half)| close(*g, 2.0 * half, 1e-10)));
}

#[test]
fn what_is_no_sum_of_squares_says_so() {
    let model = model(1);
    let one = Array2::zeros((1, 2));
    let times = Array1::zeros(1);
    let derivative = DerivativeLoss::<f64>::new(times.view(), one.view(), one.view());
    let absolute = derivative.and_then(|loss| loss.with_error_measure(ErrorMeasure::Absolute));
    let losses: [AnyLoss; 2] = [Box::new(L1Penalty::new()), Box::new(absolute.expect("a measure"))];
    for mut loss in losses {
        let error = loss.residual_layout(&model, RowSelection::All).expect_err("no squares");
        assert!(matches!(error, LossError::NoResiduals { .. }), "{error}");
    }
}

/// Slices and groups that do not fit are errors, of every loss.
#[test]
fn wrong_lengths() {
    let model = model(2);
    for mut loss in losses(2, 3) {
        let layout = loss.residual_layout(&model, RowSelection::All).expect("squares");
        let (groups, len) = (layout.num_groups(), layout.len());
        let mut values = vec![0.0; len + 1];
        let rows = ResidualRows { values: &mut values, jacobian: None };
        assert!(loss.residuals(&model, 0..groups, rows).is_err(), "{}", loss.name());
        let rows = ResidualRows { values: &mut values[..len], jacobian: None };
        assert!(loss.residuals(&model, 0..groups + 1, rows).is_err(), "{}", loss.name());
        let jacobian = Some(JacobianRows { by_theta: &mut [0.0], by_locals: &mut [] });
        let rows = ResidualRows { values: &mut values[..len], jacobian };
        assert!(loss.residuals(&model, 0..groups, rows).is_err(), "{}", loss.name());
        let one_more = vec![0.0; layout.num_locals() + 1];
        assert!(loss.set_locals(&one_more).is_err(), "{}", loss.name());
    }
}
