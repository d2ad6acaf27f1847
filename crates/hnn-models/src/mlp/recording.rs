//! What every recorded evaluation of a perceptron keeps.

use hnn_integrators::{FieldError, Scalar};

/// Numbers for the pull-back, and of how many rows they are.
#[derive(Debug, Default)]
pub(super) struct Recording<T> {
    pub(super) batch: usize,
    buffer: Vec<T>,
}

impl<T: Scalar> Recording<T> {
    /// `len` numbers, of any values, for `batch` rows.
    pub(super) fn begin(&mut self, batch: usize, len: usize) -> &mut [T] {
        self.batch = batch;
        self.buffer.resize(len, T::ZERO);
        &mut self.buffer
    }

    /// What was recorded, which a pull-back of the same shape takes for `len` numbers.
    ///
    /// # Errors
    /// If it was recorded by a network of another shape, or of another number of velocities.
    pub(super) fn recorded(&mut self, len: usize) -> Result<&mut [T], FieldError> {
        FieldError::check_lengths(len, [("the residuals", self.buffer.len())])?;
        Ok(&mut self.buffer)
    }
}
