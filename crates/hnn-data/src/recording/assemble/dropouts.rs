//! Readings that are none: spikes, and a sensor that stands still while what it measures goes on.

use super::Run;

/// Rows on either side of a spike, which is at most as long.
const AROUND: usize = 3;
/// A spike is so many times as far from the median around it as most rows are, and by such a share of their range.
const UNUSUAL: f64 = 5.0;
const FAR: f64 = 0.25;
/// Shares of the rows that are not among most.
const TAIL: f64 = 0.05;
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

pub(super) fn find(column: &[f64], runs: &[Run]) -> Dropouts {
    let mut found = Dropouts::default();
    let far = Vec::from_iter(runs.iter().flat_map(|run| from_median(column, run)));
    let mut sizes = Vec::from_iter(far.iter().map(|(_, distance)| *distance));
    sizes.sort_unstable_by(f64::total_cmp);
    let mut values =
        Vec::from_iter(runs.iter().flat_map(|run| run.rows.iter().map(|row| column[*row])));
    values.sort_unstable_by(f64::total_cmp);
    let tail = |count: usize| (TAIL * count as f64).ceil() as usize;
    let (low, few) = (tail(values.len()), tail(sizes.len()));
    let most = values.len().checked_sub(low + 1).filter(|most| *most > low);
    if let (Some(usual), Some(most)) = (sizes.len().checked_sub(few + 1), most) {
        let least = (UNUSUAL * sizes[usual]).max(FAR * (values[most] - values[low]));
        let spikes = far.iter().filter(|(_, distance)| *distance > least && least > 0.0);
        found.spikes = spikes.map(|(row, _)| *row).collect();
    }
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
fn from_median(column: &[f64], run: &Run) -> Vec<(usize, f64)> {
    let windows = run.rows.windows(2 * AROUND + 1);
    let distance = |rows: &[usize]| {
        let mut around = Vec::from_iter(rows.iter().map(|row| column[*row]));
        around.sort_unstable_by(f64::total_cmp);
        (rows[AROUND], (column[rows[AROUND]] - around[AROUND]).abs())
    };
    windows.map(distance).collect()
}
