//! What all rows of a file say about a coordinate, whichever of them are kept.

use std::collections::BTreeMap;

use super::Run;
use super::dropouts::from_median;

/// Rows, about, from which it is told what is usual.
const SAMPLE: usize = 20_000;
/// A spike is so many times as far from the median around it as most rows are, and by such a share of their range.
const UNUSUAL: f64 = 5.0;
const FAR: f64 = 0.25;
/// Shares of the rows that are not among most.
const TAIL: f64 = 0.05;
/// Bits of a number that count its size to 0.4%.
const FINE: u32 = 44;

/// Range, jumps and spikes of a coordinate, of one trial after another. The order of the trials makes no difference.
#[derive(Debug, Clone)]
pub(crate) struct Survey {
    pub(super) low: f64,
    pub(super) high: f64,
    /// The largest jump from row to row within pieces.
    pub(super) largest: f64,
    /// How many jumps are about so large, by the first bits of their sizes.
    jumps: BTreeMap<u64, usize>,
    /// Of some rows: the numbers, and their distances from the median around them.
    values: Vec<f64>,
    distances: Vec<f64>,
    /// The row that is farthest from the median around it: how far, and where it stands.
    farthest: (f64, usize),
}

impl Default for Survey {
    fn default() -> Self {
        let (jumps, values, distances) = Default::default();
        let (low, high) = (f64::INFINITY, f64::NEG_INFINITY);
        Self { low, high, largest: 0.0, jumps, values, distances, farthest: (0.0, 0) }
    }
}

impl Survey {
    /// Adds rows of a trial, one of a file with so many rows.
    pub(crate) fn add(&mut self, column: &[f64], run: &Run, places: &[usize], rows: usize) {
        // By chance, for trials may take turns.
        let is_sampled = |row: usize| {
            let hash = (places[row] as u64).wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 32;
            hash.is_multiple_of(rows.div_ceil(SAMPLE).max(1) as u64)
        };
        for &row in &run.rows {
            let x = column[row];
            (self.low, self.high) = (self.low.min(x), self.high.max(x));
            if is_sampled(row) {
                self.values.push(x);
            }
        }
        for (row, distance) in from_median(column, run) {
            let place = places[row];
            if distance > self.farthest.0 || distance == self.farthest.0 && place < self.farthest.1
            {
                self.farthest = (distance, place);
            }
            if is_sampled(row) {
                self.distances.push(distance);
            }
        }
        let mut cuts = run.cuts.iter().peekable();
        for (k, pair) in (1..).zip(run.rows.windows(2)) {
            if cuts.next_if_eq(&&k).is_some() {
                continue;
            }
            let jump = (column[pair[1]] - column[pair[0]]).abs();
            self.largest = self.largest.max(jump);
            *self.jumps.entry(jump.to_bits() >> FINE).or_default() += 1;
        }
    }

    /// To be called once all trials are added.
    pub(crate) fn sort(&mut self) {
        self.values.sort_unstable_by(f64::total_cmp);
        self.distances.sort_unstable_by(f64::total_cmp);
    }

    pub(super) fn range(&self) -> f64 {
        self.high - self.low
    }

    /// How far a spike is from the median around it, at least.
    pub(super) fn least_spike(&self) -> f64 {
        let tail = |sorted: &[f64]| (TAIL * sorted.len() as f64).ceil() as usize;
        let (low, few) = (tail(&self.values), tail(&self.distances));
        let most = self.values.len().checked_sub(low + 1).filter(|most| *most > low);
        match (self.distances.len().checked_sub(few + 1), most) {
            (Some(usual), Some(most)) => {
                let range = self.values[most] - self.values[low];
                let least = (UNUSUAL * self.distances[usual]).max(FAR * range);
                if least > 0.0 { least } else { f64::INFINITY }
            }
            _ => f64::INFINITY,
        }
    }

    /// Where the farthest spike stands, if there are any.
    pub(super) fn spike(&self) -> Option<usize> {
        (self.farthest.0 > self.least_spike()).then_some(self.farthest.1)
    }

    /// How often it jumps by nearly all of its range from row to row, where it mostly moves by little of it.
    pub(super) fn begins_anew(&self) -> usize {
        const ALL: f64 = 0.9;
        const LITTLE: f64 = 0.1;
        const MOSTLY: usize = 8;
        let range = self.range();
        let (mut whole, mut little, mut others) = (0, 0, 0);
        for (bits, count) in &self.jumps {
            match f64::from_bits(bits << FINE) {
                jump if jump > ALL * range => whole += count,
                jump if jump > LITTLE * range => others += count,
                _ => little += count,
            }
        }
        if others == 0 && little >= MOSTLY * whole && range > 0.0 { whole } else { 0 }
    }
}
