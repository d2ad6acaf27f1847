//! Derivatives of noisy and quantised channels, and what the report says of them.

use hnn_data::{Column, Recording};

use hnn_testing::recording as file;

/// Mean of `((found - truth) / error)^2`, and the largest of its roots.
fn chi_squared(rows: impl Iterator<Item = (f64, f64, f64)>) -> (f64, f64) {
    let squares =
        Vec::from_iter(rows.map(|(found, truth, error)| ((found - truth) / error).powi(2)));
    let largest = squares.iter().copied().fold(0.0, f64::max).sqrt();
    (squares.iter().sum::<f64>() / squares.len() as f64, largest)
}

/// theta'' = -13.08 sin theta - 0.09 theta', released at 55 degrees, by many small steps.
fn released(times: &[f64]) -> Vec<[f64; 2]> {
    let field = |x: [f64; 2]| [x[1], -13.08 * x[0].sin() - 0.09 * x[1]];
    let add = |x: [f64; 2], k: [f64; 2], h: f64| [x[0] + h * k[0], x[1] + h * k[1]];
    let mut x = [55.0_f64.to_radians(), 0.0];
    let mut states = vec![x];
    for pair in times.windows(2) {
        let h = (pair[1] - pair[0]) / 20.0;
        for _ in 0..20 {
            let k1 = field(x);
            let k2 = field(add(x, k1, 0.5 * h));
            let k3 = field(add(x, k2, 0.5 * h));
            let k4 = field(add(x, k3, h));
            let sum = [0, 1].map(|i| (k1[i] + 2.0 * k2[i] + 2.0 * k3[i] + k4[i]) / 6.0);
            x = add(x, sum, h);
        }
        states.push(x);
    }
    states
}

#[test]
fn an_angle_alone_gives_velocities_with_standard_errors() {
    let reader = Recording::read(file("angle_only.csv")).time("time");
    let recording = reader.angle(Column::new("angle_deg").degrees()).load().expect("readable");
    assert_eq!((recording.len(), recording.num_pieces(), recording.dim()), (501, 1, 1));
    let report = recording.report();
    let noise = report.channels[0].noise.expect("many rows").to_degrees();
    assert!((0.85..1.15).contains(&noise), "{noise} degrees\n{report}");
    assert!(report.allows_derivatives(), "{report}");
    let found = recording.differentiate().expect("long");
    let data = &found.data;
    let truth = released(data.times());
    let states = data.states();
    for (i, largest) in [(0, 5.0), (1, 6.0)] {
        let rows =
            (0..data.len()).map(|k| (states[[k, i]], truth[k][i], found.state_errors[[k, i]]));
        let (mean, worst) = chi_squared(rows);
        assert!((0.4..2.0).contains(&mean) && worst < largest, "{i}: {mean} {worst}");
    }
    let rows = (0..data.len()).map(|k| {
        let [q, v] = truth[k];
        let a = -13.08 * q.sin() - 0.09 * v;
        (data.derivatives()[[k, 1]], a, found.derivative_errors[[k, 1]])
    });
    let (mean, worst) = chi_squared(rows);
    assert!((0.4..2.5).contains(&mean) && worst < 7.0, "{mean} {worst}");
    // Least squares with the errors as weights: 13.08 and 0.09.
    let (mut aa, mut ab, mut bb, mut ar, mut br) = (0.0, 0.0, 0.0, 0.0, 0.0);
    for k in 0..data.len() {
        let weight = found.derivative_errors[[k, 1]].powi(-2);
        let (s, v, y) = (-states[[k, 0]].sin(), -states[[k, 1]], data.derivatives()[[k, 1]]);
        aa += weight * s * s;
        ab += weight * s * v;
        bb += weight * v * v;
        ar += weight * s * y;
        br += weight * v * y;
    }
    let det = aa * bb - ab * ab;
    let (a, b) = ((ar * bb - br * ab) / det, (aa * br - ab * ar) / det);
    assert!((a - 13.08).abs() < 0.02 * 13.08, "a = {a}");
    assert!((b - 0.09).abs() < 0.06, "b = {b}");
}

#[test]
fn noise_that_drowns_a_derivative_is_said() {
    let t = Vec::from_iter((0..400).map(|k| 0.2 * f64::from(k)));
    // Slow motion below noise: a fixed sequence that looks random.
    let noise = |k: usize| ((k as f64 * 12.9898).sin() * 43758.5453).fract() - 0.5;
    let q = Vec::from_iter(t.iter().enumerate().map(|(k, t)| 0.02 * (4.0 * t).sin() + noise(k)));
    let reader = Recording::from_columns([("t", &t[..]), ("q", &q)]).time("t").position("q");
    let recording = reader.load().expect("valid");
    let report = recording.report();
    assert!(!report.allows_derivatives(), "{report}");
    assert!(report.to_string().contains("weak form"), "{report}");
}

#[test]
fn exact_data_keep_their_precision() {
    let t = Vec::from_iter((0..300).map(|k| 0.02 * f64::from(k)));
    let q = Vec::from_iter(t.iter().map(|t| (2.0 * t).sin()));
    let reader = Recording::from_columns([("t", &t[..]), ("q", &q)]).time("t").position("q");
    let recording = reader.load().expect("valid");
    let found = recording.differentiate().expect("long");
    for (k, t) in t.iter().enumerate() {
        let (v, a) = (found.data.states()[[k, 1]], found.data.derivatives()[[k, 1]]);
        assert!((v - 2.0 * (2.0 * t).cos()).abs() < 1e-4, "{v}");
        assert!((a + 4.0 * (2.0 * t).sin()).abs() < 1e-2, "{a}");
    }
}

#[test]
fn encoders_and_stops_are_seen() {
    let t = Vec::from_iter((0..600).map(|k| 0.005 * f64::from(k)));
    let step = std::f64::consts::TAU / 1024.0;
    let angle = |t: &f64| ((4.0 * t).sin() / step).round() * step;
    let clipped = |t: &f64| (4.0 * t).cos().clamp(-0.6, 2.0);
    let q = Vec::from_iter(t.iter().map(angle));
    let v = Vec::from_iter(t.iter().map(clipped));
    let u = vec![0.25; 600];
    let columns = [("t", &t[..]), ("q", &q), ("v", &v), ("u", &u)];
    let reader = Recording::from_columns(columns).time("t").angle("q").velocity("v").input("u");
    let recording = reader.load().expect("valid");
    let report = recording.report();
    let [angle, velocity, input] = &report.channels[..] else { panic!("{report}") };
    assert!((angle.step.expect("an encoder") / step - 1.0).abs() < 1e-6);
    assert_eq!((angle.saturated, input.is_constant), (0, true));
    assert!(velocity.saturated > 100, "{report}");
    let text = report.to_string();
    for word in
        ["\"v\" is stuck at an end", "\"u\" is constant", "steps of 0.00614", "take no differences"]
    {
        assert!(text.contains(word), "{word}: {text}");
    }
    // The velocity is a quarter of the slope: a wrong unit.
    assert!(text.contains("the slope of \"q\" is"), "{text}");
    // Velocities from the encoder, to a few per cent of their size.
    let alone = Recording::from_columns([("t", &t[..]), ("q", &q)]).time("t").angle("q");
    let found = alone.load().expect("valid").differentiate().expect("long");
    for (k, t) in t.iter().enumerate().skip(20).take(560) {
        let v = found.data.states()[[k, 1]];
        assert!((v - 4.0 * (4.0 * t).cos()).abs() < 0.25, "{k}: {v}");
    }
}
