//! Tables on the terminal.

use std::fmt;

/// A table with a header and aligned columns.
#[derive(Debug, Clone, Default)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with these column names.
    #[must_use]
    pub fn new(header: &[&str]) -> Self {
        Self { rows: vec![header.iter().map(ToString::to_string).collect()] }
    }

    /// Adds a row.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        self.rows.push(cells.into_iter().collect());
    }
}

impl fmt::Display for Table {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        for (index, row) in self.rows.iter().enumerate() {
            for (column, cell) in row.iter().enumerate() {
                let width = width(column);
                if column == 0 {
                    write!(f, "{cell:<width$}")?;
                } else {
                    write!(f, "  {cell:>width$}")?;
                }
            }
            writeln!(f)?;
            if index == 0 {
                let total = (0..columns).map(|c| width(c) + 2).sum::<usize>();
                writeln!(f, "{}", "-".repeat(total.saturating_sub(2)))?;
            }
        }
        Ok(())
    }
}

/// A number with three figures, as `1.23e-4`.
#[must_use]
pub fn scientific(value: f64) -> String {
    if value != 0.0 && (value.abs() < 0.01 || value.abs() >= 1000.0) {
        format!("{value:.2e}")
    } else {
        format!("{value:.3}")
    }
}
