//! Equations that are weighted sums over pieces of trajectories.

use hnn_integrators::{TooLarge, Workspace};

use super::observations::{Observations, Observed};
use crate::equations::{Equations, Table};
use crate::program::Program;
use crate::{Ansatz, SparseError, error::same_length};

/// One equation a component: `sum_k target_k x_i(t_k) = sum_j c_j sum_k features_k F_ji(x(t_k))`.
pub(crate) struct Window {
    /// The first point.
    pub(crate) first: usize,
    /// Weights of the states.
    pub(crate) target: Vec<f64>,
    /// Weights of the features.
    pub(crate) features: Vec<f64>,
}

/// Builds the equations of all windows of all trajectories; `states` gives what the features are
/// evaluated at.
pub(crate) fn equations(
    observations: &Observations,
    ansatz: &Ansatz,
    relative_error: f64,
    windows: impl Fn(&Observed) -> Result<Vec<Window>, SparseError>,
) -> Result<Equations, SparseError> {
    let dim = ansatz.dim();
    same_length("coordinates of the states", observations.dim(), dim)?;
    let program = Program::compile(dim, &ansatz.fields()?);
    let columns = ansatz.columns().len();
    // Row by row first: a table's columns are only known to be as long once all rows are there.
    let mut rows: Vec<(Vec<f64>, Vec<f64>, usize)> = vec![];
    for (index, trajectory) in observations.trajectories.iter().enumerate() {
        let count = trajectory.times.len();
        TooLarge::check(
            "values of features along a trajectory",
            [columns, dim, count].map(|n| n as u128).iter().product::<u128>(),
            8,
            "cut the trajectory, or take fewer features",
        )?;
        let lanes: Vec<f64> = trajectory.states.t().iter().copied().collect();
        let mut values = vec![0.0; columns * dim * count];
        program.run(count, &lanes, &mut values, &mut Workspace::default());
        for window in windows(trajectory)? {
            let sum = |weights: &[f64], lane: &[f64]| -> f64 {
                weights.iter().zip(&lane[window.first..]).map(|(w, value)| w * value).sum()
            };
            let targets = lanes.chunks_exact(count).map(|lane| sum(&window.target, lane));
            let features = values.chunks_exact(count).map(|lane| sum(&window.features, lane));
            rows.push((targets.collect(), features.collect(), index));
        }
    }
    let component = |i: usize| -> Vec<f64> {
        (0..columns).flat_map(|j| rows.iter().map(move |row| row.1[j * dim + i])).collect()
    };
    let table = Table {
        columns: (0..dim).map(component).collect(),
        target: (0..dim).map(|i| rows.iter().map(|row| row.0[i]).collect()).collect(),
        observations: (0..rows.len()).collect(),
        trajectories: rows.iter().map(|row| row.2).collect(),
    };
    let errors = vec![relative_error; dim];
    Equations::new(ansatz.clone(), Box::new(table), errors, &observations.sizes())
}
