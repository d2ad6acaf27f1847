//! Trained models of one system, judged by the same rollouts.

use std::path::Path;

use hnn_integrators::VectorField;
use hnn_losses::metrics::valid_prediction_time;
use hnn_models::{AnyModel, Persist};
use hnn_systems::Hamiltonian;
use ndarray::ArrayView2;

use hnn_examples::{Judge, Model, Result, Rollouts, scientific};

use crate::Kind;

/// A trained model, in `f64` for evaluation.
pub struct Contender {
    /// Its name in files.
    pub key: &'static str,
    /// Its name in tables and figures.
    pub label: &'static str,
    /// The model.
    pub field: Box<dyn VectorField<f64>>,
}

impl Contender {
    /// A trained model from its folder.
    ///
    /// # Errors
    /// If its file is not there, or holds no model.
    pub fn load(model: &Model<'static, Kind>, folder: &Path) -> Result<Self> {
        let field = Box::new(AnyModel::load(model.file(folder))?);
        Ok(Self { key: model.key, label: model.label, field })
    }
}

impl Verdict {
    /// Mean valid prediction time over the starts, in s.
    #[must_use]
    pub fn valid_time(&self) -> f64 {
        mean(&self.valid_times)
    }

    /// Root mean square of the energy error over times and starts, in J.
    #[must_use]
    pub fn energy_rms(&self) -> f64 {
        mean(&self.energy_squares).sqrt()
    }

    /// Mean of `|E(T) - E(0)|` over the starts, in J.
    #[must_use]
    pub fn mean_drift(&self) -> f64 {
        mean(&self.energy_drift)
    }
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// A prediction is valid while the angles are within this distance of the true ones, in rad.
const THRESHOLD: f64 = 0.1;

/// How good the rollouts of one contender are, a number a start.
pub struct Verdict {
    /// Its rollouts.
    pub rollouts: Rollouts,
    /// Valid prediction times.
    pub valid_times: Vec<f64>,
    /// Mean square over time of the true energy of the predicted states against that of the
    /// start, in J^2; infinite where the rollout left all bounds.
    pub energy_squares: Vec<f64>,
    /// `|E(T) - E(0)|` of the last state, in J.
    pub energy_drift: Vec<f64>,
}

impl Verdict {
    /// Rolls a contender out, and compares it with the true `system`.
    ///
    /// # Errors
    /// If the system's energy is undefined at a state.
    pub fn new(
        judge: &Judge,
        system: &dyn Hamiltonian<f64>,
        contender: &Contender,
    ) -> Result<Self> {
        let rollouts = judge.roll_out(contender.field.as_ref())?;
        let (model, truth) = (rollouts.states.view(), judge.truth.states.view());
        let valid_times = valid_prediction_time(&judge.times, model, truth, THRESHOLD)?.times;
        let (mut energy_squares, mut energy_drift) = (vec![], vec![]);
        for states in model.outer_iter() {
            let errors = energy_errors(system, states)?;
            energy_squares.push(errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64);
            energy_drift.push(errors[errors.len() - 1].abs());
        }
        let verdict = Self { rollouts, valid_times, energy_squares, energy_drift };
        println!(
            "{}: valid for {:.2} s, energy error {} J r.m.s.",
            contender.label,
            verdict.valid_time(),
            scientific(verdict.energy_rms())
        );
        Ok(verdict)
    }
}

/// `E(t) - E(0)` by the true energy; infinite where the rollout left all bounds.
fn energy_errors(system: &dyn Hamiltonian<f64>, states: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
    let lanes = hnn_integrators::coordinate_major(states);
    let mut energy = vec![0.0; states.nrows()];
    system.energy(&lanes, &mut energy, &mut Default::default())?;
    let start = energy[0];
    let error = |e: &f64| if e.is_finite() { e - start } else { f64::INFINITY };
    Ok(energy.iter().map(error).collect())
}
