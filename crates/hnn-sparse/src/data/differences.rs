//! Derivatives estimated from the states.

use hnn_integrators::Between;
use ndarray::Array2;

use super::observations::{Observations, Observed};
use super::quadrature::derivative_weights;
use super::samples::{Samples, column_sizes};
use crate::equations::component_scales;
use crate::{SparseError, error::require};

/// How derivatives are estimated from states alone, for [`Samples`].
///
/// Noise on the states is amplified by the inverse of the step: the
/// [`WeakForm`](crate::WeakForm) is the better choice for noisy data.
///
/// ```
/// use hnn_sparse::{Differentiation, Observations};
/// # use ndarray::Array2;
/// let times: Vec<f64> = (0..100).map(|k| 0.01 * k as f64).collect();
/// let states = Array2::from_shape_fn((100, 2), |(k, i)| (times[k] + i as f64).sin());
/// let mut observations = Observations::new(2);
/// observations.push(times, states)?;
/// let samples = Differentiation::Central.samples(&observations)?;
/// assert_eq!(samples.len(), 98);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Differentiation {
    /// The parabola through a point and its two neighbours: second order, steps of any size. The
    /// ends of a trajectory give no sample. (Forward differences are not offered: they add an
    /// artificial damping of about `omega^2 dt / 2`.)
    Central,
    /// Savitzky and Golay (1964): the polynomial that fits all points within half the width best,
    /// its value and slope in the middle; steps of any size. Smooths the states as well.
    SavitzkyGolay {
        /// Duration of the fitted piece, in units of time.
        width: f64,
        /// Degree of the polynomial, 1 to 20: one of degree 0 has no slope, and a higher one than 20
        /// follows the noise.
        degree: usize,
    },
}

impl Differentiation {
    /// Savitzky and Golay with a quartic.
    #[must_use]
    pub fn savitzky_golay(width: f64) -> Self {
        Self::SavitzkyGolay { width, degree: 4 }
    }

    /// States with estimated derivatives, and an estimate of the error that the method itself
    /// makes.
    ///
    /// # Errors
    /// If the width is not positive, the degree does not lie between 1 and 20, a width has too few
    /// points for it, or all trajectories are too short for the method.
    pub fn samples(self, observations: &Observations) -> Result<Samples, SparseError> {
        self.check()?;
        let mut rows = Rows { error_squares: vec![0.0; observations.dim()], ..Rows::default() };
        for (index, trajectory) in observations.trajectories.iter().enumerate() {
            let between = observations.between;
            match self {
                Self::Central => central(trajectory, between, index, &mut rows)?,
                Self::SavitzkyGolay { width, degree } => {
                    savitzky_golay(trajectory, between, index, width, degree, &mut rows)?;
                }
            }
        }
        let mut used = vec![false; observations.len()];
        rows.trajectories.iter().for_each(|&trajectory| used[trajectory] = true);
        let width = match self {
            Self::Central => 0.0,
            Self::SavitzkyGolay { width, .. } => width,
        };
        if let Some(longest) = observations.longest().filter(|_| rows.trajectories.is_empty()) {
            return Err(SparseError::Setting {
                name: "the width of a derivative",
                given: format!("{width}, but the longest trajectory lasts {longest}"),
                expected: "at most that, and three points at least",
            });
        }
        let warnings = observations.warnings(&used, width);
        Ok(rows.samples(observations.dim(), observations.inputs())?.with_warnings(warnings))
    }

    fn check(self) -> Result<(), SparseError> {
        let Self::SavitzkyGolay { width, degree } = self else { return Ok(()) };
        let valid = width > 0.0 && width.is_finite();
        require(valid, "the width of Savitzky-Golay", width, "positive and finite")?;
        let valid = (1..=LARGEST_DEGREE).contains(&degree);
        require(valid, "the degree of Savitzky-Golay", degree, "between 1 and 20")
    }
}

/// The largest degree of a polynomial that is fitted.
const LARGEST_DEGREE: usize = 20;

/// Samples on their way into tables.
#[derive(Default)]
struct Rows {
    states: Vec<f64>,
    derivatives: Vec<f64>,
    inputs: Vec<f64>,
    trajectories: Vec<usize>,
    /// Rows of their trajectories.
    places: Vec<usize>,
    /// Sum of squared differences to a method of higher (or lower) order, for each coordinate.
    error_squares: Vec<f64>,
    /// How many samples have noise of their own.
    independent: f64,
}

impl Rows {
    fn samples(self, dim: usize, inputs: usize) -> Result<Samples, SparseError> {
        let count = self.trajectories.len();
        let table = |numbers: Vec<f64>, columns: usize| {
            Array2::from_shape_vec((count, columns), numbers)
                .unwrap_or_else(|_| Array2::zeros((0, columns)))
        };
        let (states, derivatives) = (table(self.states, dim), table(self.derivatives, dim));
        let scales = component_scales(&column_sizes(&derivatives), &column_sizes(&states));
        let error =
            |(square, scale): (&f64, &f64)| (square.max(0.0) / count.max(1) as f64).sqrt() / scale;
        let errors = self.error_squares.iter().zip(&scales).map(error).collect();
        Ok(Samples::new(states, derivatives)?
            .with_inputs(table(self.inputs, inputs))?
            .with_trajectories(self.trajectories)?
            .at_places(self.places)
            .with_relative_errors(errors)
            .with_independent_share((self.independent / count.max(1) as f64).min(1.0)))
    }
}

fn too_few(what: &'static str, given: usize, needed: usize) -> SparseError {
    SparseError::TooFew { what, given, needed }
}

/// The mean of an input that a slope belongs to: with the weights `slopes`, a slope is a mean of
/// those from point to point, and so is what makes it.
fn mean_input(times: &[f64], slopes: &[f64], input: &[f64], between: Between) -> f64 {
    let (mut share, mut mean) = (0.0, 0.0);
    for k in 0..times.len() - 1 {
        share -= slopes[k];
        let value = match between {
            Between::Held => input[k],
            Between::Linear => 0.5 * (input[k] + input[k + 1]),
        };
        mean += share * (times[k + 1] - times[k]) * value;
    }
    mean
}

fn central(
    trajectory: &Observed,
    between: Between,
    index: usize,
    rows: &mut Rows,
) -> Result<(), SparseError> {
    let count = trajectory.times.len();
    if count < 3 {
        return Ok(());
    }
    let slope = |from: usize, points: usize, at: usize, i: usize| -> f64 {
        let weights = derivative_weights(&trajectory.times[from..from + points], at - from);
        weights.iter().enumerate().map(|(k, w)| w * trajectory.states[[from + k, i]]).sum()
    };
    for k in 1..count - 1 {
        for i in 0..trajectory.states.ncols() {
            let derivative = slope(k - 1, 3, k, i);
            rows.states.push(trajectory.states[[k, i]]);
            rows.derivatives.push(derivative);
            let first = k.saturating_sub(2).min(count.saturating_sub(5));
            let better = slope(first, 5.min(count), k, i);
            rows.error_squares[i] += (better - derivative).powi(2);
        }
        let times = &trajectory.times[k - 1..k + 2];
        let weights = derivative_weights(times, 1);
        for input in trajectory.inputs.columns() {
            let values = [input[k - 1], input[k], input[k + 1]];
            rows.inputs.push(mean_input(times, &weights, &values, between));
        }
        rows.trajectories.push(index);
        rows.places.push(k);
        rows.independent += 1.0;
    }
    Ok(())
}

fn savitzky_golay(
    trajectory: &Observed,
    between: Between,
    index: usize,
    width: f64,
    degree: usize,
    rows: &mut Rows,
) -> Result<(), SparseError> {
    let times = &trajectory.times;
    let slack = 1e-9 * width;
    if trajectory.duration() + slack < width {
        return Ok(());
    }
    for (place, &t) in times.iter().enumerate() {
        let inside = t - 0.5 * width >= times[0] - slack
            && t + 0.5 * width <= times[times.len() - 1] + slack;
        if !inside {
            continue;
        }
        let first = times.partition_point(|&s| s < t - 0.5 * width - slack);
        let last = times.partition_point(|&s| s <= t + 0.5 * width + slack);
        if last - first < degree + 1 {
            let what = "points in the `width` of Savitzky-Golay, for its `degree`,";
            return Err(too_few(what, last - first, degree + 1));
        }
        // All slopes within a width come from as many numbers as the polynomial has.
        rows.independent += (degree + 1) as f64 / (last - first) as f64;
        let fit = LocalFit::new(&times[first..last], t, 0.5 * width, degree);
        for i in 0..trajectory.states.ncols() {
            let values: Vec<f64> = (first..last).map(|row| trajectory.states[[row, i]]).collect();
            let (value, slope, error_square) = fit.at_centre(&values);
            rows.states.push(value);
            rows.derivatives.push(slope);
            rows.error_squares[i] += error_square;
        }
        let weights = fit.slope_weights();
        for input in trajectory.inputs.columns() {
            let values: Vec<f64> = (first..last).map(|row| input[row]).collect();
            rows.inputs.push(mean_input(&times[first..last], &weights, &values, between));
        }
        rows.trajectories.push(index);
        rows.places.push(place);
    }
    Ok(())
}

/// Polynomials that are orthonormal on some points, and their values and slopes at a centre.
struct LocalFit {
    degree: usize,
    /// Values at the points; value and slope at the centre. Two degrees more than the fit's.
    basis: Vec<(Vec<f64>, f64, f64)>,
}

impl LocalFit {
    /// Modified Gram-Schmidt on the powers of `(s - t) / half`.
    fn new(times: &[f64], t: f64, half: f64, degree: usize) -> Self {
        let mut basis: Vec<(Vec<f64>, f64, f64)> = vec![];
        for power in 0..=(degree + 2).min(times.len() - 1) {
            let mut values: Vec<f64> =
                times.iter().map(|s| ((s - t) / half).powi(power as i32)).collect();
            let mut value = f64::from(u8::from(power == 0));
            let mut slope = f64::from(u8::from(power == 1)) / half;
            // Twice is enough (Kahan).
            for _ in 0..2 {
                for (other, other_value, other_slope) in &basis {
                    let projection = dot(&values, other);
                    values.iter_mut().zip(other).for_each(|(a, b)| *a -= projection * b);
                    value -= projection * other_value;
                    slope -= projection * other_slope;
                }
            }
            let norm = dot(&values, &values).sqrt();
            values.iter_mut().for_each(|v| *v /= norm);
            basis.push((values, value / norm, slope / norm));
        }
        Self { degree, basis }
    }

    /// What the slope at the centre is a sum of the values with.
    fn slope_weights(&self) -> Vec<f64> {
        let mut weights = vec![0.0; self.basis[0].0.len()];
        for (values, _, slope) in self.basis.iter().take(self.degree + 1) {
            weights.iter_mut().zip(values).for_each(|(weight, value)| *weight += slope * value);
        }
        weights
    }

    /// Value and slope at the centre, and the squared error of the slope: what two more degrees
    /// add to it, less what the noise adds to that.
    fn at_centre(&self, values: &[f64]) -> (f64, f64, f64) {
        let shares: Vec<f64> = self.basis.iter().map(|b| dot(&b.0, values)).collect();
        let fitted = self.degree + 1;
        let sum = |of: fn(&(Vec<f64>, f64, f64)) -> f64, from: usize, to: usize| -> f64 {
            let pairs = self.basis.iter().zip(&shares);
            pairs.skip(from).take(to - from).map(|(b, share)| of(b) * share).sum()
        };
        let all = self.basis.len();
        let step = sum(|b| b.2, fitted, all);
        let rest = dot(values, values) - dot(&shares, &shares);
        let freedom = values.len() - all;
        let variance = if freedom > 0 { (rest / freedom as f64).max(0.0) } else { 0.0 };
        let noise: f64 = self.basis.iter().skip(fitted).map(|b| b.2 * b.2 * variance).sum();
        (sum(|b| b.1, 0, fitted), sum(|b| b.2, 0, fitted), step * step - noise)
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}
