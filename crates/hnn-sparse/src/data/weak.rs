//! The weak form: no derivative of the data at all.

use super::Observations;
use super::agreement::agreeing_width;
use super::observations::Observed;
use super::quadrature::{add_interval, integral_weights};
use super::waves::{half_period, quadrature_error};
use super::windows::{Window, equations};
use crate::equations::root_mean_square;
use crate::unknowns::Unknowns;
use crate::{Equations, SparseError, error::require};
use hnn_integrators::{Between, TooLarge};

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
/// Where inputs are held from time to time, `phi` is constant in between, so that their jumps do no harm.
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
///
/// By default the width is a little more than half a typical period, and the stride a quarter of
/// it; less where the data would give fewer windows than three for each unknown. For
/// [torques](crate::InverseDynamics) the width is the smallest at which the noise of the states is small beside the
/// motion: what `- phi' v` and `phi'' q` make of the accelerations, and what `phi''` makes of the noise of `q` from
/// point to point, differ by 2 % at most. Narrower windows find inertias that are too small. It is 0.3 of a
/// period of the motion at most (`2 pi` times the deviation of a position over its root mean square velocity), beyond
/// which windows blur the motion; the stride is a tenth of it.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
pub struct WeakForm {
    width: Option<f64>,
    stride: Option<f64>,
}

/// Exponent of the test function: flat enough at its ends that sums converge fast.
const EXPONENT: i32 = 8;
/// The error of the quadrature that is always allowed for, relative.
const RELATIVE_ERROR: f64 = 1e-7;
/// The chosen width: this many mean times between changes of sign of a coordinate's deviation.
const HALF_PERIODS: f64 = 1.25;
/// The largest width that is chosen for torques, in periods of the motion.
const PERIODS: f64 = 0.3;
/// Points that a window has at least.
const FEWEST_POINTS: usize = 12;
/// The largest stride that is chosen. The weights of windows so far apart hardly overlap.
const STRIDE: f64 = 0.25;
/// The largest stride that is chosen for torques, whose noise closer windows average further.
const STRIDE_OF_TORQUES: f64 = 0.1;
/// Windows that begin between two neighbouring points, at most: more tell nothing new.
const MOST_WINDOWS_A_POINT: f64 = 16.0;

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    width: Option<f64>,
    stride: Option<f64>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for WeakForm {
    type Error = SparseError;

    fn try_from(given: Unchecked) -> Result<Self, SparseError> {
        let form = Self::default();
        let form = given.width.map_or(Ok(form), |width| form.with_width(width))?;
        given.stride.map_or(Ok(form), |share| form.with_stride(share))
    }
}

impl WeakForm {
    /// Duration of a window, in units of time. Longer averages more noise, but blurs what
    /// changes faster.
    ///
    /// # Errors
    /// If it is not positive.
    pub fn with_width(mut self, width: f64) -> Result<Self, SparseError> {
        require(width > 0.0 && width.is_finite(), "the window's width", width, "positive")?;
        self.width = Some(width);
        Ok(self)
    }

    /// Distance between the centres of windows as a share of their width.
    ///
    /// # Errors
    /// If it does not lie in (0, 1].
    pub fn with_stride(mut self, share: f64) -> Result<Self, SparseError> {
        require(share > 0.0 && share <= 1.0, "the windows' stride", share, "in (0, 1]")?;
        self.stride = Some(share);
        Ok(self)
    }

    /// The equations of these trajectories.
    ///
    /// # Errors
    /// If the states have another dimension, all trajectories are shorter than a window, one has too
    /// few points in one, the stride is far below the distance of points, or there are fewer equations
    /// than unknowns.
    pub fn equations<A: Unknowns>(
        &self,
        observations: &Observations,
        ansatz: &A,
    ) -> Result<Equations<A>, SparseError> {
        let (unknowns, components) = (ansatz.names().len(), ansatz.components().len());
        let points = observations.trajectories.iter().map(|t| t.times.len()).max();
        if let Some(given) = points.filter(|points| *points < FEWEST_POINTS) {
            let what = "points of the longest trajectory, for a window of the weak form,";
            return Err(SparseError::TooFew { what, given, needed: FEWEST_POINTS });
        }
        let grid = self.grid::<A>(observations, unknowns);
        let Grid { width, stride, .. } = grid;
        let rows = grid.windows_of(observations) * components as f64;
        let bytes = 16 * components * (unknowns + 1);
        let remedy = "take a larger stride (`with_stride`), or fewer features";
        TooLarge::check(
            "windows of the weak form",
            grid.windows_of(observations) as u128,
            bytes,
            remedy,
        )?;
        let all = equations(observations, ansatz, [RELATIVE_ERROR, width], |trajectory| {
            grid.windows(trajectory)
        });
        if rows < unknowns as f64 && matches!(all, Err(SparseError::TooFew { .. })) {
            let given = rows as usize;
            return Err(SparseError::TooFewWindows { given, needed: unknowns, width, stride });
        }
        // A window of one's own says how fast the states are that it is for.
        let error = quadrature_error(observations, width / HALF_PERIODS, |trajectory| {
            grid.windows(trajectory)
        });
        Ok(all?
            .with_relative_error(error.max(RELATIVE_ERROR))
            .with_independent_share(independent_share::<A>(stride)))
    }

    /// What is set, and otherwise what fits the data: enough windows for `unknowns` and for the
    /// noise of each component.
    fn grid<A: Unknowns>(&self, observations: &Observations, unknowns: usize) -> Grid {
        let wanted = 3.0 * unknowns as f64 + 10.0;
        let (wanted_width, widest_stride) = match A::OF_RATES {
            true => (HALF_PERIODS * half_period(observations), STRIDE),
            false => (PERIODS * period_of_motion(observations), STRIDE_OF_TORQUES),
        };
        let Sizes { mut typical, smallest, step } = sizes(observations, wanted_width);
        if !A::OF_RATES && self.width.is_none() {
            typical = agreeing_width(observations, [smallest, typical]);
        }
        let at = |width: f64| {
            let stride = self.stride.unwrap_or_else(|| {
                let room: f64 =
                    observations.trajectories.iter().map(|t| (t.duration() - width).max(0.0)).sum();
                let share = room / (width * (wanted - observations.len() as f64).max(1.0));
                share.min(widest_stride).max((step / width).min(widest_stride))
            });
            Grid { width, stride, is_held: observations.between == Between::Held }
        };
        let mut grid = at(self.width.unwrap_or(typical));
        while self.width.is_none()
            && grid.windows_of(observations) < wanted
            && grid.width > smallest
        {
            grid = at((0.8 * grid.width).max(smallest));
        }
        grid
    }
}

/// Windows of a width, at a distance of `stride * width`.
#[derive(Clone, Copy)]
struct Grid {
    width: f64,
    stride: f64,
    /// Whether inputs are held from point to point.
    is_held: bool,
}

impl Grid {
    fn slack(self) -> f64 {
        1e-9 * self.width
    }

    /// How many windows there are in a duration. A float: it may be more than a machine counts.
    fn count(self, duration: f64) -> f64 {
        let room = duration - self.width + self.slack();
        if room >= 0.0 { (room / (self.stride * self.width)).floor() + 1.0 } else { 0.0 }
    }

    fn windows_of(self, observations: &Observations) -> f64 {
        observations.trajectories.iter().map(|t| self.count(t.duration())).sum()
    }

    fn windows(self, trajectory: &Observed) -> Result<Vec<Window>, SparseError> {
        let Self { width, stride, .. } = self;
        let times = &trajectory.times;
        let Some(&start) = times.first() else { return Ok(vec![]) };
        let count = self.count(trajectory.duration());
        if count == 0.0 || times.len() < FEWEST_POINTS {
            return Ok(vec![]);
        }
        let piece = |k: f64| {
            let from = start + k * stride * width;
            let first = times.partition_point(|&t| t < from - self.slack());
            let last = times.partition_point(|&t| t <= from + width + self.slack());
            let given = last - first;
            if given < FEWEST_POINTS {
                let what =
                    "points in a window of the weak form, of this width: widen it (`with_width`),";
                return Err(SparseError::TooFew { what, given, needed: FEWEST_POINTS });
            }
            let build = if self.is_held { stepped_window } else { window };
            Ok(build(first, &times[first..last], from, width))
        };
        let points = piece(0.0)?.target.len();
        if count > MOST_WINDOWS_A_POINT * times.len() as f64 {
            return Err(SparseError::Setting {
                name: "the windows' stride",
                given: format!("{stride}, for {count:e} windows on {} points", times.len()),
                expected: "at least a sixteenth of the distance of points, over the width",
            });
        }
        let remedy = "take a larger stride (`with_stride`) or a smaller width (`with_width`)";
        TooLarge::check("windows along a trajectory", count as u128, 24 * points, remedy)?;
        (0..count as usize).map(|k| piece(k as f64)).collect()
    }
}

/// The share of windows that count, as they share their noise. Of states, that is told apart by the
/// slopes of test functions so far apart as the largest stride. Noise of what is integrated itself has the
/// correlations of the test functions, about `exp(-2 EXPONENT (k stride)^2)`, and their sum counts.
fn independent_share<A: Unknowns>(stride: f64) -> f64 {
    if A::OF_RATES {
        stride / STRIDE
    } else {
        stride * (2.0 * f64::from(EXPONENT) / std::f64::consts::PI).sqrt()
    }
}

/// The test function `(1 - tau^2)^8` and its first two derivatives.
pub(super) fn test_function(tau: f64) -> [f64; 3] {
    let (n, inside) = (f64::from(EXPONENT), 1.0 - tau * tau);
    let slope = -2.0 * n * tau * inside.powi(EXPONENT - 1);
    let bend = inside - 2.0 * (n - 1.0) * tau * tau;
    [inside.powi(EXPONENT), slope, -2.0 * n * bend * inside.powi(EXPONENT - 2)]
}

/// Weights of the integral of a function that is 0, smoothly, at the ends and beyond: as if the
/// grid went on. With equal steps all are equal, and the sum converges faster than any power.
pub(super) fn inner_weights(times: &[f64]) -> Vec<f64> {
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
        let [phi, slope, _] = test_function(tau);
        // Divided by the width, so that an equation has the size of a derivative.
        target.push(-weight * slope / half / width);
        features.push(weight * phi / width);
    }
    Window { first, target, features, steps: vec![] }
}

/// The same with a test function that is constant from point to point: the equations then hold for
/// what jumps at the points, up to the curvature in between.
fn stepped_window(first: usize, times: &[f64], from: f64, width: f64) -> Window {
    let (mut target, mut features) = (vec![0.0; times.len()], vec![0.0; times.len()]);
    let mut steps = vec![];
    for k in 0..times.len() - 1 {
        let tau = (times[k] + times[k + 1] - 2.0 * from) / width - 1.0;
        let step = (1.0 - tau * tau).powi(EXPONENT) / width;
        target[k] -= step;
        target[k + 1] += step;
        let mut integral = vec![0.0; times.len()];
        add_interval(times, k, &mut integral);
        features.iter_mut().zip(integral).for_each(|(sum, weight)| *sum += step * weight);
        steps.push(step);
    }
    Window { first, target, features, steps }
}

/// What the widths of windows go by.
struct Sizes {
    /// The width that is wanted, at most half the shortest trajectory, but of enough points.
    typical: f64,
    /// The smallest width with a half more points than needed, or what there is.
    smallest: f64,
    /// The mean distance of points, where it is largest.
    step: f64,
}

/// The duration of the shortest trajectory, short pieces aside that have no more than a tenth of all
/// time together.
fn typical_duration(observations: &Observations) -> f64 {
    const ASIDE: f64 = 0.1;
    let mut durations: Vec<f64> =
        observations.trajectories.iter().map(Observed::duration).collect();
    durations.sort_by(f64::total_cmp);
    let mut left = ASIDE * durations.iter().sum::<f64>();
    let found = durations.iter().find(|duration| {
        left -= **duration;
        left <= 0.0
    });
    found.copied().unwrap_or(f64::INFINITY)
}

/// The shortest of the positions' periods: `2 pi` times how far one goes over how fast it does.
fn period_of_motion(observations: &Observations) -> f64 {
    let n = observations.dim() / 2;
    let column = |i: usize| observations.trajectories.iter().flat_map(move |t| t.coordinate(i));
    let period = |i: usize| {
        let count = column(i).count().max(1) as f64;
        let mean = column(i).sum::<f64>() / count;
        let deviation = root_mean_square(column(i).map(|q| q - mean));
        std::f64::consts::TAU * deviation / root_mean_square(column(n + i))
    };
    (0..n).map(period).filter(|period| *period > 0.0).fold(f64::INFINITY, f64::min)
}

/// From the width that is wanted, and how far apart the points are.
fn sizes(observations: &Observations, wanted: f64) -> Sizes {
    let shortest = typical_duration(observations);
    // Over as many points as a window needs.
    let mean = |times: &[f64]| {
        times.last().map_or(0.0, |last| (last - times[0]) / (times.len() - 1).max(1) as f64)
    };
    let trajectories = observations.trajectories.iter();
    let steps = trajectories.flat_map(|t| t.times.windows(FEWEST_POINTS).map(mean));
    let step = steps.fold(0.0, f64::max);
    let few = FEWEST_POINTS as f64 * step;
    let smallest = (1.5 * few).min(0.5 * shortest).max(few).min(shortest);
    Sizes { typical: wanted.min(0.5 * shortest).max(smallest), smallest, step }
}
