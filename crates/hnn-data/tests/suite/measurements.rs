//! Measured rows: gaps, differences, files, and the pendulum fitted to them.

use std::io::Write;
use std::path::{Path, PathBuf};

use hnn_integrators::{Tolerances, VectorFieldExt, solve};
use hnn_data::{
    CsvColumns, DataSet, DerivativeScheme, GAP_FACTOR, Measurements, PendulumFit, DataError,
};
use ndarray::{Array2, ArrayView1, array};
use proptest::prelude::*;

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(content.as_bytes()).expect("written");
    file
}

fn synthetic() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/synthetic_pendulum.txt")
}

/// Data measured by others, which are not part of this repository.
fn measured(name: &str) -> Option<PathBuf> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data").join(name);
    if !path.exists() {
        eprintln!("skipped: no file {}", path.display());
        return None;
    }
    Some(path)
}

fn fit(rows: &Measurements, scheme: DerivativeScheme) -> PendulumFit {
    let data = rows.trajectories(GAP_FACTOR, scheme).expect("segments");
    PendulumFit::least_squares(&data).expect("determined")
}

/// Mean squared error of `2.4 (1 - cos q) + p^2` in one rollout from the first row.
fn energy_mse(model: &PendulumFit, rows: &Measurements) -> f64 {
    let x = rows.states();
    let run = solve(model, x.row(0), rows.times(), Tolerances::both(1e-12)).expect("solved");
    let energy = |x: ArrayView1<'_, f64>| 2.4 * (1.0 - x[0].cos()) + x[1] * x[1];
    let pairs = run.states.outer_iter().zip(x.outer_iter());
    pairs.map(|(a, b)| (energy(a) - energy(b)).powi(2)).sum::<f64>() / rows.len() as f64
}

/// Rows of `x(t) = (t^2, 3 t)` at the given times.
fn parabola(times: &[f64]) -> Measurements {
    let rows = Vec::from_iter(times.iter().map(|&t| (7, t, t * t, 3.0 * t)));
    Measurements::from_rows(&rows).expect("valid")
}

proptest! {
    /// Central and midpoint differences of a parabola are exact, whatever the spacing; the
    /// midpoint's state lies on the chord.
    #[test]
    fn second_order_schemes_are_exact_for_parabolas(
        spacings in prop::collection::vec(0.5..1.4_f64, 2..12),
    ) {
        let mut t = 0.0;
        let times = Vec::from_iter(std::iter::once(0.0).chain(spacings.iter().map(|dt| {
            t += dt;
            t
        })));
        let rows = parabola(&times);
        let count = times.len();
        let all_in_one = 10.0;
        let central = rows.trajectories(all_in_one, DerivativeScheme::Central).expect("long");
        prop_assert_eq!(central.len(), count - 2);
        prop_assert_eq!(central.times(), &times[1..count - 1]);
        let midpoint = rows.trajectories(all_in_one, DerivativeScheme::Midpoint).expect("long");
        prop_assert_eq!(midpoint.len(), count - 1);
        let forward = rows.trajectories(all_in_one, DerivativeScheme::Forward).expect("long");
        prop_assert_eq!(forward.times(), &times[..count - 1]);
        for data in [&central, &midpoint] {
            for (t, dx) in data.times().iter().zip(data.derivatives().outer_iter()) {
                prop_assert!((dx[0] - 2.0 * t).abs() < 1e-11 && (dx[1] - 3.0).abs() < 1e-12);
            }
        }
        for (i, dx) in forward.derivatives().outer_iter().enumerate() {
            // Too large by the second derivative times dt / 2.
            prop_assert!((dx[0] - 2.0 * times[i] - spacings[i]).abs() < 1e-11);
        }
    }
}

#[test]
fn gaps_and_trials_split_the_rows() {
    let times = [0.0, 0.1, 0.2, 0.35, 0.45, 0.7, 0.8];
    let mut rows = Vec::from_iter(times.iter().map(|&t| (0_u64, t, t, t)));
    // A second trial, of another clock and spacing.
    rows.extend([0.0, 2.0, 4.0, 9.0].map(|t| (1, t, t, t)));
    let rows = Measurements::from_rows(&rows).expect("valid");
    // 0.15 is no gap at factor 2, 0.25 is.
    assert_eq!(rows.segments(2.0).expect("factor"), [0..5, 5..7, 7..10, 10..11]);
    assert_eq!(rows.segments(1.4).expect("factor"), [0..3, 3..5, 5..7, 7..10, 10..11]);
    // The last segment is too short for a difference, and left out.
    let data = rows.trajectories(2.0, DerivativeScheme::Midpoint).expect("data");
    assert_eq!(Vec::from_iter(data.iter().map(|one| one.times.len())), [4, 1, 2]);
    let data = rows.trajectories(2.0, DerivativeScheme::Central).expect("data");
    assert_eq!(Vec::from_iter(data.iter().map(|one| one.times.len())), [3, 1]);
}

#[test]
fn midpoints_average_states_and_inputs() {
    let rows = Measurements::new(
        vec![0; 3],
        vec![0.0, 0.5, 1.0],
        array![[0.0, 4.0], [1.0, 2.0], [4.0, 2.0]],
        array![[1.0], [3.0], [3.0]],
    )
    .expect("valid");
    let data = rows.trajectories(GAP_FACTOR, DerivativeScheme::Midpoint).expect("data");
    assert_eq!(data.times(), [0.25, 0.75]);
    assert_eq!(data.states(), array![[0.5, 3.0], [2.5, 2.0]]);
    assert_eq!(data.derivatives(), array![[2.0, -4.0], [6.0, 0.0]]);
    assert_eq!(data.inputs(), array![[2.0], [3.0]]);
    let central = rows.trajectories(GAP_FACTOR, DerivativeScheme::Central).expect("data");
    assert_eq!(central.derivatives(), array![[4.0, -2.0]]);
    assert_eq!(central.inputs(), array![[3.0]]);
}

#[test]
fn fit_of_the_synthetic_pendulum() {
    let rows = Measurements::read_text(synthetic()).expect("committed file");
    assert_eq!(rows.len(), 234);
    assert_eq!(rows.segments(GAP_FACTOR).expect("factor").len(), 7);
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
    let rows = Measurements::read_text(path).expect("readable");
    assert_eq!(rows.len(), 556);
    assert_eq!(rows.segments(GAP_FACTOR).expect("factor").len(), 11);
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
fn the_motor_driven_pendulum_is_read() {
    let Some(path) = measured("dfki_simple_pendulum_sysid.csv") else { return };
    let columns = CsvColumns::new("time", &["position", "velocity"]).with_inputs(&["torque"]);
    let rows = Measurements::read_csv(path, &columns).expect("readable");
    assert_eq!((rows.len(), rows.states().ncols(), rows.inputs().ncols()), (1170, 2, 1));
    let data = rows.trajectories(GAP_FACTOR, DerivativeScheme::Midpoint).expect("data");
    assert_eq!(data.inputs().ncols(), 1);
    // The measured velocity is the derivative of the measured position, up to its noise.
    let (v, dq) = (data.states(), data.derivatives());
    let (v, dq) = (v.column(1), dq.column(0));
    let correlation = v.dot(&dq) / (v.dot(&v) * dq.dot(&dq)).sqrt();
    assert!(correlation > 0.95, "{correlation}");
}

#[test]
fn the_fit_is_exact_on_exact_points() {
    let truth = PendulumFit::new(2.5, 0.3).expect("finite");
    let states = Array2::from_shape_fn((20, 2), |(k, i)| ((3 * k + i) as f64).sin() * 2.0);
    let derivatives = truth.eval_rows(0.0, states.view()).expect("field");
    let times = (0..20).map(f64::from).collect();
    let data = DataSet::new([hnn_data::Trajectory::new(times, states, derivatives)]);
    let fit = PendulumFit::least_squares(&data.expect("valid")).expect("determined");
    assert!((fit.a() - 2.5).abs() < 1e-13 && (fit.c() - 0.3).abs() < 1e-13, "{fit:?}");
}

#[test]
fn a_pendulum_at_rest_determines_nothing() {
    let rows = Measurements::from_rows(&[(0, 0.0, 0.0, 0.0), (0, 1.0, 0.0, 0.0)]).expect("rows");
    let data = rows.trajectories(GAP_FACTOR, DerivativeScheme::Midpoint).expect("data");
    let error = PendulumFit::least_squares(&data).expect_err("no motion").to_string();
    assert!(error.contains("do not determine a and c"), "{error}");
    assert!(PendulumFit::new(f64::NAN, 0.0).is_err());
}

fn read_error(content: &str) -> String {
    let file = file(content);
    let name = file.path().display().to_string();
    let error = Measurements::read_text(file.path()).expect_err(content).to_string();
    assert!(error.starts_with(&name), "{error}");
    error[name.len()..].into()
}

#[test]
fn bad_text_names_file_and_line() {
    assert_eq!(read_error(""), ", line 1: the file holds no rows");
    assert_eq!(read_error("% only\n\n# headers\n"), ", line 1: the file holds no rows");
    assert_eq!(read_error("%o v\n0 0.0 1.0\n0 0.1 x\n"), ", line 3: \"x\" is no finite number");
    assert_eq!(read_error("0 0 1\n0 NaN 1\n"), ", line 2: \"NaN\" is no finite number");
    assert_eq!(read_error("0 0 1 2\n0 1 1\n"), ", line 2: 3 columns, but the first row has 4");
    assert_eq!(
        read_error("0 0\n"),
        ", line 1: 2 columns, but trial, time and a state are expected"
    );
    assert_eq!(
        read_error("0 1 1\n\n0 0.5 1\n"),
        ", line 3: time 0.5 does not come after 1, the time before it"
    );
    assert_eq!(read_error("-1 0 1\n"), ", line 1: \"-1\" is no trial's number: 0, 1, 2, ...");
    assert_eq!(read_error("1.5 0 1\n"), ", line 1: \"1.5\" is no trial's number: 0, 1, 2, ...");
}

#[test]
fn bad_csv_names_file_and_line() {
    let columns = CsvColumns::new("t", &["q", "p"]).with_trial("k");
    let read = |content: &str| {
        let file = file(content);
        let name = file.path().display().to_string();
        Measurements::read_csv(file.path(), &columns)
            .map_err(|error| error.to_string().replace(&name, "FILE"))
    };
    let good = read("k,t,p,q,extra\n0,0.0,1.0,2.0,a\n0,0.5,3.0,4.0,b\n1,0.0,5.0,6.0,c\n");
    let good = good.expect("readable");
    assert_eq!(good.states(), array![[2.0, 1.0], [4.0, 3.0], [6.0, 5.0]]);
    assert_eq!(good.trials(), [0, 0, 1]);
    let error = |content| read(content).expect_err(content);
    assert_eq!(error("k,t,q\n0,0,0\n"), "FILE, line 1: no column \"p\"; the header has: k, t, q");
    assert_eq!(error("k,t,q,p\n0,0,1,1\n0,1,1,?\n"), "FILE, line 3: \"?\" is no finite number");
    assert_eq!(error("k,t,q,p\n0,0,1\n"), "FILE, line 2: 3 fields, but the header has 4");
    assert_eq!(error("k,t,q,p\n"), "FILE, line 1: the file holds no rows");
    assert_eq!(
        error("k,t,q,p\n0,2,1,1\n0,1,1,1\n"),
        "FILE, line 3: time 1 does not come after 2, the time before it"
    );
    assert!(error("").starts_with("FILE, line 1: no column"));
}

#[test]
fn a_missing_file_is_named() {
    let error = Measurements::read_text("no/such/file.txt").expect_err("missing");
    assert!(matches!(error, DataError::Read { .. }));
    assert!(error.to_string().starts_with("cannot read no/such/file.txt: "), "{error}");
    let columns = CsvColumns::new("t", &["q"]);
    assert!(Measurements::read_csv("no/such/file.csv", &columns).is_err());
}

#[test]
fn bad_rows() {
    assert!(Measurements::from_rows(&[]).is_err());
    let error = Measurements::from_rows(&[(0, 0.0, 0.0, 0.0), (1, 0.0, 0.0, f64::NAN)]);
    let error = error.expect_err("NaN").to_string();
    assert!(error.starts_with("trajectory 1, row 0: the states hold NaN"), "{error}");
    let error = Measurements::from_rows(&[(0, 0.0, 0.0, 0.0), (0, 0.0, 1.0, 0.0)]);
    assert!(matches!(error, Err(DataError::TimeOrder { trajectory: 0, row: 1, .. })));
    let lengths =
        Measurements::new(vec![0], vec![0.0], Array2::zeros((2, 2)), Array2::zeros((1, 0)));
    assert!(lengths.is_err());

    let rows = parabola(&[0.0, 1.0]);
    assert!(rows.split_at(0).is_err() && rows.split_at(2).is_err());
    for factor in [1.0, 0.0, f64::NAN] {
        assert!(rows.segments(factor).is_err());
    }
    let error = rows.trajectories(2.0, DerivativeScheme::Central).expect_err("2 rows").to_string();
    assert_eq!(
        error,
        "2 rows in the longest segment without a gap, but a finite difference needs at least 3"
    );
}
