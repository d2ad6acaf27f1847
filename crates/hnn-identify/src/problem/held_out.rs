//! What is held out of the fits, and stretches of what is not.

use super::FEWEST;
use super::part::Part;
use crate::IdentifyError;

/// Of every piece (or of the trials) so much is for training.
const TRAINING: f64 = 0.8;
/// From so many trials on, whole trials are held out.
const TRIALS: usize = 3;
/// Rows that are fitted to at most: stretches spread over the whole recording.
const ROWS: usize = 4000;

impl Part {
    /// For training and for tests: whole trials where there are enough, else the last fifth of each
    /// piece. `trials` has the trial of each piece.
    pub(super) fn split(&self, trials: &[usize]) -> Result<(Self, Self, String), IdentifyError> {
        let mut names = trials.to_vec();
        names.dedup();
        if names.len() >= TRIALS {
            let kept = ((names.len() as f64 * TRAINING) as usize).clamp(1, names.len() - 1);
            let first = trials.iter().filter(|trial| names[..kept].contains(trial)).count();
            let split = format!("the last {} of {} trials", names.len() - kept, names.len());
            let part = |range: std::ops::Range<usize>| self.pick(range.map(|piece| (piece, None)));
            return Ok((part(0..first)?, part(first..trials.len())?, split));
        }
        let lengths = self.measured.lengths();
        let cut = |len: usize| (len as f64 * TRAINING) as usize;
        let rows: usize =
            lengths.iter().map(|len| len - cut(*len)).filter(|rest| *rest >= FEWEST).sum();
        if rows == 0 {
            let (purpose, given) = ("hold a fifth of them out", self.measured.len());
            return Err(IdentifyError::TooFew { purpose, given, needed: 5 * FEWEST });
        }
        let all = || lengths.iter().copied().enumerate();
        let train = all().map(|(piece, len)| {
            let end = if len - cut(len) >= FEWEST { cut(len) } else { len };
            (piece, Some((0, end)))
        });
        let test = all().filter(|(_, len)| len - cut(*len) >= FEWEST);
        let test = test.map(|(piece, len)| (piece, Some((cut(len), len))));
        Ok((self.pick(train)?, self.pick(test)?, "the last fifth of each piece".into()))
    }

    /// Stretches of at most `rows` rows each; of as many, spread evenly, as `most` says of their number
    /// and that of all their rows.
    pub(super) fn stretches(
        &self,
        rows: usize,
        most: impl Fn(usize, usize) -> usize,
    ) -> Result<Self, IdentifyError> {
        let mut all = Vec::new();
        for (piece, len) in self.measured.lengths().iter().copied().enumerate() {
            for begin in (0..len.saturating_sub(1)).step_by(rows.max(2) - 1) {
                let end = (begin + rows).min(len);
                if end - begin >= FEWEST.min(rows).min(len) {
                    all.push((piece, Some((begin, end))));
                }
            }
        }
        let count = all.len();
        let kept = count.min(most(count, self.measured.len()).max(1));
        self.pick((0..kept).map(|k| all[k * count / kept]))
    }

    /// Stretches of at most `rows` rows, as many as are fitted to.
    pub(super) fn thinned(&self, rows: usize) -> Result<Self, IdentifyError> {
        self.stretches(rows, |count, all| if all <= ROWS { count } else { count * ROWS / all })
    }
}
