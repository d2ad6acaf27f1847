//! Derivatives of measured states by finite differences.

use ndarray::{Array1, Array2, ArrayView1, Axis, stack};

use crate::{Trajectory, TrajectoryView};

/// How derivatives are taken from measured states.
///
/// Forward differences belong to the midpoint, not to the point they are given to: on an
/// oscillator of frequency `omega` they add an artificial damping of about `omega^2 dt / 2`. They
/// are here to show that; use one of the others, or a one-step loss, which needs no derivatives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum DerivativeScheme {
    /// `(x_(i+1) - x_i) / dt` at the midpoint: time and state are the means of the two points.
    /// Second order in `dt`; a segment of `T` points gives `T - 1`.
    #[default]
    Midpoint,
    /// The slope at `x_i` of the parabola through `x_(i-1), x_i, x_(i+1)`, for spacings of any
    /// ratio. Second order in `dt`; the first and the last point of a segment are left out, for
    /// one-sided slopes amplify noise 3.6 times as much.
    Central,
    /// `(x_(i+1) - x_i) / dt` at `x_i`. First order, biased.
    Forward,
}

impl DerivativeScheme {
    /// Fewest points of a segment that give a derivative.
    #[must_use]
    pub fn min_points(self) -> usize {
        match self {
            Self::Midpoint | Self::Forward => 2,
            Self::Central => 3,
        }
    }

    /// The points of a segment (its derivatives are not looked at) with derivatives by this
    /// scheme; `None` if it has too few.
    pub(crate) fn differentiate(self, segment: TrajectoryView<'_, f64>) -> Option<Trajectory<f64>> {
        let count = segment.times.len();
        if count < self.min_points() {
            return None;
        }
        let points = match self {
            Self::Midpoint => Vec::from_iter((0..count - 1).map(|i| midpoint(&segment, i))),
            Self::Central => Vec::from_iter((1..count - 1).map(|i| central(&segment, i))),
            Self::Forward => Vec::from_iter((0..count - 1).map(|i| forward(&segment, i))),
        };
        let rows = |pick: fn(&Point) -> ArrayView1<'_, f64>| -> Option<Array2<f64>> {
            stack(Axis(0), &Vec::from_iter(points.iter().map(pick))).ok()
        };
        Some(Trajectory {
            times: points.iter().map(|point| point.time).collect(),
            states: rows(|point| point.state.view())?,
            derivatives: rows(|point| point.derivative.view())?,
            inputs: rows(|point| point.input.view())?,
        })
    }
}

struct Point {
    time: f64,
    state: Array1<f64>,
    derivative: Array1<f64>,
    input: Array1<f64>,
}

/// Slope of the chord from point `i` to the next.
fn chord(x: &TrajectoryView<'_, f64>, i: usize) -> Array1<f64> {
    (&x.states.row(i + 1) - &x.states.row(i)) / (x.times[i + 1] - x.times[i])
}

fn midpoint(x: &TrajectoryView<'_, f64>, i: usize) -> Point {
    Point {
        time: 0.5 * (x.times[i] + x.times[i + 1]),
        state: 0.5 * (&x.states.row(i) + &x.states.row(i + 1)),
        derivative: chord(x, i),
        input: 0.5 * (&x.inputs.row(i) + &x.inputs.row(i + 1)),
    }
}

/// The parabola's slope: the two chords' slopes, each weighted by the other's length.
fn central(x: &TrajectoryView<'_, f64>, i: usize) -> Point {
    let (before, after) = (x.times[i] - x.times[i - 1], x.times[i + 1] - x.times[i]);
    let slope = (chord(x, i - 1) * after + chord(x, i) * before) / (before + after);
    at(x, i, slope)
}

fn forward(x: &TrajectoryView<'_, f64>, i: usize) -> Point {
    at(x, i, chord(x, i))
}

fn at(x: &TrajectoryView<'_, f64>, i: usize, derivative: Array1<f64>) -> Point {
    let (state, input) = (x.states.row(i).to_owned(), x.inputs.row(i).to_owned());
    Point { time: x.times[i], state, derivative, input }
}
