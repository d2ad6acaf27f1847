//! Golden files of this crate alone, and networks of them.
#![allow(dead_code)]

use hnn_models::{Activation, Architecture, Mlp};
use hnn_testing::{numbers, read_json};
use serde_json::Value;

/// A golden file of this crate's `tests/data`.
pub(crate) fn own_golden(name: &str) -> Value {
    read_json(format!("{}/tests/data/{name}.json", env!("CARGO_MANIFEST_DIR")))
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
