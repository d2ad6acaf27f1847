//! What training code takes from a data set: coordinate-major copies.

use hnn_integrators::{Scalar, coordinate_major};
use ndarray::{ArrayView2, Axis};

use crate::DataSet;

/// All points of a data set, for derivative losses.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Points<T> {
    /// The times, length N.
    pub t: Vec<T>,
    /// States, D * N numbers, coordinate-major.
    pub x: Vec<T>,
    /// Time derivatives, D * N numbers, coordinate-major.
    pub dx: Vec<T>,
    /// Inputs, K * N numbers, coordinate-major.
    pub u: Vec<T>,
}

/// Every point with the one after it in the same trajectory, for one-step losses: `N - M` pairs.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Pairs<T> {
    /// Row of the first point of each pair in the data set.
    pub row: Vec<usize>,
    /// Its time.
    pub t: Vec<T>,
    /// Time from it to the next, above 0.
    pub dt: Vec<T>,
    /// State at the first point, D numbers a pair, coordinate-major.
    pub x: Vec<T>,
    /// State at the next, likewise.
    pub next: Vec<T>,
    /// Inputs at the first point, K numbers a pair, coordinate-major.
    pub u: Vec<T>,
    /// Inputs at the next, likewise.
    pub next_u: Vec<T>,
}

/// Trajectories that share their times, for losses over whole trajectories: they are integrated
/// together.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct TimeBatch<T> {
    /// Indices of the trajectories in the data set: `B` of them.
    pub trajectories: Vec<usize>,
    /// The times they share.
    pub times: Vec<T>,
    /// One block a time, each of D * B numbers, coordinate-major.
    pub states: Vec<Vec<T>>,
    /// The inputs likewise, blocks of K * B numbers.
    pub inputs: Vec<Vec<T>>,
}

impl<T: Scalar> DataSet<T> {
    /// All points.
    #[must_use]
    pub fn points(&self) -> Points<T> {
        Points {
            t: self.times().to_vec(),
            x: coordinate_major(self.states()),
            dx: coordinate_major(self.derivatives()),
            u: coordinate_major(self.inputs()),
        }
    }

    /// Every point with the one after it in the same trajectory.
    #[must_use]
    pub fn pairs(&self) -> Pairs<T> {
        let trajectories = 0..self.num_trajectories();
        let row = Vec::from_iter(trajectories.flat_map(|index| {
            let rows = self.rows_of(index);
            rows.start..rows.end - 1
        }));
        let t = self.times();
        let next = Vec::from_iter(row.iter().map(|i| i + 1));
        Pairs {
            t: row.iter().map(|&i| t[i]).collect(),
            dt: row.iter().map(|&i| t[i + 1] - t[i]).collect(),
            x: gather(self.states(), &row),
            next: gather(self.states(), &next),
            u: gather(self.inputs(), &row),
            next_u: gather(self.inputs(), &next),
            row,
        }
    }

    /// The trajectories, those with equal times together, in the order of their first members.
    #[must_use]
    pub fn time_batches(&self) -> Vec<TimeBatch<T>> {
        let mut batches: Vec<TimeBatch<T>> = Vec::new();
        for (index, one) in self.iter().enumerate() {
            match batches.iter_mut().find(|batch| batch.times == one.times) {
                Some(batch) => batch.trajectories.push(index),
                None => batches.push(TimeBatch {
                    trajectories: vec![index],
                    times: one.times.to_vec(),
                    states: Vec::new(),
                    inputs: Vec::new(),
                }),
            }
        }
        for batch in &mut batches {
            for k in 0..batch.times.len() {
                let at = |&index: &usize| self.rows_of(index).start + k;
                let rows = Vec::from_iter(batch.trajectories.iter().map(at));
                batch.states.push(gather(self.states(), &rows));
                batch.inputs.push(gather(self.inputs(), &rows));
            }
        }
        batches
    }
}

/// The given rows, coordinate-major.
fn gather<T: Scalar>(x: ArrayView2<'_, T>, rows: &[usize]) -> Vec<T> {
    coordinate_major(x.select(Axis(0), rows).view())
}
