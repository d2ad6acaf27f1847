//! Training does not depend on the units of the data.

use hnn_data::{DataSet, Trajectory};
use hnn_integrators::{DualField, Lane, RK4, VectorField};
use hnn_losses::{
    DerivativeLoss, ErrorMeasure, Loss, RowSelection, TorqueLoss, TotalLoss, TrajectoryData,
    TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp, Scales};
use hnn_systems::{Pendulum, Sampling};
use hnn_train::{LeastSquares, Schedule, Trainer};
use ndarray::{Array1, Array2, ArrayView2, Axis, array};

/// The README's network on the README's pendulum, with p times `10^k` and t times `10^m`: the
/// relative errors of dq/dt and dp/dt on data that it has not seen.
fn relative_errors(k: i32, m: i32) -> [f64; 2] {
    let sampling = Sampling { trajectories: 10, points: 16, ..Sampling::pendulum() };
    let data = sampling.sample(&Pendulum::default(), 0).expect("samples");
    let (train, test) = data.split_at(8).expect("splits");
    let (p, t) = (10_f64.powi(k), 10_f64.powi(m));
    let states = |x: ArrayView2<'_, f64>| &x * &ndarray::arr1(&[1.0, p]);
    let slopes = |dx: ArrayView2<'_, f64>| &dx * &ndarray::arr1(&[1.0 / t, p / t]);

    let (x, dx) = (states(train.states()), slopes(train.derivatives()));
    let times: Array1<f64> = train.times().iter().map(|now| now * t).collect();
    let scales = Scales::new(x.view(), dx.view()).expect("sizes");
    let mut loss = DerivativeLoss::new(times.view(), x.view(), dx.view())
        .and_then(|loss| loss.with_coordinate_weights(&scales.derivative_weights()))
        .expect("fits");
    let architecture = Architecture::new(&[2, 20, 1]).expect("sizes");
    let network = Mlp::new(architecture, Initialisation::Orthogonal, 0);
    let mut model = Hnn::new(scales.energy(network).expect("fits")).expect("even");
    Trainer::new(200)
        .with_schedule(Schedule::Cosine { from: 3e-2, to: 0.0 })
        .fit(&mut model, &mut loss, None, &mut ())
        .expect("trains");

    let (x, truth) = (states(test.states()), slopes(test.derivatives()));
    let slope = |row: ndarray::ArrayView1<'_, f64>| model.eval_state(0.0, &row.to_vec());
    let rows = x.rows().into_iter().flat_map(|row| slope(row).expect("evaluates")).collect();
    let found = Array2::from_shape_vec(truth.dim(), rows).expect("as many");
    let size = |dx: &Array2<f64>, i| dx.index_axis(Axis(1), i).mapv(|dx| dx * dx).sum().sqrt();
    [0, 1].map(|i| size(&(&found - &truth), i) / size(&truth, i))
}

#[test]
fn the_readmes_network_learns_in_any_units() {
    let first = relative_errors(0, 0);
    assert!(first.iter().all(|error| *error < 0.2), "{first:?}");
    let exponents = [-12, -6, -3, 3, 6, 12];
    for (k, m) in exponents.iter().flat_map(|k| exponents.map(|m| (*k, m))) {
        let errors = relative_errors(k, m);
        let is_near = errors.iter().zip(first).all(|(error, first)| *error <= 1.2 * first);
        assert!(is_near, "p times 1e{k}, t times 1e{m}: {errors:?}, in the first units {first:?}");
    }
}

/// Without scales the same network cannot say that p is small, and the record says so.
#[test]
fn a_fit_worse_than_a_constant_says_so() {
    let data = Sampling { trajectories: 4, points: 16, ..Sampling::pendulum() };
    let data = data.sample(&Pendulum::default(), 0).expect("samples");
    let record = |unit: f64, steps| {
        let [x, dx] = [data.states(), data.derivatives()].map(|x| &x * &array![1.0, unit]);
        let architecture = Architecture::new(&[2, 20, 1]).expect("sizes");
        let network = Mlp::new(architecture, Initialisation::Orthogonal, 0);
        let mut model = Hnn::new(network).expect("even");
        let mut loss = DerivativeLoss::new(data.times().into(), x.view(), dx.view()).expect("fits");
        let trained = Trainer::new(steps).with_schedule(Schedule::Constant(1e-2)).fit(
            &mut model,
            &mut loss,
            None,
            &mut (),
        );
        trained.expect("trains")
    };
    assert_eq!(record(1.0, 100).warnings, [""; 0]);
    let record = record(1e-6, 1);
    assert!(
        record.to_string().starts_with("warning: the model explains less than a constant"),
        "{record}"
    );
    assert_eq!(record.warnings.len(), 1);
}

/// A loss in units of standard errors is near 1, or the record says that something is missed.
#[test]
fn errors_far_above_the_noise_are_named() {
    let (t, x) = (array![0.0, 0.0, 0.0, 0.0], array![[-1.0], [-0.5], [0.5], [1.0]]);
    // What the model cannot say: the square.
    let dx = x.mapv(|x: f64| 3.0 * x + 0.1 * (x * x - 0.625));
    let warnings = |sigma: f64| {
        let sigma = Array2::from_elem((4, 1), sigma);
        let loss = DerivativeLoss::new(t.view(), x.view(), dx.view())
            .and_then(|loss| loss.with_standard_errors(sigma.view()))
            .expect("fits");
        let mut model = DualField::new([0.0], |_t, [x]: [_; 1], [k]| [k * x]);
        let mut sum = TotalLoss::new(loss);
        let record = LeastSquares::new(20).fit(&mut model, &mut sum, None, &mut ());
        record.expect("fits").warnings
    };
    assert_eq!(warnings(0.0375), [""; 0]);
    let [warning] = &warnings(0.00375)[..] else { panic!("one warning") };
    assert_eq!(
        warning,
        "by the standard errors of its data a derivative loss of 1.0 is to be expected, and it is 1.000e2: \
         the model misses something, it is not yet trained, or the errors are 10 times larger than was said"
    );
}

/// Huber's threshold is in units of the weighted errors: the same outliers in all units.
#[test]
fn outliers_are_alike_in_any_units() {
    let value = |p: f64| {
        let field = DualField::new([0.0], |_t, [_q, _p]: [_; 2], [k]| [k, k]);
        let unit = array![1.0, p];
        let (x, dx) =
            (array![[0.0, 0.0], [1.0, 1.0]] * &unit, array![[0.5, 3.0], [2.0, -0.1]] * &unit);
        let mut loss = DerivativeLoss::new(array![0.0, 1.0].view(), x.view(), dx.view())
            .and_then(|loss| loss.with_coordinate_weights(&[1.0, p.powi(-2)]))
            .and_then(|loss| loss.with_error_measure(ErrorMeasure::Huber { threshold: 1.0 }))
            .expect("fits");
        loss.value(&field, RowSelection::All).expect("evaluates")
    };
    // Two errors below the threshold of 1, two beyond it.
    let expected = (0.25 + 0.01 + 5.0 + 3.0) / 4.0;
    for unit in [1e-9, 1.0, 1e7] {
        assert!((value(unit) - expected).abs() < 1e-12, "{unit}: {}", value(unit));
    }
}

/// Starts are fitted in units of the weights, by gradients and by least squares.
#[test]
fn fitted_starts_are_found_alike_in_any_units() {
    let found = |p: f64| {
        let mut field = DualField::new([1.3], move |_t, [q, v]: [_; 2], [k]| {
            let [unit, inverse] = [p, 1.0 / p].map(Lane::constant);
            [v * inverse, -k * q * unit]
        });
        let states = array![[1.0, 0.2], [0.8, -0.3], [0.9, -0.7], [0.2, -1.0]] * array![1.0, p];
        let times = array![0.0, 0.4, 0.8, 1.2];
        let data = TrajectoryData::new(times.view(), states.view(), &[4]);
        let mut loss = TrajectoryLoss::new(RK4, Window::Whole, data)
            .and_then(|loss| loss.with_coordinate_weights(&[1.0, p.powi(-2)]))
            .and_then(|loss| loss.with_fitted_starts(0.5))
            .expect("fits");
        loss.value_and_gradient(&field, RowSelection::All, 1.0, &mut [0.0]).expect("evaluates");
        Loss::<f64, hnn_systems::Spring>::begin_step(&mut loss, 1, 2).expect("moves");
        let start = |loss: &TrajectoryLoss<_, _>| {
            let start = loss.fitted_starts().expect("fitted").row(0).to_owned();
            [start[0], start[1] / p]
        };
        let moved = start(&loss);
        let record = LeastSquares::new(6).fit(&mut field, &mut loss, None, &mut ()).expect("fits");
        let losses = record.steps.iter().map(|step| step.loss);
        losses.chain(moved).chain(start(&loss)).collect::<Vec<f64>>()
    };
    let first = found(1.0);
    for unit in [1e-9, 1e7] {
        for (now, first) in found(unit).iter().zip(&first) {
            assert!((now - first).abs() < 1e-6 * first.abs(), "{unit}: {now}, {first}");
        }
    }
}

/// What a constant has: states that stay where their window begins, and the mean torque.
#[test]
fn a_constant_has_a_value_in_every_loss() {
    type Model = Hnn<Mlp<f64>>;
    let (times, states) = (array![0.0, 1.0, 2.0], array![[1.0], [2.0], [4.0]]);
    let data = TrajectoryData::new(times.view(), states.view(), &[3]);
    let window = TrajectoryLoss::new(RK4, Window::Steps(2), data).expect("a loss");
    let values = Loss::<f64, Model>::constant_values(&window);
    assert_eq!(values, [("window".to_owned(), (1.0 + 9.0) / 2.0)]);
    let motion = Trajectory {
        times: vec![0.0, 1.0],
        states: array![[0.0, 1.0], [1.0, 1.0]],
        derivatives: array![[1.0, 0.0], [1.0, 0.0]],
        inputs: array![[2.0], [5.0]],
    };
    let data = DataSet::new([motion]).expect("data");
    let torque = TorqueLoss::from_data(&data).expect("a loss");
    let values = Loss::<f64, Model>::constant_values(&torque);
    assert_eq!(values, [("torque".to_owned(), 1.5 * 1.5)]);
}
