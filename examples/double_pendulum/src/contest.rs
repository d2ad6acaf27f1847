//! Models of one system, trained on the same data and judged by the same rollouts.

use std::path::Path;

use hnn_integrators::{DifferentiableField, VectorField};
use hnn_losses::DerivativeLoss;
use hnn_models::Persist;
use hnn_systems::{DataSet, Hamiltonian};
use ndarray::{Array2, ArrayView2, Axis, s};

use hnn_examples::{Bars, Output, Recipe, Result, Rollouts, roll_out, scientific};

/// A trained model, in `f64` for evaluation.
pub struct Contender {
    /// Its name in files.
    pub key: &'static str,
    /// Its name in tables and figures.
    pub label: &'static str,
    /// The model.
    pub field: Box<dyn VectorField<f64>>,
}

/// How contenders are trained.
pub struct Training<'a> {
    /// Network and training.
    pub recipe: &'a Recipe,
    /// States and derivatives.
    pub train: &'a DataSet<f32>,
    /// Seed of the weights and the mini-batches.
    pub seed: u64,
    /// Where models go.
    pub output: &'a Output,
    /// A folder of trained models to take instead.
    pub load: Option<&'a Path>,
    /// The largest norm of a gradient, if there is one.
    pub clip: Option<f64>,
    /// Progress.
    pub bars: &'a Bars,
}

impl Training<'_> {
    /// Trains a model on derivatives, saves it, and reads it back as `G`.
    ///
    /// # Errors
    /// If the recipe makes no sense, the training diverges, or a file cannot be written or read.
    pub fn learn<F, G>(
        &self,
        key: &'static str,
        label: &'static str,
        mut model: F,
    ) -> Result<Contender>
    where
        F: DifferentiableField<f32> + Persist<f32>,
        G: VectorField<f64> + Persist<f64> + 'static,
    {
        let name = format!("{key}_{}", self.seed);
        let file = format!("{name}.safetensors");
        if let Some(folder) = self.load {
            let field = Box::new(G::load(folder.join(file))?);
            return Ok(Contender { key, label, field });
        }
        let train = self.train;
        let mut loss = DerivativeLoss::<f32, F>::new(
            train.times().into(),
            train.states(),
            train.derivatives(),
        )?;
        let mut trainer = self.recipe.trainer(train.len(), self.seed)?;
        if let Some(norm) = self.clip {
            trainer = trainer.with_clipping(norm);
        }
        let mut observer = self.bars.observer(label);
        let record = trainer.fit(&mut model, &mut loss, None, &mut observer)?;
        record.write_csv(self.output.path(&format!("{name}.csv")))?;
        self.bars.line(&format!(
            "seed {}: {label} trained in {:.1} s, loss {}",
            self.seed,
            record.seconds,
            scientific(record.final_loss())
        ));
        let path = self.output.path(&file);
        model.save(&path)?;
        Ok(Contender { key, label, field: Box::new(G::load(&path)?) })
    }
}

/// Rollouts that contenders are judged by.
pub struct Judge<'a> {
    system: &'a dyn Hamiltonian<f64>,
    times: Vec<f64>,
    starts: Array2<f64>,
    truth: Rollouts,
    tolerance: f64,
}

/// How good the rollouts of one contender are, a number a start.
pub struct Verdict {
    /// Its rollouts.
    pub rollouts: Rollouts,
    /// Valid prediction times.
    pub valid_times: Vec<f64>,
    /// r.m.s. over time of the true energy of the predicted states against that of the start.
    pub energy_rms: Vec<f64>,
    /// The same of the last state alone: `|E(T) - E(0)|`.
    pub energy_drift: Vec<f64>,
}

impl<'a> Judge<'a> {
    /// Solves the true system from all starts.
    ///
    /// # Errors
    /// If the times or the starts make no sense.
    pub fn new(
        system: &'a dyn Hamiltonian<f64>,
        starts: Array2<f64>,
        times: Vec<f64>,
        tolerance: f64,
    ) -> Result<Self> {
        let truth = roll_out(system, starts.view(), &times, 1e-12)?;
        Ok(Self { system, times, starts, truth, tolerance })
    }

    /// The times.
    #[must_use]
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// The truth.
    #[must_use]
    pub fn truth(&self) -> &Rollouts {
        &self.truth
    }

    /// Rolls a contender out.
    ///
    /// # Errors
    /// If the system's energy is undefined at a state.
    pub fn judge(&self, contender: &Contender) -> Result<Verdict> {
        let rollouts =
            roll_out(contender.field.as_ref(), self.starts.view(), &self.times, self.tolerance)?;
        let (mut valid_times, mut energy_rms, mut energy_drift) = (vec![], vec![], vec![]);
        for index in 0..self.starts.nrows() {
            let model = rollouts.states.index_axis(Axis(0), index);
            let truth = self.truth.states.index_axis(Axis(0), index);
            valid_times.push(valid_prediction_time(&self.times, truth, model, 0.1));
            let errors = self.energy_errors(model)?;
            let mean = errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64;
            energy_rms.push(mean.sqrt());
            energy_drift.push(errors[errors.len() - 1].abs());
        }
        Ok(Verdict { rollouts, valid_times, energy_rms, energy_drift })
    }

    /// `E(t) - E(0)` by the true energy; infinite where the rollout left all bounds.
    fn energy_errors(&self, states: ArrayView2<'_, f64>) -> Result<Vec<f64>> {
        let lanes = hnn_integrators::coordinate_major(states);
        let mut energy = vec![0.0; states.nrows()];
        self.system.energy(&lanes, &mut energy, &mut Default::default())?;
        let start = energy[0];
        let error = |e: &f64| if e.is_finite() { e - start } else { f64::INFINITY };
        Ok(energy.iter().map(error).collect())
    }
}

/// The first time at which the coordinates q, the first half of the state, are further than
/// `threshold` from the truth; the last time if they never are.
#[must_use]
pub fn valid_prediction_time(
    times: &[f64],
    truth: ArrayView2<'_, f64>,
    model: ArrayView2<'_, f64>,
    threshold: f64,
) -> f64 {
    let half = truth.ncols() / 2;
    let distance = |k: usize| {
        let difference = &truth.slice(s![k, ..half]) - &model.slice(s![k, ..half]);
        difference.dot(&difference).sqrt()
    };
    // A NaN is no valid prediction.
    let invalid = (0..times.len()).find(|k| !matches!(distance(*k), d if d <= threshold));
    times[invalid.unwrap_or(times.len() - 1)]
}
