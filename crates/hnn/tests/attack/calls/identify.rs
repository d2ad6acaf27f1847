//! Recordings of all kinds, identified.

use hnn::Error;
use hnn::data::Recording;
use hnn::identify::Identify;
use hnn::integrators::Between;

use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    let rows = 30 + odd.below(60);
    let scale = if odd.is_odd() { odd.pick(&[1e-300, 1e-12, 1e12, 1e150]) } else { 1.0 };
    let (step, rate, noise) =
        (odd.pick(&[1e-9, 0.02, 0.2, 1e6]), odd.positive(), odd.pick(&[0.0, 1e-3, 1.0]));
    let even = Vec::from_iter((0..rows).map(|k| step * k as f64));
    let t = if odd.yes(0.8) { even } else { odd.times(rows) };
    let wave = |odd: &mut Odd, phase: f64| {
        let noises = odd.numbers(rows);
        let swing =
            |(k, n): (usize, f64)| scale * ((rate * 0.3 * k as f64 + phase).sin() + noise * n);
        Vec::from_iter(noises.into_iter().enumerate().map(swing))
    };
    let (q, v, u) = (wave(odd, 0.0), wave(odd, 1.6), wave(odd, 0.4));
    let other = if odd.yes(0.2) { vec![odd.number(); rows] } else { wave(odd, 2.0) };
    let trials = Vec::from_iter((0..rows).map(|k| (k / 29) as f64));
    let columns =
        [("trial", &trials[..]), ("t", &t), ("q", &q), ("o", &other), ("v", &v), ("u", &u)];
    let mut reader = Recording::from_columns(columns).time("t");
    reader = if odd.yes(0.5) { reader.angle("q") } else { reader.position("q") };
    let is_single = odd.yes(0.7);
    reader = if is_single { reader } else { reader.angle("o") };
    reader = match odd.below(4) {
        0 if is_single => reader.velocity("v"),
        1 if is_single => reader.momentum("v"),
        _ => reader,
    };
    reader = if odd.yes(0.5) { reader.input("u") } else { reader };
    reader = if odd.yes(0.5) { reader.trial("trial") } else { reader };
    let between = odd.pick(&[Between::Held, Between::Linear]);
    let identify = Identify::default().without_networks().with_inputs_between(between);
    let found = identify.run(&reader.load()?)?;
    assert!(found.best().score.mean().is_finite());
    assert!(found.to_string().contains("Supported by the data"));
    Ok(())
}
