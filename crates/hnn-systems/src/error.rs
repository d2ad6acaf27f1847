//! Errors of this crate.

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
