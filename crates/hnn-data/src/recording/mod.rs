//! Recordings: what a file holds once it is said which column is what.

mod arrays;
mod assemble;
mod channel;
mod column;
mod differentiate;
mod distances;
mod load_share;
mod npz;
mod reader;
mod report;
mod table;
mod text;

use std::path::Path;

pub use column::{Column, ColumnKey, Role};
pub use differentiate::Differentiated;
use ndarray::{Array2, ArrayView1, s};
pub use reader::RecordingReader;
pub use report::{ChannelReport, Dropped, Gap, Report, Slope, TrialReport};

use crate::{DataError, DataSet, DerivativeScheme, Share, Trajectory, TrajectoryView};

/// Measured rows of one or more trials, cut into pieces without a gap, and a [`Report`] on them.
///
/// A row is a time, counted from the trial's begin, a state (positions, then velocities or
/// momenta), derivatives if the file has them, and inputs. A trial is one piece, or several where
/// rows are missing; a change of the sampling rate cuts nothing. Every row that was read is in a
/// piece, or stands in the report with the reason why not.
///
/// ```
/// use hnn_data::Recording;
/// let t = [0.0, 0.1, 0.2, 0.6, 0.7];
/// let q = [0.0, 0.1, 0.2, 0.6, 0.7];
/// let recording = Recording::from_columns([("t", &t[..]), ("q", &q)]).time("t").position("q").load()?;
/// assert_eq!((recording.len(), recording.num_pieces()), (5, 2));
/// let report = recording.report().to_string();
/// assert!(report.contains("1 gap"), "{report}");
/// let data = recording.data_set()?; // all rows, a trajectory a piece
/// assert_eq!(data.lengths(), [3, 2]);
/// # Ok::<(), hnn_data::DataError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Recording {
    /// Channels of the states, then of the inputs.
    names: Vec<String>,
    roles: Vec<Role>,
    labels: Vec<String>,
    pieces: Vec<Piece>,
    report: Report,
}

/// Rows of one trial without a gap.
#[derive(Debug, Clone)]
pub(crate) struct Piece {
    pub(crate) trial: usize,
    pub(crate) rows: Trajectory<f64>,
}

impl Recording {
    /// Reads a file: CSV and its relatives (commas, semicolons, tabs, bars), numbers between
    /// blanks, or the arrays of a `.npz`. What is what is said to the [`RecordingReader`].
    ///
    /// The arrays `t`, `x`, `dx`, `u` of a `.npz` are the time, the states, their derivatives and
    /// the inputs where nothing is said; a column of an array `x` is named `x0`, `x1`, ....
    pub fn read(path: impl AsRef<Path>) -> RecordingReader {
        RecordingReader::file(path.as_ref())
    }

    /// Takes columns of equal lengths, with their names; NaN is a missing number.
    pub fn from_columns<'a>(
        columns: impl IntoIterator<Item = (&'a str, &'a [f64])>,
    ) -> RecordingReader {
        let columns = columns.into_iter().map(|(name, numbers)| (name.into(), numbers.into()));
        RecordingReader::columns(columns.collect())
    }

    /// Number of rows in all pieces.
    #[must_use]
    #[allow(clippy::len_without_is_empty, reason = "never empty")]
    pub fn len(&self) -> usize {
        self.pieces.iter().map(|piece| piece.rows.times.len()).sum()
    }

    /// The labels of the trials: those of the file, or their numbers.
    #[must_use]
    pub fn trials(&self) -> &[String] {
        &self.labels
    }

    /// Number of pieces, at least one a trial.
    #[must_use]
    pub fn num_pieces(&self) -> usize {
        self.pieces.len()
    }

    /// A piece's rows; `None` beyond the last.
    #[must_use]
    pub fn piece(&self, index: usize) -> Option<TrajectoryView<'_, f64>> {
        self.pieces.get(index).map(|piece| piece.rows.view())
    }

    /// The pieces, one by one, each with the index of its trial.
    pub fn pieces(&self) -> impl ExactSizeIterator<Item = (usize, TrajectoryView<'_, f64>)> {
        self.pieces.iter().map(|piece| (piece.trial, piece.rows.view()))
    }

    /// Number of coordinates of the state.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.roles.iter().filter(|role| role.is_state()).count()
    }

    /// What was read, what was not, and what the numbers allow.
    #[must_use]
    pub fn report(&self) -> &Report {
        &self.report
    }

    /// All rows: each piece a trajectory, with the file's derivatives if it has them, and the
    /// inputs.
    ///
    /// # Errors
    /// None for what was read; as [`DataSet::new`].
    pub fn data_set(&self) -> Result<DataSet<f64>, DataError> {
        DataSet::new(self.pieces.iter().map(|piece| piece.rows.clone()))
    }

    /// Each piece a trajectory with derivatives by differences. Pieces too short for the scheme
    /// are left out. For noisy or quantised recordings, see [`differentiate`](Self::differentiate).
    ///
    /// # Errors
    /// If no piece is long enough.
    pub fn differences(&self, scheme: DerivativeScheme) -> Result<DataSet<f64>, DataError> {
        let longest = self.pieces.iter().map(|piece| piece.rows.times.len()).max().unwrap_or(0);
        if longest < scheme.min_points() {
            return Err(DataError::TooFew {
                what: "rows in the longest piece without a gap",
                purpose: "a finite difference",
                given: longest,
                needed: scheme.min_points(),
            });
        }
        DataSet::new(self.pieces().filter_map(|(_, rows)| scheme.differentiate(rows)))
    }

    /// The trials of the given indices, in that order: training and test sets that share none. The
    /// report stays that of the whole.
    ///
    /// # Errors
    /// If there are no indices, or one lies beyond the last trial.
    pub fn select(&self, trials: &[usize]) -> Result<Self, DataError> {
        let count = self.labels.len();
        let (mut labels, mut pieces) = (Vec::new(), Vec::new());
        for &given in trials {
            let label = self.labels.get(given);
            let own = self.pieces.iter().filter(|piece| piece.trial == given);
            pieces.extend(own.map(|piece| Piece { trial: labels.len(), rows: piece.rows.clone() }));
            labels.push(label.ok_or(DataError::Index { what: "trial", given, count })?.clone());
        }
        if pieces.is_empty() {
            return Err(DataError::Empty { what: "trial" });
        }
        Ok(self.with(labels, pieces))
    }

    /// The trials of a [share](crate::Share), as one of several processes takes them. Of a file that does not fit in
    /// memory, [`RecordingReader::load_share`] reads them alone; of a set of files each process reads its own.
    ///
    /// ```
    /// use hnn_data::{Recording, Share};
    /// let (t, q, trial) = ([0.0, 0.1, 0.0, 0.1], [1.0, 1.1, 2.0, 2.2], [7.0, 7.0, 8.0, 8.0]);
    /// let columns = [("t", &t[..]), ("q", &q), ("trial", &trial)];
    /// let reader = Recording::from_columns(columns).time("t").position("q").trial("trial");
    /// let second = reader.load()?.share(Share::new(1, 2)?)?;
    /// assert_eq!((second.len(), second.trials()), (2, &["8".to_owned()][..]));
    /// # Ok::<(), hnn_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If there are more shares than trials, and none is in this one.
    pub fn share(&self, share: Share) -> Result<Self, DataError> {
        self.select(&Vec::from_iter(share.of(self.labels.len())))
    }

    /// The first `count` rows, and the rest, as a fifth kept for testing. The report stays that of
    /// the whole.
    ///
    /// # Errors
    /// If one of the two would be empty.
    pub fn split_at(&self, count: usize) -> Result<(Self, Self), DataError> {
        if count == 0 || count >= self.len() {
            return Err(DataError::Split { first: count, count: self.len() });
        }
        let (mut first, mut rest) = (Vec::new(), Vec::new());
        let mut left = count;
        for piece in &self.pieces {
            let (trial, rows) = (piece.trial, &piece.rows);
            let here = left.min(rows.times.len());
            left -= here;
            for (part, range) in [(&mut first, 0..here), (&mut rest, here..rows.times.len())] {
                if !range.is_empty() {
                    part.push(Piece { trial, rows: rows.view().slice(range).to_owned() });
                }
            }
        }
        Ok((self.with(self.labels.clone(), first), self.with(self.labels.clone(), rest)))
    }

    /// The positions alone, without what else there is of the state, and with the inputs. The report stays
    /// that of the whole.
    ///
    /// # Errors
    /// If there are none.
    pub fn positions(&self) -> Result<Self, DataError> {
        let is_position = |role: &Role| matches!(role, Role::Position | Role::Angle);
        let count = self.roles.iter().filter(|role| is_position(role)).count();
        if count == 0 {
            return Err(DataError::Empty { what: "position" });
        }
        let kept = |i: &usize| is_position(&self.roles[*i]) || self.roles[*i] == Role::Input;
        let kept = Vec::from_iter((0..self.roles.len()).filter(kept));
        let pieces = self.pieces.iter().map(|piece| {
            let Trajectory { times, states, inputs, .. } = piece.rows.clone();
            let states = states.slice_move(s![.., ..count]);
            let derivatives = Array2::zeros((times.len(), 0));
            Piece { trial: piece.trial, rows: Trajectory { times, states, derivatives, inputs } }
        });
        Ok(Self {
            names: kept.iter().map(|i| self.names[*i].clone()).collect(),
            roles: kept.iter().map(|i| self.roles[*i]).collect(),
            labels: self.labels.clone(),
            pieces: pieces.collect(),
            report: self.report.clone(),
        })
    }

    fn with(&self, labels: Vec<String>, pieces: Vec<Piece>) -> Self {
        let (names, roles, report) = (self.names.clone(), self.roles.clone(), self.report.clone());
        Self { names, roles, labels, pieces, report }
    }

    /// A coordinate of the state along each piece.
    fn coordinate(&self, index: usize) -> Vec<(&[f64], ArrayView1<'_, f64>)> {
        let pieces = self.pieces.iter();
        pieces.map(|piece| (&piece.rows.times[..], piece.rows.states.column(index))).collect()
    }
}
