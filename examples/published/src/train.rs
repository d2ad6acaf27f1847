//! Training one network, with progress and a clock.

use std::path::Path;
use std::time::Instant;

use hnn_data::DataSet;
use hnn_examples::{Bars, Kind, Learned, LossKind, Objective, Recipe, learn};
use hnn_integrators::VectorField;

use crate::Result;

/// Trains a network on derivatives, and saves it at `path`; with it come the seconds that it took.
///
/// # Errors
/// If training fails, or the file cannot be written.
pub fn train(
    kind: Kind,
    recipe: &Recipe,
    seed: u64,
    data: &DataSet<f64>,
    path: &Path,
) -> Result<(Box<dyn VectorField<f64>>, f64)> {
    let bars = Bars::new(recipe.steps);
    let objective = Objective::new(LossKind::Derivative);
    let trained = timed(|| {
        learn(kind, recipe, objective, seed, data, path, &mut bars.observer(kind.label()))?;
        Ok(Learned::load(kind, path)?.into_field())
    });
    bars.finish();
    trained
}

/// What something gives, and how many seconds it took.
///
/// # Errors
/// Those of what is done.
pub fn timed<T>(work: impl FnOnce() -> Result<T>) -> Result<(T, f64)> {
    let begin = Instant::now();
    Ok((work()?, begin.elapsed().as_secs_f64()))
}
