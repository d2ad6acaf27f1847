//! Measured rows, before they are trajectories.

use std::ops::Range;

use ndarray::{Array2, ArrayView2, s};

use crate::{DataError, DataSet, DerivativeScheme, TrajectoryView};

/// A good gap factor for [`Measurements::trajectories`]: a lost sample makes a spacing of 2, a
/// jitter of the clock rarely one of 1.5.
pub const GAP_FACTOR: f64 = 1.5;

/// Measured rows: trial, time, state and inputs; times need not be regular, and may have gaps.
///
/// ```
/// use hnn_data::{DerivativeScheme, GAP_FACTOR, Measurements};
/// // (trial, t, q, p), with a gap after the third row.
/// let rows = [(0, 0.0, 0.0, 1.0), (0, 0.1, 0.1, 1.0), (0, 0.2, 0.2, 1.0), (0, 0.9, 0.9, 1.0), (0, 1.0, 1.0, 1.0)];
/// let data = Measurements::from_rows(&rows)?.trajectories(GAP_FACTOR, DerivativeScheme::Midpoint)?;
/// assert_eq!((data.num_trajectories(), data.len()), (2, 3));
/// assert!((data.derivatives()[[0, 0]] - 1.0).abs() < 1e-12);
/// # Ok::<(), hnn_data::DataError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Measurements {
    trials: Vec<u64>,
    times: Vec<f64>,
    states: Array2<f64>,
    inputs: Array2<f64>,
}

impl Measurements {
    /// `N` rows: their trials, times, states (N, D) and inputs (N, K).
    ///
    /// # Errors
    /// If there are no rows, lengths differ, a number is infinite or NaN, or times do not increase
    /// within a trial. Errors count trials, in the order they come, as trajectories.
    pub fn new(
        trials: Vec<u64>,
        times: Vec<f64>,
        states: Array2<f64>,
        inputs: Array2<f64>,
    ) -> Result<Self, DataError> {
        let n = times.len();
        let lengths =
            [("trials", trials.len()), ("states", states.nrows()), ("inputs", inputs.nrows())];
        for (what, given) in lengths {
            if given != n {
                return Err(DataError::Length { trajectory: 0, what, given, expected: n });
            }
        }
        let all = Self { trials, times, states, inputs };
        // The container's own checks, each trial a trajectory.
        DataSet::new(all.trial_rows().into_iter().map(|rows| all.view(rows).to_owned()))?;
        Ok(all)
    }

    /// Rows `(trial, t, q, p)` of a system with one degree of freedom.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_rows(rows: &[(u64, f64, f64, f64)]) -> Result<Self, DataError> {
        let states = Array2::from_shape_fn((rows.len(), 2), |(row, i)| match i {
            0 => rows[row].2,
            _ => rows[row].3,
        });
        let trials = rows.iter().map(|row| row.0).collect();
        let times = rows.iter().map(|row| row.1).collect();
        Self::new(trials, times, states, Array2::zeros((rows.len(), 0)))
    }

    /// Number of rows `N`.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.times.len()
    }

    /// Trial of each row.
    #[must_use]
    pub fn trials(&self) -> &[u64] {
        &self.trials
    }

    /// Time of each row.
    #[must_use]
    pub fn times(&self) -> &[f64] {
        &self.times
    }

    /// States, shape (N, D).
    #[must_use]
    pub fn states(&self) -> ArrayView2<'_, f64> {
        self.states.view()
    }

    /// Inputs, shape (N, K); K is 0 where none were measured.
    #[must_use]
    pub fn inputs(&self) -> ArrayView2<'_, f64> {
        self.inputs.view()
    }

    /// The first `count` rows, and the rest.
    ///
    /// # Errors
    /// If one of the two would be empty.
    pub fn split_at(&self, count: usize) -> Result<(Self, Self), DataError> {
        if count == 0 || count >= self.len() {
            return Err(DataError::Split { first: count, count: self.len() });
        }
        let part = |rows: Range<usize>| Self {
            trials: self.trials[rows.clone()].to_vec(),
            times: self.times[rows.clone()].to_vec(),
            states: self.states.slice(s![rows.clone(), ..]).to_owned(),
            inputs: self.inputs.slice(s![rows, ..]).to_owned(),
        };
        Ok((part(0..count), part(count..self.len())))
    }

    /// Rows without a gap: a new segment begins with a new trial, and where the time from one row
    /// to the next exceeds `gap_factor` times the trial's median spacing.
    ///
    /// # Errors
    /// If `gap_factor` is not above 1.
    pub fn segments(&self, gap_factor: f64) -> Result<Vec<Range<usize>>, DataError> {
        if gap_factor.is_nan() || gap_factor <= 1.0 {
            return Err(DataError::GapFactor { given: gap_factor });
        }
        let mut segments = Vec::new();
        for trial in self.trial_rows() {
            let longest = gap_factor * median_spacing(&self.times[trial.clone()]);
            let mut start = trial.start;
            for row in trial.start + 1..trial.end {
                if self.times[row] - self.times[row - 1] > longest {
                    segments.push(start..row);
                    start = row;
                }
            }
            segments.push(start..trial.end);
        }
        Ok(segments)
    }

    /// A data set: each [segment](Self::segments) a trajectory, with derivatives by `scheme`.
    /// Segments too short for the scheme are left out.
    ///
    /// # Errors
    /// If `gap_factor` is not above 1, or no segment is long enough.
    pub fn trajectories(
        &self,
        gap_factor: f64,
        scheme: DerivativeScheme,
    ) -> Result<DataSet<f64>, DataError> {
        let segments = self.segments(gap_factor)?;
        let longest = segments.iter().map(Range::len).max().unwrap_or(0);
        if longest < scheme.min_points() {
            return Err(DataError::TooFew {
                what: "rows in the longest segment without a gap",
                purpose: "a finite difference",
                given: longest,
                needed: scheme.min_points(),
            });
        }
        DataSet::new(segments.into_iter().filter_map(|rows| scheme.differentiate(self.view(rows))))
    }

    /// Runs of rows of one trial.
    fn trial_rows(&self) -> Vec<Range<usize>> {
        let mut rows = Vec::new();
        let mut start = 0;
        for run in self.trials.chunk_by(|a, b| a == b) {
            rows.push(start..start + run.len());
            start += run.len();
        }
        rows
    }

    fn view(&self, rows: Range<usize>) -> TrajectoryView<'_, f64> {
        TrajectoryView {
            times: &self.times[rows.clone()],
            states: self.states.slice(s![rows.clone(), ..]),
            derivatives: self.states.slice(s![rows.clone(), ..0]),
            inputs: self.inputs.slice(s![rows, ..]),
        }
    }
}

/// The median time from one row to the next; infinite for a single row.
fn median_spacing(times: &[f64]) -> f64 {
    let mut spacings = Vec::from_iter(times.windows(2).map(|pair| pair[1] - pair[0]));
    if spacings.is_empty() {
        return f64::INFINITY;
    }
    let middle = spacings.len() / 2;
    *spacings.select_nth_unstable_by(middle, f64::total_cmp).1
}
