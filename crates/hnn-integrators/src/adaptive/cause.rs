//! Why the steps of a trajectory are as short as they are.

use super::Tolerances;
use crate::kernel::LEAST_SHARE;
use crate::{At, Scalar, StepLimit, VectorField, Workspace};

/// A trajectory at its last good state.
pub(super) struct Stuck<'a, T> {
    pub(super) at: At<'a, T>,
    pub(super) x: &'a [T],
    /// The least error that each coordinate may make.
    pub(super) least: &'a [T],
    /// The step that is wanted.
    pub(super) step: f64,
    /// Length of the whole trajectory.
    pub(super) span: f64,
    pub(super) tolerances: Tolerances,
}

/// So many times the length of a trajectory away from 0, its times are of another clock.
const FAR: f64 = 1e3;
/// Explicit methods become unstable at 3 to 7 times the inverse of the fastest rate. A step that is
/// limited by accuracy stays well below once that is asked for.
const UNSTABLE: f64 = 2.0;

impl<T: Scalar> Stuck<'_, T> {
    /// What keeps the steps short; `too_small` where they have fallen to the spacing of times.
    pub(super) fn cause(&self, field: &dyn VectorField<T>, too_small: bool) -> StepLimit {
        let (epsilon, t) = (T::EPSILON.to_f64(), self.at.t[0].to_f64().abs());
        if too_small && t > FAR * self.span {
            return StepLimit::Clock { spacing: epsilon * t };
        }
        let f32_or_f64 = [f64::from(f32::MIN_POSITIVE), f64::MIN_POSITIVE];
        let least = f32_or_f64[usize::from(epsilon == f64::EPSILON)];
        if too_small && self.span < least {
            return StepLimit::Clock { spacing: epsilon * least };
        }
        let (Tolerances { rtol, atol }, sizes) = (self.tolerances, self.sizes());
        if sizes.iter().any(|size| *size > 0.0 && rtol + atol / size < epsilon) {
            return StepLimit::Rounding { epsilon };
        }
        match self.fastest_rate(field, &sizes) {
            Some(rate) if rate * self.step.abs() > UNSTABLE => StepLimit::Stiffness { rate },
            _ => StepLimit::Solution,
        }
    }

    /// The largest absolute value of each coordinate so far, as far as the tolerances tell.
    fn sizes(&self) -> Vec<f64> {
        let Tolerances { rtol, atol } = self.tolerances;
        let met = |least: f64| if rtol > 0.0 { (least - atol) / (rtol * LEAST_SHARE) } else { 0.0 };
        let both = self.x.iter().zip(self.least);
        both.map(|(x, least)| x.to_f64().abs().max(met(least.to_f64()))).collect()
    }

    /// The field's fastest rate, the spectral radius of its Jacobian, by the power method on
    /// differences; each coordinate in units of its size.
    fn fastest_rate(&self, field: &dyn VectorField<T>, size: &[f64]) -> Option<f64> {
        let distance = T::EPSILON.to_f64().sqrt();
        let mut workspace = Workspace::default();
        let mut slope_at = |x: &[T]| -> Option<Vec<f64>> {
            let mut slope = vec![T::ZERO; x.len()];
            field.eval(self.at, x, &mut slope, &mut workspace).ok()?;
            slope.iter().map(|slope| slope.is_finite().then_some(slope.to_f64())).collect()
        };
        let norm = |v: &[f64]| {
            let units = v.iter().zip(size).filter(|(_, size)| **size > 0.0);
            units.map(|(v, size)| (v / size).powi(2)).sum::<f64>().sqrt()
        };
        let slope = slope_at(self.x)?;
        // A direction that no symmetry prefers.
        let sines = size.iter().enumerate().map(|(i, size)| size * ((i + 1) as f64).sin());
        let (mut direction, mut rates) = (Vec::from_iter(sines), Vec::new());
        for _ in 0..ROUNDS {
            let scale = distance / norm(&direction);
            let near = self.x.iter().zip(&direction);
            let near = Vec::from_iter(near.map(|(x, v)| *x + T::from_f64(scale * v)));
            let there = slope_at(&near)?;
            direction = there.iter().zip(&slope).map(|(there, here)| there - here).collect();
            rates.push(norm(&direction) / distance);
        }
        // Rates of rotations alternate.
        let last = &rates[ROUNDS / 2..];
        let mean = last.iter().map(|rate| rate.ln()).sum::<f64>() / last.len() as f64;
        Some(mean.exp())
    }
}

const ROUNDS: usize = 12;
