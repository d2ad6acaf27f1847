//! The table of a paper beside ours.

use std::fmt;

use hnn_examples::{Output, Row, Table, scientific};
use hnn_plots::{Mark, Series, by_category};
use serde::{Deserialize, Deserializer, Serialize};

use crate::Result;

/// A figure of a paper's table.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Figure {
    /// The paper's model.
    pub model: &'static str,
    /// The metric.
    pub metric: &'static str,
    /// The figure.
    pub value: f64,
}

impl Figure {
    /// The figures of one row of a table, one a metric.
    pub fn row<const K: usize>(
        model: &'static str,
        metrics: [&'static str; K],
        values: [f64; K],
    ) -> impl Iterator<Item = Self> {
        metrics.into_iter().zip(values).map(move |(metric, value)| Self { model, metric, value })
    }
}

/// What one model of ours reached with one seed.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Scores {
    /// The name in `results.json`: `hnn` is the one that the paper's are compared with.
    pub model: &'static str,
    /// The name in the table.
    pub label: String,
    /// Each metric with its value.
    pub metrics: Vec<(&'static str, f64)>,
    /// The time to train, in seconds.
    pub seconds: f64,
}

impl<'de> Deserialize<'de> for Scores {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        /// The same with names of its own.
        #[derive(Deserialize)]
        struct Saved {
            model: String,
            label: String,
            metrics: Vec<(String, f64)>,
            seconds: f64,
        }
        let Saved { model, label, metrics, seconds } = Saved::deserialize(deserializer)?;
        // A few names, for as long as the program has yet to run.
        let name = |text: String| -> &'static str { text.leak() };
        let metrics = metrics.into_iter().map(|(metric, value)| (name(metric), value));
        Ok(Self { model: name(model), label, metrics: metrics.collect(), seconds })
    }
}

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {:.1} s", self.label, self.seconds)?;
        self.metrics
            .iter()
            .try_for_each(|(name, value)| write!(f, ", {name} {}", scientific(*value)))
    }
}

/// All figures, published and ours over the seeds.
pub(crate) struct Report {
    metrics: Vec<&'static str>,
    published: Vec<Figure>,
    /// The key and the label of each model of ours.
    models: Vec<(&'static str, String)>,
    rows: Vec<Row>,
    seeds: usize,
}

impl Report {
    /// Of the scores of each seed.
    ///
    /// # Errors
    /// If a score is NaN.
    pub(crate) fn new(published: &[Figure], trials: Vec<Vec<Scores>>) -> Result<Self> {
        let mut report = Self {
            metrics: vec![],
            published: published.to_vec(),
            models: vec![],
            rows: vec![],
            seeds: trials.len(),
        };
        let first = trials.first().map_or(&[][..], Vec::as_slice);
        for (place, scores) in first.iter().enumerate() {
            report.models.push((scores.model, scores.label.clone()));
            for (index, (metric, _)) in scores.metrics.iter().enumerate() {
                if !report.metrics.contains(metric) {
                    report.metrics.push(metric);
                }
                let values = Vec::from_iter(trials.iter().map(|t| t[place].metrics[index].1));
                report.rows.push(Row::of(scores.model, metric, &values)?);
            }
            let seconds = Vec::from_iter(trials.iter().map(|trial| trial[place].seconds));
            report.rows.push(Row::of(scores.model, "seconds", &seconds)?);
        }
        Ok(report)
    }

    /// Every metric of every model of ours.
    pub(crate) fn rows(&self) -> &[Row] {
        &self.rows
    }

    /// The median of a model's metric.
    fn median(&self, model: &str, metric: &str) -> Option<f64> {
        let row = self.rows.iter().find(|row| row.model == model && row.metric == metric);
        row.map(|row| row.median)
    }

    fn figure(&self, model: &str, metric: &str) -> Option<f64> {
        let own = self.published.iter().find(|f| f.model == model && f.metric == metric);
        own.map(|figure| figure.value)
    }

    fn published_models(&self) -> Vec<&'static str> {
        let mut models: Vec<&str> = self.published.iter().map(|figure| figure.model).collect();
        models.dedup();
        models
    }

    /// The figure of the table: the metrics that the paper has, published and ours. What has not all
    /// of them, or one without a logarithm, is left to the table.
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub(crate) fn draw(&self, output: &Output) -> Result<()> {
        let is_published = |metric: &&&str| self.published.iter().any(|f| f.metric == **metric);
        let metrics = Vec::from_iter(self.metrics.iter().filter(is_published));
        let complete = |value: &dyn Fn(&str) -> Option<f64>| -> Option<Vec<f64>> {
            let shown = |v: &f64| v.is_finite() && *v > 0.0;
            metrics.iter().map(|metric| value(metric).filter(shown)).collect()
        };
        let published = self.published_models().into_iter().filter_map(|model| {
            Some((format!("published: {model}"), complete(&|metric| self.figure(model, metric))?))
        });
        let ours = self.models.iter().filter_map(|(model, label)| {
            Some((format!("ours: {label}"), complete(&|metric| self.median(model, metric))?))
        });
        let shown = Vec::from_iter(published.chain(ours));
        if metrics.is_empty() || shown.is_empty() {
            return Ok(());
        }
        let values = shown.iter().flat_map(|(_, values)| values);
        let (low, high) = values.fold((f64::INFINITY, 0.0_f64), |(low, high), value| {
            (low.min(*value), high.max(*value))
        });
        let series = shown.into_iter().map(|(label, values)| Series::from_values(label, values));
        let series = series.collect::<Result<_, _>>()?;
        let names = Vec::from_iter(metrics.iter().map(|metric| metric.replace('_', " ")));
        let label = format!("median of {} seeds", self.seeds);
        let panel = by_category("", &names, label, Mark::Points, series)?;
        let panel = panel.with_log_y().with_y_range(low / 10.0, 10.0 * high);
        Ok(output.figure("table", &hnn_plots::Figure::new(panel))?)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let header = ["model"].into_iter().chain(self.metrics.iter().copied()).chain(["seconds"]);
        let mut table = Table::new(&Vec::from_iter(header));
        let cell = |value: Option<f64>| value.map_or(String::new(), scientific);
        for model in self.published_models() {
            let cells = self.metrics.iter().map(|metric| cell(self.figure(model, metric)));
            table.row([format!("published: {model}")].into_iter().chain(cells));
        }
        for (key, label) in &self.models {
            let metrics = self.metrics.iter().chain(&["seconds"]);
            let cells = metrics.map(|metric| cell(self.median(key, metric)));
            table.row([format!("ours: {label}")].into_iter().chain(cells));
        }
        write!(f, "medians over {} seeds:\n{table}", self.seeds)
    }
}
