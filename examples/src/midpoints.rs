//! Slopes of states, by differences.

use hnn_data::{DataSet, Trajectory};
use ndarray::{Array1, Axis, s};

use crate::Result;

/// Between each two states of a trajectory: their mean, and its slope by their difference, with inputs
/// held. What is neglected is of second order in the time between them: enough for the sizes of what
/// networks see, and to begin from.
///
/// # Errors
/// If a trajectory has less than two states.
pub fn midpoints(data: &DataSet<f64>) -> Result<DataSet<f64>> {
    let middle = data.iter().map(|one| {
        let (from, to) = (one.states.slice(s![..-1, ..]), one.states.slice(s![1.., ..]));
        let spans = one.times.windows(2).map(|t| t[1] - t[0]);
        let spans = Array1::from_iter(spans).insert_axis(Axis(1));
        let times = one.times.windows(2).map(|t| 0.5 * (t[0] + t[1])).collect();
        let middle = Trajectory::new(times, 0.5 * (&from + &to), (&to - &from) / spans);
        Trajectory { inputs: one.inputs.slice(s![..-1, ..]).to_owned(), ..middle }
    });
    Ok(DataSet::new(middle)?)
}
