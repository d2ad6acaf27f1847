//! Arrays as columns: rows are samples, and of three dimensions the first is that of the trials.

use ndarray::{ArrayD, ArrayViewD};

use crate::DataError;
use crate::recording::table::Table;

/// Named columns of equal lengths, and the trial of each row.
pub(crate) struct Columns {
    pub(crate) names: Vec<String>,
    pub(crate) columns: Vec<Vec<f64>>,
    pub(crate) trials: Vec<usize>,
}

impl Columns {
    /// Times (T) or (M, T), or none; other arrays (T), (T, D) or (M, T, D).
    pub(crate) fn new(arrays: &[(String, ArrayD<f64>)], source: &str) -> Result<Self, DataError> {
        let refuse = |problem: String| {
            DataError::Recording {
            source_name: source.into(),
            problem,
            cure: "give t of shape (T), and x, dx, u of shape (T, D); for M trials, (M, T) and (M, T, D)".into(),
        }
        };
        let has_trials = arrays.iter().any(|(_, array)| array.ndim() == 3);
        let (mut names, mut columns): (Vec<String>, Vec<Vec<f64>>) = Default::default();
        let first =
            arrays.iter().find(|(_, array)| array.ndim() == 3 || !has_trials && array.ndim() > 0);
        let (_, first) = first.ok_or_else(|| refuse("there are no arrays".into()))?;
        let rows_of = if has_trials { 2 } else { 1 };
        let shape = &first.shape()[..rows_of];
        let rows: usize = shape.iter().product();
        for (name, array) in arrays {
            let (own, width) = match array.shape() {
                own if own == shape => (array.view(), 1),
                own if own.len() == rows_of + 1 && own[..rows_of] == *shape => {
                    (array.view(), own[rows_of])
                }
                // Times that all trials share.
                own if has_trials && own == &shape[1..] => match array.broadcast(shape) {
                    Some(view) => (view, 1),
                    None => continue,
                },
                [] => continue,
                other => {
                    return Err(refuse(format!(
                        "array {name:?} has shape {other:?} beside {shape:?} rows"
                    )));
                }
            };
            let numbers = row_major(own);
            for column in 0..width {
                names.push(if width == 1 { name.clone() } else { format!("{name}{column}") });
                columns.push(numbers.iter().skip(column).step_by(width).copied().collect());
            }
        }
        let trials = match has_trials {
            true => (0..rows).map(|row| row / shape[1].max(1)).collect(),
            false => Vec::new(),
        };
        Ok(Self { names, columns, trials })
    }

    /// The columns asked for, and that of the trials.
    pub(crate) fn table(mut self, wanted: &[usize], trial: Option<usize>) -> Table {
        let rows = self.columns.first().map_or(0, Vec::len);
        let mut labels: Vec<f64> = Vec::new();
        if let Some(trial) = trial {
            let numbers = &self.columns[trial];
            labels.extend(numbers);
            labels.sort_unstable_by(f64::total_cmp);
            labels.dedup_by(|a, b| a.total_cmp(b).is_eq());
            let index =
                |number: &f64| labels.partition_point(|label| label.total_cmp(number).is_lt());
            self.trials = numbers.iter().map(index).collect();
        } else if let Some(last) = self.trials.last() {
            labels.extend((0..=*last).map(|index| index as f64));
        }
        Table {
            columns: wanted.iter().map(|&column| self.columns[column].clone()).collect(),
            trials: self.trials,
            labels: labels.iter().map(f64::to_string).collect(),
            places: (0..rows).collect(),
            ..Table::default()
        }
    }
}

fn row_major(array: ArrayViewD<'_, f64>) -> Vec<f64> {
    array.iter().copied().collect()
}
