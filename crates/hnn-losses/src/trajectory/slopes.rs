//! Measured derivatives, compared with the first stage of the steps that begin at measured states.

use std::ops::Add;

use hnn_integrators::Scalar;

use super::windows::Stretch;
use crate::ErrorMeasure;

/// The derivatives that the field is compared with where windows begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Slopes<'a, T> {
    /// A derivative a row of the data.
    pub(crate) dx: &'a [T],
    pub(crate) measure: ErrorMeasure,
    /// What the cost of each coordinate is multiplied by.
    pub(crate) weights: &'a [T],
    /// What the cost of each number of `dx` is multiplied by besides; empty where all count alike.
    pub(crate) precisions: &'a [T],
    /// What the gradient of the sum of their costs is multiplied by.
    pub(crate) scale: T,
}

impl<T: Scalar> Slopes<'_, T> {
    /// What the errors of the field `f` cost at the begin of some stretches; **adds** `scale` times
    /// the gradient of that to `f_bar`.
    pub(super) fn compare(&self, stretches: &[Stretch], f: &[T], f_bar: &mut [T]) -> f64 {
        let Self { dx, measure, weights, precisions, scale } = *self;
        let (lanes, mut sum) = (stretches.len(), 0.0);
        let dim = f.len() / lanes;
        for (lane, stretch) in stretches.iter().enumerate() {
            for (i, target) in dx[stretch.row * dim..][..dim].iter().enumerate() {
                let index = i * lanes + lane;
                let precision = precisions.get(stretch.row * dim + i).copied().unwrap_or(T::ONE);
                let weight = weights[i] * precision;
                let measure = measure.of_weight(weight);
                let (cost, bar) = measure.compare(f[index], *target, scale * weight);
                sum += weight.to_f64() * cost;
                f_bar[index] += bar;
            }
        }
        sum
    }
}

/// The sums over some windows.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Sums {
    /// The squared errors of the states (and of the derivatives along the windows, weighted).
    pub(crate) states: f64,
    /// What the errors of the field cost where the windows begin.
    pub(crate) slopes: f64,
}

impl Sums {
    pub(super) fn of_states(states: f64) -> Self {
        Self { states, slopes: 0.0 }
    }
}

impl Add for Sums {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { states: self.states + other.states, slopes: self.slopes + other.slopes }
    }
}
