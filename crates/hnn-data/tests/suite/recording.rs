//! Recordings as they come: each file of the table has its rows, pieces and values.

use std::f64::consts::TAU;
use std::fmt::Write;
use std::time::Duration;

use hnn_data::{Column, DataError, Recording, Role};
use hnn_testing::{measured, processor_time, recording as file};
use ndarray::array;

/// Rows in each piece.
fn lengths(recording: &Recording) -> Vec<usize> {
    recording.pieces().map(|(_, rows)| rows.times.len()).collect()
}

#[test]
fn inputs_stay_with_their_trials() {
    let reader = Recording::read(file("two_torques.csv")).trial("trial").time("t");
    let recording = reader.angle("q").momentum("p").input("u").load().expect("readable");
    assert_eq!(recording.trials(), ["a", "b"]);
    assert_eq!(lengths(&recording), [101, 101]);
    let data = recording.data_set().expect("valid");
    assert_eq!((data.dim(), data.inputs().ncols()), (2, 1));
    for (rows, torque) in data.iter().zip([0.0, 0.5]) {
        assert_eq!((rows.times[0], rows.times[100]), (0.0, 5.0));
        assert!(rows.inputs.iter().all(|u| *u == torque));
    }
    // p' = -sin q + u in both, by differences over two rows.
    for (_, rows) in recording.pieces() {
        for k in 1..100 {
            let slope = (rows.states[[k + 1, 1]] - rows.states[[k - 1, 1]]) / 0.1;
            assert!((slope + rows.states[[k, 0]].sin() - rows.inputs[[k, 0]]).abs() < 2e-3);
        }
    }
    let (a, b) = (recording.select(&[0]).expect("a"), recording.select(&[1]).expect("b"));
    assert_eq!((a.trials(), b.trials()), (&["a".to_owned()][..], &["b".to_owned()][..]));
    assert!(recording.select(&[2]).is_err() && recording.select(&[]).is_err());
    let text = recording.report().to_string();
    assert!(text.contains("202 of 202 rows used, in 2 trials and 2 pieces"), "{text}");
    assert!(text.contains("input u: 0 to 0.5"), "{text}");
}

#[test]
fn a_wrapped_angle_is_as_good_as_the_unwrapped_one() {
    let reader = Recording::read(file("wrapped_angle.csv")).time("t").momentum("p");
    let wrapped = reader.clone().angle("q").load().expect("readable");
    let same = reader.clone().angle(Column::new("q").wrapped()).load().expect("readable");
    let raw = reader.clone().angle(Column::new("q").continuous()).load().expect("readable");
    let raw = raw.data_set().expect("valid");
    let (mut turns, mut wraps) = (0.0, 0);
    let mut unwrapped = raw.states().column(0).to_vec();
    for k in 1..unwrapped.len() {
        let jump = raw.states()[[k, 0]] - raw.states()[[k - 1, 0]];
        if jump.abs() > 3.0 {
            turns -= jump.signum();
            wraps += 1;
        }
        unwrapped[k] += turns * TAU;
    }
    assert!(wraps > 3);
    for recording in [&wrapped, &same] {
        assert_eq!(lengths(recording), [201]);
        let rows = recording.piece(0).expect("one").states;
        for (q, right) in rows.column(0).iter().zip(&unwrapped) {
            assert!((q - right).abs() < 1e-9);
        }
        assert_eq!(recording.report().channels[0].wraps, wraps);
    }
    // From the unwrapped angle all is the same: derivatives, too.
    let t = raw.times();
    let p = raw.states().column(1).to_vec();
    let columns = [("t", t), ("q", &unwrapped), ("p", &p)];
    let reader = Recording::from_columns(columns).time("t").angle("q").momentum("p");
    let other = reader.load().expect("valid").differentiate().expect("long");
    let found = wrapped.differentiate().expect("long");
    let difference = &found.data.derivatives() - &other.data.derivatives();
    assert!(difference.iter().all(|d| d.abs() < 1e-9));
    // A position that is not said to be an angle is left as it is, with a word.
    let reader = Recording::read(file("wrapped_angle.csv")).time("t").position("q").momentum("p");
    let report = reader.load().expect("readable").report().to_string();
    assert!(report.contains("\"q\" looks like an angle in radians that wraps"), "{report}");
}

#[test]
fn a_change_of_the_rate_loses_no_row() {
    let reader = Recording::read(file("two_rates.csv")).time("t").angle("q").momentum("p");
    let recording = reader.load().expect("readable");
    assert_eq!(lengths(&recording), [300]);
    let rows = recording.piece(0).expect("one");
    assert!((rows.times[299] - 11.99).abs() < 1e-12);
    let [(fast, many), (slow, few)] = recording.report().trials[0].rates[..] else {
        panic!("two rates: {}", recording.report());
    };
    assert!((fast - 0.01).abs() < 1e-9 && (slow - 0.1).abs() < 1e-9);
    assert_eq!((many, few), (199, 100));
    // H = p^2 + 3 (1 - cos q), and so dq/dt = 2 p, on either side of the change.
    let found = recording.differentiate().expect("long");
    let (x, dx) = (found.data.states(), found.data.derivatives());
    for k in 0..300 {
        let error = dx[[k, 0]] - 2.0 * x[[k, 1]];
        assert!(error.abs() < 1e-2, "row {k}: {error}");
    }
}

#[test]
fn missing_samples_are_a_gap_that_is_reported() {
    let reader = Recording::read(file("missing_samples.csv")).time("t").position("q").momentum("p");
    let recording = reader.load().expect("readable");
    assert_eq!(lengths(&recording), [150, 142]);
    let report = recording.report();
    assert_eq!((report.rows_read, report.dropped.len(), report.gaps.len()), (301, 1, 1));
    let dropped = &report.dropped[0];
    assert_eq!((dropped.first, dropped.last, dropped.rows), (152, 160, 9));
    let text = report.to_string();
    assert!(text.contains("292 of 301 rows used, in 1 trial and 2 pieces"), "{text}");
    assert!(text.contains("lines 152 to 160: no number in q, p"), "{text}");
    for (_, rows) in recording.pieces() {
        for (t, x) in rows.times.iter().zip(rows.states.outer_iter()) {
            assert!((x[0] - (3.0 * t).sin()).abs() < 1e-9);
        }
    }
}

#[test]
fn european_degrees() {
    let reader = Recording::read(file("european_degrees.csv")).trial("trial").time("t");
    let reader = reader.angle(Column::new("angle").degrees());
    let recording =
        reader.velocity(Column::new("rate [deg/s]").degrees()).load().expect("readable");
    assert_eq!(recording.trials(), ["run 1", "run 2"]);
    assert_eq!(lengths(&recording), [60, 60]);
    assert!((recording.piece(0).expect("one").states[[0, 0]] - 0.4).abs() < 1e-10);
    // theta'' = -9.81 sin theta in both.
    let found = recording.differentiate().expect("long").data;
    for rows in found.iter() {
        let sine = rows.states.column(0).mapv(f64::sin);
        let gravity = -rows.derivatives.column(1).dot(&sine) / sine.dot(&sine);
        assert!((gravity - 9.81).abs() < 0.02, "{gravity}");
    }
    let text = recording.report().to_string();
    for word in ["byte-order mark", "semicolons, decimal mark ','", "1 comment line", " * 0.0175: "]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    // Whoever forgets the degrees is told.
    let reader = Recording::read(file("european_degrees.csv")).trial("trial").time("t");
    let report = reader.angle("angle").load().expect("readable").report().to_string();
    assert!(report.contains("call `degrees`"), "{report}");
}

#[test]
fn time_stamps_are_counted_from_the_begin() {
    let reader = Recording::read(file("time_stamps.csv")).time("t").angle("q").momentum("p");
    let recording = reader.load().expect("readable");
    assert_eq!(lengths(&recording), [200]);
    let data = recording.data_set().expect("valid");
    assert_eq!((data.times()[0], data.len()), (0.0, 200));
    assert_eq!(recording.report().trials[0].begin, 1.7e9);
    let single = data.cast::<f32>().expect("small times");
    for k in 1..199 {
        let (dt, x) = (single.times()[k + 1] - single.times()[k - 1], single.states());
        let slope = (x[[k + 1, 0]] - x[[k - 1, 0]]) / dt;
        assert!((slope - 2.0 * x[[k, 1]]).abs() < 2e-3, "row {k}");
    }
}

#[test]
fn dry_friction_from_rest() {
    let reader = Recording::read(file("dry_friction.csv")).trial("trial").time("t");
    let recording = reader.angle("q").velocity("p").load().expect("readable");
    assert_eq!(lengths(&recording), [301; 4]);
    for (_, rows) in recording.pieces() {
        assert_eq!(rows.states[[0, 1]], 0.0);
    }
}

#[test]
fn the_motor_driven_pendulum() {
    let path = file("motor_pendulum.csv");
    let reader = Recording::read(&path).time("time").angle("position").velocity("velocity");
    let recording = reader.input("torque").load().expect("readable");
    assert_eq!(lengths(&recording), [1170]);
    let data = recording.data_set().expect("valid");
    assert_eq!((data.dim(), data.inputs().ncols()), (2, 1));
    let report = recording.report();
    assert!(report.channels.iter().all(|channel| channel.step.is_some()), "{report}");
    assert!(!report.to_string().contains("one of the units"), "{report}");
    let text = report.to_string();
    assert!(text.contains("the derivative of \"velocity\" is mostly noise"), "{text}");
    assert!(!text.contains("the derivative of \"position\""), "{text}");
    // The velocity from the angle alone agrees with the measured one, which is noisy.
    let reader = Recording::read(path).time("time").angle("position").input("torque");
    let found = reader.load().expect("readable").differentiate().expect("long").data;
    let (v, x) = (data.states(), found.states());
    let (v, dq) = (v.column(1), x.column(1));
    let gain = v.dot(&dq) / dq.dot(&dq);
    assert!((gain - 1.0).abs() < 0.05, "v = {gain} dq/dt");
}

#[test]
fn the_arm_that_writes_characters() {
    let Some(path) = measured("two_joint_characters.csv") else { return };
    let mut reader = Recording::read(path).trial("character").time("t");
    for name in ["q1", "q2"] {
        reader = reader.angle(name);
    }
    for (name, derivative) in [("v1", "a1"), ("v2", "a2")] {
        reader = reader.velocity(name).derivative(derivative);
    }
    let recording = reader.input("tau1").input("tau2").load().expect("readable");
    assert_eq!((recording.trials().len(), recording.len()), (20, 2913));
    let data = recording.data_set().expect("valid");
    assert_eq!((data.dim(), data.inputs().ncols()), (4, 2));
    // dq/dt are the velocities; M v' + C + dV/dq = tau, with the gravity of the published arm.
    assert_eq!(data.derivatives().column(0), data.states().column(2));
    let (x, dx, u) = (data.states(), data.derivatives(), data.inputs());
    for k in (0..data.len()).step_by(97) {
        let [q1, q2, v1, v2] = [0, 1, 2, 3].map(|i| x[[k, i]]);
        let (m12, m22) = (0.517615 + 0.5 * q2.cos(), 0.517615);
        let coriolis = 0.5 * q2.sin() * v1 * v1;
        let gravity = 1.5 * (q1 + q2).cos();
        let torque = m12 * dx[[k, 2]] + m22 * dx[[k, 3]] + coriolis + gravity;
        assert!((torque - u[[k, 1]]).abs() < 0.02 * u[[k, 1]].abs().max(1.0), "row {k}: {v2}");
    }
    let unused = &recording.report().unused;
    assert_eq!(unused.len(), 6, "{unused:?}");
}

#[test]
fn the_pendulum_of_schmidt_and_lipson() {
    let Some(path) = measured("real_pend_h_1.txt") else { return };
    let reader = Recording::read(path).trial(0).time(1).angle(2).velocity(3);
    let recording = reader.load().expect("readable");
    assert_eq!((recording.len(), recording.num_pieces()), (556, 11));
}

/// Archives as `numpy.savez` and `savez_compressed` write them.
#[test]
fn arrays_of_numpy() {
    for name in ["swing.npz", "swing_compressed.npz"] {
        let recording = Recording::read(file(name)).load().expect("readable");
        assert_eq!((recording.len(), recording.dim()), (40, 2));
        let data = recording.data_set().expect("valid");
        assert_eq!(data.inputs().ncols(), 1);
        for (k, (x, dx)) in
            data.states().outer_iter().zip(data.derivatives().outer_iter()).enumerate()
        {
            let t = 0.1 * k as f64;
            assert!((x[0] - t.cos()).abs() < 1e-12 && (dx[0] + t.sin()).abs() < 1e-12);
            // The inputs are of single precision, in Fortran's order.
            assert!((data.inputs()[[k, 0]] - 0.5 * t).abs() < 1e-6);
        }
    }
    let batch = Recording::read(file("batch.npz")).load().expect("readable");
    assert_eq!((batch.num_pieces(), batch.len(), batch.dim()), (3, 30, 2));
    assert_eq!(batch.piece(2).expect("third").states[[1, 1]], 2.1);
    let chosen = Recording::read(file("swing.npz")).time("t").position("x0").momentum("x1");
    assert_eq!(chosen.load().expect("readable").report().channels[0].role, Role::Position);
    let error = Recording::read(file("words.npz")).load().expect_err("words").to_string();
    assert!(error.contains("array \"x\": its numbers are of type \"<U3\""), "{error}");
}

/// A number of an archive that changed on its way is not taken for a measured one.
#[test]
fn an_archive_that_lost_a_bit_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("damaged.npz");
    let mut bytes = std::fs::read(file("swing.npz")).expect("a file");
    let cosine = 0.1_f64.cos().to_le_bytes();
    let at = bytes.windows(8).position(|window| window == cosine).expect("the second state");
    bytes[at] ^= 1;
    std::fs::write(&path, &bytes).expect("written");
    let error = Recording::read(&path).load().expect_err("another number").to_string();
    assert!(error.contains("damaged.npz") && error.contains("array \"x"), "{error}");
}

#[test]
fn columns_in_memory() {
    let t = [5.0, 5.1, 5.2, 5.3];
    let q = [0.0, f64::NAN, 2.0, 3.0];
    let u = [1.0, f64::NAN, f64::NAN, 4.0];
    let reader = Recording::from_columns([("t", &t[..]), ("q", &q), ("u", &u)]).time("t");
    let reader = reader.position(Column::new("q").scaled(2.0));
    let recording = reader.clone().input(Column::new("u").held()).load().expect("valid");
    assert_eq!(lengths(&recording), [1, 2]);
    let rows = recording.piece(1).expect("two");
    assert_eq!(
        (rows.states, rows.inputs),
        (array![[4.0], [6.0]].view(), array![[1.0], [4.0]].view())
    );
    // Without `held` a row more is lost, and the report says it.
    let lossy = reader.clone().input("u").load().expect("valid");
    assert_eq!(lengths(&lossy), [1, 1]);
    assert!(lossy.report().to_string().contains("call `held` on it"), "{}", lossy.report());
    let (first, rest) = recording.split_at(2).expect("two parts");
    assert_eq!((lengths(&first), lengths(&rest)), (vec![1, 1], vec![1]));
    assert!(recording.split_at(3).is_err() && recording.split_at(0).is_err());
    let no_time = Recording::from_columns([("q", &q[..])]).with_interval(0.5).position("q");
    let recording = no_time.load().expect("valid");
    assert_eq!(recording.piece(1).expect("two").times, [1.0, 1.5]);
    let lengths = Recording::from_columns([("t", &t[..]), ("q", &q[..3])]).time("t").position("q");
    assert!(matches!(lengths.load(), Err(DataError::Recording { .. })));
}

/// A gap is a step that is long for its surroundings: each of two rates has its own.
#[test]
fn gaps_go_by_the_spacing_around_them() {
    let mut t = Vec::from_iter((0..20).map(|k| 0.01 * f64::from(k)));
    t.extend((0..20).map(|k| 0.22 + 0.01 * f64::from(k)));
    t.extend((0..20).map(|k| 0.51 + 0.1 * f64::from(k)));
    t.extend((0..20).map(|k| 2.81 + 0.1 * f64::from(k)));
    let reader = Recording::from_columns([("t", &t[..]), ("q", &t)]).time("t").position("q");
    assert_eq!(lengths(&reader.load().expect("valid")), [20, 40, 20]);
    assert_eq!(lengths(&reader.clone().with_gap(f64::INFINITY).load().expect("valid")), [80]);
    assert!(matches!(reader.with_gap(1.0).load(), Err(DataError::GapFactor { .. })));
    // A clock that is uneven throughout has none.
    let uneven = Vec::from_iter((0..200).map(|k| f64::from(k) + 0.4 * f64::from(7 * k).sin()));
    let reader =
        Recording::from_columns([("t", &uneven[..]), ("q", &uneven)]).time("t").position("q");
    assert_eq!(lengths(&reader.load().expect("valid")), [200]);
}

/// Under a second of a processor; under two of one that shares its caches with other work.
#[test]
fn a_million_rows_are_read_soon() {
    let mut log = String::from("t,angle,torque\n");
    for k in 0..1_000_000 {
        let t = 1e-3 * f64::from(k);
        let angle = 0.5 * (3.0 * t).sin() + 1e-3 * (1e4 * f64::from(k).sin()).sin();
        writeln!(log, "{t:.3},{angle:.6},{:.4}", (0.7 * t).cos()).expect("a string takes it");
    }
    let file = tempfile::NamedTempFile::new().expect("a temporary file");
    std::fs::write(file.path(), log).expect("written");
    let reader = Recording::read(file.path()).time("t").angle("angle").input("torque");
    let begin = processor_time();
    let recording = reader.load().expect("readable");
    let spent = processor_time() - begin;
    assert_eq!((recording.len(), recording.num_pieces()), (1_000_000, 1));
    assert!(spent < Duration::from_secs(2), "{spent:?}");
}

/// A double pendulum in `x`, `y`, each joint on a circle around the one before; swinging in one plane, and in space.
#[test]
fn what_rods_hold_wants_angles() {
    const NAMES: [&str; 4] = ["x1", "y1", "x2", "y2"];
    let times = Vec::from_iter((0..300).map(|k| 0.01 * f64::from(k)));
    let columns = |of: &dyn Fn(f64) -> Vec<f64>| {
        let rows = Vec::from_iter(times.iter().map(|t| of(*t)));
        Vec::from_iter((0..rows[0].len()).map(|i| Vec::from_iter(rows.iter().map(|row| row[i]))))
    };
    let report = |names: &[&str], columns: &[Vec<f64>]| {
        let of = names.iter().copied().zip(columns.iter().map(Vec::as_slice));
        let reader = Recording::from_columns(of.chain([("t", &times[..])])).time("t");
        let reader = names.iter().fold(reader, |reader, name| reader.position(*name));
        reader.load().expect("valid").report().to_string()
    };
    let ends = |t: f64, jitter: f64| {
        let noise = |k: f64| jitter * (43_758.5 * (12_345.7 * t + 78.2 * k).sin()).fract();
        let (a, b) = (0.9 * (2.0 * t).sin(), 1.4 * (3.1 * t + 0.4).cos());
        let (x, y) = (0.5 + 0.8 * a.sin(), -0.8 * a.cos());
        let (x2, y2) = (x + 0.6 * b.sin(), y - 0.6 * b.cos());
        vec![x + noise(1.0), y + noise(2.0), x2 + noise(3.0), y2 + noise(4.0)]
    };
    for jitter in [0.0, 0.004] {
        let held = columns(&|t| ends(t, jitter));
        let swapped = [0, 2, 1, 3].map(|i| held[i].clone());
        for (names, columns) in [(NAMES, &held[..]), (["x1", "x2", "y1", "y2"], &swapped)] {
            let text = report(&names, columns);
            let first = "\"x1, y1\" stay at a distance of 0.800";
            for words in [first, "from (0.5", "\"x2, y2\" stay at a distance of 0.6", "atan2"] {
                assert!(text.contains(words), "{words}: {text}");
            }
            assert_eq!(text.matches("stay at a distance").count(), 2, "{text}");
        }
    }
    // On a sphere.
    let sphere = columns(&|t| {
        let (a, b) = (1.0 + 0.5 * (2.0 * t).sin(), 3.0 * t);
        vec![a.sin() * b.cos(), a.sin() * b.sin(), a.cos()]
    });
    let text = report(&["x", "y", "z"], &sphere);
    assert!(text.contains("\"x, y, z\" stay at a distance of 1.000 from (0.000"), "{text}");
    // What is free: oscillators, a body on an ellipse, two that move as one, a line.
    let free: [&dyn Fn(f64) -> Vec<f64>; 4] = [
        &|t| vec![t.sin(), (1.7 * t).cos(), (2.3 * t).sin(), (0.4 * t).cos()],
        &|t| vec![(3.0 * t).cos(), 0.9 * (3.0 * t).sin()],
        &|t| vec![(2.0 * t).sin(), t * t, (2.0 * t).sin() + 0.4, t * t + 0.3],
        &|t| vec![(2.0 * t).sin(), 0.5 * (2.0 * t).sin()],
    ];
    for of in free {
        let columns = columns(of);
        let text = report(&NAMES[..columns.len()], &columns);
        assert!(!text.contains("stay at a distance"), "{text}");
    }
}

/// What is measured well is warned of nothing that it has not.
#[test]
fn good_recordings_raise_no_false_alarm() {
    let of = |name: &str, roles: fn(hnn_data::RecordingReader) -> hnn_data::RecordingReader| {
        roles(Recording::read(file(name))).load().expect("readable").report().to_string()
    };
    let reports = [
        of("two_torques.csv", |r| r.trial("trial").time("t").angle("q").momentum("p").input("u")),
        of("wrapped_angle.csv", |r| r.time("t").angle("q").momentum("p")),
        of("two_rates.csv", |r| r.time("t").angle("q").momentum("p")),
        of("missing_samples.csv", |r| r.time("t").position("q").momentum("p")),
        of("angle_only.csv", |r| r.time("time").angle(Column::new("angle_deg").degrees())),
        of("time_stamps.csv", |r| r.time("t").position("q").position("p")),
        of("dry_friction.csv", |r| r.trial("trial").time("t").angle("q").momentum("p")),
        of("motor_pendulum.csv", |r| r.time("time").position("position").position("velocity")),
        of("noisy_pendulum.txt", |r| r.trial(0).time(1).position(2).position(3)),
        of("arm_torques.csv", |r| {
            let names = ["q1", "q2", "v1", "v2", "a1", "a2"];
            names.into_iter().fold(r.trial("character").time("t"), |r, name| r.position(name))
        }),
    ];
    for report in reports {
        for alarm in ["at a distance", "far from the rows", "stands still", "overflow"] {
            assert!(!report.contains(alarm), "{alarm}: {report}");
        }
    }
}
