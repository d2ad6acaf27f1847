//! What an observer of an adaptive integration sees.

use super::EmbeddedPair;
use crate::Scalar;
use crate::runge_kutta::add_scaled_stages;

/// Sees every accepted step of a block of one trajectory.
pub(super) trait Observer<T> {
    /// May stop the trajectory at a time inside the step.
    fn observe(&mut self, step: &StepTaken<'_, T>) -> Option<T>;
}

/// An accepted step of a block of one trajectory, with its interpolant.
pub(super) struct StepTaken<'s, T> {
    pub(super) pair: EmbeddedPair<'s>,
    pub(super) t: T,
    pub(super) dt: T,
    pub(super) t_end: T,
    pub(super) x: &'s [T],
    pub(super) end: &'s [T],
    pub(super) slopes: &'s [T],
}

impl<T: Scalar> StepTaken<'_, T> {
    pub(super) fn dim(&self) -> usize {
        self.x.len()
    }

    /// The time at a fraction of the step.
    pub(super) fn time(&self, theta: T) -> T {
        if theta == T::ONE { self.t_end } else { self.t + theta * self.dt }
    }

    /// The state at a fraction of the step.
    pub(super) fn state(&self, theta: T, out: &mut [T]) {
        if theta == T::ZERO {
            return out.copy_from_slice(self.x);
        }
        if theta == T::ONE {
            return out.copy_from_slice(self.end);
        }
        let mut weights = vec![0.0; self.pair.dense.len()];
        self.pair.dense_weights(theta.to_f64(), &mut weights);
        add_scaled_stages(self.x, &[self.dt], &weights, self.slopes, out);
    }
}
