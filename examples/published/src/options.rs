//! The options that these examples share.

use std::path::PathBuf;
use std::time::Instant;

use clap::Args;
use hnn_examples::{Output, Sweep, seed_range, use_threads};
use serde::Serialize;

use crate::report::Report;
use crate::{Figure, Result, Scores};

/// Options of an example that reproduces a table.
#[derive(Debug, Clone, Args, Serialize)]
pub struct PublishedOptions {
    /// The paper's own recipe, instead of ours.
    #[arg(long)]
    pub protocol: bool,
    /// Number of seeds (data, initial weights).
    #[arg(long, default_value_t = 3)]
    pub seeds: u64,
    /// The first seed; recipes are chosen on the seeds 0 to 4.
    #[arg(long, default_value_t = 10)]
    pub first_seed: u64,
    /// Output folder [default: target/examples/NAME].
    #[arg(long)]
    pub out: Option<PathBuf>,
    /// Number of threads [default: all cores].
    #[arg(long)]
    pub threads: Option<usize>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    pub quick: bool,
    /// The seeds in several jobs.
    #[command(flatten)]
    #[serde(skip)]
    pub sweep: Sweep,
}

/// The command line, and the figures of the paper.
#[derive(Serialize)]
struct Config<'a, C> {
    #[serde(flatten)]
    options: &'a C,
    published: &'a [Figure],
}

impl PublishedOptions {
    /// Runs a table: `trial` trains and judges the models of one seed. Prints the table, with the
    /// paper's `published` figures beside ours, draws it, and writes `results.json`; a job with a share of
    /// the seeds writes its part alone.
    ///
    /// # Errors
    /// If an option makes no sense, a trial fails, or a file cannot be written.
    pub fn run(
        &self,
        name: &'static str,
        options: &impl Serialize,
        published: &[Figure],
        mut trial: impl FnMut(u64, &Output) -> Result<Vec<Scores>>,
    ) -> Result<()> {
        let begin = Instant::now();
        use_threads(self.threads)?;
        let seeds = if self.quick { self.seeds.min(1) } else { self.seeds };
        let output = Output::new(name, self.out.as_deref())?;
        let seeds = seed_range(self.first_seed, seeds)?;
        let (seeds, config) = (Vec::from_iter(seeds), Config { options, published });
        let trials = self.sweep.run(&output, &config, &seeds, |seeds| -> Result<_> {
            let one = |seed: &u64| -> Result<_> {
                let scores = trial(*seed, &output)?;
                scores.iter().for_each(|scores| println!("seed {seed}: {scores}"));
                Ok(scores)
            };
            seeds.iter().map(one).collect()
        })?;
        let Some(trials) = trials else { return Ok(()) };
        let report = Report::new(published, trials)?;
        println!("\n{report}");
        report.draw(&output)?;
        output.results(&config, begin.elapsed().as_secs_f64(), report.rows())?;
        Ok(())
    }
}
