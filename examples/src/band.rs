//! Bands about rollouts: what the data leave open.

use std::io::{Error, ErrorKind};
use std::path::{Path, PathBuf};

use hnn_integrators::{RK4, Scalar, Substeps};
use hnn_train::Posterior;
use ndarray::{Array1, Array2};

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
        let rows: Vec<_> = deviations.rows().into_iter().map(|row| row.to_vec()).collect();
        let bytes = serde_json::to_vec(&rows).map_err(|error| unusable(path, error.into()))?;
        return Ok(hnn_files::write_all(file(path), &bytes)?);
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
    let rows: Vec<Vec<f64>> =
        serde_json::from_slice(&bytes).map_err(|error| unusable(path, error.into()))?;
    let deviations = Array2::from_shape_vec(rollout.dim(), rows.concat())
        .map_err(|error| unusable(path, Error::new(ErrorKind::InvalidData, error)))?;
    Ok(Some([-1.96, 1.96].map(|times| rollout + times * &deviations)))
}

fn file(path: &Path) -> PathBuf {
    path.with_extension("deviations.json")
}

fn unusable(path: &Path, source: Error) -> ExampleError {
    ExampleError::Read { path: file(path), source }
}
