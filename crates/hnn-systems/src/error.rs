//! Errors of this crate.

use hnn_data::DataError;
use hnn_integrators::{FieldError, SolveError, TooLarge};
use thiserror::Error;

/// What went wrong with a system's constants or with sampling.
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
    /// Nothing to begin with.
    #[error("no {what}: at least one is needed")]
    Empty {
        /// What is missing.
        what: &'static str,
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
    /// What was asked for takes more memory than one call may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A data set cannot be made.
    #[error(transparent)]
    Data(#[from] DataError),
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

    /// The upper bound, if it is finite and not below a finite lower one, and so is their distance,
    /// which a uniform law is made of.
    pub(crate) fn not_below(
        self,
        name: &'static str,
        given: f64,
        low: f64,
    ) -> Result<f64, SystemError> {
        let in_range = given >= low && low.is_finite() && (given - low).is_finite();
        let expected = "finite, not below the lower bound, and at a finite distance from it";
        self.check(name, given, in_range, expected)
    }

    /// An index below a count.
    pub(crate) fn index(
        self,
        name: &'static str,
        given: usize,
        count: usize,
    ) -> Result<usize, SystemError> {
        self.check(name, given as f64, given < count, "the index of a point that there is")?;
        Ok(given)
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
