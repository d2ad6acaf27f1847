//! Derivatives by differences.

use hnn_data::{DerivativeScheme, Recording};
use ndarray::array;
use proptest::prelude::*;

/// Rows of `x(t) = (t^2, 3 t)` at the given times, in one piece.
fn parabola(times: &[f64]) -> Recording {
    let q = Vec::from_iter(times.iter().map(|t| t * t));
    let p = Vec::from_iter(times.iter().map(|t| 3.0 * t));
    let columns = [("t", times), ("q", &q), ("p", &p)];
    let reader = Recording::from_columns(columns).time("t").position("q").momentum("p");
    reader.with_gap(f64::INFINITY).load().expect("valid")
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
        let central = rows.differences(DerivativeScheme::Central).expect("long");
        prop_assert_eq!(central.len(), count - 2);
        prop_assert_eq!(central.times(), &times[1..count - 1]);
        let midpoint = rows.differences(DerivativeScheme::Midpoint).expect("long");
        prop_assert_eq!(midpoint.len(), count - 1);
        let forward = rows.differences(DerivativeScheme::Forward).expect("long");
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
fn midpoints_average_states_and_inputs() {
    let columns: [(&str, &[f64]); 4] = [
        ("t", &[0.0, 0.5, 1.0]),
        ("q", &[0.0, 1.0, 4.0]),
        ("p", &[4.0, 2.0, 2.0]),
        ("u", &[1.0, 3.0, 3.0]),
    ];
    let reader = Recording::from_columns(columns).time("t").position("q").momentum("p").input("u");
    let rows = reader.load().expect("valid");
    let data = rows.differences(DerivativeScheme::Midpoint).expect("data");
    assert_eq!(data.times(), [0.25, 0.75]);
    assert_eq!(data.states(), array![[0.5, 3.0], [2.5, 2.0]]);
    assert_eq!(data.derivatives(), array![[2.0, -4.0], [6.0, 0.0]]);
    assert_eq!(data.inputs(), array![[2.0], [3.0]]);
    let central = rows.differences(DerivativeScheme::Central).expect("data");
    assert_eq!(central.derivatives(), array![[4.0, -2.0]]);
    assert_eq!(central.inputs(), array![[3.0]]);
    let error = parabola(&[0.0, 1.0]).differences(DerivativeScheme::Central).expect_err("2 rows");
    assert_eq!(
        error.to_string(),
        "2 rows in the longest piece without a gap, but a finite difference needs at least 3"
    );
}
