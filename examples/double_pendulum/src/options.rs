//! Options that both examples have.

use std::path::PathBuf;

use clap::Args;
use hnn_examples::{Model, RecipeOptions, Result, Source, seed_range, use_threads};
use serde::Serialize;

use crate::Kind;

/// Options that both examples have.
#[derive(Debug, Args, Serialize)]
pub struct RunOptions {
    /// Number of seeds (data, initial weights).
    #[arg(long, default_value_t = 1)]
    pub seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    pub first_seed: u64,
    /// Changes of the recipe.
    #[command(flatten)]
    #[serde(skip)]
    pub recipe: RecipeOptions,
    /// Tolerance of the adaptive solver that rolls the models out.
    #[arg(long, default_value_t = 1e-8)]
    pub tolerance: f64,
    /// Output folder [default: target/examples/NAME].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Where the models come from.
    #[command(flatten)]
    #[serde(flatten)]
    pub source: Source,
    /// Number of threads [default: all cores].
    #[arg(long)]
    pub threads: Option<usize>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    pub quick: bool,
}

impl RunOptions {
    /// The models, seed by seed.
    ///
    /// # Errors
    /// If there are no seeds.
    pub fn models(&self, kinds: &[Kind]) -> Result<Vec<Model<'static, Kind>>> {
        let of_seed = |seed| kinds.iter().map(move |kind| kind.with_seed(seed));
        Ok(seed_range(self.first_seed, self.seeds)?.flat_map(of_seed).collect())
    }

    /// Sets the number of threads; in a quick run, two seeds at most and a
    /// coarse tolerance.
    ///
    /// # Errors
    /// If that is 0, or the threads cannot be started.
    pub fn prepare(&mut self) -> Result<()> {
        use_threads(self.threads)?;
        if self.quick {
            self.seeds = self.seeds.min(2);
            self.tolerance = self.tolerance.max(1e-6);
        }
        Ok(())
    }
}
