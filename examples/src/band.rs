//! Bands about rollouts: what the data leave open.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use hnn_integrators::{RK4, Scalar, Substeps};
use hnn_train::Posterior;
use ndarray::{Array1, Array2, ArrayView1};
use serde_json::Value;

use crate::{ExampleError, Field, Result};

/// Steps of RK4 from time to time of a band.
const SUBSTEPS: std::num::NonZeroUsize = std::num::NonZeroUsize::new(4).expect("not 0");

/// A rollout that a figure draws.
#[derive(Debug, Clone, Copy)]
pub struct Drawn<'a> {
    /// The first state.
    pub start: &'a [f64],
    /// The times.
    pub times: &'a [f64],
}

impl Drawn<'_> {
    /// The standard deviations of a model's states, shape (T, D).
    pub(crate) fn deviations<T: Scalar>(
        &self,
        posterior: &Posterior,
        model: &Field<'_, T>,
    ) -> Result<Array2<f64>> {
        let start: Array1<T> = self.start.iter().map(|x| T::from_f64(*x)).collect();
        let times: Vec<T> = self.times.iter().map(|t| T::from_f64(*t)).collect();
        let method = Substeps::new(RK4, SUBSTEPS);
        Ok(posterior.rollout_deviations(model, method, start.view(), &times)?)
    }
}

/// Saves standard deviations beside a model file, or removes those of an earlier model.
pub(crate) fn save(deviations: Option<&Array2<f64>>, path: &Path) -> Result<()> {
    if let Some(deviations) = deviations {
        let row = |row: ArrayView1<'_, f64>| Value::from_iter(row.iter().copied());
        let rows = Value::from_iter(deviations.rows().into_iter().map(row));
        return Ok(hnn_files::write_all(file(path), rows.to_string().as_bytes())?);
    }
    match std::fs::remove_file(file(path)) {
        Err(error) if error.kind() != ErrorKind::NotFound => Err(unusable(path, error)),
        _ => Ok(()),
    }
}

/// The edges of the 95 % band about a rollout (T, D) of a trained model: 1.96 standard deviations on
/// either side. None where the model was not fitted by evidence.
///
/// # Errors
/// If the file beside the model's cannot be read, or is that of another rollout.
pub fn band(path: &Path, rollout: &Array2<f64>) -> Result<Option<[Array2<f64>; 2]>> {
    let bytes = match hnn_files::read(file(path)) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        bytes => bytes.map_err(|error| unusable(path, error))?,
    };
    let deviations = numbers(&bytes, rollout.dim())
        .map_err(|reason| unusable(path, Error::new(ErrorKind::InvalidData, reason)))?;
    let edge = |times: f64| {
        let at = |place| rollout[place] + times * deviations[place];
        Array2::from_shape_fn(rollout.dim(), at)
    };
    Ok(Some([edge(-1.96), edge(1.96)]))
}

/// The numbers of an array of rows.
fn numbers(
    bytes: &[u8],
    shape: (usize, usize),
) -> Result<Array2<f64>, Box<dyn std::error::Error + Send + Sync>> {
    let rows: Value = std::str::from_utf8(bytes)?.parse()?;
    let mut numbers = Vec::with_capacity(shape.0 * shape.1);
    for row in rows.as_array().ok_or("it is no array of rows")? {
        for number in row.as_array().ok_or("a row is no array")? {
            numbers.push(number.as_f64().ok_or("an entry is no number")?);
        }
    }
    Ok(Array2::from_shape_vec(shape, numbers)?)
}

fn file(path: &Path) -> PathBuf {
    path.with_extension("deviations.json")
}

fn unusable(path: &Path, source: Error) -> ExampleError {
    ExampleError::Read { path: file(path), source }
}
