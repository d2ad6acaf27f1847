//! Recordings, from a file to the right constants.

use hnn_data::{Column, DataSet, Recording};
use hnn_integrators::{At, DualField, Lane, Parameters, RK4, VectorField};
use hnn_losses::{
    DerivativeLoss, JointLoss, Loss, RowSelection, TorqueLoss, TrajectoryData, TrajectoryLoss,
    Window,
};
use hnn_models::{
    Activation, Angles, Architecture, Hnn, Initialisation, InputPort, Lnn, MechanicalLagrangian,
    Mlp,
};
use hnn_testing::{measured, recording as case};
use hnn_train::{LeastSquares, Scaling};
use ndarray::{Array2, s};

fn fit() -> LeastSquares {
    LeastSquares::new(100).with_scaling(Scaling::Diagonal)
}

fn params<const P: usize>(model: &impl Parameters<f64>) -> [f64; P] {
    let mut theta = [0.0; P];
    model.copy_params(&mut theta).expect("as many");
    theta
}

/// `q'' = -sin q + u`: an HNN finds the force within 0.01 and the gain within 1 %.
#[test]
fn two_torques() {
    let reader = Recording::read(case("two_torques.csv")).trial("trial").time("t");
    let recording = reader.angle("q").momentum("p").input("u").load().expect("reads");
    let data = recording.differentiate().expect("long enough").data;
    let architecture = Architecture::new(&[2, 12, 12, 1]).expect("sizes");
    let network = Mlp::new(architecture, Initialisation::Orthogonal, 0);
    let mut model = Hnn::forced(network, InputPort::new(1).fitted()).expect("fits");
    let mut loss = DerivativeLoss::from_data(&data).expect("derivatives and inputs");
    LeastSquares::new(25).fit(&mut model, &mut loss, None, &mut ()).expect("converges");
    assert!((model.force().matrix()[[0, 0]] - 1.0).abs() < 0.01);
    let data = recording.data_set().expect("has rows");
    let mut dx = Array2::zeros((2, data.len()));
    let [x, u] = [data.states(), data.inputs()].map(hnn_integrators::coordinate_major);
    let out = dx.as_slice_mut().expect("in order");
    model.eval(At { t: data.times(), u: &u }, &x, out, &mut Default::default()).expect("evaluates");
    let right = &data.inputs().column(0) - &data.states().column(0).mapv(f64::sin);
    let worst = (&dx.row(1) - &right).iter().fold(0.0, |most: f64, e| most.max(e.abs()));
    assert!(worst < 0.01, "{worst}");
}

/// A quantised motor torque, 300 times a second: `I v' = tau - a sin q - b v - c tanh(v / w)`.
#[test]
fn motor_pendulum() {
    let path = case("motor_pendulum.csv");
    let reader = Recording::read(path).time("time").angle("position").input("torque");
    let found = reader.load().and_then(|recording| recording.differentiate()).expect("smooth");
    let mut model = DualField::with_inputs(
        [0.1, 2.0, 0.0, 0.1],
        |_t, [q, v]: [_; 2], [tau]: [_; 1], [inertia, a, b, c]| {
            let friction = b * v + c * (v * Lane::constant(50.0)).tanh();
            [v, (tau - a * q.sin() - friction) / inertia]
        },
    );
    let mut loss = TorqueLoss::from_data(&found.data).expect("a torque");
    fit().fit(&mut model, &mut loss, None, &mut ()).expect("converges");
    let errors = fit().robust_errors(&mut model, &mut loss).expect("groups");
    let constants = params::<4>(&model);

    let right = [0.142, 2.73, 0.0, 0.28];
    for ((constant, right), error) in constants.iter().zip(right).zip(&errors) {
        assert!((constant - right).abs() < 3.0 * error, "{constants:?} {errors}");
    }
    assert!((constants[1] / constants[0] - 2.73 / 0.142).abs() < 1.0, "{constants:?}");
}

/// Angles alone, with noise of a degree: `v' = -13.08 sin q - 0.09 v`.
#[test]
fn angle_alone() {
    let reader = Recording::read(case("angle_only.csv")).time("time");
    let recording = reader.angle(Column::new("angle_deg").degrees()).load().expect("reads");
    let smooth = recording.differentiate().expect("long enough").data;
    let mut states = smooth.states().to_owned();
    let angles = recording.data_set().expect("has rows");
    states.slice_mut(s![.., ..1]).assign(&angles.states());
    let data = TrajectoryData::new(smooth.times().into(), states.view(), smooth.lengths());
    let mut model =
        DualField::new([10.0, 0.0], |_t, [q, v]: [_; 2], [a, b]| [v, -a * q.sin() - b * v]);
    let mut loss = TrajectoryLoss::new(RK4, Window::Steps(50), data)
        .and_then(|loss| loss.with_fitted_starts(0.1))
        .and_then(|loss| loss.with_coordinate_weights(&[1.0, 0.0]))
        .expect("fits");
    fit().fit(&mut model, &mut loss, None, &mut ()).expect("converges");
    let errors = fit().posterior(&mut model, &mut loss, None).expect("enough").standard_errors();
    let robust = fit().robust_errors(&mut model, &mut loss).expect("10 windows");
    let [a, b] = params(&model);
    assert!((a / 13.08 - 1.0).abs() < 0.01 && (b / 0.09 - 1.0).abs() < 0.05, "{a} {b} {errors}");
    for (errors, factor) in [(&errors, 3.0), (&robust, 5.0)] {
        assert!((a - 13.08).abs() < factor * errors[0] && (b - 0.09).abs() < factor * errors[1]);
        assert!(errors[0] < 0.05 && errors[1] < 0.01, "{errors}");
    }
}

/// An angle in (-pi, pi] is as good as one that counts turns, for all losses of a periodic field.
#[test]
fn wrapped_angle() {
    let load = |column: Column| {
        let reader = Recording::read(case("wrapped_angle.csv")).time("t").angle(column);
        reader.momentum("p").load().expect("reads").data_set().expect("has rows")
    };
    let (whole, wrapped) = (load(Column::new("q")), load(Column::new("q").continuous()));
    assert!((&whole.states() - &wrapped.states()).iter().any(|turns| turns.abs() > 6.0));
    let architecture = Architecture::new(&[3, 8, 1]).expect("sizes");
    let network = Mlp::new(architecture, Initialisation::Orthogonal, 0);
    let periodic = Angles::new(network, &[true, false]).expect("three inputs");
    let model = Hnn::new(periodic).expect("even");
    let fields = DualField::new([3.0], |_t, [q, p]: [_; 2], [a]| [p + p, -a * q.sin()]);
    let whole = whole.with_derivatives_of(&fields).expect("evaluates");
    let wrapped = wrapped.with_derivatives_of(&fields).expect("evaluates");
    let values = |data: &DataSet<f64>| {
        let angles = [true, false];
        let derivative = || DerivativeLoss::from_data(data).expect("derivatives");
        let windows = |window| {
            let loss = TrajectoryLoss::new(RK4, window, data);
            loss.and_then(|loss| loss.with_angles(&angles)).expect("fits")
        };
        let fitted = windows(Window::Steps(20)).with_fitted_starts(0.1).expect("a rate");
        let joint = JointLoss::new(derivative(), 3.0, windows(Window::Steps(1)));
        let losses: [Box<dyn Loss<f64, _>>; 6] = [
            Box::new(derivative()),
            Box::new(windows(Window::Steps(1))),
            Box::new(windows(Window::Steps(7))),
            Box::new(windows(Window::Steps(30))),
            Box::new(fitted),
            Box::new(joint.expect("the same data")),
        ];
        let evaluated = losses.map(|mut loss| {
            let mut gradient = vec![0.0; Parameters::<f64>::num_params(&model)];
            let value = loss.value_and_gradient(&model, RowSelection::All, 1.0, &mut gradient);
            gradient.push(value.expect("evaluates"));
            let layout = loss.residual_layout(&model, RowSelection::All).expect("squares");
            let mut residuals = vec![0.0; layout.len()];
            let rows = hnn_losses::ResidualRows { values: &mut residuals, jacobian: None };
            loss.residuals(&model, 0..layout.num_groups(), rows).expect("evaluates");
            gradient.extend(residuals);
            gradient
        });
        evaluated.concat()
    };
    for (a, b) in values(&whole).iter().zip(values(&wrapped)) {
        assert!((a - b).abs() < 1e-9 * (1.0 + a.abs()), "{a} {b}");
    }
    let loss = TrajectoryLoss::<f64, _>::new(RK4, Window::Whole, &whole);
    assert!(loss.expect("fits").with_angles(&[true]).is_err());
}

/// The mass matrix `[a + 2 b cos q2, c + b cos q2; ., c]` and the potential of a two-joint arm.
#[test]
fn two_joint_arm() {
    let Some(path) = measured("two_joint_characters.csv") else { return };
    let reader = Recording::read(path).trial("character").time("t").angle("q1").angle("q2");
    let reader = reader.velocity("v1").velocity("v2").derivative("a1").derivative("a2");
    let reader = reader.input("tau1").input("tau2");
    let data = reader.load().and_then(|recording| recording.data_set()).expect("reads");
    let mut formula = DualField::with_inputs(
        [1.0, 0.3, 0.4, 1.0, 1.0],
        |_t, [q1, q2, v1, v2]: [_; 4], [u1, u2]: [_; 2], [a, b, c, g1, g2]| {
            let (m11, m12, h) = (a + b * q2.cos() + b * q2.cos(), c + b * q2.cos(), b * q2.sin());
            let weight = g2 * (q1 + q2).cos();
            let r1 = u1 + h * v2 * (v1 + v1 + v2) - g1 * q1.cos() - weight;
            let r2 = u2 - h * v1 * v1 - weight;
            let det = m11 * c - m12 * m12;
            [v1, v2, (c * r1 - m12 * r2) / det, (m11 * r2 - m12 * r1) / det]
        },
    );
    let mut loss = TorqueLoss::from_data(&data).expect("a torque a joint");
    fit().fit(&mut formula, &mut loss, None, &mut ()).expect("converges");
    let right = [1.372729, 0.5, 0.517615, 2.625, 1.5];
    for (found, right) in params::<5>(&formula).iter().zip(right) {
        assert!((found / right - 1.0).abs() < 1e-6, "{found} {right}");
    }

    for activation in [Activation::Tanh, Activation::Softplus] {
        let network = |outputs, seed| {
            let architecture = Architecture::new(&[2, 12, outputs]).expect("sizes");
            Mlp::new(architecture.with_activation(activation), Initialisation::Orthogonal, seed)
        };
        let lagrangian = MechanicalLagrangian::new(network(3, 1), network(1, 2)).expect("fits");
        let mut model = Lnn::forced(lagrangian, InputPort::new(2)).expect("two joints");
        // Fewer rows: the test is to be quick.
        let mut loss = TorqueLoss::from_data(&thinned(&data, 4)).expect("a torque a joint");
        let steps = LeastSquares::new(100);
        steps.fit(&mut model, &mut loss, None, &mut ()).expect("converges");
        // At rest and without torques the joints fall: `M dv/dt = -dV/dq`.
        let mut states = data.states().to_owned();
        states.slice_mut(s![.., 2..]).fill(0.0);
        let x = hnn_integrators::coordinate_major(states.view());
        let (u, mut fall) = (vec![0.0; 2 * data.len()], vec![0.0; x.len()]);
        let at = At { t: data.times(), u: &u };
        model.eval(at, &x, &mut fall, &mut Default::default()).expect("evaluates");
        let fall = hnn_integrators::rows(&fall, data.len(), 4);
        let masses = model.mass_matrices(states.view()).expect("evaluates");
        for ((x, m), fall) in states.rows().into_iter().zip(masses.outer_iter()).zip(fall.rows()) {
            let (c, both) = (x[1].cos(), 1.5 * (x[0] + x[1]).cos());
            let right = [1.372729 + c, 0.517615 + 0.5 * c, 0.517615];
            for (m, right) in [m[[0, 0]], m[[0, 1]], m[[1, 1]]].iter().zip(right) {
                assert!(
                    (m - right).abs() < 0.01 * right.abs().max(0.5),
                    "{activation:?}: {m} {right}"
                );
            }
            let slopes = -m.dot(&fall.slice(s![2..]));
            for (slope, right) in slopes.iter().zip([2.625 * x[0].cos() + both, both]) {
                assert!((slope - right).abs() < 0.01 * 4.125, "{activation:?}: {slope} {right}");
            }
        }
    }
}

/// Every so many rows, as trajectories of one point.
fn thinned(data: &DataSet<f64>, stride: usize) -> DataSet<f64> {
    let one = |row: usize| {
        let rows = |array: ndarray::ArrayView2<'_, f64>| array.slice(s![row..=row, ..]).to_owned();
        let times = vec![data.times()[row]];
        let states =
            hnn_data::Trajectory::new(times, rows(data.states()), rows(data.derivatives()));
        hnn_data::Trajectory { inputs: rows(data.inputs()), ..states }
    };
    DataSet::new((0..data.len()).step_by(stride).map(one)).expect("rows")
}
