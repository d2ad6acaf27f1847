//! What every recorded evaluation of a perceptron keeps.

use hnn_integrators::Scalar;

/// Numbers for the pull-back, and of how many rows they are.
#[derive(Debug, Default)]
pub(super) struct Recording<T> {
    pub(super) batch: usize,
    pub(super) buffer: Vec<T>,
}

impl<T: Scalar> Recording<T> {
    /// At least `len` numbers, of any values, for `batch` rows.
    pub(super) fn begin(&mut self, batch: usize, len: usize) -> &mut [T] {
        self.batch = batch;
        if self.buffer.len() < len {
            self.buffer.resize(len, T::ZERO);
        }
        &mut self.buffer
    }
}
