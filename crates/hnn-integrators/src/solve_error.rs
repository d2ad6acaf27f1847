//! Errors of integrations.

use thiserror::Error;

use crate::{FieldError, SignalError, TooLarge};

/// Why an integration was not done, or not to its end.
///
/// `trajectory` is the row of the initial states, `step` the number of steps that had succeeded.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum SolveError {
    /// No initial state.
    #[error("there is no initial state: pass at least one row")]
    EmptyBatch,
    /// The states have another dimension than the field.
    #[error(
        "the initial states have {given} coordinates, but the field has dimension {expected}: pass rows of {expected} numbers"
    )]
    Dimension {
        /// Coordinates of the states given.
        given: usize,
        /// Dimension of the field.
        expected: usize,
    },
    /// An initial state is infinite or NaN.
    #[error(
        "initial state {trajectory} holds {value} at coordinate {coordinate}: pass finite numbers"
    )]
    NonFiniteStart {
        /// Row of the initial states.
        trajectory: usize,
        /// Coordinate, from 0.
        coordinate: usize,
        /// The number.
        value: f64,
    },
    /// A fixed-step run of no steps.
    #[error("0 steps were asked for: pass at least 1")]
    NoSteps,
    /// A setting that must be a positive finite number.
    #[error("{name} is {given}: pass a positive finite number")]
    NotPositive {
        /// The setting.
        name: &'static str,
        /// What was given.
        given: f64,
    },
    /// A setting that must be a finite number and not negative.
    #[error("{name} is {given}: pass 0 or a positive finite number")]
    Negative {
        /// The setting.
        name: &'static str,
        /// What was given.
        given: f64,
    },
    /// A step size that asks for more steps than can be counted.
    #[error(
        "a step size of {dt} over an interval of {interval} makes too many steps: pass a larger one"
    )]
    StepSize {
        /// The step size given.
        dt: f64,
        /// Length of the interval.
        interval: f64,
    },
    /// Times that are not strictly increasing or strictly decreasing finite numbers.
    #[error(
        "the times must be finite and strictly increasing (or strictly decreasing, to go backwards), but time {index} is {given} after {previous}{}",
        hint_of_spacing(*given, *previous, *spacing)
    )]
    Times {
        /// Index of the offending time.
        index: usize,
        /// The time there.
        given: f64,
        /// The time before it.
        previous: f64,
        /// How far apart the numbers of this type are around it.
        spacing: f64,
    },
    /// No time at all, or one that is not finite.
    #[error("no start: pass at least one time, the first being that of the initial state")]
    NoTimes,
    /// Another number of rows than of trajectories.
    #[error(
        "{what} has {given} rows, but there are {expected} trajectories: pass one a trajectory"
    )]
    Rows {
        /// Which argument.
        what: &'static str,
        /// Rows given.
        given: usize,
        /// Number of trajectories.
        expected: usize,
    },
    /// What was asked for takes more memory than one call may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// A field with inputs, and nothing that says what they are.
    #[error(
        "the field has {inputs} inputs, but no signal: integrate `Driven::new(&field, signals)`, with a signal for each trajectory or a function of the time"
    )]
    NoSignal {
        /// Inputs of the field.
        inputs: usize,
    },
    /// Signals for a field without inputs.
    #[error("signals are given, but the field has no inputs: integrate the field itself")]
    NoInputs,
    /// A signal that does not fit.
    #[error("the signal of trajectory {trajectory}: {source}")]
    Signal {
        /// Row of the initial states.
        trajectory: usize,
        /// What is wrong.
        source: SignalError,
    },
    /// A state became infinite or NaN.
    #[error(
        "trajectory {trajectory} became infinite or NaN at t = {time} after {step} good steps: take smaller steps, or check the field and the start"
    )]
    NonFinite {
        /// Row of the initial states.
        trajectory: usize,
        /// Steps that had succeeded.
        step: usize,
        /// Time at the end of the last good step.
        time: f64,
    },
    /// The step size fell to the spacing of numbers around the time.
    #[error(
        "trajectory {trajectory} needs steps below {dt:e} at t = {time} (after {step} steps): {}",
        cause.with_cure("the solution has a singularity there, or the field a jump: end before, or check the field")
    )]
    StepTooSmall {
        /// Row of the initial states.
        trajectory: usize,
        /// Steps that had succeeded.
        step: usize,
        /// Time reached.
        time: f64,
        /// The step size tried last.
        dt: f64,
        /// What keeps it so short.
        cause: StepLimit,
    },
    /// The limit of steps was reached.
    #[error(
        "trajectory {trajectory} had only reached t = {time} after {limit} steps: {}",
        cause.with_cure("allow more (`with_max_steps`), or loosen the tolerance")
    )]
    TooManySteps {
        /// Row of the initial states.
        trajectory: usize,
        /// The limit.
        limit: usize,
        /// Time reached.
        time: f64,
        /// What keeps the steps short.
        cause: StepLimit,
    },
    /// The function of an event is NaN.
    #[error(
        "trajectory {trajectory}: the function of event {event} is NaN at t = {time}: give it a value wherever the trajectory goes"
    )]
    UndefinedEvent {
        /// Row of the initial states.
        trajectory: usize,
        /// Index of the event.
        event: usize,
        /// When.
        time: f64,
    },
    /// The field, or the stage equations of an implicit method, failed.
    #[error("trajectory {trajectory}, t = {time}, after {step} steps: {source}")]
    Field {
        /// Row of the initial states (the first of its block where the error concerns them all).
        trajectory: usize,
        /// Steps that had succeeded.
        step: usize,
        /// Time of the last good state.
        time: f64,
        /// The field's own error.
        source: FieldError,
    },
}

/// What keeps the steps of an adaptive method short.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum StepLimit {
    /// Times so far from 0, or intervals so short, that the numbers of their type are this far apart.
    Clock {
        /// The distance of neighbouring numbers.
        spacing: f64,
    },
    /// A tolerance below the rounding of the type of number.
    Rounding {
        /// That rounding, relative.
        epsilon: f64,
    },
    /// A stiff field: a fast part, long over, forbids explicit steps that the rest would allow.
    Stiffness {
        /// The fastest part's rate `|lambda|`, an eigenvalue of the field's Jacobian.
        rate: f64,
    },
    /// The solution itself.
    Solution,
}

impl StepLimit {
    /// The cause and its cure; that of the solution itself depends on what went wrong.
    fn with_cure(&self, solution: &str) -> String {
        match self {
            Self::Clock { spacing } => format!(
                "times of this number type are {spacing:e} apart there; count time from the begin of the trajectory and in units of its length, or use f64"
            ),
            Self::Rounding { epsilon } => format!(
                "the tolerance is below the rounding of this number type ({epsilon:e}); ask for ten times that or more, or use f64"
            ),
            Self::Stiffness { rate } => format!(
                "the field is stiff, its fastest part has a rate of {rate:e}, and steps much longer than the inverse of that are unstable (in this crate's implicit methods too, which iterate); take the fast part out of the model, allow more steps, or use a solver with Newton's iteration"
            ),
            Self::Solution => solution.to_owned(),
        }
    }
}

/// Says so where times that may differ elsewhere are the same in this type of number.
fn hint_of_spacing(given: f64, previous: f64, spacing: f64) -> String {
    if given != previous || given == 0.0 {
        return String::new();
    }
    format!(
        " (numbers of this type are {spacing:e} apart there: where times are closer, count them from the begin of the trajectory, or use f64)"
    )
}

impl SolveError {
    /// The field's error at a step of the block of trajectories that begins at `first`.
    pub(crate) fn field(first: usize, step: usize, time: f64, source: FieldError) -> Self {
        let row = match source {
            FieldError::Undefined { row, .. }
            | FieldError::NotConverged { row, .. }
            | FieldError::OffConstraints { row, .. } => row,
            _ => 0,
        };
        Self::Field { trajectory: first + row, step, time, source }
    }
}

/// A [`SolveError`] with what had been computed before it.
///
/// `?` turns it into a plain [`SolveError`] where a function returns that.
#[derive(Debug, Clone, Error)]
#[error("{error}")]
pub struct SolveFailure<P: std::fmt::Debug> {
    /// What went wrong.
    pub error: SolveError,
    /// What had been computed; states that were not reached are NaN. None if nothing was begun.
    pub partial: Option<Box<P>>,
}

impl<P: std::fmt::Debug> From<SolveError> for SolveFailure<P> {
    fn from(error: SolveError) -> Self {
        Self { error, partial: None }
    }
}

impl<P: std::fmt::Debug> From<SolveFailure<P>> for SolveError {
    fn from(failure: SolveFailure<P>) -> Self {
        failure.error
    }
}
