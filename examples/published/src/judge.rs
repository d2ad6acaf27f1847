//! Learned fields beside the true one, by the metrics of several papers.

use hnn_data::DataSet;
use hnn_examples::Judge;
use hnn_integrators::VectorField;
use hnn_losses::metrics::derivative_mse_of;
use hnn_systems::Hamiltonian;

use crate::Result;

/// The mean squared errors of the derivatives of data for training and others: `train_loss` and `test_loss`.
///
/// # Errors
/// If the field fails.
pub fn losses(
    field: &dyn VectorField<f64>,
    [train, test]: [&DataSet<f64>; 2],
) -> Result<[(&'static str, f64); 2]> {
    Ok([
        ("train_loss", derivative_mse_of(field, train)?.mean),
        ("test_loss", derivative_mse_of(field, test)?.mean),
    ])
}

/// The mean squared error of the true energy along rollouts: `energy_mse`.
///
/// # Errors
/// If the field fails.
pub fn energy_error(
    judge: &Judge,
    field: &dyn VectorField<f64>,
    system: &dyn Hamiltonian<f64>,
) -> Result<(&'static str, f64)> {
    let rollouts = judge.roll_out(field)?;
    let (_, energy) = rollouts.errors(system, &judge.truth, 0..judge.starts.nrows())?;
    Ok(("energy_mse", energy))
}
