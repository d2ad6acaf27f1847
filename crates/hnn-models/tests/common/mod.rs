//! Reading the golden files.
#![allow(dead_code)]

use hnn_models::{Activation, Architecture, Mlp};
use serde_json::Value;

pub(crate) fn golden(name: &str) -> Value {
    let path = format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR"));
    serde_json::from_str(&std::fs::read_to_string(path).expect("golden file")).expect("JSON")
}

/// All numbers of a (nested) array, row by row.
pub(crate) fn numbers(value: &Value) -> Vec<f64> {
    match value {
        Value::Array(items) => items.iter().flat_map(numbers).collect(),
        number => vec![number.as_f64().expect("a number")],
    }
}

/// Rows (B, D) as a coordinate-major slice.
pub(crate) fn lanes(value: &Value) -> (usize, Vec<f64>) {
    let batch = value.as_array().expect("rows").len();
    (batch, transpose(&numbers(value), batch))
}

/// From (rows, cols), row-major, to (cols, rows).
pub(crate) fn transpose(x: &[f64], rows: usize) -> Vec<f64> {
    let cols = x.len() / rows;
    (0..x.len()).map(|i| x[(i % rows) * cols + i / rows]).collect()
}

pub(crate) fn network(params: &Value, activation: Activation) -> Mlp<f64> {
    let size = |name: &str| params[name].as_array().expect("rows").len();
    let input = params["W1"][0].as_array().expect("columns").len();
    let sizes = [input, size("W1"), size("W2"), size("W3")];
    let theta = ["W1", "b1", "W2", "b2", "W3"].iter().flat_map(|n| numbers(&params[n])).collect();
    let architecture = Architecture::new(&sizes).expect("sizes").with_activation(activation);
    Mlp::from_params(architecture, theta).expect("parameters")
}

/// Asserts that every number agrees to `tolerance` of the largest one.
pub(crate) fn assert_close(name: &str, actual: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(actual.len(), expected.len(), "{name}");
    let scale = expected.iter().fold(0.0_f64, |m, x| m.max(x.abs()));
    for (i, (a, e)) in actual.iter().zip(expected).enumerate() {
        let close = (a - e).abs() <= tolerance * scale;
        assert!(close, "{name}[{i}] is {a}, expected {e}");
    }
}
