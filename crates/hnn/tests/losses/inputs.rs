//! Losses of rows with inputs are those of a field that knows its inputs.

use hnn_data::{DataSet, Trajectory};
use hnn_integrators::{
    At, Between, DifferentiableField, DualField, FnField, GAUSS_LEGENDRE4, Lane, RK4, Tolerances,
    VectorField,
};
use hnn_losses::metrics::{coordinate_mse_of, derivative_mse_of};
use hnn_losses::{
    DerivativeLoss, JacobianRows, JointLoss, Loss, ResidualRows, RowSelection, TorqueLoss,
    TrajectoryLoss, Window,
};
use hnn_models::{
    ExternalForce, FrictionForce, Harmonics, InputPort, Lnn, MechanicalLagrangian, StatePort, Sum,
};
use ndarray::{Array2, array};

use crate::common::{params, wave};

/// Two trajectories with times of their own and an input that rises in a straight line,
/// `u = 0.4 - 0.3 t`.
fn data() -> DataSet<f64> {
    let one = |phase: f64, dt: f64, len: usize| {
        let times = Vec::from_iter((0..len).map(|k| dt * k as f64));
        let table = |phase| {
            wave(3, phase, 2 * len).into_shape_with_order((len, 2)).expect("two numbers a row")
        };
        let inputs = Array2::from_shape_fn((len, 1), |(row, _)| 0.4 - 0.3 * times[row]);
        Trajectory { inputs, ..Trajectory::new(times, table(phase), table(phase + 0.6)) }
    };
    DataSet::new([one(0.2, 0.1, 9), one(1.3, 0.15, 6)]).expect("two trajectories")
}

#[test]
fn all_losses_with_a_known_input() {
    let data = data();
    let known = DualField::new([1.2, 0.3, 0.9], |t, [q, p]: [_; 2], [a, c, gain]| {
        let minus_u = t * Lane::constant(0.3) - Lane::constant(0.4);
        [p, -a * q.sin() - c * p - gain * minus_u]
    });
    let driven =
        DualField::with_inputs([1.2, 0.3, 0.9], |_t, [q, p]: [_; 2], [u]: [_; 1], [a, c, gain]| {
            [p, -a * q.sin() - c * p + gain * u]
        });
    let deaf = data.clone().with_inputs(Array2::zeros((15, 0))).expect("as many rows");
    // The same losses of both, as closures are of different types.
    macro_rules! gradients {
        ($field:expr, $data:expr) => {{
            let derivative = || DerivativeLoss::from_data(&$data).expect("fits");
            let windows = |w| TrajectoryLoss::new(RK4, w, &$data).expect("fits");
            let implicit = TrajectoryLoss::new(GAUSS_LEGENDRE4, Window::Whole, &$data);
            let slopes = windows(Window::Steps(4)).with_derivatives(0.3, $data.derivatives());
            let joint = |alpha, w| JointLoss::new(derivative(), alpha, windows(w)).expect("same");
            let losses: [Box<dyn Loss<f64, _>>; 7] = [
                Box::new(derivative()),
                Box::new(windows(Window::Steps(1))),
                Box::new(windows(Window::Whole).with_segments(3)),
                Box::new(slopes.and_then(|l| l.with_fitted_starts(0.1)).expect("fits")),
                Box::new(implicit.expect("fits")),
                Box::new(joint(10.0, Window::Steps(1))),
                Box::new(joint(2.0, Window::Steps(3))),
            ];
            let rows = [RowSelection::All, RowSelection::Rows(&[0, 3, 4, 9, 12, 3])];
            let numbers = losses.into_iter().flat_map(|mut loss| {
                let of = |selection| {
                    let mut gradient = [0.0; 3];
                    let value = loss.value(&$field, selection).expect("evaluates");
                    let same = loss.value_and_gradient(&$field, selection, 1.0, &mut gradient);
                    [value, same.expect("evaluates"), gradient[0], gradient[1], gradient[2]]
                };
                rows.map(of)
            });
            numbers.collect::<Vec<_>>()
        }};
    }
    for (loss, (a, b)) in gradients!(known, deaf).iter().zip(gradients!(driven, data)).enumerate() {
        for (a, b) in a.iter().zip(b) {
            assert!((a - b).abs() <= 1e-12 * (1.0 + a.abs()), "loss {loss}: {a} {b}");
        }
    }
}

/// Gradients and rows of the torque loss of LNNs with friction, a force of the clock and coupled
/// gains, constant or of the state, against differences; and what it refuses.
#[test]
fn torques() {
    let network = |sizes: &[usize], seed| crate::common::network(sizes, seed);
    let lagrangian = || {
        let mechanical = MechanicalLagrangian::new(network(&[2, 4, 3], 1), network(&[2, 4, 1], 2));
        mechanical.expect("fits")
    };
    let friction = || FrictionForce::new(network(&[4, 3, 2], 3));
    let table = |phase, columns| {
        wave(5, phase, 7 * columns).into_shape_with_order((7, columns)).expect("rows")
    };
    let times = (0..7).map(|k| 0.1 * f64::from(k)).collect();
    let motion = Trajectory::new(times, table(0.3, 4), table(0.8, 4));
    let data = DataSet::new([Trajectory { inputs: table(1.7, 2), ..motion }]).expect("one");
    let port = InputPort::with_matrix(array![[1.0, 0.3], [-0.2, 0.7]]).expect("finite").fitted();
    torques_of(&mut Lnn::forced(lagrangian(), Sum(friction(), port)).expect("fits"), &data);
    let port = StatePort::new(network(&[4, 3, 4], 7), 2).expect("fits");
    let window = Harmonics::window(0.0, 1.0, 2).expect("a window");
    let clock = ExternalForce::on_momenta(2, window).expect("small");
    let force = Sum(Sum(friction(), clock), port);
    torques_of(&mut Lnn::forced(lagrangian(), force).expect("fits"), &data);
    let narrow = data.clone().with_inputs(table(0.1, 1)).expect("as many rows");
    assert!(TorqueLoss::<f64>::from_data(&narrow).is_err());
    let own = TorqueLoss::from_data(&self::data()).expect("one input");
    let squared =
        DualField::with_inputs([1.0], |_t, [_q, v]: [_; 2], [u]: [_; 1], [a]| [v, a * u * u]);
    let error = { own }.value(&squared, RowSelection::All).expect_err("not affine").to_string();
    assert!(error.contains("not affine"), "{error}");
    let own = TorqueLoss::from_data(&self::data()).expect("one input");
    let still = DualField::with_inputs([0.0], |_t, [_q, v]: [_; 2], [u]: [_; 1], [a]| [v, a * u]);
    let error = { own }.value(&still, RowSelection::All).expect_err("does not move").to_string();
    assert!(error.contains("do not move the field"), "{error}");
}

/// The torque loss of one model, its gradient and its rows, against differences.
fn torques_of<F: DifferentiableField<f64> + 'static>(model: &mut F, data: &DataSet<f64>) {
    for weights in [[2.0, 0.5], [0.0, 1.0]] {
        let loss = TorqueLoss::from_data(data).and_then(|loss| loss.with_input_weights(&weights));
        let mut loss = loss.expect("two inputs");
        let theta = params(&*model);
        let selection = RowSelection::Rows(&[1, 2, 4, 6]);
        let mut gradient = vec![0.0; theta.len()];
        let value = loss.value_and_gradient(&*model, selection, 1.0, &mut gradient);
        let value = value.expect("evaluates");
        let layout = loss.residual_layout(&*model, selection).expect("squares");
        let mut residuals = vec![0.0; layout.len()];
        let mut by_theta = vec![0.0; layout.len() * theta.len()];
        let jacobian = JacobianRows { by_theta: &mut by_theta, by_locals: &mut [] };
        let rows = ResidualRows { values: &mut residuals, jacobian: Some(jacobian) };
        loss.residuals(&*model, 0..layout.num_groups(), rows).expect("evaluates");
        let square = residuals.iter().map(|r| r * r).sum::<f64>();
        assert!((value - square).abs() < 1e-12 * value, "{value} {square}");
        let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-6 * (1.0 + a.abs()), "{a} {b}");
        for (parameter, exact) in gradient.iter().enumerate() {
            let column = by_theta.iter().skip(parameter).step_by(theta.len());
            close(*exact, 2.0 * column.zip(&residuals).map(|(j, r)| j * r).sum::<f64>());
            let mut moved = |h: f64| {
                let mut moved = theta.clone();
                moved[parameter] += h;
                model.set_params(&moved).expect("as many");
                loss.value(&*model, selection).expect("evaluates")
            };
            let difference = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            model.set_params(&theta).expect("as many");
            close(*exact, difference);
        }
    }
}

#[test]
fn metrics_and_rollouts() {
    let field = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = u[0] - x[0];
    });
    let exact = data().with_derivatives_of(&field).expect("fits");
    assert_eq!(derivative_mse_of(&field, &exact).expect("fits").mean, 0.0);
    let run = exact.rollout_of(&field, Between::Linear, Tolerances::both(1e-12)).expect("solved");
    assert_eq!((run.times(), run.inputs()), (exact.times(), exact.inputs()));
    // x = (q0 - u0) cos t + (p0 - du/dt) sin t + u.
    for one in run.iter() {
        let (q, p) = (one.states[[0, 0]], one.states[[0, 1]]);
        for (t, x) in one.times.iter().zip(one.states.rows()) {
            let right = (q - 0.4) * t.cos() + (p + 0.3) * t.sin() + 0.4 - 0.3 * t;
            assert!((x[0] - right).abs() < 1e-10, "{t} {x}");
        }
    }
    assert_eq!(coordinate_mse_of(&run, &run).expect("the same").mean, 0.0);
    assert!(coordinate_mse_of(&run, &exact.select(&[0]).expect("one")).is_err());
}

#[test]
fn rows_and_fields_that_do_not_fit() {
    let data = data();
    let deaf = data.clone().with_inputs(Array2::zeros((15, 0))).expect("as many rows");
    let wide = data.clone().with_inputs(Array2::zeros((15, 2))).expect("as many rows");
    let with = DualField::with_inputs([1.0], |_t, [q, p]: [_; 2], [u]: [_; 1], [a]| [p, u - a * q]);
    let without = DualField::new([1.0], |_t, [q, p]: [_; 2], [a]| [p, -a * q]);
    let refused = |result: Result<f64, hnn_losses::LossError>, message: &str| {
        let error = result.expect_err("does not fit").to_string();
        assert!(error.contains(message), "{error}");
    };
    macro_rules! check {
        ($field:expr, $data:expr, $message:expr) => {
            let mut loss = DerivativeLoss::from_data(&$data).expect("fits");
            refused(loss.value(&$field, RowSelection::All), $message);
            assert!(loss.residual_layout(&$field, RowSelection::All).is_err());
            let mut loss = TrajectoryLoss::new(RK4, Window::Whole, &$data).expect("fits");
            refused(loss.value(&$field, RowSelection::All), $message);
            assert!(loss.residual_layout(&$field, RowSelection::All).is_err());
            refused(derivative_mse_of(&$field, &$data).map(|s| s.mean), $message);
            assert!($data.rollout_of(&$field, Between::Held, Tolerances::default()).is_err());
            assert!($data.clone().with_derivatives_of(&$field).is_err());
        };
    }
    check!(with, deaf, "the data have 0 inputs a row, but the field has 1: give the inputs");
    check!(with, wide, "the data have 2 inputs a row, but the field has 1: give one column");
    check!(without, data, "the data have 1 inputs a row, but the field has 0: take a model");
    let u = Array2::zeros((14, 1));
    assert!(data.clone().with_inputs(u.clone()).is_err());
    let nan = Array2::from_elem((15, 1), f64::NAN);
    assert!(data.clone().with_inputs(nan.clone()).is_err());
    for u in [u, nan] {
        let loss = DerivativeLoss::<f64>::from_data(&deaf).expect("fits").with_inputs(u.view());
        assert!(loss.is_err());
    }
    let other = TrajectoryLoss::<f64, _>::new(RK4, Window::Whole, &deaf).expect("fits");
    let joint = JointLoss::new(DerivativeLoss::from_data(&data).expect("fits"), 1.0, other);
    let error = joint.map(|_| ()).expect_err("other inputs").to_string();
    assert!(error.contains("different inputs"), "{error}");
    let unknown = data.rollout_of(&with, Between::Held, Tolerances::default()).expect("solved");
    assert!(DerivativeLoss::<f64>::from_data(&unknown).is_err());
    for sigma in [0.0, -1.0, f64::NAN, f64::INFINITY, 1e-200] {
        let sigma = Array2::from_elem((15, 2), sigma);
        let loss = DerivativeLoss::<f64>::from_data(&data).expect("fits");
        assert!(loss.with_standard_errors(sigma.view()).is_err());
    }
    let at = At { t: &[0.0], u: &[] };
    assert!(with.eval(at, &[0.0; 2], &mut [0.0; 2], &mut Default::default()).is_err());
}
