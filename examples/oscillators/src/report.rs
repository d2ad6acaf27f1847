//! Training all variants, the tables and the figures.

use std::ops::Range;
use std::path::Path;

use hnn_integrators::VectorField;
use hnn_plots::{
    Color, Figure, LossCurve, Motion, Panel, Series, energy, loss_curves, phase_portrait,
    trajectories,
};
use hnn_train::{Observer, TrainingRecord};
use ndarray::s;
use rayon::prelude::*;
use serde::Serialize;

use super::setting::Errors;
use super::{Setting, Variant};
use hnn_examples::{
    Config, Learned, Model, Output, Result, Rollouts, Row, Sweep, Table, scientific,
};

/// One trained model.
pub struct Trial {
    /// Which variant, by index.
    pub variant: usize,
    /// Its seed.
    pub seed: u64,
    /// Its training run.
    pub record: TrainingRecord,
    /// The rollouts from the *ring* starts, at the times of drawn curves.
    curves: Rollouts,
    errors: Errors,
}

impl Trial {
    fn metrics(&self) -> [(&'static str, f64); 5] {
        let Errors { ring, ring_median, grey } = self.errors;
        [
            ("coordinate_mse_ring", ring.0),
            ("coordinate_mse_ring_median", ring_median),
            ("energy_mse_ring", ring.1),
            ("coordinate_mse_grey", grey.0),
            ("energy_mse_grey", grey.1),
        ]
    }

    /// Coordinate MSE and energy MSE of the *ring* starts.
    #[must_use]
    pub fn ring(&self) -> (f64, f64) {
        self.errors.ring
    }
}

/// All trained models of an experiment.
pub struct Report<'a> {
    setting: &'a Setting,
    variants: &'a [Variant],
    first: u64,
    /// The trained models, seed by seed.
    pub trials: Vec<Trial>,
}

impl<'a> Report<'a> {
    /// Trains every variant with every seed, on all threads; none where this was a job that trained a share.
    ///
    /// # Errors
    /// If a run fails.
    pub(super) fn train(
        setting: &'a Setting,
        variants: &'a [Variant],
        config: &Config<'_, impl Serialize>,
        seeds: Range<u64>,
        sweep: &Sweep,
        output: &Output,
    ) -> Result<Option<Self>> {
        let (first, recipe) = (seeds.start, config.recipe);
        let models = seeds.flat_map(|seed| {
            let variants = variants.iter().enumerate();
            variants.map(move |(kind, of)| Model { kind, seed, key: &of.key, label: &of.label })
        });
        let models = Vec::from_iter(models);
        let train = |model: &Model<'_, usize>, path: &Path, observer: &mut dyn Observer| {
            let data = setting.data(model.seed)?;
            variants[model.kind].train(recipe, model.seed, &data, path, observer)
        };
        let records = sweep.train(output, config, &models, recipe.steps, train)?;
        let Some(records) = records else { return Ok(None) };
        let judge = |(model, record): (&Model<'_, usize>, TrainingRecord)| -> Result<Trial> {
            let Model { kind: variant, seed, .. } = *model;
            let path = model.file(sweep.folder(output));
            let learned = Learned::load(variants[variant].kind(), &path)?;
            let (curves, errors) = setting.judge(learned.field())?;
            Ok(Trial { variant, seed, record, curves, errors })
        };
        let trials = models.par_iter().zip(records).map(judge).collect::<Result<Vec<_>>>()?;
        Ok(Some(Self { setting, variants, first, trials }))
    }

    /// The trials of a variant, seed by seed.
    pub fn of(&self, variant: usize) -> impl Iterator<Item = &Trial> {
        self.trials.iter().filter(move |trial| trial.variant == variant)
    }

    /// Every metric of every variant.
    ///
    /// # Errors
    /// If a metric is NaN.
    pub fn rows(&self) -> Result<Vec<Row>> {
        let mut rows = Vec::new();
        for (index, variant) in self.variants.iter().enumerate() {
            let metrics: Vec<_> = self.of(index).map(Trial::metrics).collect();
            for metric in 0..metrics[0].len() {
                let values: Vec<f64> = metrics.iter().map(|m| m[metric].1).collect();
                rows.push(Row::of(&variant.key, metrics[0][metric].0, &values)?);
            }
            let loss: Vec<f64> = self.of(index).map(|t| t.record.final_loss()).collect();
            rows.push(Row::of(&variant.key, "final_loss", &loss)?);
        }
        Ok(rows)
    }

    /// Prints the table of all variants.
    pub(super) fn print(&self) {
        let seeds = self.of(0).count();
        println!(
            "\n{}, noise {}: mean ± standard error over {seeds} seeds, rollouts to t = 20:",
            self.setting.name, self.setting.sampling.noise
        );
        let mut table = Table::new(&[
            "model",
            "ring: coordinate MSE",
            "median of the starts",
            "energy MSE",
            "grey: coordinate MSE",
            "energy MSE",
        ]);
        let rows = self.rows().unwrap_or_default();
        for variant in self.variants {
            let own = rows.iter().filter(|r| r.model == variant.key && r.metric != "final_loss");
            let cell = |r: &Row| format!("{} ± {}", scientific(r.mean), scientific(r.std_error));
            table.row([variant.label.clone()].into_iter().chain(own.map(cell)));
        }
        println!("{table}");
    }

    /// The figures of the first seed: phase space, trajectory and energy over time from the *ring*
    /// start of median energy, and the mean squared error over time from all of them.
    ///
    /// # Errors
    /// If a figure cannot be drawn or written.
    pub fn draw(&self, output: &Output) -> Result<()> {
        let setting = self.setting;
        let motion = |label: &str, rollouts: &Rollouts| {
            Motion::new(label, &setting.fine, rollouts.states.slice(s![setting.drawn, .., ..]))
        };
        let mut motions = vec![motion("truth", &setting.curves)?.truth()];
        for trial in self.trials.iter().filter(|t| t.seed == self.first) {
            if trial.curves.states.iter().all(|x| x.is_finite()) {
                motions.push(motion(&self.variants[trial.variant].label, &trial.curves)?);
            }
        }
        let field: &dyn VectorField<f64> = &*setting.system;
        let portrait = phase_portrait(field, &motions)?.with_title(setting.title("phase space"));
        output.figure("phase_space", &Figure::new(portrait))?;
        let panels = trajectories(&motions, &["coordinate q", "momentum p"])?;
        let figure = Figure::grid(1, panels)?.with_title(setting.title("trajectory"));
        output.figure("trajectory", &figure)?;
        output.figure("mse", &Figure::new(self.errors_over_time()?))?;
        let true_energy = |x: &[f64]| setting.system.energy_state(x).unwrap_or(f64::NAN);
        let panel =
            energy(&motions, true_energy)?.with_title(setting.title("energy of the trajectory"));
        output.figure("energy", &Figure::new(panel))?;
        Ok(())
    }

    /// The mean squared error over time of the first seed, all *ring* starts.
    fn errors_over_time(&self) -> Result<Panel> {
        let (setting, truth) = (self.setting, &self.setting.curves.states);
        let what = setting.title("mean squared error, ring starts");
        let mut panel =
            Panel::new(what).with_x_label("time t (s)").with_y_label("squared error").with_log_y();
        for trial in self.trials.iter().filter(|t| t.seed == self.first) {
            let states = &trial.curves.states;
            // At t = 0 there is none, and so no place on a logarithmic axis.
            let mean = |step| {
                let difference = &states.slice(s![.., step, ..]) - &truth.slice(s![.., step, ..]);
                difference.iter().map(|e| e * e).sum::<f64>() / difference.len() as f64
            };
            let points = (1..setting.fine.len()).map(|step| (setting.fine[step], mean(step)));
            let (t, error): (Vec<f64>, Vec<f64>) = points.filter(|(_, e)| e.is_finite()).unzip();
            if !t.is_empty() {
                let label = &self.variants[trial.variant].label;
                let series = Series::new(label, t, error)?;
                panel = panel.series(series.with_color(Color::for_model(trial.variant)));
            }
        }
        Ok(panel)
    }

    /// The figure of the training and validation losses of the first seed; their fall in the first
    /// steps, which would fill it, is left out.
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub fn draw_losses(&self, output: &Output) -> Result<()> {
        let curve = |trial: &Trial| -> Result<LossCurve> {
            let all = &trial.record.steps;
            let steps = all.iter().skip(30.min(all.len() / 10));
            let train = steps.clone().step_by(10).map(|s| (s.step as u64, s.loss));
            let (x, y): (Vec<u64>, Vec<f64>) = train.unzip();
            let validated = steps.filter_map(|s| Some((s.step as u64, s.validation?)));
            let (x_validation, y_validation): (Vec<u64>, Vec<f64>) = validated.unzip();
            let label = &self.variants[trial.variant].label;
            Ok(LossCurve::new(label, x, y)?.with_validation(x_validation, y_validation)?)
        };
        let first = self.trials.iter().filter(|t| t.seed == self.first);
        let curves = first.map(curve).collect::<Result<Vec<_>>>()?;
        let panel =
            loss_curves(&curves).with_title(self.setting.title("training and validation loss"));
        output.figure("losses", &Figure::new(panel))
    }
}
