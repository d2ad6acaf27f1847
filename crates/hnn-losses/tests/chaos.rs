//! Valid prediction time and energy drift.

use hnn_losses::metrics::{energy_drift, valid_prediction_time};
use hnn_systems::Spring;
use ndarray::{Array3, array};

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
    let drift = energy_drift(&Spring::default(), &times, rollouts.view()).expect("drift");
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
    assert!(energy_drift(&Spring::default(), &times, none.view()).is_err());
    let one = Array3::from_elem((1, 1, 2), 0.5);
    assert!(energy_drift(&Spring::default(), &[0.0], one.view()).is_err());
    let wide = array![[[0.0, 1.0, 2.0], [0.0, 1.0, 2.0], [0.0, 1.0, 2.0]]];
    assert!(energy_drift(&Spring::default(), &times, wide.view()).is_err());
}
