//! Trajectories without derivatives.

use ndarray::Array2;

use crate::data::samples::check_finite;
use crate::equations::root_mean_square;
use crate::{SparseError, error::same_length};

/// States measured along trajectories: each with times of its own, steps of any size.
///
/// ```
/// use hnn_sparse::Observations;
/// use ndarray::array;
/// let mut observations = Observations::new(2);
/// observations.push(vec![0.0, 0.1, 0.25], array![[1.0, 0.0], [0.9, -0.1], [0.8, -0.2]])?;
/// assert_eq!((observations.len(), observations.dim()), (1, 2));
/// assert!(observations.push(vec![0.0, 0.0], array![[1.0, 0.0], [0.9, -0.1]]).is_err());
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Observations {
    dim: usize,
    pub(crate) trajectories: Vec<Observed>,
}

/// One trajectory.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) times: Vec<f64>,
    /// (T, D).
    pub(crate) states: Array2<f64>,
}

impl Observed {
    /// From the first time to the last.
    pub(crate) fn duration(&self) -> f64 {
        self.times.first().zip(self.times.last()).map_or(0.0, |(first, last)| last - first)
    }

    /// Coordinate `i` at all times.
    pub(crate) fn coordinate(&self, i: usize) -> Vec<f64> {
        self.states.column(i).to_vec()
    }
}

impl Observations {
    /// None yet, of states with `dim` coordinates.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, trajectories: vec![] }
    }

    /// Adds a trajectory: its times, and its states of shape (T, D).
    ///
    /// # Errors
    /// If the shapes do not fit, a number is not finite, or the times do not increase.
    pub fn push(&mut self, times: Vec<f64>, states: Array2<f64>) -> Result<(), SparseError> {
        same_length("rows of the states, one a time", states.nrows(), times.len())?;
        same_length("coordinates of the states", states.ncols(), self.dim)?;
        check_finite("the states", states.view())?;
        if let Some(row) = times.iter().position(|t| !t.is_finite()) {
            return Err(SparseError::NotFinite { what: "the times", row, column: 0 });
        }
        let rises = |pair: &[f64]| pair[1] > pair[0];
        if let Some(row) = times.windows(2).position(|pair| !rises(pair)) {
            return Err(SparseError::Times { trajectory: self.len(), row });
        }
        self.trajectories.push(Observed { times, states });
        Ok(())
    }

    /// Root mean square of every coordinate.
    pub(crate) fn sizes(&self) -> Vec<f64> {
        let numbers = |i: usize| {
            let lanes = self.trajectories.iter().flat_map(move |t| t.states.column(i).to_vec());
            root_mean_square(lanes)
        };
        (0..self.dim).map(numbers).collect()
    }

    /// Number of trajectories.
    #[must_use]
    pub fn len(&self) -> usize {
        self.trajectories.len()
    }

    /// Whether there is no trajectory.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.trajectories.is_empty()
    }

    /// Dimension `D` of the states.
    #[must_use]
    pub fn dim(&self) -> usize {
        self.dim
    }
}

/// The states of a data set; its derivatives are not looked at.
impl From<&hnn_data::DataSet<f64>> for Observations {
    fn from(data: &hnn_data::DataSet<f64>) -> Self {
        let observed = |trajectory: hnn_data::TrajectoryView<'_, f64>| Observed {
            times: trajectory.times.to_vec(),
            states: trajectory.states.to_owned(),
        };
        Self { dim: data.dim(), trajectories: data.iter().map(observed).collect() }
    }
}
