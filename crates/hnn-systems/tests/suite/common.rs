//! What several test files need.
#![allow(unreachable_pub)]

use std::path::Path;

use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace};
use hnn_systems::Hamiltonian;
use ndarray::Array2;
use serde_json::Value;

/// A system without its fused kernels: stepped through `eval`. The kernels are the same for every
/// system and tested where they are written; compiling them for each one takes minutes.
pub struct Plain<'a, S>(pub &'a S);

impl<T: Scalar, S: VectorField<T>> VectorField<T> for Plain<'_, S> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.eval(at, x, dx, workspace)
    }
}

impl<T: Scalar, S: Hamiltonian<T>> Hamiltonian<T> for Plain<'_, S> {
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.energy(x, energy, workspace)
    }
    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.0.energy_gradient(batch, x, gradient, workspace)
    }
}

/// A reference file.
pub fn reference(file: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data").join(file);
    let text = std::fs::read_to_string(path).expect("reference file");
    serde_json::from_str(&text).expect("JSON")
}

/// A list of numbers.
pub fn numbers(value: &Value) -> Vec<f64> {
    let list = value.as_array().expect("a list");
    list.iter().map(|x| x.as_f64().expect("a number")).collect()
}

/// Rows of numbers.
pub fn matrix(value: &Value) -> Array2<f64> {
    let list: Vec<Vec<f64>> = value.as_array().expect("rows").iter().map(numbers).collect();
    Array2::from_shape_vec((list.len(), list[0].len()), list.concat()).expect("equal rows")
}

/// Agreement to `tol`, relative for numbers above 1.
pub fn close(
    given: impl IntoIterator<Item = f64>,
    expected: impl IntoIterator<Item = f64>,
    tol: f64,
) {
    let (given, expected) = (Vec::from_iter(given), Vec::from_iter(expected));
    assert_eq!(given.len(), expected.len());
    for (a, b) in given.iter().zip(&expected) {
        assert!((a - b).abs() <= tol * b.abs().max(1.0), "{a} instead of {b}");
    }
}
