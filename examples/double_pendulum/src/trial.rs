//! What contenders reach, a trial a seed, and the table of it.

use hnn_examples::{Result, Row, Table, scientific};

/// The metrics of one contender with one seed.
pub struct Trial {
    /// Its name in files.
    pub key: &'static str,
    /// Its name in tables.
    pub label: &'static str,
    /// Names and values, the same names in the same order in every trial.
    pub metrics: Vec<(&'static str, f64)>,
}

/// Prints mean and standard error over seeds of every metric, a line a contender, and returns them.
///
/// # Errors
/// If a value is NaN.
pub fn tabulate(trials: &[Trial], columns: &[&str]) -> Result<Vec<Row>> {
    let mut table = Table::new(&[&["mean ± standard error"], columns].concat());
    let mut rows = Vec::new();
    for (index, trial) in trials.iter().enumerate() {
        let key = trial.key;
        if trials[..index].iter().any(|before| before.key == key) {
            continue;
        }
        let of_key = Vec::from_iter(trials.iter().filter(|other| other.key == key));
        let mut cells = vec![trial.label.to_owned()];
        for (metric, (name, _)) in trial.metrics.iter().enumerate() {
            let values = Vec::from_iter(of_key.iter().map(|trial| trial.metrics[metric].1));
            let row = Row::of(key, name, &values)?;
            cells.push(match row.n {
                1 => scientific(row.mean),
                _ => format!("{} ± {}", scientific(row.mean), scientific(row.std_error)),
            });
            rows.push(row);
        }
        table.row(cells);
    }
    println!("\n{table}");
    Ok(rows)
}
