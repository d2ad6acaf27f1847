//! What an evaluation keeps for its pull-back.

use hnn_integrators::{FieldError, Scalar, Workspace};

/// What an evaluation keeps: nothing, or all that its pull-back needs.
///
/// An evaluation is one body for both. A model of parts hands on to each part what that is to keep
/// ([`part`](Self::part)).
#[derive(Debug)]
pub enum Keep<'a, T, R> {
    /// Nothing: intermediate quantities go to scratch memory.
    Nothing(&'a mut Workspace<T>),
    /// All that the pull-back needs, in these residuals.
    Residuals(&'a mut R),
}

impl<T: Scalar, R> Keep<'_, T, R> {
    /// What a part keeps, whose residuals are found by `of`.
    pub fn part<P>(&mut self, of: impl FnOnce(&mut R) -> &mut P) -> Keep<'_, T, P> {
        match self {
            Self::Nothing(workspace) => Keep::Nothing(workspace),
            Self::Residuals(residuals) => Keep::Residuals(of(residuals)),
        }
    }
}

/// The residuals of a model: numbers of its own for a batch, and the residuals of its parts.
#[derive(Debug, Default)]
pub struct Record<T, P = ()> {
    pub(crate) batch: usize,
    numbers: Vec<T>,
    pub(crate) parts: P,
}

impl<T: Scalar, P> Record<T, P> {
    /// `len` numbers, of any values, for `batch` rows, and the parts.
    pub(crate) fn begin(&mut self, batch: usize, len: usize) -> (&mut [T], &mut P) {
        self.batch = batch;
        self.numbers.resize(len, T::ZERO);
        (&mut self.numbers, &mut self.parts)
    }

    /// What was recorded, which a pull-back of the same shape takes for `len` numbers.
    ///
    /// # Errors
    /// If it was recorded by a model of another shape, or of another number of states.
    pub(crate) fn recorded(&mut self, len: usize) -> Result<(&mut [T], &mut P), FieldError> {
        FieldError::check_lengths(len, [("the residuals", self.numbers.len())])?;
        Ok((&mut self.numbers, &mut self.parts))
    }
}

impl<'a, T: Scalar, P> Keep<'a, T, Record<T, P>> {
    /// `len` numbers, of any values, for `batch` rows, and what the parts keep.
    pub(crate) fn split(self, batch: usize, len: usize) -> (&'a mut [T], Keep<'a, T, P>) {
        match self {
            Self::Nothing(workspace) => {
                let (numbers, inner) = workspace.split(len);
                (numbers, Keep::Nothing(inner))
            }
            Self::Residuals(record) => {
                let (numbers, parts) = record.begin(batch, len);
                (numbers, Keep::Residuals(parts))
            }
        }
    }
}
