//! Golden files and finite differences.
#![allow(dead_code)]

use hnn_integrators::{DifferentiableField, VectorField, Workspace, rows};
use hnn_models::{Activation, Architecture, Mlp};
use ndarray::Array2;
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

/// `sum of v * f(x)`.
fn projection<F: VectorField<f64>>(field: &F, x: &[f64], v: &[f64], batch: usize) -> f64 {
    let mut dx = vec![0.0; x.len()];
    field.eval(&vec![0.0; batch], x, &mut dx, &mut Workspace::default()).expect("evaluates");
    dx.iter().zip(v).map(|(f, v)| f * v).sum()
}

/// Compares `x_bar` and `theta_bar` along random directions with central differences.
pub(crate) fn check_vjp<F: DifferentiableField<f64>>(field: &mut F, batch: usize, seed: u64) {
    let wave = |phase: f64, len: usize| wave(phase + seed as f64, len);
    let len = field.dim() * batch;
    let (x, v, x_dot) = (wave(0.3, len), wave(1.1, len), wave(2.9, len));
    let mut theta = vec![0.0; field.num_params()];
    field.copy_params(&mut theta).expect("fits");
    let theta_dot = wave(0.7, theta.len());

    let mut residuals = F::Residuals::default();
    let mut dx = vec![0.0; len];
    let mut x_bar = vec![0.0; len];
    let mut theta_bar = vec![0.0; theta.len()];
    field.eval_recorded(&vec![0.0; batch], &x, &mut dx, &mut residuals).expect("evaluates");
    field.vjp(&x, &mut residuals, &v, &mut x_bar, Some(&mut theta_bar)).expect("pulls back");

    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let shifted = |a: &[f64], b: &[f64], h: f64| -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| a + h * b).collect()
    };
    let by_x = difference(|h| projection(field, &shifted(&x, &x_dot, h), &v, batch));
    let by_theta = difference(|h| {
        field.set_params(&shifted(&theta, &theta_dot, h)).expect("fits");
        projection(field, &x, &v, batch)
    });
    for (name, exact, difference) in
        [("x", dot(&x_bar, &x_dot), by_x), ("theta", dot(&theta_bar, &theta_dot), by_theta)]
    {
        let scale = 1.0 + difference.abs();
        assert!((exact - difference).abs() < 1e-6 * scale, "by {name}: {exact}, {difference}");
    }
}

fn wave(phase: f64, len: usize) -> Vec<f64> {
    (0..len).map(|i| (phase + 1.7 * i as f64).sin()).collect()
}

/// The states that [`check_vjp`] takes, a row a state.
pub(crate) fn check_states(dim: usize, batch: usize, seed: u64) -> Array2<f64> {
    rows(&wave(0.3 + seed as f64, dim * batch), batch, dim)
}

/// `df/dh` at 0, by central differences of fourth order.
fn difference(mut f: impl FnMut(f64) -> f64) -> f64 {
    let h = 1e-5;
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}
