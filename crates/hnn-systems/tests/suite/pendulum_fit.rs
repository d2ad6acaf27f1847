//! The pendulum fitted to measured rows.

use std::path::{Path, PathBuf};

use hnn_data::{DataSet, DerivativeScheme, Recording, Trajectory};
use hnn_integrators::{Tolerances, VectorField, solve};
use hnn_systems::PendulumFit;
use hnn_testing::measured;
use ndarray::{Array2, ArrayView1};

use crate::common::Plain;

fn synthetic() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/synthetic_pendulum.txt")
}

fn read(path: PathBuf) -> Recording {
    let reader = Recording::read(path).trial(0).time(1).angle(2).velocity(3);
    reader.load().expect("readable")
}

fn fit(rows: &Recording, scheme: DerivativeScheme) -> PendulumFit {
    let data = rows.differences(scheme).expect("segments");
    PendulumFit::least_squares(&data).expect("determined")
}

/// Mean squared error of `2.4 (1 - cos q) + p^2` in one rollout from the first row.
fn energy_mse(model: &PendulumFit, rows: &Recording) -> f64 {
    let data = rows.data_set().expect("valid");
    let x = data.states();
    let run =
        solve(&Plain(model), x.row(0), data.times(), Tolerances::both(1e-12)).expect("solved");
    let energy = |x: ArrayView1<'_, f64>| 2.4 * (1.0 - x[0].cos()) + x[1] * x[1];
    let pairs = run.states.outer_iter().zip(x.outer_iter());
    pairs.map(|(a, b)| (energy(a) - energy(b)).powi(2)).sum::<f64>() / rows.len() as f64
}

#[test]
fn fit_of_the_synthetic_pendulum() {
    let rows = read(synthetic());
    assert_eq!(rows.len(), 234);
    assert_eq!(rows.num_pieces(), 7);
    for scheme in [DerivativeScheme::Midpoint, DerivativeScheme::Central] {
        let fit = fit(&rows, scheme);
        // Second order in dt: a^2 dt^2 / 12 = 0.004 too large at midpoints, twice as much too small
        // for central differences.
        assert!((fit.a() - 1.295).abs() < 9e-3, "{scheme:?}: a = {}", fit.a());
        assert!((fit.c() - 0.0095).abs() < 1e-3, "{scheme:?}: c = {}", fit.c());
    }
    // The artificial damping of forward differences: about a dt / 2 = 0.108 for small swings.
    let biased = fit(&rows, DerivativeScheme::Forward);
    assert!((0.09..0.12).contains(&biased.c()), "forward: c = {}", biased.c());
    let good = fit(&rows, DerivativeScheme::Midpoint);
    let ratio = energy_mse(&biased, &rows) / energy_mse(&good, &rows);
    assert!(ratio > 100.0, "{ratio}");
}

/// Published figures of the pendulum of Schmidt and Lipson: midpoint a = 1.295, c = 0.0095,
/// forward c = 0.103, from the first 80 % of the rows; energy MSE on the rest 7.4e-4 and 0.18.
#[test]
fn fit_of_the_measured_pendulum() {
    let Some(path) = measured("real_pend_h_1.txt") else { return };
    let rows = read(path);
    assert_eq!(rows.len(), 556);
    assert_eq!(rows.num_pieces(), 11);
    let (train, test) = rows.split_at(rows.len() * 8 / 10).expect("two parts");
    assert_eq!(test.len(), 112);
    let good = fit(&train, DerivativeScheme::Midpoint);
    assert!((good.a() - 1.295).abs() < 1e-3, "a = {}", good.a());
    assert!((good.c() - 0.0095).abs() < 2e-4, "c = {}", good.c());
    let biased = fit(&train, DerivativeScheme::Forward);
    assert!((biased.c() - 0.103).abs() < 1e-3, "forward: c = {}", biased.c());
    let (good, biased) = (energy_mse(&good, &test), energy_mse(&biased, &test));
    assert!((7.1e-4..7.5e-4).contains(&good), "energy MSE {good}");
    assert!((0.17..0.2).contains(&biased), "forward: energy MSE {biased}");
}

#[test]
fn the_fit_is_exact_on_exact_points() {
    let truth = PendulumFit::new(2.5, 0.3).expect("finite");
    let states = Array2::from_shape_fn((20, 2), |(k, i)| ((3 * k + i) as f64).sin() * 2.0);
    let derivatives = Plain(&truth).eval_rows(0.0, states.view()).expect("field");
    let times = (0..20).map(f64::from).collect();
    let data = DataSet::new([Trajectory::new(times, states, derivatives)]);
    let fit = PendulumFit::least_squares(&data.expect("valid")).expect("determined");
    assert!((fit.a() - 2.5).abs() < 1e-13 && (fit.c() - 0.3).abs() < 1e-13, "{fit:?}");
}

#[test]
fn a_pendulum_at_rest_determines_nothing() {
    let (times, rest) = ([0.0, 1.0], [0.0, 0.0]);
    let rows = Recording::of_columns([("t", &times[..]), ("q", &rest), ("v", &rest)]);
    let rows = rows.time("t").angle("q").velocity("v").load().expect("rows");
    let data = rows.differences(DerivativeScheme::Midpoint).expect("data");
    let error = PendulumFit::least_squares(&data).expect_err("no motion").to_string();
    assert!(error.contains("do not determine a and c"), "{error}");
    assert!(PendulumFit::new(f64::NAN, 0.0).is_err());
    let states = Trajectory::states_only(vec![0.0, 1.0], Array2::ones((2, 2)));
    let error = PendulumFit::least_squares(&DataSet::new([states]).expect("valid"));
    let error = error.expect_err("no derivatives").to_string();
    assert_eq!(error, "their derivatives: dimension 0, but 2 is expected");
}
