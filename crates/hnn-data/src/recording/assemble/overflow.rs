//! Clocks that count in registers, and begin again at 0 where these are full.

/// Bits of a register, and the length of a tick in the file's unit. Times that are no whole numbers are ticks of a
/// register that was read in thousands.
const REGISTERS: [(i32, f64); 4] = [(32, 1.0), (32, 1e-3), (32, 1e-6), (16, 1.0)];
/// Steps before an overflow that say how long one is, and how many times longer or shorter that across it may be.
const STEPS: usize = 8;
const ALIKE: f64 = 2.0;

/// Overflows that were undone.
pub(super) struct Overflows {
    /// The row after the first one.
    pub(super) first: usize,
    pub(super) count: usize,
    pub(super) bits: i32,
}

/// Adds up what a clock lost where it began again: where a time, plus a full register, is one usual step after the
/// time before. `times` are as the file has them, `rows` those of a trial.
pub(super) fn undo(times: &mut [f64], rows: &[usize]) -> Option<Overflows> {
    let mut found: Option<Overflows> = None;
    let mut steps: Vec<f64> = Vec::new();
    let (mut last, mut lost) = (f64::NAN, 0.0);
    for &row in rows {
        let t = times[row];
        if !t.is_finite() {
            continue;
        }
        let step = t - last;
        if step > 0.0 {
            steps.push(step);
        } else if step < 0.0 {
            let begin = steps.len().saturating_sub(STEPS);
            let is_whole = last.fract() == 0.0 && t.fract() == 0.0;
            match register(step, &steps[begin..], is_whole) {
                Some((bits, full)) => {
                    lost += full;
                    let overflows = found.get_or_insert(Overflows { first: row, count: 0, bits });
                    overflows.count += 1;
                }
                // A trial of its own.
                None => {
                    steps.clear();
                    lost = 0.0;
                }
            }
        }
        last = t;
        times[row] = t + lost;
    }
    found
}

/// The bits of the register that explains a step back, and its size.
fn register(back: f64, steps: &[f64], is_whole: bool) -> Option<(i32, f64)> {
    if steps.len() < 2 {
        return None;
    }
    let mut sorted = steps.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let usual = sorted[sorted.len() / 2];
    let sizes = REGISTERS.into_iter().filter(|(_, tick)| is_whole == (*tick == 1.0));
    let mut sizes = sizes.map(|(bits, tick)| (bits, 2f64.powi(bits) * tick));
    sizes.find(|(_, full)| (usual / ALIKE..=usual * ALIKE).contains(&(back + full)))
}
