//! How many rows the losses of samples are means over, where ranks share them out.

use crate::checks::count;
use crate::loss::take_sums;
use crate::{LossError, RowSelection};

/// Totals over the rows of all ranks; without ranks, those of the loss itself.
#[derive(Debug, Default)]
pub(crate) struct RowTotals {
    of_ranks: Option<Totals>,
}

#[derive(Debug)]
struct Totals {
    selected: f64,
    rows: f64,
    /// The sum of each measured column over all rows.
    columns: Vec<f64>,
}

impl RowTotals {
    /// Appends what ranks add up: the number of rows selected, that of all, and the sum of each column.
    pub(crate) fn append(
        selection: RowSelection<'_>,
        rows: usize,
        columns: impl Iterator<Item = f64>,
        sums: &mut Vec<f64>,
    ) -> Result<(), LossError> {
        sums.extend([count(selection, rows)? as f64, rows as f64]);
        sums.extend(columns);
        Ok(())
    }

    /// Takes the totals of so many columns from the front of what ranks have added up.
    pub(crate) fn set(&mut self, columns: usize, sums: &mut &[f64]) -> Result<(), LossError> {
        let sums = take_sums(sums, 2 + columns)?;
        let (selected, rows, columns) = (sums[0], sums[1], sums[2..].to_vec());
        self.of_ranks = Some(Totals { selected, rows, columns });
        Ok(())
    }

    /// Whether all rows that are selected are those of other ranks.
    pub(crate) fn is_elsewhere(&self, selection: RowSelection<'_>) -> bool {
        self.of_ranks.is_some() && selection == RowSelection::Rows(&[])
    }

    /// The number of rows selected, where so many of them are the loss's own.
    pub(crate) fn selected(&self, own: usize) -> f64 {
        self.of_ranks.as_ref().map_or(own as f64, |all| all.selected)
    }

    /// The number of rows, where so many are the loss's own.
    pub(crate) fn rows(&self, own: usize) -> f64 {
        self.of_ranks.as_ref().map_or(own as f64, |all| all.rows)
    }

    /// The mean of each column, from the sums over so many rows of the loss's own.
    pub(crate) fn means(&self, own: usize, columns: impl Iterator<Item = f64>) -> Vec<f64> {
        let rows = self.rows(own);
        match &self.of_ranks {
            Some(all) => all.columns.iter().map(|sum| sum / rows).collect(),
            None => columns.map(|sum| sum / rows).collect(),
        }
    }
}
