//! Errors of this crate.

use std::path::PathBuf;

use hnn_data::DataError;
use hnn_integrators::{FieldError, TooLarge};
use hnn_train::TrainError;
use thiserror::Error;

use crate::expression::LARGEST_EXPONENT;

/// What goes wrong in the identification of a Hamiltonian.
#[derive(Debug, Error)]
#[non_exhaustive]
pub enum SparseError {
    /// A number of the data is infinite or NaN.
    #[error(
        "{what} has a number that is not finite at row {row}, column {column}: remove the row or repair it"
    )]
    NotFinite {
        /// Which table.
        what: &'static str,
        /// Row, from 0.
        row: usize,
        /// Column, from 0.
        column: usize,
    },
    /// Two things that belong together have different lengths.
    #[error("{what}: {given} given, {expected} expected")]
    Length {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        given: usize,
        /// How many there should be.
        expected: usize,
    },
    /// There are too few equations.
    #[error("{what}: {given} given, at least {needed} needed; give more data or a smaller library")]
    TooFew {
        /// What was counted.
        what: &'static str,
        /// How many there are.
        given: usize,
        /// How many there should be at least.
        needed: usize,
    },
    /// The windows of a weak form give too few equations.
    #[error(
        "windows of `width` {width} at a `stride` of {stride} give {given} equations, at least {needed} \
         needed: take a smaller width (`with_width`) or stride (`with_stride`), longer trajectories, or a smaller library"
    )]
    TooFewWindows {
        /// How many equations there are.
        given: usize,
        /// How many there should be at least.
        needed: usize,
        /// Duration of a window.
        width: f64,
        /// Distance of windows as a share of their width.
        stride: f64,
    },
    /// A column of a regression is 0 in every row.
    #[error(
        "column {column} ({name}) is zero in every row, so its coefficient is free: drop it or give it an infinite weight"
    )]
    ZeroColumn {
        /// Column, from 0.
        column: usize,
        /// Its name.
        name: String,
    },
    /// Two columns of a regression, or two features, are the same up to a factor.
    #[error(
        "columns {first} ({first_name}) and {second} ({second_name}) are the same up to a factor: drop one of them"
    )]
    DuplicateColumns {
        /// The first column, from 0.
        first: usize,
        /// Its name.
        first_name: String,
        /// The second column, from 0.
        second: usize,
        /// Its name.
        second_name: String,
    },
    /// No feature has this name.
    #[error("no feature is named `{name}`; the library has: {known}")]
    UnknownFeature {
        /// The name given.
        name: String,
        /// The names there are.
        known: String,
    },
    /// A feature names a coordinate that the states do not have.
    #[error("feature {feature} uses coordinate {coordinate}, but states have {dim} coordinates")]
    Coordinate {
        /// Position of the feature.
        feature: usize,
        /// Coordinate, from 0.
        coordinate: usize,
        /// Dimension of the states.
        dim: usize,
    },
    /// A feature names an input that there is not.
    #[error(
        "feature {feature} uses input {input} (from 0), but {inputs} inputs are known there: declare them by \
         `with_inputs` first, and use them in forces only"
    )]
    Input {
        /// Position of the feature.
        feature: usize,
        /// Input, from 0.
        input: usize,
        /// Number of inputs.
        inputs: usize,
    },
    /// The data have other inputs than the ansatz.
    #[error(
        "the data have {given} inputs, the ansatz {expected}: declare them by `Ansatz::with_inputs` and use them \
         in forces, or leave them out of the data by `without_inputs` if they act on nothing"
    )]
    Inputs {
        /// Inputs of the data.
        given: usize,
        /// Inputs of the ansatz.
        expected: usize,
    },
    /// A feature has no finite value at a state of the data.
    #[error(
        "`{name}` has no finite value at row {row} of trajectory {trajectory} (both from 0), where {state}: take a \
         feature that is finite there, such as `Expression::friction` for what divides by a speed, or leave out the row"
    )]
    Singular {
        /// Name of the unknown.
        name: String,
        /// Trajectory, from 0.
        trajectory: usize,
        /// Row of the trajectory, from 0.
        row: usize,
        /// The state there.
        state: String,
    },
    /// A feature of a Hamiltonian is constant, so no data can tell its coefficient.
    #[error("feature {feature} is constant: an energy is known up to a constant only; remove it")]
    ConstantFeature {
        /// Position of the feature.
        feature: usize,
    },
    /// A feature has an exponent that no computer number stands.
    #[error(
        "feature {feature} has the exponent {exponent}, but exponents lie between -{most} and {most}: \
         higher powers overflow or vanish; measure the coordinate in other units, or take a custom function",
        most = LARGEST_EXPONENT
    )]
    Exponent {
        /// Position of the feature.
        feature: usize,
        /// The exponent.
        exponent: i32,
    },
    /// A feature has no value at any state.
    #[error(
        "feature {feature} has no value: a number or frequency in it is NaN or infinite, a distance has no \
         argument, or a power of a sum is negative or too long to write out; give finite numbers"
    )]
    UndefinedFeature {
        /// Position of the feature.
        feature: usize,
    },
    /// A friction acts on a momentum that there is not.
    #[error(
        "the friction of term {term} acts on momentum {momentum} (from 0), but there are {momenta} momenta"
    )]
    Momentum {
        /// Position of the term.
        term: usize,
        /// The momentum, from 0.
        momentum: usize,
        /// How many there are.
        momenta: usize,
    },
    /// What was asked for takes more memory than one call may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A setting has a value that it cannot have.
    #[error("{name} is {given}, but must be {expected}")]
    Setting {
        /// Which setting.
        name: &'static str,
        /// The value given.
        given: String,
        /// Which values it may have.
        expected: &'static str,
    },
    /// The times of a trajectory do not increase.
    #[error(
        "the times of trajectory {trajectory} do not increase from row {row} to the next: sort the rows and merge those of equal time"
    )]
    Times {
        /// Trajectory, from 0.
        trajectory: usize,
        /// Row, from 0.
        row: usize,
    },
    /// No formula is left after the selection.
    #[error("no term of the library explains the data better than none: {reason}")]
    NothingFound {
        /// Why.
        reason: String,
    },
    /// The Hamiltonian is not a sum `T(p) + V(q)` without friction.
    #[error(
        "the Hamiltonian is not separable: term `{term}` is neither a function of q nor of p alone; use an implicit or a general method"
    )]
    NotSeparable {
        /// The term in the way.
        term: String,
    },
    /// A custom function of a saved formula was not given.
    #[error("the formula uses the custom function `{name}`: pass it when reading the file")]
    MissingFunction {
        /// Its name.
        name: String,
    },
    /// A custom function cannot be printed as Rust.
    #[error("the custom function `{name}` has no Rust form: implement `CustomFunction::rust`")]
    NoRustForm {
        /// Its name.
        name: String,
    },
    /// The refinement by shooting did not converge.
    #[error("the refinement did not converge in {iterations} iterations: {reason}")]
    NoConvergence {
        /// Iterations made.
        iterations: usize,
        /// What happened, and what to do.
        reason: String,
    },
    /// A file cannot be read or written.
    #[error("cannot {action} {path}: {source}")]
    File {
        /// Read or write.
        action: &'static str,
        /// Which file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A file holds something else than a formula.
    #[error("not a formula of this crate in JSON: {0}")]
    Json(#[from] serde_json::Error),
    /// A vector field failed.
    #[error(transparent)]
    Field(#[from] FieldError),
    /// Trajectories cannot be fitted.
    #[error(transparent)]
    Data(#[from] DataError),
    /// Their fit failed.
    #[error(transparent)]
    Train(#[from] TrainError),
}

/// The setting's error, if the condition does not hold.
pub(crate) fn require(
    condition: bool,
    name: &'static str,
    given: impl ToString,
    expected: &'static str,
) -> Result<(), SparseError> {
    if condition {
        Ok(())
    } else {
        Err(SparseError::Setting { name, given: given.to_string(), expected })
    }
}

/// The error of two lengths that should agree.
pub(crate) fn same_length(
    what: &'static str,
    given: usize,
    expected: usize,
) -> Result<(), SparseError> {
    if given == expected { Ok(()) } else { Err(SparseError::Length { what, given, expected }) }
}
