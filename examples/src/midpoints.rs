//! Slopes of states, by differences.

use hnn_data::{DataSet, Trajectory, TrajectoryView};
use ndarray::{Array2, s};

use crate::Result;

/// Between each two states of a trajectory: their mean, and its slope by their difference, with inputs
/// held. What is neglected is of second order in the time between them: enough for the sizes of what
/// networks see, and to begin from.
///
/// # Errors
/// If a trajectory has less than two states.
pub fn midpoints(data: &DataSet<f64>) -> Result<DataSet<f64>> {
    Ok(DataSet::new(Vec::from_iter(data.iter().map(middle)))?)
}

fn middle(one: TrajectoryView<'_, f64>) -> Trajectory<f64> {
    let (t, x) = (one.times, one.states);
    let shape = (t.len() - 1, x.ncols());
    let mean = |(k, i)| 0.5 * (x[[k, i]] + x[[k + 1, i]]);
    let slope = |(k, i)| (x[[k + 1, i]] - x[[k, i]]) / (t[k + 1] - t[k]);
    let times = t.windows(2).map(|t| 0.5 * (t[0] + t[1])).collect();
    let [mean, slope] = [Array2::from_shape_fn(shape, mean), Array2::from_shape_fn(shape, slope)];
    let inputs = one.inputs.slice(s![..-1, ..]).to_owned();
    Trajectory { inputs, ..Trajectory::new(times, mean, slope) }
}
