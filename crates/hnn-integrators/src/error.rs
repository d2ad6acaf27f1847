//! Errors of this crate.

use thiserror::Error;

use crate::TooLarge;

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
    /// The rows have another number of inputs than the field.
    #[error(
        "the data have {given} inputs a row, but the field has {expected}: {}",
        inputs_cure(*.given, *.expected)
    )]
    Inputs {
        /// Inputs of each row.
        given: usize,
        /// Inputs of the field.
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
        "the stage equations of row {row} are not solved after {iterations} iterations (residual {residual:e}): take a smaller step, with dt |df/dx| well below 1"
    )]
    NotConverged {
        /// Row (trajectory) in the batch.
        row: usize,
        /// Iterations done.
        iterations: usize,
        /// Largest change of the last iteration, relative to the state.
        residual: f64,
    },
    /// A mass that is none.
    #[error("the mass of coordinate {index} is {given}, but masses must be finite and positive")]
    Mass {
        /// The coordinate.
        index: usize,
        /// The mass given.
        given: f64,
    },
    /// Positions were not brought back to the constraints.
    #[error(
        "row {row} does not come back to its constraints (last correction {residual:e} of the positions): take a smaller step, and begin near the constraints"
    )]
    OffConstraints {
        /// Row (trajectory) in the batch.
        row: usize,
        /// The last correction, relative to the largest position.
        residual: f64,
    },
    /// The cotangent of inputs that are a function of time.
    #[error(
        "the inputs of this step are a function of time, which has no cotangent: give the inputs at the begin and at the end of the step (Inputs::Linear), or do not ask for their cotangent"
    )]
    FunctionInputs,
    /// Rows of the parameters' cotangents are asked of what knows nothing but their sums.
    #[error(
        "this engine knows the parameters' cotangents summed over a batch, not those of each row: take the native engine, batches of one state, or ask for the sum (ThetaBar::Sum)"
    )]
    SumsOnly,
    /// A method whose steps cannot be undone.
    #[error(
        "the steps of this method cannot be undone: take a splitting method, or other checkpoints than Reversible"
    )]
    Irreversible,
    /// What was asked for takes more memory than one call may.
    #[error(transparent)]
    TooLarge(#[from] TooLarge),
    /// The engine behind the field failed.
    #[error("the field's engine failed: {reason}")]
    Engine {
        /// What the engine said.
        reason: String,
    },
}

/// What to do about rows that do not fit a field.
fn inputs_cure(given: usize, expected: usize) -> &'static str {
    match (given, expected) {
        (_, 0) => {
            "take a model that uses them (`InputPort`, `DualField::with_inputs`), or data without them"
        }
        (0, _) => "give the inputs of each row with the data",
        _ => "give one column for each input of the field",
    }
}

/// The checks of lengths that every field shares; for fields of one's own too.
///
/// ```
/// use hnn_integrators::FieldError;
/// // Three states of dimension 2.
/// let (x, dx) = ([0.0; 6], [0.0; 4]);
/// let error = FieldError::check_lengths(6, [("the states", x.len()), ("the slopes", dx.len())]);
/// let message = "the slopes hold 4 numbers, but 6 are needed: pass 6";
/// assert_eq!(error.expect_err("too short").to_string(), message);
/// ```
impl FieldError {
    /// Checks that each of some slices, given by what it holds and its length, has the length
    /// expected.
    ///
    /// # Errors
    /// If one has another ([`Length`](Self::Length)).
    #[inline]
    pub fn check_lengths<const N: usize>(
        expected: usize,
        slices: [(&'static str, usize); N],
    ) -> Result<(), Self> {
        match slices.into_iter().find(|(_, given)| *given != expected) {
            None => Ok(()),
            Some((what, given)) => Err(Self::Length { what, given, expected }),
        }
    }

    /// Checks the slices of a vector-Jacobian product of as many outputs as inputs: the states,
    /// the cotangents and the states' cotangents of the length `expected`.
    ///
    /// # Errors
    /// If one has another length.
    #[inline]
    pub fn check_cotangents<T>(expected: usize, [x, v, x_bar]: [&[T]; 3]) -> Result<(), Self> {
        let states = [("the states", x.len()), ("the states' cotangents", x_bar.len())];
        Self::check_lengths(expected, states)?;
        Self::check_lengths(expected, [("the cotangents", v.len())])
    }

    /// Checks the length of a flat parameter vector, or of its cotangent.
    ///
    /// # Errors
    /// If it is another than expected ([`ParameterCount`](Self::ParameterCount)).
    #[inline]
    pub fn check_parameters(given: usize, expected: usize) -> Result<(), Self> {
        if given == expected { Ok(()) } else { Err(Self::ParameterCount { given, expected }) }
    }
}
