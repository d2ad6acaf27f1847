//! How fast states change, and what sums on windows make of waves as fast.

use std::f64::consts::{FRAC_PI_2, PI};

use super::observations::{Observations, Observed};
use super::windows::Window;
use crate::SparseError;

/// Products of states have parts this many times as fast as the states.
const FASTEST: f64 = 4.0;
/// The error that is allowed for, in units of its estimate.
const SAFETY: f64 = 10.0;

/// The mean time between two crossings of a coordinate's mean.
pub(crate) fn half_period(observations: &Observations) -> f64 {
    let (mut crossings, mut time) = (0, 0.0);
    for trajectory in &observations.trajectories {
        for i in 0..observations.dim() {
            crossings += smooth_crossings(&trajectory.coordinate(i));
            time += trajectory.duration();
        }
    }
    time / crossings.max(1) as f64
}

/// Changes of sign about the mean, with a dead band of half a standard deviation: noise makes none.
fn smooth_crossings(values: &[f64]) -> usize {
    let n = values.len().max(1) as f64;
    let mean = values.iter().sum::<f64>() / n;
    let deviation = (values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n).sqrt();
    let (mut side, mut crossings) = (0.0, 0);
    for value in values.iter().map(|v| v - mean).filter(|v| v.abs() > 0.5 * deviation) {
        crossings += usize::from(side * value < 0.0);
        side = value;
    }
    crossings
}

/// Error to allow for the sums on windows, relative, from `x' = dx/dt` itself: both sides of it for
/// waves as fast as products of states with this half period.
pub(crate) fn quadrature_error(
    observations: &Observations,
    half_period: f64,
    windows: impl Fn(&Observed) -> Result<Vec<Window>, SparseError>,
) -> f64 {
    let omega = PI / half_period * FASTEST;
    let mut worst = 0.0_f64;
    for trajectory in &observations.trajectories {
        for window in windows(trajectory).unwrap_or_default() {
            let times = &trajectory.times[window.first..];
            // From the window's begin: times may be large, as seconds since 1970 are.
            let sum = |weights: &[f64], f: &dyn Fn(f64) -> f64| -> f64 {
                weights.iter().zip(times).map(|(w, t)| w * f(t - times[0])).sum()
            };
            for phase in [0.0, FRAC_PI_2] {
                let left = sum(&window.target, &|t| (omega * t + phase).sin());
                let right = sum(&window.features, &|t| omega * (omega * t + phase).cos());
                worst = worst.max((left - right).abs() / omega);
            }
        }
    }
    SAFETY * worst
}
