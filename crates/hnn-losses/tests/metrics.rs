//! Metrics of fields and rollouts.
#![allow(missing_docs)]

use hnn_integrators::{FieldError, FnField};
use hnn_losses::LossError;
use hnn_losses::metrics::{
    coordinate_mse, derivative_mse, energy_drift, energy_mse, squared_errors, valid_prediction_time,
};
use ndarray::{Array1, Array2, Array3, ArrayView2, Axis, array};

/// `H = q^2 + p^2`.
fn spring(x: ArrayView2<'_, f64>) -> Result<Array1<f64>, FieldError> {
    match x.ncols() {
        2 => Ok(x.mapv(|x| x * x).sum_axis(Axis(1))),
        given => Err(FieldError::Dimension { given, expected: 2 }),
    }
}

/// Each row is compared at its own time.
#[test]
fn a_driven_field_has_no_error_against_itself() {
    let driven = FnField::new(2, |t: f64, x: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = t.cos() - x[0];
    });
    let times = array![0.0, 1.0, 3.0];
    let x = array![[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]];
    let slope = |(row, i): (usize, usize)| match i {
        0 => x[[row, 1]],
        _ => f64::cos(times[row]) - x[[row, 0]],
    };
    let mut dx = Array2::from_shape_fn((3, 2), slope);
    let mse = |dx: &Array2<f64>| derivative_mse(&driven, times.view(), x.view(), dx.view());
    assert_eq!(mse(&dx).expect("fits").mean, 0.0);
    dx[[2, 1]] += 0.6;
    assert!((mse(&dx).expect("fits").mean - 0.06).abs() < 1e-15);
    let short = derivative_mse(&driven, array![0.0].view(), x.view(), dx.view());
    assert!(matches!(short, Err(LossError::Shape { .. })));
}

#[test]
fn valid_time_is_the_first_passing() {
    let times = [2.0, 2.5, 3.0, 3.5];
    let truth = Array3::<f64>::zeros((4, 4, 4));
    let mut model = truth.clone();
    // Both positions count, momenta do not; coming back does not help.
    model[[0, 1, 0]] = 0.08;
    model[[0, 1, 1]] = 0.08;
    model[[1, 3, 1]] = -0.2;
    model[[2, 1, 2]] = 5.0;
    model[[3, 2, 3]] = f64::NAN;
    model[[3, 2, 0]] = f64::NAN;
    let valid = valid_prediction_time(&times, model.view(), truth.view(), 0.1).expect("valid");
    assert_eq!(valid.times, [0.5, 1.5, 1.5, 1.0]);
    assert_eq!(valid.never, 1);
    assert!((valid.spread.mean - 4.5 / 4.0).abs() < 1e-15);
}

#[test]
fn drift_of_known_energies() {
    // H = q^2 + p^2; q^2 grows by 0.1 a time unit in one rollout, alternates in the other.
    let times = [0.0, 1.0, 2.0, 3.0, 4.0];
    let growing = [1.0_f64, 1.1, 1.2, 1.3, 1.4];
    let alternating = [1.0_f64, 1.2, 1.0, 1.2, 1.0];
    let rollouts = Array3::from_shape_fn((2, 5, 2), |(m, k, i)| match (m, i) {
        (0, 0) => growing[k].sqrt(),
        (1, 0) => alternating[k].sqrt(),
        _ => 0.0,
    });
    let drift = energy_drift(spring, &times, rollouts.view()).expect("drift");
    let half_sum = |a: f64, b: f64| 0.5 * (a + b);
    assert!((drift.rate.mean - half_sum(0.1, 0.0)).abs() < 1e-14);
    assert!((drift.max.mean - half_sum(0.4, 0.2)).abs() < 1e-14);
    assert!((drift.end.mean - half_sum(0.4, 0.0)).abs() < 1e-14);
    let rms = half_sum((0.30_f64 / 5.0).sqrt(), (0.08_f64 / 5.0).sqrt());
    assert!((drift.rms.mean - rms).abs() < 1e-14);
    assert_eq!(drift.rate.n, 2);
}

#[test]
fn bad_input() {
    let x = Array3::<f64>::zeros((1, 3, 2));
    let valid = |times: &[f64], threshold| {
        valid_prediction_time(times, x.view(), x.view(), threshold).expect_err("bad").to_string()
    };
    assert!(valid(&[0.0, 1.0], 0.1).contains("times has shape [2]"));
    assert!(valid(&[0.0, 1.0, 2.0], f64::NAN).contains("threshold"));
    assert!(valid(&[0.0, 1.0, 2.0], -1.0).contains("threshold"));
    let other = Array3::<f64>::zeros((2, 3, 2));
    let times = [0.0, 1.0, 2.0];
    assert!(valid_prediction_time(&times, other.view(), x.view(), 0.1).is_err());
    let none = Array3::<f64>::zeros((0, 3, 2));
    assert!(energy_drift(spring, &times, none.view()).is_err());
    let one = Array3::from_elem((1, 1, 2), 0.5);
    assert!(energy_drift(spring, &[0.0], one.view()).is_err());
    let wide = array![[[0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]];
    assert!(energy_drift(spring, &times, wide.view()).is_err());
    for times in [[0.0, 1.0, 1.0], [2.0, 2.0, 2.0], [0.0, f64::NAN, 1.0], [2.0, 1.0, 0.0]] {
        assert!(matches!(
            energy_drift(spring, &times, x.view()),
            Err(LossError::TimeOrder { .. } | LossError::NonFinite { .. })
        ));
        assert!(valid_prediction_time(&times, x.view(), x.view(), 0.1).is_err());
    }
    // An energy of another number of states.
    let one = |_: ArrayView2<'_, f64>| Ok(array![1.0]);
    assert!(matches!(energy_mse(one, x.view(), x.view()), Err(LossError::Shape { .. })));
}

#[test]
fn rollout_metrics() {
    // Two trajectories of three states; the second one is off by 0.1 in q throughout.
    let truth = Array3::from_shape_fn((2, 3, 2), |(m, t, i)| (m + 2 * t + i) as f64 / 10.0);
    let mut model = truth.clone();
    model.slice_mut(ndarray::s![1, .., 0]).mapv_inplace(|q| q + 0.1);
    let mse = coordinate_mse(model.view(), truth.view()).expect("fits");
    assert!((mse.mean - 0.0025).abs() < 1e-15 && mse.n == 2);
    let errors: Vec<f64> =
        truth.slice(ndarray::s![1, .., 0]).iter().map(|q| (0.2 * q + 0.01).powi(2)).collect();
    let expected = errors.iter().sum::<f64>() / 6.0;
    let mse = energy_mse(spring, model.view(), truth.view()).expect("fits");
    assert!((mse.mean / expected - 1.0).abs() < 1e-12);
    let short = truth.slice(ndarray::s![.., ..2, ..]);
    assert!(coordinate_mse(short, truth.view()).is_err());
}

#[test]
fn one_rollout_is_several_of_one() {
    let truth = Array3::from_shape_fn((1, 3, 2), |(_, t, i)| (2 * t + i) as f64 / 10.0);
    let model = &truth * 1.5;
    let [one, only] = [model.index_axis(Axis(0), 0), truth.index_axis(Axis(0), 0)];
    assert_eq!(coordinate_mse(one, only), coordinate_mse(model.view(), truth.view()));
    assert_eq!(energy_mse(spring, one, only), energy_mse(spring, model.view(), truth.view()));
    assert_eq!(squared_errors(one, only), squared_errors(model.view(), truth.view()));
    let times = [0.0, 1.0, 2.0];
    let several = valid_prediction_time(&times, model.view(), truth.view(), 0.1);
    assert_eq!(valid_prediction_time(&times, one, only, 0.1), several);
    let drift = energy_drift(spring, &times, one);
    assert_eq!(drift, energy_drift(spring, &times, model.view()));
    // A state, and rollouts of rollouts, are neither.
    let [state, beyond] = [one.row(0).into_dyn(), model.view().insert_axis(Axis(0)).into_dyn()];
    for states in [state, beyond] {
        let error = coordinate_mse(states.clone(), states).expect_err("neither");
        assert!(error.to_string().contains("(T, D)"), "{error}");
    }
}
