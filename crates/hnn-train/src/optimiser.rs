//! What an optimiser is.

use hnn_integrators::Scalar;

use crate::TrainError;

/// A first-order method: from the gradient at `theta` to the next `theta`; object-safe.
pub trait Optimiser<T: Scalar>: Send {
    /// The method's name, for logs.
    fn name(&self) -> &str;

    /// Checks the settings, and forgets the state of an earlier run.
    ///
    /// # Errors
    /// If a setting makes no sense.
    fn start(&mut self, num_params: usize) -> Result<(), TrainError>;

    /// One update of `theta` in place with learning rate `rate`. The gradient may be overwritten.
    fn step(&mut self, theta: &mut [T], gradient: &mut [T], rate: f64);
}
