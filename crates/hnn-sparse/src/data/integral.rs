//! The integral form: differences of states are integrals of the field.

use super::Observations;
use super::observations::Observed;
use super::quadrature::add_interval;
use super::waves::{half_period, quadrature_error};
use super::windows::{Window, equations};
use crate::unknowns::Unknowns;
use crate::{Equations, SparseError, error::require};

/// The integral form of the equations (Schaeffer and McCalla 2017):
///
/// ```text
/// x_i(t + width) - x_i(t) = sum_j c_j integral from t to t + width of F_ji(x) dt
/// ```
///
/// on windows that overlap by half. Steps may have any size.
///
/// ```
/// use hnn_sparse::IntegralForm;
/// assert!(IntegralForm::new(1.0).is_ok() && IntegralForm::new(0.0).is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct IntegralForm {
    width: f64,
}

/// The duration of the longest window, in widths, or in distances of points where these are longer.
const LONGEST: f64 = 2.0;
/// The error of the quadrature that is always allowed for, relative.
const RELATIVE_ERROR: f64 = 1e-6;

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    width: f64,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for IntegralForm {
    type Error = SparseError;

    fn try_from(given: Unchecked) -> Result<Self, SparseError> {
        Self::new(given.width)
    }
}

impl IntegralForm {
    /// With windows of this duration.
    ///
    /// # Errors
    /// If it is not positive.
    pub fn new(width: f64) -> Result<Self, SparseError> {
        require(width > 0.0 && width.is_finite(), "the window's width", width, "positive")?;
        Ok(Self { width })
    }

    /// The equations of these trajectories.
    ///
    /// # Errors
    /// If the states have another dimension, all trajectories are shorter than a window, or there are
    /// fewer equations than unknowns.
    pub fn equations<A: Unknowns>(
        &self,
        observations: &Observations,
        ansatz: &A,
    ) -> Result<Equations<A>, SparseError> {
        let longest = LONGEST * self.width.max(typical_step(observations));
        let windows = |trajectory: &Observed| Ok(self.windows(trajectory, longest));
        let all = equations(observations, ansatz, [RELATIVE_ERROR, self.width], windows)?;
        let error = quadrature_error(observations, half_period(observations), windows);
        Ok(all.with_relative_error(error.max(RELATIVE_ERROR)))
    }

    /// Windows that last no longer than this: points farther apart say nothing of what is between.
    fn windows(&self, trajectory: &Observed, longest: f64) -> Vec<Window> {
        let times = &trajectory.times;
        if trajectory.duration() < self.width * (1.0 - 1e-9) {
            return vec![];
        }
        let mut windows = vec![];
        let mut first = 0;
        while first + 1 < times.len() {
            let until = times[first] + self.width * (1.0 - 1e-9);
            let last = times.partition_point(|&t| t < until).max(first + 1);
            if last >= times.len() {
                break;
            }
            if times[last] - times[first] <= longest {
                windows.push(window(times, first, last));
            }
            let next = times[first] + 0.5 * self.width * (1.0 - 1e-9);
            first = times.partition_point(|&t| t < next).max(first + 1);
        }
        windows
    }
}

/// The median distance of points.
fn typical_step(observations: &Observations) -> f64 {
    let pairs = observations.trajectories.iter().flat_map(|t| t.times.windows(2));
    let mut steps: Vec<f64> = pairs.map(|pair| pair[1] - pair[0]).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied().unwrap_or(0.0)
}

fn window(times: &[f64], first: usize, last: usize) -> Window {
    // Near the ends of a window the interpolation uses points outside of it.
    let (from, to) = (first.saturating_sub(3), (last + 4).min(times.len()));
    let mut features = vec![0.0; to - from];
    for interval in first..last {
        add_interval(&times[from..to], interval - from, &mut features);
    }
    let duration = times[last] - times[first];
    features.iter_mut().for_each(|weight| *weight /= duration);
    let mut target = vec![0.0; to - from];
    target[first - from] = -1.0 / duration;
    target[last - from] = 1.0 / duration;
    let mut steps = vec![0.0; to - from - 1];
    steps[first - from..last - from].fill(1.0 / duration);
    Window { first: from, target, features, steps }
}
