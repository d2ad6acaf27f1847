//! Slopes of states, by differences.

use hnn_data::DataSet;
use ndarray::Array2;

/// The slope of each state towards the next of its trajectory (of the last one, from the one before):
/// good enough for the sizes of what networks see.
#[must_use]
pub fn difference_slopes(data: &DataSet<f64>) -> Array2<f64> {
    let slopes = data.iter().map(|one| {
        let last = one.times.len().saturating_sub(2);
        Array2::from_shape_fn(one.states.dim(), |(row, i)| {
            let from = row.min(last);
            let to = (from + 1).min(one.times.len() - 1);
            let span = one.times[to] - one.times[from];
            if to == from { 0.0 } else { (one.states[[to, i]] - one.states[[from, i]]) / span }
        })
    });
    let slopes = Vec::from_iter(slopes.flat_map(|slopes| slopes.into_iter()));
    let (rows, columns) = data.states().dim();
    Array2::from_shape_fn((rows, columns), |(row, i)| slopes[row * columns + i])
}
