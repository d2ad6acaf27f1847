//! Windows wide enough for noisy states: where velocities and positions tell the same accelerations.

use super::Observations;
use super::observations::Observed;
use super::quadrature::lagrange;
use super::weak::{inner_weights, test_function};

/// How far they may differ, and noise may move them: a share of the accelerations.
const DIFFERENCE: f64 = 0.02;
/// From one width to the next.
const RATIO: f64 = 1.1;
/// Windows, and points for the noise, that are looked at, about.
const WINDOWS: f64 = 400.0;
const POINTS: usize = 4000;
/// The distance of windows, in widths.
const STRIDE: f64 = 0.25;

/// The smallest width, between these two, at which `- phi' v` and `phi'' q` agree in all joints; else the
/// largest.
pub(super) fn agreeing_width(observations: &Observations, [smallest, largest]: [f64; 2]) -> f64 {
    let joints = observations.dim() / 2;
    let noises = Vec::from_iter((0..joints).map(|joint| noise(observations, joint)));
    let agree = |width: &f64| {
        noises
            .iter()
            .enumerate()
            .all(|(joint, noise)| difference(observations, joint, *noise, *width) <= DIFFERENCE)
    };
    let widths = std::iter::successors(Some(smallest), |width| Some(RATIO * width));
    widths.take_while(|width| *width < largest).find(agree).unwrap_or(largest)
}

/// Root mean square, over windows of a width, of the difference of a joint's two mean accelerations with that
/// of the noise; over their size.
fn difference(observations: &Observations, joint: usize, noise: f64, width: f64) -> f64 {
    let (n, half) = (observations.dim() / 2, 0.5 * width);
    let durations = observations.trajectories.iter().map(Observed::duration);
    let stride = (STRIDE * width).max(durations.sum::<f64>() / WINDOWS);
    let (mut errors, mut size) = (0.0, 0.0);
    for trajectory in &observations.trajectories {
        let times = &trajectory.times;
        let room = trajectory.duration() - width;
        let count = if room >= 0.0 { (room / stride) as usize + 1 } else { 0 };
        for from in (0..count).map(|k| times[0] + k as f64 * stride) {
            let first = times.partition_point(|t| *t < from);
            let inside = &times[first..times.partition_point(|t| *t <= from + width)];
            if inside.len() < 2 {
                continue;
            }
            let (mut of_velocity, mut of_position, mut square) = (0.0, 0.0, 0.0);
            for (k, (t, weight)) in inside.iter().zip(inner_weights(inside)).enumerate() {
                let [_, slope, bend] = test_function((t - from) / half - 1.0);
                let row = trajectory.states.row(first + k);
                let bend = weight * bend / (half * half);
                of_velocity -= weight * slope / half * row[n + joint];
                of_position += bend * row[joint];
                square += bend * bend;
            }
            errors += (of_velocity - of_position).powi(2) + noise * noise * square;
            size += of_position * of_position;
        }
    }
    (errors / size).sqrt()
}

/// The noise of a position from point to point: what cubics through two points on either side leave.
fn noise(observations: &Observations, joint: usize) -> f64 {
    let points: usize = observations.trajectories.iter().map(|t| t.times.len()).sum();
    let (mut sum, mut count) = (0.0, 0.0);
    for trajectory in &observations.trajectories {
        let (times, q) = (&trajectory.times, trajectory.states.column(joint));
        let middles = 2..times.len().saturating_sub(2).max(2);
        for k in middles.step_by(points.div_ceil(POINTS).max(1)) {
            let around = [k - 2, k - 1, k + 1, k + 2];
            let nodes = around.map(|at| times[at]);
            let weights = [0, 1, 2, 3].map(|place| lagrange(&nodes, place, times[k]));
            let (mut left, mut norm) = (q[k], 1.0);
            for (at, weight) in around.into_iter().zip(weights) {
                left -= weight * q[at];
                norm += weight * weight;
            }
            sum += left * left / norm;
            count += 1.0;
        }
    }
    if count > 0.0 { f64::sqrt(sum / count) } else { 0.0 }
}
