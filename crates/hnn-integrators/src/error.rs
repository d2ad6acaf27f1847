//! Errors of this crate.

use thiserror::Error;

/// What a vector field may answer instead of a value.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum FieldError {
    /// The state has another dimension than the field.
    #[error(
        "the state has dimension {given}, but the field has dimension {expected}: pass states with {expected} coordinates"
    )]
    Dimension {
        /// Dimension of the state given.
        given: usize,
        /// Dimension of the field.
        expected: usize,
    },
    /// A parameter vector has another length than the field's.
    #[error(
        "{given} parameters given, but the field has {expected}: pass a vector made for the same architecture"
    )]
    ParameterCount {
        /// Number of parameters given.
        given: usize,
        /// Number of parameters of the field.
        expected: usize,
    },
    /// A slice has another length than the batch needs.
    #[error("{what} hold {given} numbers, but {expected} are needed: pass {expected}")]
    Length {
        /// Which argument.
        what: &'static str,
        /// Numbers given.
        given: usize,
        /// Numbers needed.
        expected: usize,
    },
    /// The field cannot be evaluated at this state.
    #[error("the field cannot be evaluated at row {row}: {reason}")]
    Undefined {
        /// Row (trajectory) in the batch.
        row: usize,
        /// Why, and what to do.
        reason: String,
    },
    /// The stage equations of an implicit method were not solved.
    #[error(
        "the stage equations of row {row} are not solved after {iterations} iterations (residual {residual:e}): take a smaller step, or allow more iterations"
    )]
    NotConverged {
        /// Row (trajectory) in the batch.
        row: usize,
        /// Iterations done.
        iterations: usize,
        /// Largest change of the last iteration, relative to the state.
        residual: f64,
    },
    /// The engine behind the field failed.
    #[error("the field's engine failed: {reason}")]
    Engine {
        /// What the engine said.
        reason: String,
    },
}
