//! Errors of this crate.

use std::ops::Range;

use hnn_integrators::FieldError;
use thiserror::Error;

/// What can go wrong when a loss or a metric is built or evaluated.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LossError {
    /// Two arrays do not fit each other.
    #[error("{what} has shape {given:?}, but {expected:?} is needed: {hint}")]
    Shape {
        /// Which array.
        what: &'static str,
        /// Its shape.
        given: Vec<usize>,
        /// The shape needed.
        expected: Vec<usize>,
        /// Where the expectation comes from.
        hint: &'static str,
    },
    /// States are neither those of one rollout nor of several.
    #[error("states of shape {given:?} are no rollout: give (T, D), or (M, T, D) of several")]
    Rollout {
        /// Their shape.
        given: Vec<usize>,
    },
    /// There is nothing to compare.
    #[error("the {what} are empty: give at least one row")]
    Empty {
        /// Which data.
        what: &'static str,
    },
    /// The data are not finite.
    #[error("{what} row {row} holds {value}: remove or repair the row")]
    NonFinite {
        /// Which array.
        what: &'static str,
        /// Which row.
        row: usize,
        /// The value.
        value: f64,
    },
    /// A row was selected that the data do not have.
    #[error("row {row} was selected, but the data have {rows} rows")]
    NoSuchRow {
        /// The row.
        row: usize,
        /// Number of rows.
        rows: usize,
    },
    /// Times that do not increase within a trajectory.
    #[error(
        "row {row} has time {time}, but the row before it in its trajectory has {previous}: times must increase; check the order of the rows and the lengths of the trajectories"
    )]
    TimeOrder {
        /// The row.
        row: usize,
        /// Its time.
        time: f64,
        /// The time of the row before.
        previous: f64,
    },
    /// Windows without steps.
    #[error("windows of 0 steps compare nothing: take at least 1 step")]
    NoSteps,
    /// A stage of a curriculum begins at no fraction of the run, or before the stage before it.
    #[error(
        "a stage of the curriculum begins at the fraction {fraction} of the steps, but must begin in [{least}, 1]"
    )]
    Curriculum {
        /// The fraction given.
        fraction: f64,
        /// Where the stage before begins.
        least: f64,
    },
    /// Fitted starts cannot move at this rate.
    #[error("fitted starts cannot move at the rate {rate}: give one in (0, 1], such as 0.1")]
    StartRate {
        /// The rate given.
        rate: f64,
    },
    /// A data set whose derivatives are not known.
    #[error(
        "the data have no derivatives: take those of `Recording::differentiate` or `differences`, or a loss of trajectories"
    )]
    NoDerivatives,
    /// Inputs that do not determine a motion, and are not determined by it.
    #[error(
        "the data have {inputs} inputs for states of dimension {dim}, but a loss of torques needs one for each momentum or velocity, {}: take a derivative loss, or give the missing ones as 0",
        dim / 2
    )]
    NotActuated {
        /// Inputs of each row.
        inputs: usize,
        /// Dimension of the states.
        dim: usize,
    },
    /// A field that is not affine in its inputs.
    #[error(
        "the field at row {row} is not affine in its inputs, `f_0(x) + B(x) u`, so that a motion does not tell them: take a derivative loss"
    )]
    NotAffine {
        /// Which row.
        row: usize,
    },
    /// A field on which some input has no effect.
    #[error(
        "the inputs do not move the field at row {row}: begin with gains and an inertia that are neither 0 nor infinite"
    )]
    Unactuated {
        /// Which row.
        row: usize,
    },
    /// A standard error that no number can have.
    #[error(
        "row {row} has the standard error {given}: give positive numbers whose squares are neither 0 nor infinite"
    )]
    StandardError {
        /// Which row.
        row: usize,
        /// The standard error.
        given: f64,
    },
    /// A weight is negative or not finite.
    #[error(
        "the weight {weight} of the {what} is no number of at least 0 that the scalar type has"
    )]
    Weight {
        /// Of which term.
        what: &'static str,
        /// The weight.
        weight: f64,
    },
    /// Two losses that are to be evaluated together are of different data.
    #[error(
        "the derivative loss and the trajectory loss have different {what} ({derivative} and {trajectory} numbers, the first difference at index {index}): build both from the same data"
    )]
    DifferentData {
        /// Which array.
        what: &'static str,
        /// How many numbers the derivative loss has.
        derivative: usize,
        /// How many numbers the trajectory loss has.
        trajectory: usize,
        /// Where they first differ, row by row.
        index: usize,
    },
    /// A loss that is no sum of squares was to be minimised as one.
    #[error(
        "the loss \"{loss}\" is no sum of squares and has no residuals: train it by a gradient method, or compare by squares"
    )]
    NoResiduals {
        /// Its name.
        loss: String,
    },
    /// Another number of locals than the layout of the residuals says.
    #[error("{given} locals given, but the residuals have {expected}")]
    Locals {
        /// How many were given.
        given: usize,
        /// How many there are.
        expected: usize,
    },
    /// The loss failed on a rank.
    #[error("rank {rank} of {ranks} (rows {}..{}): {reason}", rows.start, rows.end)]
    Rank {
        /// Which rank, from 0.
        rank: usize,
        /// How many there are.
        ranks: usize,
        /// The rows that it has.
        rows: Range<usize>,
        /// Its error.
        reason: String,
    },
    /// A loss that does not say what it is divided by was to be shared out.
    #[error(
        "the loss \"{loss}\" cannot be that of a rank's rows: make `Distributed` of a loss of the rows of this rank, or of a `TotalLoss` of such, and implement `row_sums` and `set_row_sums` for a loss of one's own"
    )]
    NotShared {
        /// Its name.
        loss: String,
    },
    /// A loss with unknowns of its own was to be fitted by least squares on several ranks.
    #[error(
        "the loss \"{loss}\" has fitted starts, whose equations are not shared out among ranks: train it by a gradient method, or fit with the measured starts"
    )]
    LocalsOfRanks {
        /// Its name.
        loss: String,
    },
    /// Several terms of one sum have states that ranks cannot keep apart.
    #[error(
        "{terms} terms of a loss have fitted starts, which cannot be saved together for another number of ranks: keep one of them"
    )]
    StatesOfRanks {
        /// How many.
        terms: usize,
    },
    /// The field's own error.
    #[error(transparent)]
    Field(#[from] FieldError),
}
