//! Derivatives of measured channels, as wide as their noise and their rate want.

use hnn_integrators::TooLarge;
use ndarray::{Array2, ArrayView1};

use crate::local_polynomial::{Basis, DEGREE, FEWEST, Fit};
use crate::recording::Recording;
use crate::recording::channel::{Values, noise};
use crate::recording::column::Role;
use crate::recording::report::Slope;
use crate::{DataError, DataSet, Trajectory};

/// Smoothed states, their derivatives, and the standard errors of both.
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Differentiated {
    /// States and derivatives at the recording's rows, a trajectory a piece; of positions alone,
    /// the states are positions and velocities.
    pub data: DataSet<f64>,
    /// Standard errors of the states, shape (N, D).
    pub state_errors: Array2<f64>,
    /// Standard errors of the derivatives, shape (N, D). A loss weighs by `1 / error^2`.
    pub derivative_errors: Array2<f64>,
    /// Rows of pieces that are too short for a fit; they are left out.
    pub left_out: usize,
}

/// Centres at which a width is judged.
const CENTRES: usize = 200;
/// From one width to the next.
const RATIO: f64 = 1.3;
/// Residuals of so many times the noise's square are more than noise.
const EXCESS: f64 = 1.5;
/// Noise averages out over the rows of a fit, and what a window misses does not: it counts so many
/// times.
const SHARED: f64 = 3.0;
/// So much of the motion's mean square left by a fit means that it is missed.
const MISSED: f64 = 0.25;
/// A window is too wide where its error is so many times the least one.
const TOO_WIDE: f64 = 30.0;
/// Widths that are tried at most: they reach from the narrowest window to the widest.
const WIDTHS: usize = 16;
/// Rows of the widest window.
const WIDEST: usize = 401;

/// How a derivative of a channel is taken.
#[derive(Debug, Clone, Copy)]
struct Choice {
    half_width: f64,
    degree: usize,
    /// The square of the error that more noise-free rows would not lessen: in the middle of
    /// pieces, and where the window is at their ends.
    bias: [f64; 2],
}

impl Recording {
    /// Derivatives by local polynomials, of degree 2 or 4, fitted to the rows around each one. For
    /// each channel the width and the degree are those with the least error that the noise and the
    /// next two degrees tell; a coarse quantisation counts as noise.
    ///
    /// States are smoothed in the same way. Of positions alone, the velocities become part of the
    /// state, and the derivatives are velocities and accelerations.
    ///
    /// The [`report`](Self::report) says whether these derivatives are worth anything. Where they
    /// are not, fit trajectories, or use the weak form.
    ///
    /// ```
    /// use hnn_data::Recording;
    /// let t = Vec::from_iter((0..200).map(|k| 0.02 * f64::from(k)));
    /// let q = Vec::from_iter(t.iter().map(|t| (3.0 * t).sin()));
    /// let recording = Recording::from_columns([("t", &t[..]), ("q", &q)]).time("t").angle("q").load()?;
    /// let found = recording.differentiate()?;
    /// assert_eq!(found.data.dim(), 2); // angle and velocity
    /// let (v, a) = (found.data.states()[[100, 1]], found.data.derivatives()[[100, 1]]);
    /// assert!((v - 3.0 * (3.0 * t[100]).cos()).abs() < 1e-4);
    /// assert!((a + 9.0 * q[100]).abs() < 1e-3);
    /// assert!(found.derivative_errors[[100, 1]] < 1e-2);
    /// # Ok::<(), hnn_data::DataError>(())
    /// ```
    ///
    /// # Errors
    /// If every piece has fewer than 8 rows.
    pub fn differentiate(&self) -> Result<Differentiated, DataError> {
        let longest = self.pieces.iter().map(|piece| piece.rows.times.len()).max().unwrap_or(0);
        if longest < FEWEST {
            return Err(DataError::TooFew {
                what: "rows in the longest piece without a gap",
                purpose: "a local polynomial",
                given: longest,
                needed: FEWEST,
            });
        }
        let dim = if self.has_positions_alone() { 2 * self.dim() } else { self.dim() };
        let remedy = "differentiate the trials one by one, by `select`";
        TooLarge::check("derivatives", self.len().saturating_mul(dim), 8 * 8, remedy)?;
        // For each coordinate of the state, its channel and how often it is differentiated.
        let sources = Vec::from_iter((0..dim).map(|i| (i % self.dim(), i / self.dim())));
        let plan = |extra: usize| {
            Vec::from_iter(sources.iter().map(|&(channel, order)| {
                let values = self.coordinate(channel);
                let sigma = self.sigma(channel);
                (channel, order + extra, sigma, choose(&values, order + extra, sigma))
            }))
        };
        let (states, slopes) = (plan(0), plan(1));
        let long = self.pieces.iter().filter(|piece| piece.rows.times.len() >= FEWEST);
        let (mut state_errors, mut derivative_errors) = (Vec::new(), Vec::new());
        let trajectories = Vec::from_iter(long.map(|piece| {
            let times = &piece.rows.times[..];
            let rows = |plan: &[(usize, usize, f64, Choice)], errors: &mut Vec<f64>| {
                let mut numbers = Array2::zeros((times.len(), dim));
                let mut squares = Array2::zeros((times.len(), dim));
                for (column, (channel, order, sigma, choice)) in plan.iter().enumerate() {
                    let mut basis = Basis::default();
                    let x = piece.rows.states.column(*channel);
                    for row in 0..times.len() {
                        let (fit, at_end) = fit_at(&mut basis, times, &x, row, *order, choice);
                        numbers[[row, column]] = fit.value;
                        squares[[row, column]] =
                            sigma * sigma * fit.variance + choice.bias[usize::from(at_end)];
                    }
                }
                errors.extend(squares.iter().map(|square: &f64| square.sqrt()));
                numbers
            };
            let states = rows(&states, &mut state_errors);
            let derivatives = rows(&slopes, &mut derivative_errors);
            let inputs = piece.rows.inputs.clone();
            Trajectory { times: times.to_vec(), states, derivatives, inputs }
        }));
        let data = DataSet::new(trajectories)?;
        let array = |errors: Vec<f64>| {
            Array2::from_shape_fn((data.len(), dim), |(row, i)| errors[row * dim + i])
        };
        Ok(Differentiated {
            state_errors: array(state_errors),
            derivative_errors: array(derivative_errors),
            left_out: self.len() - data.len(),
            data,
        })
    }

    fn has_positions_alone(&self) -> bool {
        let states = &self.roles[..self.dim()];
        states.iter().all(|role| matches!(role, Role::Position | Role::Angle))
    }

    /// The noise of a coordinate: what differences say, and at least that of rounding to steps.
    fn sigma(&self, coordinate: usize) -> f64 {
        let values = self.coordinate(coordinate);
        let size = values.iter().flat_map(|(_, x)| x).fold(0.0_f64, |most, x| most.max(x.abs()));
        let step = self.report.channels.get(coordinate).and_then(|channel| channel.step);
        let steps = step.unwrap_or(0.0) / 12.0_f64.sqrt();
        noise(&values).unwrap_or(0.0).max(steps).max(f64::EPSILON * size)
    }

    /// Adds to the report what the numbers allow.
    pub(crate) fn judge(&mut self) {
        let orders = if self.has_positions_alone() { 2 } else { 1 };
        let mut slopes = Vec::new();
        for coordinate in 0..self.dim() {
            let values = self.coordinate(coordinate);
            let is_known = values.iter().any(|(times, _)| times.len() >= FEWEST)
                && !self.report.channels[coordinate].is_constant;
            let sigma = self.sigma(coordinate);
            let orders = (1..=orders).filter(|_| is_known);
            slopes.push(Vec::from_iter(orders.map(|order| judge(&values, order, sigma))));
        }
        let gains = self.gains();
        for (channel, slopes) in self.report.channels.iter_mut().zip(slopes) {
            channel.slopes = slopes;
        }
        self.report.advise(&gains);
        let advice = self.distance_advice();
        self.report.advice.extend(advice);
    }

    /// For each position with a measured velocity, `sum s^2 / sum s v` of its slopes `s`, which are less
    /// noisy than `v`.
    fn gains(&self) -> Vec<(String, String, f64)> {
        let of = |role: &dyn Fn(Role) -> bool| {
            Vec::from_iter((0..self.dim()).filter(|&i| role(self.roles[i])))
        };
        let positions = of(&|role| matches!(role, Role::Position | Role::Angle));
        let velocities = of(&|role| role == Role::Velocity);
        let mut gains = Vec::new();
        for (&q, &v) in positions.iter().zip(&velocities) {
            let (mut along, mut size) = (0.0, 0.0);
            let values = self.coordinate(q);
            if !values.iter().any(|(times, _)| times.len() >= FEWEST) {
                continue;
            }
            let choice = choose(&values, 1, self.sigma(q));
            let mut basis = Basis::default();
            let velocity = self.coordinate(v);
            for (piece, row) in centres(&values) {
                let (times, x) = &values[piece];
                let slope = fit_at(&mut basis, times, x, row, 1, &choice).0.value;
                let v = velocity[piece].1[row];
                along += slope * v;
                size += slope * slope;
            }
            gains.push((self.names[q].clone(), self.names[v].clone(), size / along));
        }
        gains
    }
}

/// The width and degree for the `d`-th derivative of a channel.
fn choose(values: &[Values<'_>], d: usize, sigma: f64) -> Choice {
    let centres = centres(values);
    let motion = spread(values, &centres);
    let long = || values.iter().filter(|(times, _)| times.len() >= FEWEST);
    let spacing = |times: &[f64]| (times[times.len() - 1] - times[0]) / (times.len() - 1) as f64;
    let dt = long().map(|(times, _)| spacing(times)).fold(f64::INFINITY, f64::min);
    let duration = long().map(|(times, _)| times[times.len() - 1] - times[0]).fold(0.0, f64::max);
    let widest = (0.5 * duration).min(0.5 * WIDEST as f64 * dt);
    let narrowest = 0.5 * FEWEST as f64 * dt;
    let mut half_width = narrowest;
    let mut best = (f64::INFINITY, Choice { half_width, degree: 2, bias: [0.0; 2] });
    for _ in 0..WIDTHS {
        let mut least = f64::INFINITY;
        for degree in [2, DEGREE - 2] {
            let choice = Choice { half_width, degree, bias: [0.0; 2] };
            let (risk, bias) = risk(values, &centres, d, [sigma, motion], &choice);
            least = least.min(risk);
            if risk < best.0 || half_width == narrowest && risk.is_infinite() {
                best = (risk, Choice { bias, ..choice });
            }
        }
        half_width *= RATIO;
        // Wider windows can only seem better, once they miss the motion altogether.
        if half_width > widest || least > TOO_WIDE * best.0 {
            break;
        }
    }
    best.1
}

/// The mean square error of a choice, infinite where it misses the motion, and the bias in the middle and at the ends.
fn risk(
    values: &[Values<'_>],
    centres: &[(usize, usize)],
    d: usize,
    [sigma, motion]: [f64; 2],
    choice: &Choice,
) -> (f64, [f64; 2]) {
    let mut basis = Basis::default();
    let (mut variance, mut change, mut count) = ([0.0; 2], [0.0; 2], [0.0; 2]);
    let mut residual = 0.0;
    for &(piece, row) in centres {
        let (times, x) = &values[piece];
        let (fit, at_end) = fit_at(&mut basis, times, x, row, d, choice);
        let class = usize::from(at_end);
        variance[class] += sigma * sigma * fit.variance;
        change[class] += fit.change * fit.change - sigma * sigma * fit.change_variance;
        count[class] += 1.0;
        let (value, _) = fit_at(&mut basis, times, x, row, 0, choice);
        residual += (x[row] - value.value - value.change).powi(2);
    }
    let mean = |sums: [f64; 2], class: usize| sums[class] / f64::max(count[class], 1.0);
    let bias = |class: usize| mean(change, class).max(0.0);
    // Where there are no rows in the middle, those at the ends say all, and the other way round.
    let bias = match count {
        [0.0, _] => [bias(1); 2],
        [_, 0.0] => [bias(0); 2],
        _ => [bias(0), bias(1)],
    };
    let class = usize::from(count[0] == 0.0);
    // In a window so wide that either degree misses the motion, they agree on nothing; but what they
    // leave is more than noise.
    let left = residual / centres.len() as f64;
    let is_missed = left > EXCESS * sigma * sigma && left > MISSED * motion * motion;
    let risk = mean(variance, class) + SHARED * mean(change, class).abs();
    (if is_missed { f64::INFINITY } else { risk }, bias)
}

/// The standard deviation of a channel.
fn spread(values: &[Values<'_>], centres: &[(usize, usize)]) -> f64 {
    let count = centres.len() as f64;
    let all = || centres.iter().map(|&(piece, row)| values[piece].1[row]);
    let mean = all().sum::<f64>() / count;
    (all().map(|x| (x - mean).powi(2)).sum::<f64>() / count).sqrt()
}

/// The `d`-th derivative at a row, and whether the window is at an end of the piece.
fn fit_at(
    basis: &mut Basis,
    times: &[f64],
    x: &ArrayView1<'_, f64>,
    row: usize,
    d: usize,
    choice: &Choice,
) -> (Fit, bool) {
    let (t, half) = (times[row], choice.half_width);
    let slack = 1e-9 * half;
    let (begin, end) = (times[0], times[times.len() - 1]);
    let middle = if end - begin > 2.0 * half {
        t.clamp(begin + half, end - half)
    } else {
        0.5 * (begin + end)
    };
    let mut from = times.partition_point(|t| *t < middle - half - slack).min(row);
    let mut to = times.partition_point(|t| *t <= middle + half + slack).max(row + 1);
    while to - from < FEWEST {
        let is_left_nearer = to == times.len() || from > 0 && t - times[from - 1] <= times[to] - t;
        if is_left_nearer { from -= 1 } else { to += 1 }
    }
    basis.set(&times[from..to], t);
    (basis.fit(|k| x[from + k], d, choice.degree), (middle - t).abs() > slack)
}

/// Rows of long pieces, evenly over all, and the ends of the first ones.
fn centres(values: &[Values<'_>]) -> Vec<(usize, usize)> {
    let long = || values.iter().enumerate().filter(|(_, (times, _))| times.len() >= FEWEST);
    let count: usize = long().map(|(_, (times, _))| times.len()).sum();
    let stride = count.div_ceil(CENTRES).max(1);
    let even = long().flat_map(|(piece, (times, _))| {
        (stride / 2..times.len()).step_by(stride).map(move |row| (piece, row))
    });
    let ends =
        long().take(20).flat_map(|(piece, (times, _))| [(piece, 0), (piece, times.len() - 1)]);
    even.chain(ends).collect()
}

fn judge(values: &[Values<'_>], order: usize, sigma: f64) -> Slope {
    let choice = choose(values, order, sigma);
    let mut basis = Basis::default();
    let (mut size, mut error) = (0.0, 0.0);
    let mut count = 0.0;
    for (piece, row) in centres(values) {
        let (times, x) = &values[piece];
        let (fit, at_end) = fit_at(&mut basis, times, x, row, order, &choice);
        if !at_end {
            size += fit.value * fit.value;
            error += sigma * sigma * fit.variance + choice.bias[0];
            count += 1.0;
        }
    }
    if count == 0.0 {
        return Slope { order, half_width: choice.half_width, size: 0.0, error: f64::INFINITY };
    }
    let mean = |sum: f64| f64::sqrt(sum / count);
    Slope { order, half_width: choice.half_width, size: mean(size), error: mean(error) }
}
