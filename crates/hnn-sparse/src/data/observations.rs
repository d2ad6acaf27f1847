//! Trajectories without derivatives.

use std::f64::consts::{FRAC_PI_2, TAU};

use hnn_integrators::{Between, coordinate_major};
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
///
/// Inputs are known at the same times, and go on in straight lines in between; or they are held until
/// the next time ([`held`](Self::held)), as what a computer sends to a motor.
///
/// ```
/// use hnn_sparse::Observations;
/// use ndarray::array;
/// let mut observations = Observations::new(2).with_inputs(1).held();
/// let (states, torque) = (array![[1.0, 0.0], [0.9, -0.1]], array![[0.5], [0.7]]);
/// observations.push_with_inputs(vec![0.0, 0.1], states, torque)?;
/// assert_eq!(observations.inputs(), 1);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Observations {
    dim: usize,
    inputs: usize,
    pub(crate) between: Between,
    pub(crate) trajectories: Vec<Observed>,
}

/// One trajectory.
#[derive(Debug, Clone)]
pub(crate) struct Observed {
    pub(crate) times: Vec<f64>,
    /// (T, D).
    pub(crate) states: Array2<f64>,
    /// (T, K).
    pub(crate) inputs: Array2<f64>,
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

    /// The first row after which coordinate `i` jumps by a turn, up to what it moves from row to row.
    fn jump_by_a_turn(&self, i: usize) -> Option<usize> {
        let q = self.states.column(i);
        let step = |row: usize| (q[row + 1] - q[row]).abs();
        (1..q.len().saturating_sub(2)).find(|&row| {
            let around = step(row - 1).max(step(row + 1));
            around < FRAC_PI_2 && (step(row) - TAU).abs() <= 2.0 * around
        })
    }

    /// The inputs, coordinate-major.
    pub(crate) fn input_lanes(&self) -> Vec<f64> {
        coordinate_major(self.inputs.view())
    }

    /// The inputs before each time, where they are held from time to time, coordinate-major.
    pub(crate) fn lanes_before(&self) -> Vec<f64> {
        let value = |(k, row): (usize, usize)| self.inputs[[row.saturating_sub(1), k]];
        let places =
            (0..self.inputs.ncols()).flat_map(|k| (0..self.times.len()).map(move |r| (k, r)));
        places.map(value).collect()
    }
}

impl Observations {
    /// None yet, of states with `dim` coordinates.
    #[must_use]
    pub fn new(dim: usize) -> Self {
        Self { dim, inputs: 0, between: Between::Linear, trajectories: vec![] }
    }

    /// None yet, of states with as many coordinates and `inputs` inputs.
    #[must_use]
    pub fn with_inputs(self, inputs: usize) -> Self {
        Self { inputs, ..Self::new(self.dim) }
    }

    /// The inputs at a time are held until the next one.
    #[must_use]
    pub fn held(self) -> Self {
        Self { between: Between::Held, ..self }
    }

    /// Without the inputs, if they act on nothing.
    #[must_use]
    pub fn without_inputs(mut self) -> Self {
        self.inputs = 0;
        for observed in &mut self.trajectories {
            observed.inputs = Array2::zeros((observed.times.len(), 0));
        }
        self
    }

    /// Adds a trajectory without inputs: its times, and its states of shape (T, D).
    ///
    /// # Errors
    /// If the shapes do not fit, a number is not finite, or the times do not increase.
    pub fn push(&mut self, times: Vec<f64>, states: Array2<f64>) -> Result<(), SparseError> {
        let inputs = Array2::zeros((times.len(), 0));
        self.push_with_inputs(times, states, inputs)
    }

    /// Adds a trajectory: its times, its states of shape (T, D), and its inputs of shape (T, K).
    ///
    /// # Errors
    /// As [`push`](Self::push).
    pub fn push_with_inputs(
        &mut self,
        times: Vec<f64>,
        states: Array2<f64>,
        inputs: Array2<f64>,
    ) -> Result<(), SparseError> {
        same_length("rows of the inputs, one a time", inputs.nrows(), times.len())?;
        same_length("inputs (`Observations::with_inputs`)", inputs.ncols(), self.inputs)?;
        check_finite("the inputs", inputs.view())?;
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
        self.trajectories.push(Observed { times, states, inputs });
        Ok(())
    }

    /// Of what was measured, what looks wrong; and which trajectories are too short to be used, given
    /// those that are.
    pub(crate) fn warnings(&self, used: &[bool], width: f64) -> Vec<String> {
        let list = |places: &mut dyn Iterator<Item = usize>| {
            places.map(|place| place.to_string()).collect::<Vec<_>>().join(", ")
        };
        let short = list(&mut (0..self.len()).filter(|&place| !used[place]));
        let mut warnings = vec![];
        if !short.is_empty() {
            warnings.push(format!(
                "too short for a width of {width}, left out: trajectories {short} (from 0)"
            ));
        }
        let jumps = self.trajectories.iter().enumerate().flat_map(|(place, trajectory)| {
            let jump = move |i: usize| trajectory.jump_by_a_turn(i).map(|row| (place, i, row));
            (0..self.dim / 2).filter_map(jump)
        });
        warnings.extend(jumps.take(1).map(|(place, i, row)| {
            format!(
                "coordinate {i} jumps by a turn after row {row} of trajectory {place} (all from 0): if it is an \
                 angle, add its turns up, as `hnn_data::Recording` does"
            )
        }));
        warnings
    }

    /// Root mean square of every coordinate.
    pub(crate) fn sizes(&self) -> Vec<f64> {
        let numbers = |i: usize| {
            let lanes = self.trajectories.iter().flat_map(move |t| t.states.column(i).to_vec());
            root_mean_square(lanes)
        };
        (0..self.dim).map(numbers).collect()
    }

    /// The duration of the longest trajectory.
    pub(crate) fn longest(&self) -> Option<f64> {
        self.trajectories.iter().map(Observed::duration).reduce(f64::max)
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

    /// Number `K` of inputs.
    #[must_use]
    pub fn inputs(&self) -> usize {
        self.inputs
    }
}

/// The states and inputs of a data set; its derivatives are not looked at.
impl From<&hnn_data::DataSet<f64>> for Observations {
    fn from(data: &hnn_data::DataSet<f64>) -> Self {
        let observed = |trajectory: hnn_data::TrajectoryView<'_, f64>| Observed {
            times: trajectory.times.to_vec(),
            states: trajectory.states.to_owned(),
            inputs: trajectory.inputs.to_owned(),
        };
        Self {
            dim: data.dim(),
            inputs: data.inputs().ncols(),
            between: Between::Linear,
            trajectories: data.iter().map(observed).collect(),
        }
    }
}
