//! Numbers that should agree.

/// Asserts that every number agrees to `tolerance` of the largest expected one.
///
/// ```
/// hnn_testing::assert_close("field", &[1000.0, 1e-9], &[1000.0, 0.0], 1e-12);
/// ```
#[track_caller]
pub fn assert_close(what: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let close = (a - e).abs() <= tolerance * scale;
        assert!(close, "{what}[{i}] is {a}, expected {e}");
    }
}

/// Asserts that every number agrees to `tolerance`, relative for numbers above 1.
///
/// ```
/// hnn_testing::assert_each_close([1000.0, 1e-9], [1000.0 + 1e-7, 0.0], 1e-9);
/// ```
#[track_caller]
pub fn assert_each_close(
    actual: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = f64>,
    tolerance: f64,
) {
    let (actual, expected) = (Vec::from_iter(actual), Vec::from_iter(expected));
    assert_eq!(actual.len(), expected.len());
    for (a, e) in actual.iter().zip(&expected) {
        assert!((a - e).abs() <= tolerance * e.abs().max(1.0), "{a} instead of {e}");
    }
}
