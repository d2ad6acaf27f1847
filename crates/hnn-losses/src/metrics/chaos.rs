//! Metrics of rollouts of chaotic systems.

use hnn_integrators::FieldError;
use ndarray::{Array1, ArrayView, ArrayView1, ArrayView2, ArrayView3, Axis, Dimension, s};

use super::Spread;
use super::trajectory::{energies, rollouts};
use crate::LossError;
use crate::checks::{check_finite, check_shape};

/// Valid prediction times of rollouts.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct ValidTime {
    /// Time, from the start, at which each trajectory's error first passes the threshold; the
    /// whole length of the rollout where it never does.
    pub times: Vec<f64>,
    /// Number of trajectories whose error never passes: their times are lower bounds.
    pub never: usize,
    /// Mean, spread and median of the times.
    pub spread: Spread,
}

/// Valid prediction time: the first time at which `|q_model - q_true|`, the Euclidean distance of
/// the first half of the states (positions; rad for angles, which are taken modulo a turn after
/// [`nearest_turns`](super::nearest_turns)),
/// passes `threshold`, for states of shape (M, T, D), or (T, D) of one rollout, at `times` (T). In
/// the unit of `times`, and as fine as they are. A state that is not finite counts as passing.
///
/// ```
/// use hnn_losses::metrics::valid_prediction_time;
/// use ndarray::Array3;
/// let times = [0.0, 0.5, 1.0, 1.5];
/// let truth = Array3::<f64>::zeros((1, 4, 2));
/// // The angle runs away by 0.06 a point.
/// let model = Array3::from_shape_fn((1, 4, 2), |(_, k, i)| if i == 0 { 0.06 * k as f64 } else { 0.0 });
/// let valid = valid_prediction_time(&times, model.view(), truth.view(), 0.1)?;
/// assert_eq!((valid.spread.mean, valid.never), (1.0, 0));
/// # Ok::<(), hnn_losses::LossError>(())
/// ```
///
/// # Errors
/// If the shapes differ, there is no trajectory, or the threshold is not a number of at least 0.
pub fn valid_prediction_time<D: Dimension>(
    times: &[f64],
    model: ArrayView<'_, f64, D>,
    truth: ArrayView<'_, f64, D>,
    threshold: f64,
) -> Result<ValidTime, LossError> {
    let [model, truth] = rollouts(model, truth)?;
    check_times(times, truth)?;
    if threshold.is_nan() || threshold < 0.0 {
        return Err(LossError::Weight { what: "threshold", weight: threshold });
    }
    let n = truth.len_of(Axis(2)).div_ceil(2);
    let last = times.len() - 1;
    let (mut valid, mut never) = (Vec::with_capacity(truth.len_of(Axis(0))), 0);
    for (model, truth) in model.outer_iter().zip(truth.outer_iter()) {
        let error = &model.slice(s![.., ..n]) - &truth.slice(s![.., ..n]);
        // NaN is no distance within the threshold.
        let within = |e: ArrayView1<'_, f64>| e.dot(&e).sqrt() <= threshold;
        let passed = error.outer_iter().position(|e| !within(e));
        never += usize::from(passed.is_none());
        valid.push(times[passed.unwrap_or(last)] - times[0]);
    }
    Ok(ValidTime { spread: Spread::new(&valid)?, times: valid, never })
}

/// How the energy of rollouts strays from that of their first states, each measure with its
/// spread over trajectories.
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct EnergyDrift {
    /// Slope of the least-squares line of `H` over time: energy / time. Its sign tells a gain from
    /// a loss; 0 for an error that only oscillates.
    pub rate: Spread,
    /// Root mean square over times of `H(t) - H(0)`: energy.
    pub rms: Spread,
    /// Largest `|H(t) - H(0)|`: energy.
    pub max: Spread,
    /// `|H(T) - H(0)|` at the last time: energy. Divided by a scale of energy (29.4 J, the range
    /// of the unit double pendulum's potential over 2) it is the figure of the LNN paper.
    pub end: Spread,
}

/// Energy drift of rollouts, by the *true* system's energy, for states of shape (M, T, D), or
/// (T, D) of one rollout, at `times` (T); each energy is compared with that of the rollout's own
/// first state.
///
/// `energy` gives `H` of states of shape (T, D): of a system, `|x| system.energy_rows(x)`. For
/// conservative systems. With friction, compare with the truth by
/// [`energy_mse`](super::energy_mse).
///
/// # Errors
/// If there is no trajectory, fewer than two times, another number of times than states,
/// times that do not increase, or the energy is undefined.
pub fn energy_drift<D: Dimension>(
    energy: impl Fn(ArrayView2<'_, f64>) -> Result<Array1<f64>, FieldError>,
    times: &[f64],
    states: ArrayView<'_, f64, D>,
) -> Result<EnergyDrift, LossError> {
    let [states, _] = rollouts(states.clone(), states)?;
    check_times(times, states)?;
    if times.len() < 2 {
        return Err(LossError::Empty { what: "times after the first" });
    }
    let energy = energies(&energy, states)?;
    let change = &energy - &energy.slice(s![.., ..1]);
    let mean_time = times.iter().sum::<f64>() / times.len() as f64;
    let centred: Array1<f64> = times.iter().map(|t| t - mean_time).collect();
    let square = centred.dot(&centred);
    let spread = |measure: &dyn Fn(ArrayView1<'_, f64>) -> f64| {
        Spread::new(&Vec::from_iter(change.outer_iter().map(measure)))
    };
    Ok(EnergyDrift {
        rate: spread(&|change| centred.dot(&change) / square)?,
        rms: spread(&|change| (change.dot(&change) / change.len() as f64).sqrt())?,
        max: spread(&|change| change.iter().fold(0.0, |most: f64, e| most.max(e.abs())))?,
        end: spread(&|change| change[change.len() - 1].abs())?,
    })
}

fn check_times(times: &[f64], states: ArrayView3<'_, f64>) -> Result<(), LossError> {
    let expected = [states.len_of(Axis(1))];
    check_shape("times", &[times.len()], &expected, "one time a state")?;
    check_finite("times", ArrayView1::from(times).insert_axis(Axis(1)))?;
    match times.windows(2).position(|pair| pair[1] <= pair[0]) {
        Some(before) => {
            let (row, time, previous) = (before + 1, times[before + 1], times[before]);
            Err(LossError::TimeOrder { row, time, previous })
        }
        None => Ok(()),
    }
}
