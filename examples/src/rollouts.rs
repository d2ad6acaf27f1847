//! Rollouts, and how far they are from the truth.

use hnn_integrators::{Adaptive, DORMAND_PRINCE5, Tolerances, VectorField};
use hnn_losses::metrics::{coordinate_mse, energy_mse};
use hnn_systems::Hamiltonian;
use ndarray::{Array3, ArrayView2, s};

use crate::Result;

/// Rollouts of one field from several starts, shape (M, T, D).
pub struct Rollouts {
    /// The states.
    pub states: Array3<f64>,
}

impl Rollouts {
    /// Coordinate MSE and energy MSE of the starts in `range`; infinite where a rollout left all
    /// bounds.
    ///
    /// # Errors
    /// If the system's energy is undefined at a state.
    pub fn errors(
        &self,
        system: &dyn Hamiltonian<f64>,
        truth: &Self,
        range: std::ops::Range<usize>,
    ) -> Result<(f64, f64)> {
        let model = self.states.slice(s![range.clone(), .., ..]);
        if model.iter().any(|x| !x.is_finite()) {
            return Ok((f64::INFINITY, f64::INFINITY));
        }
        let truth = truth.states.slice(s![range, .., ..]);
        let coordinate = coordinate_mse(model, truth)?.mean;
        Ok((coordinate, energy_mse(|x| system.energy_rows(x), model, truth)?.mean))
    }
}

/// Rolls a field out from `starts` (M, D) by an adaptive solver of that relative tolerance. States that a failed rollout did
/// not reach are NaN.
///
/// # Errors
/// If the times or the starts make no sense.
pub fn roll_out(
    field: &dyn VectorField<f64>,
    starts: ArrayView2<'_, f64>,
    times: &[f64],
    tolerance: f64,
) -> Result<Rollouts> {
    let solver =
        Adaptive::new(DORMAND_PRINCE5, Tolerances::relative(tolerance)).with_max_steps(200_000);
    let states = match solver.solve_batch(field, starts, times) {
        Ok(solution) => solution.states,
        Err(failure) => match failure.partial {
            Some(partial) => partial.states,
            None => return Err(failure.error.into()),
        },
    };
    Ok(Rollouts { states })
}
