//! Readings that are none: spikes, and a sensor that stands still while what it measures goes on.

use super::Run;
use super::survey::Survey;

/// Rows on either side of a spike, which is at most as long.
const AROUND: usize = 3;
const WINDOW: usize = 2 * AROUND + 1;
/// Equal rows of a sensor that stands still, at least; then it jumps by so many times the steps around.
const STILL: usize = 5;
const JUMP: f64 = 5.0;

/// What a column has of them.
#[derive(Default)]
pub(super) struct Dropouts {
    /// Rows of the table.
    pub(super) spikes: Vec<usize>,
    pub(super) frozen: Vec<usize>,
}

/// Those of these rows, by what all say.
pub(super) fn find(column: &[f64], runs: &[Run], survey: &Survey) -> Dropouts {
    let mut found = Dropouts::default();
    let least = survey.least_spike();
    let far = runs.iter().flat_map(|run| from_median(column, run));
    found.spikes = far.filter(|(_, distance)| *distance > least).map(|(row, _)| row).collect();
    for run in runs {
        let x = Vec::from_iter(run.rows.iter().map(|row| column[*row]));
        let step = |k: usize| (x[k] - x[k - 1]).abs();
        let mut begin = 0;
        for stretch in x.chunk_by(|a, b| a == b) {
            let end = begin + stretch.len();
            let is_within = begin > 2 && end + 2 < x.len();
            if stretch.len() >= STILL && is_within {
                let steps = (begin.saturating_sub(STILL).max(1)..=begin)
                    .chain(end + 1..(end + STILL).min(x.len()));
                let usual = steps.map(step).fold(0.0, f64::max);
                if step(end) > JUMP * usual && usual > 0.0 {
                    found.frozen.extend(&run.rows[begin + 1..end]);
                }
            }
            begin = end;
        }
    }
    found
}

/// Each row but the first and last ones, and its distance from the median of those around it.
pub(super) fn from_median<'a>(
    column: &'a [f64],
    run: &'a Run,
) -> impl Iterator<Item = (usize, f64)> + 'a {
    run.rows.windows(WINDOW).map(|rows| {
        let mut around = [0.0; WINDOW];
        around.iter_mut().zip(rows).for_each(|(x, row)| *x = column[*row]);
        around.sort_unstable_by(f64::total_cmp);
        (rows[AROUND], (column[rows[AROUND]] - around[AROUND]).abs())
    })
}
