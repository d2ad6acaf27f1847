//! The table of a paper beside ours.

use std::fmt;

use hnn_examples::{Output, Row, Table, scientific};
use hnn_plots::{Mark, Series, by_category};
use serde::Serialize;

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
#[derive(Debug, Clone)]
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

impl fmt::Display for Scores {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} in {:.1} s", self.label, self.seconds)?;
        self.metrics
            .iter()
            .try_for_each(|(name, value)| write!(f, ", {name} {}", scientific(*value)))
    }
}

/// All figures, published and ours over the seeds.
pub struct Report {
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
    #[must_use]
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

    /// A figure a metric: the published values and the medians of ours, those of 0 left out.
    ///
    /// # Errors
    /// If it cannot be drawn or written.
    pub(crate) fn draw(&self, output: &Output) -> Result<()> {
        for metric in &self.metrics {
            let published = self.published_models().into_iter();
            let published = published
                .filter_map(|m| Some((format!("{m} (published)"), self.figure(m, metric)?)));
            let ours = self.models.iter();
            let ours =
                ours.filter_map(|(key, label)| Some((label.clone(), self.median(key, metric)?)));
            let shown = published.chain(ours).filter(|(_, v)| v.is_finite() && *v > 0.0);
            let (labels, values): (Vec<_>, Vec<_>) = shown.unzip();
            if values.is_empty() {
                continue;
            }
            let title = metric.replace('_', " ");
            let seeds = format!("median of {} seeds", self.seeds);
            let series = vec![Series::of_values(seeds, values)?];
            let panel = by_category(title.clone(), &labels, title, Mark::Points, series)?;
            output.figure(metric, &hnn_plots::Figure::new(panel.log_y()))?;
        }
        Ok(())
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
