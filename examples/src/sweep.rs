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

/// What a job writes.
#[derive(Serialize, Deserialize)]
struct Part<R> {
    example: String,
    /// What all parts have in common.
    config: Value,
    /// Number of trials of all parts.
    trials: usize,
    /// The number of each trial of this part, and what came out.
    results: Vec<(usize, R)>,
}

/// Options that jobs of one sweep may give differently.
const OF_A_JOB: [&str; 2] = ["out", "threads"];

impl Sweep {
    /// What came out of each setting, in their order; none where this was a job that did a part. Parts are
    /// of one sweep only if they are of the same example and `config`, the whole command line.
    ///
    /// # Errors
    /// If a trial fails, a part cannot be written or read, or parts are missing or not of this sweep.
    pub fn run<S: Copy, R, E>(
        &self,
        output: &Output,
        config: &impl Serialize,
        settings: &[S],
        mut trial: impl FnMut(S) -> Result<R, E>,
    ) -> Result<Option<Vec<R>>, E>
    where
        R: Serialize + DeserializeOwned,
        E: From<ExampleError>,
    {
        if let Some(folder) = &self.collect {
            return Ok(Some(collect(folder, output, &common(config)?, settings.len())?));
        }
        let Some(share) = self.share else {
            return settings
                .iter()
                .map(|setting| trial(*setting))
                .collect::<Result<_, E>>()
                .map(Some);
        };
        let places = share.of(settings.len());
        let results = places.map(|place| Ok((place, trial(settings[place])?)));
        let results = results.collect::<Result<Vec<_>, E>>()?;
        let (example, trials) = (output.example().to_owned(), settings.len());
        let part = Part { example, config: common(config)?, trials, results };
        let path = output.path(&format!("part-{}-of-{}.json", share.index(), share.count()));
        let bytes =
            serde_json::to_vec(&part).map_err(|error| unreadable(&path, error.to_string()))?;
        hnn_files::write_all(&path, &bytes).map_err(ExampleError::from)?;
        println!("wrote {}", path.display());
        Ok(None)
    }
}

/// A command line, less what may differ from job to job.
fn common(config: &impl Serialize) -> Result<Value> {
    let fail = |error: serde_json::Error| unreadable(Path::new("the options"), error.to_string());
    let mut config = serde_json::to_value(config).map_err(fail)?;
    strip(&mut config);
    Ok(config)
}

fn strip(config: &mut Value) {
    if let Value::Object(fields) = config {
        fields.retain(|name, _| !OF_A_JOB.contains(&name.as_str()));
        fields.values_mut().for_each(strip);
    }
}

fn unreadable(path: &Path, reason: String) -> ExampleError {
    let source = std::io::Error::new(std::io::ErrorKind::InvalidData, reason);
    ExampleError::Read { path: path.to_owned(), source }
}

/// The results of the parts in a folder.
fn collect<R: DeserializeOwned>(
    folder: &Path,
    output: &Output,
    config: &Value,
    trials: usize,
) -> Result<Vec<R>> {
    let of_folder = |source| ExampleError::Read { path: folder.to_owned(), source };
    let mut results: Vec<Option<R>> = (0..trials).map(|_| None).collect();
    for entry in std::fs::read_dir(folder).map_err(of_folder)? {
        let path = entry.map_err(of_folder)?.path();
        let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        if !(name.starts_with("part-") && name.ends_with(".json")) {
            continue;
        }
        let bytes = hnn_files::read(&path);
        let bytes = bytes.map_err(|source| ExampleError::Read { path: path.clone(), source })?;
        let part: Part<R> =
            serde_json::from_slice(&bytes).map_err(|error| unreadable(&path, error.to_string()))?;
        if part.example != output.example() || part.config != *config || part.trials != trials {
            let reason = "it is a part of another sweep: collect with the same options as the jobs, from a \
                          folder of their parts alone";
            return Err(unreadable(&path, reason.to_owned()));
        }
        for (place, result) in part.results {
            let known = results.get_mut(place).filter(|known| known.is_none());
            let reason =
                || format!("trial {place} is in two parts: leave parts of one sharing alone");
            *known.ok_or_else(|| unreadable(&path, reason()))? = Some(result);
        }
    }
    let missing = results.iter().position(Option::is_none);
    let missing =
        missing.map(|place| format!("trial {place} of {trials} is in no part: run its job again"));
    missing.map_or(Ok(()), |reason| Err(unreadable(folder, reason)))?;
    Ok(results.into_iter().flatten().collect())
}
