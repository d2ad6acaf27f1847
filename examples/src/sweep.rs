//! A sweep over seeds or settings in several jobs: each does a share, and the parts are collected.

use std::path::{Path, PathBuf};

use clap::Args;
use hnn_data::Share;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{ExampleError, Output, Result};

/// Options of a sweep, which is done as a whole where neither is given.
#[derive(Debug, Clone, Default, Args)]
pub struct Sweep {
    /// Do share I (from 0) of N only, as a job of an array, and write its part into the output folder.
    #[arg(long, value_name = "I/N", conflicts_with = "collect")]
    pub share: Option<Share>,
    /// Do nothing, and make the table and the figures of the parts in this folder.
    #[arg(long, value_name = "FOLDER")]
    pub collect: Option<PathBuf>,
}

/// What all parts of a sweep have in common: a part's file begins with it, and the number of each trial of
/// the part with what came out is the rest. Any number is read back as it was, NaN and infinity too.
#[derive(PartialEq, Serialize, Deserialize)]
struct Header {
    example: String,
    version: String,
    /// The command line as JSON, less what may differ from job to job.
    config: String,
    /// Number of trials of all parts.
    trials: usize,
}

/// Options that jobs of one sweep may give differently.
const OF_A_JOB: [&str; 2] = ["out", "threads"];

impl Sweep {
    /// What came out of each setting, in their order; none where this was a job that did a part. `trials` does
    /// the settings that it is given, and returns what came out of each. Parts are of one sweep only if they are
    /// of the same example and `config`, the whole command line.
    ///
    /// # Errors
    /// If a trial fails, a part cannot be written or read, or parts are missing or not of this sweep.
    pub fn run<S, R, E>(
        &self,
        output: &Output,
        config: &impl Serialize,
        settings: &[S],
        trials: impl FnOnce(&[S]) -> Result<Vec<R>, E>,
    ) -> Result<Option<Vec<R>>, E>
    where
        R: Serialize + DeserializeOwned,
        E: From<ExampleError>,
    {
        let header = || Header::new(output, config, settings.len());
        if let Some(folder) = &self.collect {
            return Ok(Some(collect(folder, &header()?)?));
        }
        let Some(share) = self.share else { return trials(settings).map(Some) };
        let (header, places) = (header()?, share.of(settings.len()));
        let results = Vec::from_iter(places.clone().zip(trials(&settings[places])?));
        let path = output.path(&format!("part-{}-of-{}.postcard", share.index(), share.count()));
        let bytes = postcard::to_stdvec(&(header, results)).map_err(|e| unusable(&path, e))?;
        hnn_files::write_all(&path, &bytes).map_err(ExampleError::from)?;
        let folder = output.folder().display();
        println!("wrote {}; when all parts are there: --collect {folder}", path.display());
        Ok(None)
    }

    /// The folder of the models that jobs trained.
    #[must_use]
    pub fn folder<'a>(&'a self, output: &'a Output) -> &'a Path {
        self.collect.as_deref().unwrap_or(output.folder())
    }
}

impl Header {
    fn new(output: &Output, config: &impl Serialize, trials: usize) -> Result<Self> {
        let mut config =
            serde_json::to_value(config).map_err(|e| unusable(Path::new("the options"), e))?;
        strip(&mut config);
        Ok(Self {
            example: output.example().to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            config: config.to_string(),
            trials,
        })
    }
}

fn strip(config: &mut Value) {
    if let Value::Object(fields) = config {
        fields.retain(|name, _| !OF_A_JOB.contains(&name.as_str()));
        fields.values_mut().for_each(strip);
    }
}

fn unusable(
    path: &Path,
    reason: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> ExampleError {
    let source = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
    ExampleError::Read { path: path.to_owned(), source }
}

/// The results of the parts in a folder.
fn collect<R: DeserializeOwned>(folder: &Path, header: &Header) -> Result<Vec<R>> {
    let of_folder = |source| ExampleError::Read { path: folder.to_owned(), source };
    let mut results: Vec<Option<R>> = (0..header.trials).map(|_| None).collect();
    for entry in std::fs::read_dir(folder).map_err(of_folder)? {
        let path = entry.map_err(of_folder)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !(name.starts_with("part-") && name.ends_with(".postcard")) {
            continue;
        }
        for (place, result) in part(&path, header)? {
            let known = results.get_mut(place).filter(|known| known.is_none());
            let reason =
                || format!("trial {place} is in two parts: leave parts of one sharing alone");
            *known.ok_or_else(|| unusable(&path, reason()))? = Some(result);
        }
    }
    let missing = results.iter().position(Option::is_none);
    let missing = missing.map(|place| {
        format!("trial {place} of {} is in no part: run its job again", header.trials)
    });
    missing.map_or(Ok(()), |reason| Err(unusable(folder, reason)))?;
    Ok(results.into_iter().flatten().collect())
}

/// The results of one part, by the numbers of their trials.
fn part<R: DeserializeOwned>(path: &Path, header: &Header) -> Result<Vec<(usize, R)>> {
    let damaged =
        |e: postcard::Error| unusable(path, format!("it is damaged ({e}): run its job again"));
    let bytes = hnn_files::read(path);
    let bytes = bytes.map_err(|source| ExampleError::Read { path: path.to_owned(), source })?;
    let (own, rest): (Header, _) = postcard::take_from_bytes(&bytes).map_err(damaged)?;
    if own == *header {
        return postcard::from_bytes(rest).map_err(damaged);
    }
    let reason = "it is a part of another sweep: collect with the same options as the jobs, from a folder of \
                  their parts alone";
    Err(unusable(path, reason))
}
