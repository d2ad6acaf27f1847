//! Steps in time that are longer than those around them.

/// Steps on each side that say what is usual there.
const AROUND: usize = 10;

/// The rows before which there is a gap: the step to them is more than `factor` times as long as is
/// usual on either side, and stands out of a clock that is uneven. So a change of the rate is none.
pub(super) fn find_gaps(times: &[f64], factor: f64) -> Vec<usize> {
    let steps = Vec::from_iter(times.windows(2).map(|pair| pair[1] - pair[0]));
    let shortest = steps.iter().copied().fold(f64::INFINITY, f64::min);
    let is_gap = |&k: &usize| {
        let sides =
            [&steps[k.saturating_sub(AROUND)..k], &steps[k + 1..(k + 1 + AROUND).min(steps.len())]];
        let longest = sides
            .into_iter()
            .filter_map(|side| longest_usual(side, factor))
            .fold(None, |a: Option<f64>, b| Some(a.map_or(b, |a| a.max(b))));
        longest.is_some_and(|longest| steps[k] > longest)
    };
    let candidates = (0..steps.len()).filter(|&k| steps[k] > factor * shortest);
    candidates.filter(is_gap).map(|k| k + 1).collect()
}

/// By the median of a few steps, and the median of their distances from it.
fn longest_usual(steps: &[f64], factor: f64) -> Option<f64> {
    let mut sorted = steps.to_vec();
    let middle = median(&mut sorted)?;
    sorted.iter_mut().for_each(|step| *step = (*step - middle).abs());
    let spread = median(&mut sorted)?;
    Some(middle + ((factor - 1.0) * middle).max(5.0 * spread))
}

/// The lower one of an even number.
fn median(numbers: &mut [f64]) -> Option<f64> {
    numbers.sort_unstable_by(f64::total_cmp);
    numbers.get(numbers.len().checked_sub(1)? / 2).copied()
}
