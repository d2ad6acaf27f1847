//! Measured rows: gaps, differences, files.

use std::io::Write;

use hnn_data::{CsvColumns, DataError, DerivativeScheme, GAP_FACTOR, Measurements};
use hnn_testing::measured;
use ndarray::{Array2, array};
use proptest::prelude::*;

fn file(content: &str) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().expect("a temporary file");
    file.write_all(content.as_bytes()).expect("written");
    file
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
fn a_column_is_one_quantity() {
    let read = |content: &str, columns: &CsvColumns| {
        let file = file(content);
        let name = file.path().display().to_string();
        Measurements::read_csv(file.path(), columns)
            .map_err(|error| error.to_string().replace(&name, "FILE"))
    };
    let columns = CsvColumns::new("t", &["q"]);
    // Which of the two is meant?
    let error = read("t,q,p,q\n0,1,2,3\n", &columns).expect_err("two of one name");
    assert_eq!(error, "FILE, line 1: columns 2 and 4 are both named \"q\": rename one of them");
    let error = read("t,q,t\n0,1,2\n", &columns).expect_err("two of one name");
    assert_eq!(error, "FILE, line 1: columns 1 and 3 are both named \"t\": rename one of them");
    // Of columns that nobody asks for there may be several.
    let good = read("t,q,p,p\n0,1,2,3\n", &columns).expect("readable");
    assert_eq!(good.states(), array![[1.0]]);
    for columns in [
        CsvColumns::new("t", &["q", "q"]),
        CsvColumns::new("t", &["t"]),
        CsvColumns::new("t", &["p"]).with_inputs(&["p"]),
        CsvColumns::new("t", &["q"]).with_trial("t"),
    ] {
        let error = read("t,q,p\n0,1,2\n", &columns).expect_err("one column twice");
        assert!(error.contains("is asked for twice"), "{error}");
    }
    let error = read("t,q\n0,1\n", &CsvColumns::new("t", &[])).expect_err("no state");
    assert!(error.contains("no column of the state is named"), "{error}");
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
