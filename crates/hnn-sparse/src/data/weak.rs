//! The weak form: no derivative of the data at all.

use super::Observations;
use super::observations::Observed;
use super::quadrature::integral_weights;
use super::windows::{Window, equations};
use crate::{Ansatz, Equations, SparseError, error::require};

/// The weak form of the equations (Messenger and Bortz 2021), the default for states without
/// derivatives.
///
/// With the test function `phi(tau) = (1 - tau^2)^8` on a window, `tau` from -1 to 1, integration
/// by parts moves the derivative to it:
///
/// ```text
/// - integral phi' x_i dt = sum_j c_j integral phi F_ji(x) dt
/// ```
///
/// Windows of every trajectory overlap; steps may have any size (the integrals are sums with the
/// weights of piecewise polynomials of degree 5).
///
/// ```
/// use hnn_sparse::{Ansatz, Library, Observations, Selection, WeakForm};
/// use ndarray::Array2;
/// let mut observations = Observations::new(2);
/// for start in [0.5, 1.0, 1.4] {
///     // A spring H = (q^2 + p^2) / 2 from (start, 0).
///     let times: Vec<f64> = (0..150).map(|k| 0.05 * k as f64).collect();
///     let states = Array2::from_shape_fn((150, 2), |(k, i)| {
///         start * if i == 0 { times[k].cos() } else { -times[k].sin() }
///     });
///     observations.push(times, states)?;
/// }
/// let ansatz = Ansatz::new(&Library::monomials(1, 1..=4)?)?;
/// let equations = WeakForm::default().equations(&observations, &ansatz)?;
/// let found = Selection::default().run(&equations)?;
/// assert_eq!(found.names(), ["q^2", "p^2"]);
/// assert!((found.coefficient("q^2") - 0.5).abs() < 1e-7);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeakForm {
    width: Option<f64>,
    stride: f64,
}

impl Default for WeakForm {
    /// Width chosen from the data, stride a quarter of it.
    fn default() -> Self {
        Self { width: None, stride: 0.25 }
    }
}

/// Exponent of the test function: flat enough at its ends that sums converge fast.
const EXPONENT: i32 = 8;
/// The error of the quadrature that is always allowed for, relative.
const RELATIVE_ERROR: f64 = 1e-7;
/// The error that is allowed for, in units of its estimate.
const SAFETY: f64 = 10.0;
/// The chosen width: this many mean times between changes of sign of a coordinate's deviation.
const HALF_PERIODS: f64 = 1.25;
/// Points that a window has at least.
const FEWEST_POINTS: usize = 12;

impl WeakForm {
    /// Duration of a window, in units of time. Longer averages more noise, but blurs what
    /// changes faster.
    ///
    /// # Errors
    /// If it is not positive.
    pub fn width(mut self, width: f64) -> Result<Self, SparseError> {
        require(width > 0.0 && width.is_finite(), "the window's width", width, "positive")?;
        self.width = Some(width);
        Ok(self)
    }

    /// Distance between the centres of windows as a share of their width.
    ///
    /// # Errors
    /// If it does not lie in (0, 1].
    pub fn stride(mut self, share: f64) -> Result<Self, SparseError> {
        require(share > 0.0 && share <= 1.0, "the windows' stride", share, "in (0, 1]")?;
        self.stride = share;
        Ok(self)
    }

    /// The equations of these trajectories.
    ///
    /// # Errors
    /// If the states have another dimension, a trajectory is shorter than a window or has too few
    /// points in one, or there are fewer equations than unknowns.
    pub fn equations(
        &self,
        observations: &Observations,
        ansatz: &Ansatz,
    ) -> Result<Equations, SparseError> {
        let width = self.width.unwrap_or_else(|| typical_width(observations));
        let all = equations(observations, ansatz, RELATIVE_ERROR, |_, trajectory| {
            self.windows(trajectory, width)
        })?;
        let error = quadrature_error(observations, width, self.stride);
        Ok(all.with_relative_error((SAFETY * error).max(RELATIVE_ERROR)))
    }

    fn windows(&self, trajectory: &Observed, width: f64) -> Result<Vec<Window>, SparseError> {
        let times = &trajectory.times;
        let Some((&start, &end)) = times.first().zip(times.last()) else { return Ok(vec![]) };
        let slack = 1e-9 * width;
        if end - start + slack < width {
            return Err(SparseError::Setting {
                name: "the window's width",
                given: format!("{width}, but a trajectory lasts {}", end - start),
                expected: "at most the shortest trajectory",
            });
        }
        let count = ((end - start - width + slack) / (self.stride * width)).floor() as usize + 1;
        let mut windows = vec![];
        for k in 0..count {
            let from = start + k as f64 * self.stride * width;
            let first = times.partition_point(|&t| t < from - slack);
            let last = times.partition_point(|&t| t <= from + width + slack);
            if last - first < FEWEST_POINTS {
                return Err(SparseError::TooFew {
                    what: "points in a window of the weak form (widen it)",
                    given: last - first,
                    needed: FEWEST_POINTS,
                });
            }
            windows.push(window(first, &times[first..last], from, width));
        }
        Ok(windows)
    }
}

/// Weights of the integral of a function that is 0, smoothly, at the ends and beyond: as if the
/// grid went on. With equal steps all are equal, and the sum converges faster than any power.
fn inner_weights(times: &[f64]) -> Vec<f64> {
    const BEYOND: usize = 6;
    let (first, last) = (times[0], times[times.len() - 1]);
    let (step, back) = (times[1] - first, last - times[times.len() - 2]);
    let before = (1..=BEYOND).rev().map(|k| first - k as f64 * step);
    let after = (1..=BEYOND).map(|k| last + k as f64 * back);
    let extended: Vec<f64> = before.chain(times.iter().copied()).chain(after).collect();
    integral_weights(&extended)[BEYOND..BEYOND + times.len()].to_vec()
}

/// The test function's weights on one window.
fn window(first: usize, times: &[f64], from: f64, width: f64) -> Window {
    let half = 0.5 * width;
    let weights = inner_weights(times);
    let (mut target, mut features) = (vec![], vec![]);
    for (&t, weight) in times.iter().zip(weights) {
        let tau = ((t - from) / half - 1.0).clamp(-1.0, 1.0);
        let inside = 1.0 - tau * tau;
        let slope = -2.0 * f64::from(EXPONENT) * tau * inside.powi(EXPONENT - 1) / half;
        // Divided by the width, so that an equation has the size of a derivative.
        target.push(-weight * slope / width);
        features.push(weight * inside.powi(EXPONENT) / width);
    }
    Window { first, target, features }
}

/// A little more than half a typical period, at most half the shortest trajectory: from how often
/// coordinates cross their means.
fn typical_width(observations: &Observations) -> f64 {
    let (mut crossings, mut time, mut shortest) = (0, 0.0, f64::INFINITY);
    let mut coarsest = 0.0_f64;
    for trajectory in &observations.trajectories {
        let times = &trajectory.times;
        let duration = times.last().zip(times.first()).map_or(0.0, |(end, start)| end - start);
        shortest = shortest.min(duration);
        coarsest = coarsest.max(duration / times.len().max(1) as f64);
        for i in 0..observations.dim() {
            crossings += smooth_crossings(&trajectory.coordinate(i));
            time += duration;
        }
    }
    let typical = HALF_PERIODS * time / crossings.max(1) as f64;
    typical.max(1.5 * FEWEST_POINTS as f64 * coarsest).min(0.5 * shortest)
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

/// Error of the sums on a window, from `x' = dx/dt` itself: integrates the test function times a
/// wave of the states' fastest typical period by parts, both ways.
fn quadrature_error(observations: &Observations, width: f64, stride: f64) -> f64 {
    let form = WeakForm { width: Some(width), stride };
    let omega = std::f64::consts::PI * HALF_PERIODS / width * FASTEST;
    let mut worst = 0.0_f64;
    for trajectory in &observations.trajectories {
        for window in form.windows(trajectory, width).unwrap_or_default() {
            let times = &trajectory.times[window.first..];
            let sum = |weights: &[f64], f: &dyn Fn(f64) -> f64| -> f64 {
                weights.iter().zip(times).map(|(w, t)| w * f(*t)).sum()
            };
            for phase in [0.0, std::f64::consts::FRAC_PI_2] {
                let left = sum(&window.target, &|t| (omega * t + phase).sin());
                let right = sum(&window.features, &|t| omega * (omega * t + phase).cos());
                worst = worst.max((left - right).abs() / omega);
            }
        }
    }
    worst
}

/// Products of states have parts this many times as fast as the states.
const FASTEST: f64 = 4.0;
