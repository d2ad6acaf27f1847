//! The output folder and `results.json`.

use std::path::{Path, PathBuf};

use hnn_losses::metrics::Spread;
use hnn_plots::Figure;
use serde::Serialize;

use crate::{ExampleError, Recipe, Result};

/// One figure of a table.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Row {
    /// The model.
    pub model: String,
    /// The metric.
    pub metric: String,
    /// Mean over seeds.
    pub mean: f64,
    /// Standard error of the mean.
    pub std_error: f64,
    /// Median over seeds.
    pub median: f64,
    /// Number of seeds.
    pub n: usize,
}

impl Row {
    /// Of a sample.
    ///
    /// # Errors
    /// If it is empty or holds NaN.
    pub fn of(model: &str, metric: &str, values: &[f64]) -> Result<Self> {
        let Spread { mean, std_error, median, n, .. } = Spread::new(values)?;
        let (model, metric) = (model.to_owned(), metric.to_owned());
        Ok(Self { model, metric, mean, std_error, median, n })
    }
}

/// What `results.json` holds of a run whose options choose a recipe.
#[derive(Debug, Serialize)]
pub struct Config<'a, O> {
    /// The command line.
    #[serde(flatten)]
    pub options: &'a O,
    /// Network and training.
    pub recipe: &'a Recipe,
}

#[derive(Serialize)]
struct Results<'a, C> {
    example: &'a str,
    config: &'a C,
    seconds: f64,
    table: &'a [Row],
}

/// The folder that an example writes to.
#[derive(Debug, Clone)]
pub struct Output {
    example: &'static str,
    folder: PathBuf,
}

impl Output {
    /// The folder of an example: the one given, or `target/examples/NAME`. Made if it is not
    /// there, and tried, so that a run does not end in vain.
    ///
    /// # Errors
    /// If it cannot be written to.
    pub fn new(example: &'static str, folder: Option<&Path>) -> Result<Self> {
        let default = Path::new("target/examples").join(example);
        let folder = folder.unwrap_or(&default).to_owned();
        let fail = |e: std::io::Error| ExampleError::Write {
            path: folder.clone(),
            reason: format!("{e}; give a folder that can be written to by --out"),
        };
        std::fs::create_dir_all(&folder).map_err(fail)?;
        tempfile::NamedTempFile::new_in(&folder).map_err(fail)?;
        Ok(Self { example, folder })
    }

    /// The path of a file in the folder.
    #[must_use]
    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// The example's name.
    #[must_use]
    pub fn example(&self) -> &'static str {
        self.example
    }

    /// The folder.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// Writes a figure as PNG and SVG.
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub fn figure(&self, name: &str, figure: &Figure) -> Result<()> {
        figure.save(self.path(&format!("{name}.png")))?;
        figure.save(self.path(&format!("{name}.svg")))?;
        println!("wrote {}", self.path(&format!("{name}.png")).display());
        Ok(())
    }

    /// Writes `results.json`: `{"example", "config", "seconds", "table"}`. Infinite numbers are
    /// written as `null`.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn results(&self, config: &impl Serialize, seconds: f64, table: &[Row]) -> Result<()> {
        let path = self.path("results.json");
        let fail = |reason: String| ExampleError::Write { path: path.clone(), reason };
        let results = Results { example: self.example, config, seconds, table };
        let text = serde_json::to_string_pretty(&results).map_err(|e| fail(e.to_string()))?;
        hnn_files::write(&path, |file| writeln!(file, "{text}"))?;
        println!("wrote {}", path.display());
        Ok(())
    }
}
