//! What models reach, a trial a seed, and what that is over the seeds.

use crate::{Result, Row, Table, scientific};

/// What one model reached with one seed.
#[derive(Debug, Clone, PartialEq)]
pub struct Trial {
    /// The model's name in files.
    pub key: String,
    /// Its name in tables.
    pub label: String,
    /// Names and values, the same names in the same order in every trial of the model.
    pub metrics: Vec<(&'static str, f64)>,
}

/// The metrics of one model over the seeds.
pub struct Summary {
    /// The model's name in tables.
    pub label: String,
    /// Each metric.
    pub rows: Vec<Row>,
}

impl Trial {
    /// With the model's names.
    pub fn new(
        key: impl Into<String>,
        label: impl Into<String>,
        metrics: Vec<(&'static str, f64)>,
    ) -> Self {
        Self { key: key.into(), label: label.into(), metrics }
    }
}

impl Summary {
    /// The summaries of all models, in the order of their first trials.
    ///
    /// # Errors
    /// If a value is NaN.
    pub fn of_models<'a>(trials: impl IntoIterator<Item = &'a Trial>) -> Result<Vec<Self>> {
        let mut models: Vec<Vec<&Trial>> = vec![];
        for trial in trials {
            match models.iter_mut().find(|model| model[0].key == trial.key) {
                Some(model) => model.push(trial),
                None => models.push(vec![trial]),
            }
        }
        models.iter().map(|trials| Self::of_model(trials)).collect()
    }

    fn of_model(trials: &[&Trial]) -> Result<Self> {
        let Trial { key, label, metrics } = trials[0];
        let row = |(index, (metric, _)): (usize, &(&str, f64))| {
            let values = Vec::from_iter(trials.iter().map(|trial| trial.metrics[index].1));
            Row::of(key, metric, &values)
        };
        let rows = metrics.iter().enumerate().map(row).collect::<Result<_>>()?;
        Ok(Self { label: label.clone(), rows })
    }

    /// One of the metrics.
    #[must_use]
    pub fn row(&self, metric: &str) -> Option<&Row> {
        self.rows.iter().find(|row| row.metric == metric)
    }
}

/// A number of the table `mean ± standard error`.
#[must_use]
pub fn spread(row: &Row) -> String {
    match row.n {
        1 => scientific(row.mean),
        _ => format!("{} ± {}", scientific(row.mean), scientific(row.std_error)),
    }
}

/// Prints mean and standard error over seeds of every metric, a line a model, and returns them.
///
/// # Errors
/// If a value is NaN.
pub fn tabulate(trials: &[Trial], columns: &[&str]) -> Result<Vec<Row>> {
    let mut table = Table::new(&[&["mean ± standard error"], columns].concat());
    let models = Summary::of_models(trials)?;
    for Summary { label, rows } in &models {
        table.row([label.clone()].into_iter().chain(rows.iter().map(spread)));
    }
    println!("\n{table}");
    Ok(models.into_iter().flat_map(|model| model.rows).collect())
}
