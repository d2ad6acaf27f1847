//! What an optimiser is.

use hnn_integrators::Scalar;

use crate::TrainError;

/// A first-order method: from the gradient at `theta` to the next `theta`; object-safe.
pub trait Optimiser<T: Scalar>: Send {
    /// The method's name, for logs.
    fn name(&self) -> &str;

    /// Its settings in words: a run is resumed only with the same ones.
    fn settings(&self) -> String {
        String::new()
    }

    /// Checks the settings, and forgets the state of an earlier run.
    ///
    /// # Errors
    /// If a setting makes no sense.
    fn start(&mut self, num_params: usize) -> Result<(), TrainError>;

    /// One update of `theta` in place with learning rate `rate`. The gradient may be overwritten.
    ///
    /// # Errors
    /// If `theta` or the gradient has another length than the method was started for.
    fn step(&mut self, theta: &mut [T], gradient: &mut [T], rate: f64) -> Result<(), TrainError>;

    /// Appends to `state` what the method remembers between steps, so that a run can be resumed.
    ///
    /// # Errors
    /// By default: the method cannot be resumed.
    fn save_state(&self, _state: &mut Vec<f64>) -> Result<(), TrainError> {
        Err(TrainError::NotResumable { optimiser: self.name().to_owned() })
    }

    /// Takes from the front of `state` what [`save_state`](Self::save_state) appended, after
    /// [`start`](Self::start).
    ///
    /// # Errors
    /// If `state` is too short; by default, since the method cannot be resumed.
    fn restore_state(&mut self, _state: &mut &[f64]) -> Result<(), TrainError> {
        Err(TrainError::NotResumable { optimiser: self.name().to_owned() })
    }
}

/// The next numbers of a saved state.
pub(crate) fn take<'a>(state: &mut &'a [f64], count: usize) -> Result<&'a [f64], TrainError> {
    let error = TrainError::State { needed: count, left: state.len() };
    state.split_off(..count).ok_or(error)
}
