//! Columns of numbers before they have meanings.

use hnn_integrators::TooLarge;

use crate::DataError;
use crate::recording::column::ColumnKey;
use crate::recording::text::Rows;

/// Rows of numbers, as they were found.
#[derive(Debug, Default)]
pub(crate) struct Table {
    /// The columns asked for, each as long as there are rows; NaN where a number is missing.
    pub(crate) columns: Vec<Vec<f64>>,
    /// The label of each row's trial, as an index of `labels`; empty where there is one trial.
    pub(crate) trials: Vec<usize>,
    pub(crate) labels: Vec<String>,
    /// Where each row stands: its line in a text, counted from 1, or its number, counted from 0.
    pub(crate) places: Vec<usize>,
    /// Rows that are no rows, as a header that comes again: where, and why.
    pub(crate) skipped: Vec<(usize, &'static str)>,
}

impl Table {
    /// Without rows, of so many columns.
    pub(crate) fn new(columns: usize) -> Self {
        Self { columns: vec![Vec::new(); columns], ..Self::default() }
    }

    /// Checks the memory for so many rows: numbers, line and label, and the copies in which they are sorted.
    pub(crate) fn check(rows: usize, columns: usize) -> Result<(), TooLarge> {
        let remedy = "read fewer columns, or the file in parts, by `load_share`";
        TooLarge::check("rows of a recording", rows, 24 * (columns + 2), remedy)
    }
}

impl Rows for Table {
    fn wants(&mut self, _: usize) -> bool {
        true
    }

    fn row(&mut self, place: usize, trial: usize, numbers: &[f64]) -> Result<(), DataError> {
        self.columns.iter_mut().zip(numbers).for_each(|(column, number)| column.push(*number));
        self.trials.push(trial);
        self.places.push(place);
        Ok(())
    }

    fn skipped(&mut self, place: usize, why: &'static str) {
        self.skipped.push((place, why));
    }
}

/// The places of columns among the names of all.
pub(crate) fn find(
    names: &[String],
    width: usize,
    key: &ColumnKey,
    source: &str,
) -> Result<usize, DataError> {
    let layout = |problem, cure: &str| {
        Err(DataError::Recording { source_name: source.into(), problem, cure: cure.into() })
    };
    match key {
        ColumnKey::Number(number) if *number < width => Ok(*number),
        ColumnKey::Number(number) => layout(
            format!("column {number} asked for, but there are {width}"),
            "columns are counted from 0",
        ),
        ColumnKey::Name(_) if names.is_empty() => layout(
            format!("column {key} asked for by name, but there is no header"),
            "name columns by their numbers, counted from 0, or put a header above the rows",
        ),
        ColumnKey::Name(name) => {
            let places = |same: &dyn Fn(&str) -> bool| {
                Vec::from_iter((0..names.len()).filter(|&i| same(&names[i])))
            };
            let exact = places(&|other| other == name);
            let found = if exact.is_empty() { places(&|other| bare(other) == name) } else { exact };
            match found[..] {
                [place] => Ok(place),
                [] => layout(
                    format!("no column {key}; the header has: {}", shorten(&names.join(", "), 300)),
                    "take a name of the header, or a number counted from 0",
                ),
                [first, second, ..] => layout(
                    format!("columns {first} and {second} (counted from 0) are both named {key}"),
                    "take one by its number, or rename one of them",
                ),
            }
        }
    }
}

/// A name without the unit behind it.
fn bare(name: &str) -> &str {
    name.split(['[', '(']).next().unwrap_or(name).trim()
}

/// The unit in brackets behind a name, or behind an underscore.
pub(crate) fn unit(name: &str) -> Option<&str> {
    match name.split_once(['[', '(']) {
        Some((_, rest)) => Some(rest.trim_end_matches([']', ')', ' ']).trim()),
        None => name.rsplit_once('_').map(|(_, unit)| unit),
    }
}

/// The begin of a text, to be quoted.
pub(crate) fn shorten(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((end, _)) => format!("{} ...", &text[..end]),
        None => text.into(),
    }
}
