//! What an observer of an adaptive integration sees.

use crate::kernel::Slots;
use crate::{EmbeddedPair, Scalar};

/// Sees every accepted step of a block.
pub(crate) trait Observer<T> {
    /// May stop the trajectory (by its index in the block) at a time inside the step.
    fn observe(&mut self, trajectory: usize, step: &StepTaken<'_, T>) -> Option<T>;
}

/// An accepted step, with its interpolant.
pub(crate) struct StepTaken<'s, T> {
    pub(super) pair: &'s EmbeddedPair,
    pub(super) slots: &'s Slots<T>,
    pub(super) slot: usize,
}

impl<T: Scalar> StepTaken<'_, T> {
    pub(super) fn dim(&self) -> usize {
        self.slots.x.len() / self.slots.count()
    }

    /// Time at the end.
    pub(super) fn t_end(&self) -> T {
        self.slots.t_end[self.slot]
    }

    /// Coordinate `i` at the end.
    pub(super) fn end(&self, i: usize) -> T {
        self.slots.end[i * self.slots.count() + self.slot]
    }

    /// Coordinate `i` inside the step, by the weights of its interpolant there.
    pub(super) fn interpolate(&self, i: usize, weights: &[f64]) -> T {
        let (at, len) = (i * self.slots.count() + self.slot, self.slots.x.len());
        let (slopes, dt) = (self.slots.slopes[at..].iter().step_by(len), self.slots.dt[self.slot]);
        let weighted = weights.iter().zip(slopes).take(self.pair.dense.len());
        // Term by term: no steep slope overflows in a short step.
        let sum: T = weighted.map(|(weight, slope)| dt * T::from_f64(*weight) * *slope).sum();
        self.slots.x[at] + sum
    }

    /// Whether the interpolant is finite all along the step.
    pub(super) fn is_finite_inside(&self) -> bool {
        // No weight of a slope is larger than the sum of its coefficients.
        let largest = |row: &[f64; 7]| row.iter().map(|c| c.abs()).sum::<f64>();
        let largest = |row| self.slots.dt[self.slot].abs() * T::from_f64(largest(row));
        (0..self.dim()).all(|i| {
            let (at, len) = (i * self.slots.count() + self.slot, self.slots.x.len());
            let slopes = self.slots.slopes[at..].iter().step_by(len);
            let weighted = self.pair.dense.iter().map(largest).zip(slopes);
            let sum: T = weighted.map(|(weight, slope)| weight * slope.abs()).sum();
            (self.slots.x[at].abs() + sum).is_finite()
        })
    }

    /// The time at a fraction of the step.
    pub(super) fn time(&self, theta: T) -> T {
        if theta == T::ONE {
            return self.t_end();
        }
        self.slots.t[self.slot] + theta * self.slots.dt[self.slot]
    }

    /// The state at a fraction of the step; `weights` is scratch.
    pub(super) fn state(&self, theta: T, weights: &mut Vec<f64>, out: &mut [T]) {
        weights.resize(self.pair.dense.len(), 0.0);
        self.pair.dense_weights(theta.to_f64(), weights);
        for (i, out) in out.iter_mut().enumerate() {
            *out = match theta {
                _ if theta == T::ZERO => self.slots.x[i * self.slots.count() + self.slot],
                _ if theta == T::ONE => self.end(i),
                _ => self.interpolate(i, weights),
            };
        }
    }
}
