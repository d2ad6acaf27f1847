//! The options that these experiments share.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use serde::Serialize;

use super::{Report, Setting, Variant};
use hnn_examples::{
    Config, Optimiser, Output, Recipe, RecipeOptions, Result, Sweep, seed_range, use_threads,
};

/// Options of the spring and pendulum experiments.
#[derive(Debug, Clone, Args, Serialize)]
pub struct OscillatorOptions {
    /// Number of seeds (data, initial weights).
    #[arg(long, default_value_t = 3)]
    pub seeds: u64,
    /// The first seed; recipes are chosen on other seeds than those reported.
    #[arg(long, default_value_t = 0)]
    pub first_seed: u64,
    /// Standard deviation of the noise on the measured states; 0.1 in the reference [default:
    /// 0, but 0.1 where regularisers are compared].
    #[arg(long)]
    pub noise: Option<f64>,
    #[command(flatten)]
    #[serde(skip)]
    recipe: RecipeOptions,
    /// The reference protocol's own training recipe: wider networks, constant rate.
    #[arg(long)]
    pub protocol: bool,
    /// Tolerance of the adaptive solver that rolls the models out.
    #[arg(long, default_value_t = 1e-10)]
    pub tolerance: f64,
    /// Output folder [default: target/examples/NAME].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Number of threads [default: all cores].
    #[arg(long)]
    pub threads: Option<usize>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    pub quick: bool,
    /// The training in several jobs.
    #[command(flatten)]
    #[serde(skip)]
    pub sweep: Sweep,
}

impl OscillatorOptions {
    /// Whether least squares are compared as well.
    #[must_use]
    pub fn has_least_squares(&self) -> bool {
        self.recipe.optimiser(self.protocol) == Optimiser::LeastSquares
    }

    /// The recipe of these experiments: full batches of Adam, a rate that falls.
    ///
    /// # Errors
    /// If an option makes no sense.
    pub fn recipe(&self) -> Result<Recipe> {
        let own = Recipe {
            steps: 1500,
            hidden: vec![64, 64],
            rate: 1e-2,
            constant_rate: false,
            batch: 0,
            weight_decay: 1e-5,
            ..Recipe::clean()
        };
        let mut recipe =
            self.recipe.change(if self.protocol { Recipe::protocol() } else { own })?;
        if self.quick {
            recipe.steps = recipe.steps.min(30);
        }
        Ok(recipe)
    }

    /// Trains all variants with all seeds, and writes `results.json` (with `options`, the whole
    /// command line) into the output folder; none where this was a job that trained a share.
    ///
    /// # Errors
    /// If an option makes no sense, a training run fails, or a file cannot be written.
    pub fn run<'a>(
        &self,
        name: &'static str,
        options: &impl Serialize,
        setting: &'a Setting,
        variants: &'a [Variant],
    ) -> Result<Option<(Report<'a>, Output)>> {
        let begin = Instant::now();
        use_threads(self.threads)?;
        let seeds = if self.quick { self.seeds.min(2) } else { self.seeds };
        let seeds = seed_range(self.first_seed, seeds)?;
        let output = Output::new(name, self.out.as_deref())?;
        let recipe = self.recipe()?;

        let config = Config { options, recipe: &recipe };
        let report = Report::train(setting, variants, &config, seeds, &self.sweep, &output)?;
        let Some(report) = report else { return Ok(None) };
        report.print();
        output.results(&config, begin.elapsed().as_secs_f64(), &report.rows()?)?;
        Ok(Some((report, output)))
    }
}
