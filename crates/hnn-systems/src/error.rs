//! Errors of this crate.

use std::path::PathBuf;

use hnn_integrators::{FieldError, SolveError};
use thiserror::Error;

/// What went wrong with a system's constants or with a data set.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SystemError {
    /// A constant of a system lies outside its range.
    #[error("{system}: {name} = {given}, but it must be {expected}")]
    Constant {
        /// The system.
        system: &'static str,
        /// The constant's name.
        name: &'static str,
        /// The value given.
        given: f64,
        /// The range of values that make sense.
        expected: &'static str,
    },
    /// A data set without data.
    #[error("no {what}: at least one is needed")]
    Empty {
        /// What is missing.
        what: &'static str,
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
    /// Something has another dimension than what it goes with.
    #[error("{what}: dimension {given}, but {expected} is expected")]
    Dimension {
        /// What differs.
        what: &'static str,
        /// Its dimension.
        given: usize,
        /// The dimension it should have.
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
    /// A split that leaves one part empty.
    #[error("cannot split {count} after the first {first}: both parts need at least one")]
    Split {
        /// How many the first part would have.
        first: usize,
        /// How many there are.
        count: usize,
    },
    /// Data that do not determine what is asked of them.
    #[error("the data do not determine {what}: {hint}")]
    Undetermined {
        /// What is asked.
        what: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A state of some energy was not found.
    #[error(
        "no state of energy {energy} among {tries} positions: the potential is higher almost everywhere within the bounds; raise the energy or widen them"
    )]
    NoRoom {
        /// The energy.
        energy: f64,
        /// Positions tried.
        tries: usize,
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
    /// A file cannot be read.
    #[error("cannot read {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the operating system says.
        source: std::io::Error,
    },
    /// A file does not hold what it should.
    #[error("{path}, line {line}: {reason}")]
    Parse {
        /// The file.
        path: PathBuf,
        /// Line, counted from 1.
        line: usize,
        /// What is wrong, and what is expected.
        reason: String,
    },
    /// A vector field failed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// An integration failed.
    #[error(transparent)]
    Solve(#[from] SolveError),
}

/// Checks the constants of one system.
#[derive(Clone, Copy)]
pub(crate) struct Constants(pub(crate) &'static str);

impl Constants {
    /// The value, if it is finite and above 0.
    pub(crate) fn positive(self, name: &'static str, given: f64) -> Result<f64, SystemError> {
        self.check(name, given, given > 0.0, "finite and greater than 0")
    }

    /// The value, if it is finite and not below 0.
    pub(crate) fn not_negative(self, name: &'static str, given: f64) -> Result<f64, SystemError> {
        self.check(name, given, given >= 0.0, "finite and not negative")
    }

    /// The value, if it is finite.
    pub(crate) fn finite(self, name: &'static str, given: f64) -> Result<f64, SystemError> {
        self.check(name, given, true, "finite")
    }

    /// The value, if it is finite and not below a finite bound.
    pub(crate) fn not_below(
        self,
        name: &'static str,
        given: f64,
        low: f64,
    ) -> Result<f64, SystemError> {
        let in_range = given >= low && low.is_finite();
        self.check(name, given, in_range, "finite and not below the lower bound")
    }

    fn check(
        self,
        name: &'static str,
        given: f64,
        in_range: bool,
        expected: &'static str,
    ) -> Result<f64, SystemError> {
        if in_range && given.is_finite() {
            Ok(given)
        } else {
            Err(SystemError::Constant { system: self.0, name, given, expected })
        }
    }
}
