//! The models of an experiment, and their training on all threads, or in several jobs.

use std::path::{Path, PathBuf};

use clap::Args;
use hnn_train::{Observer, TrainingRecord};
use rayon::prelude::*;
use serde::Serialize;

use crate::{Bars, Kind, Output, Result, Sweep, scientific};

/// A model of an experiment.
#[derive(Debug, Clone, Copy)]
pub struct Model<'a, K> {
    /// Which model.
    pub kind: K,
    /// Seed of its data and first weights.
    pub seed: u64,
    /// Its name in files.
    pub key: &'a str,
    /// Its name in tables and figures.
    pub label: &'a str,
}

impl Model<'static, Kind> {
    /// One of the pendulum experiments.
    #[must_use]
    pub fn new(kind: Kind, seed: u64) -> Self {
        Self { kind, seed, key: kind.key(), label: kind.label() }
    }
}

impl<K> Model<'_, K> {
    /// Its file in a folder.
    #[must_use]
    pub fn file(&self, folder: &Path) -> PathBuf {
        folder.join(format!("{}_{}.safetensors", self.key, self.seed))
    }
}

impl Sweep {
    /// Trains models of at most so many steps on all threads: `train` trains one, and saves it in the file
    /// that it is given, beside which its record is written as CSV. The records, in the order of the models;
    /// none where this was a job that trained a share. The models are in [`folder`](Self::folder).
    ///
    /// # Errors
    /// If training fails, and as [`run`](Self::run).
    pub fn train<K: Sync>(
        &self,
        output: &Output,
        config: &impl Serialize,
        models: &[Model<'_, K>],
        steps: usize,
        train: impl Fn(&Model<'_, K>, &Path, &mut dyn Observer) -> Result<TrainingRecord> + Sync,
    ) -> Result<Option<Vec<TrainingRecord>>> {
        self.run(output, config, models, |share| {
            let bars = Bars::new(share.len().saturating_mul(steps));
            let one = |model: &Model<'_, K>| -> Result<TrainingRecord> {
                let path = model.file(output.folder());
                let record = train(model, &path, &mut bars.observer(model.label))?;
                record.warnings.iter().for_each(|warning| bars.line(warning));
                record.write_csv(path.with_extension("csv"))?;
                bars.line(&format!(
                    "seed {}: {} trained in {:.1} s, loss {}",
                    model.seed,
                    model.label,
                    record.seconds,
                    scientific(record.final_loss())
                ));
                Ok(record)
            };
            let records = share.par_iter().map(one).collect();
            bars.finish();
            records
        })
    }
}

/// Where the models of an experiment come from: they are trained where no option is given.
#[derive(Debug, Clone, Default, Args, Serialize)]
pub struct Source {
    /// Load the models from this folder instead of training them.
    #[arg(long, value_name = "FOLDER", conflicts_with_all = ["share", "collect"])]
    pub load: Option<PathBuf>,
    /// The training in several jobs.
    #[command(flatten)]
    #[serde(skip)]
    pub sweep: Sweep,
}

impl Source {
    /// The folder of the models, which are trained as by [`Sweep::train`] if they are not to be loaded; none
    /// where this was a job that trained a share.
    ///
    /// # Errors
    /// As [`Sweep::train`].
    pub fn folder<K: Sync>(
        &self,
        output: &Output,
        config: &impl Serialize,
        models: &[Model<'_, K>],
        steps: usize,
        train: impl Fn(&Model<'_, K>, &Path, &mut dyn Observer) -> Result<TrainingRecord> + Sync,
    ) -> Result<Option<PathBuf>> {
        if let Some(folder) = &self.load {
            return Ok(Some(folder.clone()));
        }
        let records = self.sweep.train(output, config, models, steps, train)?;
        let folder = self.sweep.folder(output);
        let ready = records.map(|_| folder.to_owned());
        if ready.is_some() {
            println!("models are in {}; --load {0} uses them again", folder.display());
        }
        Ok(ready)
    }
}
