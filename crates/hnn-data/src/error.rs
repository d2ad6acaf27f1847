//! Errors of this crate.

use std::path::PathBuf;

use hnn_integrators::{FieldError, SolveError, TooLarge};
use thiserror::Error;

/// What went wrong with a recording or a data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum DataError {
    /// A data set without data.
    #[error("no {what}: at least one is needed")]
    Empty {
        /// What is missing.
        what: &'static str,
    },
    /// No share of things.
    #[error("the share {given:?} is none: give I/N with I from 0 to N - 1, such as 0/4")]
    Share {
        /// What was given.
        given: String,
    },
    /// A trajectory without points.
    #[error("trajectory {trajectory} has no points: leave it out")]
    NoPoints {
        /// Index of the trajectory.
        trajectory: usize,
    },
    /// Arrays of one trajectory have different lengths.
    #[error("trajectory {trajectory} has {expected} times, but {given} rows of {what}")]
    Length {
        /// Index of the trajectory.
        trajectory: usize,
        /// The array that differs.
        what: &'static str,
        /// Its rows.
        given: usize,
        /// The number of times.
        expected: usize,
    },
    /// The lengths of trajectories do not make up the rows.
    #[error("{given} {what}, but the lengths of the trajectories sum to {expected}")]
    LengthSum {
        /// What is counted.
        what: &'static str,
        /// How many there are.
        given: usize,
        /// The sum of the lengths.
        expected: usize,
    },
    /// A trajectory's rows have another number of columns than those of the others.
    #[error("trajectory {trajectory}: {given} columns of {what}, but {expected} are expected")]
    Columns {
        /// Index of the trajectory.
        trajectory: usize,
        /// The array that differs.
        what: &'static str,
        /// Its columns.
        given: usize,
        /// The columns of the first trajectory's states or inputs.
        expected: usize,
    },
    /// A number is infinite or NaN.
    #[error("trajectory {trajectory}, row {row}: the {what} hold {value}; drop or mend the row")]
    NotFinite {
        /// Index of the trajectory.
        trajectory: usize,
        /// Row within the trajectory.
        row: usize,
        /// The array it is in.
        what: &'static str,
        /// The number.
        value: f64,
    },
    /// Times do not increase.
    #[error(
        "trajectory {trajectory}, row {row}: time {time} does not come after {previous}; sort the rows and drop repeated ones"
    )]
    TimeOrder {
        /// Index of the trajectory.
        trajectory: usize,
        /// Row within the trajectory.
        row: usize,
        /// The time of that row.
        time: f64,
        /// The time of the row before.
        previous: f64,
    },
    /// Too few of something for what is asked.
    #[error("{given} {what}, but {purpose} needs at least {needed}")]
    TooFew {
        /// What is too few.
        what: &'static str,
        /// What it is needed for.
        purpose: &'static str,
        /// How many there are.
        given: usize,
        /// How many are needed.
        needed: usize,
    },
    /// What was asked for takes more memory than one call may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A split that leaves one part empty.
    #[error("cannot split {count} after the first {first}: both parts need at least one")]
    Split {
        /// How many the first part would have.
        first: usize,
        /// How many there are.
        count: usize,
    },
    /// An index beyond the end.
    #[error("{what} {given} asked for, but there are {count}, counted from 0")]
    Index {
        /// What is counted.
        what: &'static str,
        /// The index given.
        given: usize,
        /// How many there are.
        count: usize,
    },
    /// A gap factor that would make every step a gap, or none.
    #[error("recording: gap factor = {given}, but it must be greater than 1")]
    GapFactor {
        /// The factor given.
        given: f64,
    },
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file or a table that is no recording as it was described.
    #[error("{source_name}: {problem}; {cure}")]
    Recording {
        /// The file.
        source_name: String,
        /// What is there, and what is expected.
        problem: String,
        /// What to do.
        cure: String,
    },
    /// A line of a file that is no row.
    #[error("{source_name}, {place}: {problem}: {given:?}; {cure}")]
    Line {
        /// The file.
        source_name: String,
        /// The line, counted from 1, or the row in memory, counted from 0.
        place: Box<str>,
        /// What is there, shortened.
        given: Box<str>,
        /// What is wrong with it.
        problem: Box<str>,
        /// What to do.
        cure: Box<str>,
    },
    /// A field that is no number.
    #[error("{source_name}, line {line}, column {column:?}: {given:?} is no finite number; {cure}")]
    Cell {
        /// The file.
        source_name: String,
        /// The line, counted from 1.
        line: usize,
        /// The column's name, or its number, counted from 0.
        column: String,
        /// What is there, shortened.
        given: String,
        /// What to do.
        cure: String,
    },
    /// Solved trajectories come with times of their own.
    #[error("{given} lists of times for {expected} trajectories: give each its times")]
    TimeLists {
        /// The lists given.
        given: usize,
        /// The number of trajectories.
        expected: usize,
    },
    /// Trajectories that should share their times do not.
    #[error("trajectory {trajectory} has other times than the first: select those that share them")]
    OtherTimes {
        /// Index of the first that differs.
        trajectory: usize,
    },
    /// A vector field failed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// A trajectory was not solved to its end.
    #[error(transparent)]
    Solve(#[from] SolveError),
}
