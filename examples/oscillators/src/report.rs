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
    Config, Learned, Model, Output, Result, Rollouts, Row, Summary, Sweep, Table, Trial, spread,
};

/// One trained model.
pub struct Outcome {
    trial: Trial,
    /// Which variant, by index.
    pub variant: usize,
    /// Its seed.
    pub seed: u64,
    /// Its training run.
    pub record: TrainingRecord,
    /// The rollouts from the *ring* starts, at the times of drawn curves.
    curves: Rollouts,
    /// Coordinate MSE and energy MSE of the *ring* starts.
    pub ring: (f64, f64),
}

impl Outcome {
    fn new(
        setting: &Setting,
        variants: &[Variant],
        model: &Model<'_, usize>,
        folder: &Path,
        record: TrainingRecord,
    ) -> Result<Self> {
        let (Model { kind: variant, seed, key, label, .. }, path) = (*model, model.file(folder));
        let learned = Learned::load(variants[variant].kind(), &path)?;
        let (curves, errors) = setting.judge(learned.field())?;
        let Errors { ring, ring_median, grey } = errors;
        let metrics = vec![
            ("coordinate_mse_ring", ring.0),
            ("coordinate_mse_ring_median", ring_median),
            ("energy_mse_ring", ring.1),
            ("coordinate_mse_grey", grey.0),
            ("energy_mse_grey", grey.1),
            ("final_loss", record.final_loss()),
        ];
        let trial = Trial::new(key, label, metrics);
        Ok(Self { trial, variant, seed, record, curves, ring })
    }
}

/// All trained models of an experiment.
pub struct Report<'a> {
    setting: &'a Setting,
    first: u64,
    /// The trained models, seed by seed.
    pub outcomes: Vec<Outcome>,
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
        let folder = sweep.folder(output);
        let judge = |(model, record)| Outcome::new(setting, variants, model, folder, record);
        let outcomes = models.par_iter().zip(records).map(judge).collect::<Result<Vec<_>>>()?;
        Ok(Some(Self { setting, first, outcomes }))
    }

    /// What came out of a variant, seed by seed.
    pub fn of(&self, variant: usize) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(move |outcome| outcome.variant == variant)
    }

    /// Those of the first seed.
    fn of_first(&self) -> impl Iterator<Item = &Outcome> {
        self.outcomes.iter().filter(|outcome| outcome.seed == self.first)
    }

    fn summaries(&self) -> Result<Vec<Summary>> {
        Summary::of_models(self.outcomes.iter().map(|outcome| &outcome.trial))
    }

    /// Every metric of every variant.
    ///
    /// # Errors
    /// If a metric is NaN.
    pub fn rows(&self) -> Result<Vec<Row>> {
        Ok(self.summaries()?.into_iter().flat_map(|model| model.rows).collect())
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
        for Summary { label, rows } in self.summaries().unwrap_or_default() {
            let shown = rows.iter().filter(|row| row.metric != "final_loss");
            table.row([label].into_iter().chain(shown.map(spread)));
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
            Motion::new(
                label,
                &setting.curves.times,
                rollouts.states.slice(s![setting.drawn, .., ..]),
            )
        };
        let mut motions = vec![motion("truth", &setting.curves.truth)?.truth()];
        for outcome in self.of_first() {
            if outcome.curves.states.iter().all(|x| x.is_finite()) {
                motions.push(motion(&outcome.trial.label, &outcome.curves)?);
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
        let (setting, truth) = (self.setting, &self.setting.curves.truth.states);
        let what = setting.title("mean squared error, ring starts");
        let mut panel =
            Panel::new(what).with_x_label("time t (s)").with_y_label("squared error").with_log_y();
        for outcome in self.of_first() {
            let states = &outcome.curves.states;
            // At t = 0 there is none, and so no place on a logarithmic axis.
            let mean = |step| {
                let difference = &states.slice(s![.., step, ..]) - &truth.slice(s![.., step, ..]);
                difference.iter().map(|e| e * e).sum::<f64>() / difference.len() as f64
            };
            let points = (1..setting.curves.times.len())
                .map(|step| (setting.curves.times[step], mean(step)));
            let (t, error): (Vec<f64>, Vec<f64>) = points.filter(|(_, e)| e.is_finite()).unzip();
            if !t.is_empty() {
                let series = Series::new(&outcome.trial.label, t, error)?;
                panel = panel.series(series.with_color(Color::for_model(outcome.variant)));
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
        let curve = |outcome: &Outcome| -> Result<LossCurve> {
            let all = &outcome.record.steps;
            let steps = all.iter().skip(30.min(all.len() / 10));
            let train = steps.clone().step_by(10).map(|s| (s.step as u64, s.loss));
            let (x, y): (Vec<u64>, Vec<f64>) = train.unzip();
            let validated = steps.filter_map(|s| Some((s.step as u64, s.validation?)));
            let (x_validation, y_validation): (Vec<u64>, Vec<f64>) = validated.unzip();
            Ok(LossCurve::new(&outcome.trial.label, x, y)?
                .with_validation(x_validation, y_validation)?)
        };
        let curves = self.of_first().map(curve).collect::<Result<Vec<_>>>()?;
        let panel =
            loss_curves(&curves).with_title(self.setting.title("training and validation loss"));
        output.figure("losses", &Figure::new(panel))
    }
}
