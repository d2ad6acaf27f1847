//! How fast neighbouring trajectories part.

mod poincare;

pub use poincare::{PoincareSection, SectionCrossings};

use hnn_data::DataError;
use hnn_integrators::{Tolerances, TooLarge, VectorField, solve_batch};
use ndarray::{Array2, ArrayView1, ArrayView2};

use crate::SystemError;
use crate::error::Constants;

/// The largest Lyapunov exponent of a trajectory, by the method of two trajectories: a neighbour
/// at a small distance is followed, and put back to that distance, along the direction it has
/// grown in, after every interval.
///
/// Works for every field, true or learned. Source: Benettin, Galgani and Strelcyn, *Kolmogorov
/// entropy and numerical experiments*, Phys. Rev. A 14 (1976), 2338.
///
/// ```
/// use hnn_integrators::FnField;
/// use hnn_systems::Lyapunov;
/// // x' = x / 2, y' = -y: distances grow like e^(t/2).
/// let saddle = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
///     dx[0] = 0.5 * x[0];
///     dx[1] = -x[1];
/// });
/// let found = Lyapunov { intervals: 50, ..Lyapunov::default() }.exponent(&saddle, &[0.0, 0.0])?;
/// assert!((found.exponent - 0.5).abs() < 1e-6);
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lyapunov {
    /// Distance of the neighbour, in the units of the state.
    pub distance: f64,
    /// Time between two renormalisations.
    pub interval: f64,
    /// Intervals passed before the first that counts: the neighbour turns into the direction of
    /// growth.
    pub transient: usize,
    /// Intervals that count.
    pub intervals: usize,
    /// Relative tolerance of the adaptive solver; well below the distance over the size of the state.
    pub tolerance: f64,
}

impl Default for Lyapunov {
    fn default() -> Self {
        Self { distance: 1e-7, interval: 1.0, transient: 20, intervals: 200, tolerance: 1e-12 }
    }
}

/// A largest Lyapunov exponent.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct LyapunovExponent {
    /// Mean rate of growth, 1 / time.
    pub exponent: f64,
    /// Standard error of that mean as if the intervals were independent; too large where fast
    /// growth is followed by slow growth.
    pub std_error: f64,
    /// Rate of growth over each interval.
    pub rates: Vec<f64>,
}

impl Lyapunov {
    /// The exponent along the trajectory from `x0` at time 0.
    ///
    /// # Errors
    /// If a setting is out of range, `x0` has another dimension than the field, the solver fails,
    /// or a rate of growth is not finite.
    pub fn exponent(
        &self,
        field: &dyn VectorField<f64>,
        x0: &[f64],
    ) -> Result<LyapunovExponent, SystemError> {
        self.check()?;
        let mut pair = Array2::from_shape_fn((2, x0.len()), |(_, i)| x0[i]);
        // A direction that no symmetry of the field prefers.
        let direction = Vec::from_iter((0..x0.len()).map(|i| ((i + 1) as f64).sin()));
        self.put_at_distance(&mut pair, ArrayView1::from(&direction));
        let mut rates = Vec::with_capacity(self.intervals);
        for interval in 0..self.transient + self.intervals {
            let t = interval as f64 * self.interval;
            let times = [t, t + self.interval];
            let tolerances = Tolerances::relative(self.tolerance);
            let run = solve_batch(field, pair.view(), &times, tolerances)
                .map_err(|failure| failure.error)?;
            pair.assign(&run.states.index_axis(ndarray::Axis(1), 1));
            let difference = &pair.row(1) - &pair.row(0);
            let grown = difference.dot(&difference).sqrt();
            if interval >= self.transient {
                rates.push((grown / self.distance).ln() / self.interval);
            }
            self.put_at_distance(&mut pair, difference.view());
        }
        let n = rates.len() as f64;
        let exponent = rates.iter().sum::<f64>() / n;
        let squares: f64 = rates.iter().map(|rate| (rate - exponent).powi(2)).sum();
        let std_error = (squares / (n - 1.0) / n).sqrt();
        if std_error.is_finite() {
            return Ok(LyapunovExponent { exponent, std_error, rates });
        }
        let hint = "take a distance well above the rounding of the states, and intervals in which it \
                    neither vanishes nor leaves all bounds";
        Err(SystemError::Undetermined { what: "a Lyapunov exponent", hint })
    }

    /// Puts the second state at the distance from the first, in the given direction.
    fn put_at_distance(&self, pair: &mut Array2<f64>, direction: ArrayView1<'_, f64>) {
        let scale = self.distance / direction.dot(&direction).sqrt();
        let neighbour = &pair.row(0) + &(&direction * scale);
        pair.row_mut(1).assign(&neighbour);
    }

    fn check(&self) -> Result<(), SystemError> {
        let check = Constants("Lyapunov exponent");
        check.positive("distance", self.distance)?;
        check.positive("interval", self.interval)?;
        check.positive("tolerance", self.tolerance)?;
        if self.intervals < 2 {
            let (what, purpose, given) = ("intervals", "a standard error", self.intervals);
            return Err(SystemError::TooFew { what, purpose, given, needed: 2 });
        }
        let given = self.transient.saturating_add(self.intervals);
        let remedy = "take fewer, longer intervals, or go on from the last state";
        Ok(TooLarge::check("intervals", given, size_of::<f64>(), remedy)?)
    }
}

/// Distance of two trajectories at each time, from states of shape (T, D): T distances.
///
/// # Errors
/// If the shapes differ.
pub fn distances(a: ArrayView2<'_, f64>, b: ArrayView2<'_, f64>) -> Result<Vec<f64>, SystemError> {
    if a.ncols() != b.ncols() {
        let (what, given, expected) = ("the second trajectory", b.ncols(), a.ncols());
        return Err(SystemError::Dimension { what, given, expected });
    }
    if a.nrows() != b.nrows() {
        let (trajectory, what, given, expected) = (1, "states", b.nrows(), a.nrows());
        return Err(SystemError::Length { trajectory, what, given, expected });
    }
    let distance = |(a, b): (ArrayView1<'_, f64>, ArrayView1<'_, f64>)| {
        a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    Ok(a.outer_iter().zip(b.outer_iter()).map(distance).collect())
}

/// Rate at which a distance grows: the slope of the least-squares line through `ln(distance)` over
/// time, of the points up to the first whose distance exceeds `saturation`.
///
/// To be compared with the largest Lyapunov exponent, which it fluctuates about: one pair of
/// trajectories sees the exponent of its own short time.
///
/// ```
/// let times = Vec::from_iter((0..20).map(|k| k as f64));
/// let distances = Vec::from_iter(times.iter().map(|t| (1e-6 * (0.8 * t).exp()).min(2.0)));
/// let rate = hnn_systems::growth_rate(&times, &distances, 0.1)?;
/// assert!((rate - 0.8).abs() < 1e-12);
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
///
/// # Errors
/// If the lengths differ, times do not increase, a distance is NaN, or fewer than two points with positive distances come before the
/// saturation.
pub fn growth_rate(times: &[f64], distances: &[f64], saturation: f64) -> Result<f64, SystemError> {
    if times.len() != distances.len() {
        let (trajectory, what, given) = (0, "distances", distances.len());
        return Err(SystemError::Length { trajectory, what, given, expected: times.len() });
    }
    let rises = |pair: &[f64]| pair[1] > pair[0] && (pair[1] - pair[0]).is_finite();
    if let Some(row) = times.windows(2).position(|pair| !rises(pair)) {
        let (trajectory, row) = (0, row + 1);
        let (time, previous) = (times[row], times[row - 1]);
        return Err(DataError::TimeOrder { trajectory, row, time, previous }.into());
    }
    if let Some(row) = distances.iter().position(|d| d.is_nan()) {
        let (trajectory, what) = (0, "distances");
        return Err(DataError::NotFinite { trajectory, row, what, value: f64::NAN }.into());
    }
    let growing = times.iter().zip(distances).take_while(|(_, d)| **d <= saturation);
    let points = Vec::from_iter(growing.filter(|(_, d)| **d > 0.0).map(|(&t, d)| (t, d.ln())));
    let (what, purpose, given) = ("distances below the saturation", "a slope", points.len());
    if given < 2 {
        return Err(SystemError::TooFew { what, purpose, given, needed: 2 });
    }
    let mean = |f: fn(&(f64, f64)) -> f64| points.iter().map(f).sum::<f64>() / given as f64;
    let (t0, y0) = (mean(|point| point.0), mean(|point| point.1));
    let (mut covariance, mut variance) = (0.0, 0.0);
    for (t, y) in &points {
        covariance += (t - t0) * (y - y0);
        variance += (t - t0) * (t - t0);
    }
    let rate = covariance / variance;
    if rate.is_finite() {
        return Ok(rate);
    }
    let hint = "take times neither far closer nor far wider apart than 1";
    Err(SystemError::Undetermined { what: "a rate of growth", hint })
}
