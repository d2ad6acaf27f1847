//! Trajectories cut into windows, and windows put together into blocks.

use std::ops::Range;

use hnn_data::{DataError, DataSet, Trajectory};
use hnn_integrators::{Between, GridInputs, Scalar};
use ndarray::{ArrayView1, ArrayView2, Axis, s};

use crate::checks::{check_finite, check_shape, selected};
use crate::measure::within_turn;
use crate::{LossError, RowSelection};

/// How long a stretch of a trajectory is integrated before it restarts from a measured state.
///
/// A window of `k` steps begins at every `k`-th state of a trajectory and is compared with the `k`
/// states after it; the last window of a trajectory may be shorter, and none reaches into the next
/// trajectory. This is multiple shooting (Bock 1983) with the measured states as the nodes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Window {
    /// This many steps; with 1, each step begins at a measured state.
    Steps(usize),
    /// The whole trajectory, from its first state: errors propagate to its end.
    Whole,
}

impl Window {
    /// The longest window in a trajectory of `steps` steps.
    fn limit(self, steps: usize) -> usize {
        match self {
            Self::Steps(k) => k.min(steps),
            Self::Whole => steps,
        }
    }
}

/// Measured trajectories, of possibly different lengths and with times of their own: `N` rows,
/// trajectory after trajectory; made by [`TrajectoryData::new`] or of a [`DataSet`].
///
/// ```
/// use hnn_data::DataSet;
/// use hnn_losses::TrajectoryData;
/// use ndarray::array;
/// // Two trajectories of one coordinate: of two rows, and of one.
/// let (times, states) = (array![0.0, 0.1, 5.0], array![[1.0], [0.9], [0.3]]);
/// let data = TrajectoryData::new(times.view(), states.view(), &[2, 1]);
/// assert_eq!(DataSet::try_from(data)?.num_trajectories(), 2);
/// # Ok::<(), hnn_data::DataError>(())
/// ```
#[derive(Debug, Clone, Copy)]
pub struct TrajectoryData<'a, T> {
    /// The time of each row, length N, increasing within each trajectory.
    pub times: ArrayView1<'a, T>,
    /// The state of each row, shape (N, D).
    pub states: ArrayView2<'a, T>,
    /// The number of rows of each trajectory; their sum is N.
    pub lengths: &'a [usize],
    /// The inputs of each row, shape (N, K); K is 0 where there are none.
    pub inputs: ArrayView2<'a, T>,
}

impl<'a, T: Scalar> TrajectoryData<'a, T> {
    /// Trajectories without inputs: times (N), states (N, D), and the number of rows of each.
    #[must_use]
    pub fn new(times: ArrayView1<'a, T>, states: ArrayView2<'a, T>, lengths: &'a [usize]) -> Self {
        let inputs = states.slice_move(s![.., ..0]);
        Self { times, states, lengths, inputs }
    }

    /// The same with inputs, shape (N, K).
    #[must_use]
    pub fn with_inputs(self, inputs: ArrayView2<'a, T>) -> Self {
        Self { inputs, ..self }
    }
}

/// The states and inputs of a data set; its derivatives are not looked at.
impl<'a, T: Scalar> From<&'a DataSet<T>> for TrajectoryData<'a, T> {
    fn from(data: &'a DataSet<T>) -> Self {
        let times = ArrayView1::from(data.times());
        Self::new(times, data.states(), data.lengths()).with_inputs(data.inputs())
    }
}

/// A data set whose derivatives are not known.
impl<T: Scalar> TryFrom<TrajectoryData<'_, T>> for DataSet<T> {
    type Error = DataError;

    /// # Errors
    /// If the lengths do not sum to the number of rows, and as [`DataSet::new`].
    fn try_from(data: TrajectoryData<'_, T>) -> Result<Self, DataError> {
        let TrajectoryData { times, states, lengths, inputs } = data;
        let expected = sum(lengths);
        let given =
            [("times", times.len()), ("states", states.nrows()), ("inputs", inputs.nrows())];
        for (what, given) in given {
            if given != expected {
                return Err(DataError::LengthSum { what, given, expected });
            }
        }
        let mut rows = 0..0;
        Self::new(lengths.iter().map(|length| {
            rows = rows.end..rows.end + length;
            let times = times.slice(s![rows.clone()]).to_vec();
            let part = |array: &ArrayView2<'_, T>| array.slice(s![rows.clone(), ..]).to_owned();
            Trajectory { inputs: part(&inputs), ..Trajectory::states_only(times, part(&states)) }
        }))
    }
}

/// The number of rows of all trajectories.
fn sum(lengths: &[usize]) -> usize {
    lengths.iter().fold(0, |sum, length| sum.saturating_add(*length))
}

/// A stretch of a trajectory: it begins at a row of the data and takes some steps.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    pub(super) row: usize,
    pub(super) steps: usize,
}

/// The data, checked, a row a state.
#[derive(Debug)]
pub(super) struct Rows<T> {
    pub(super) dim: usize,
    t: Vec<T>,
    pub(super) x: Vec<T>,
    /// Number of inputs a row.
    pub(super) inputs: usize,
    u: Vec<T>,
    /// How inputs go from row to row.
    pub(super) between: Between,
    lengths: Vec<usize>,
    /// What the squared error of each coordinate of a state is multiplied by.
    pub(super) weights: Vec<T>,
    /// Whether each coordinate is an angle, whose errors are modulo a turn.
    pub(super) angles: Vec<bool>,
}

impl<T: Scalar> Rows<T> {
    pub(super) fn new(data: TrajectoryData<'_, T>) -> Result<Self, LossError> {
        let TrajectoryData { times, states, lengths, inputs } = data;
        if states.is_empty() {
            return Err(LossError::Empty { what: "trajectories" });
        }
        check_shape("times", times.shape(), &[states.nrows()], "one time a state")?;
        let hint = "the lengths of the trajectories sum to this many rows";
        check_shape("states", states.shape(), &[sum(lengths), states.ncols()], hint)?;
        check_finite("times", times.insert_axis(Axis(1)))?;
        check_finite("states", states)?;
        let shape = [states.nrows(), inputs.ncols()];
        check_shape("inputs", inputs.shape(), &shape, "one row of inputs a state")?;
        check_finite("inputs", inputs)?;
        let rows = Self {
            dim: states.ncols(),
            t: times.to_vec(),
            x: states.iter().copied().collect(),
            inputs: inputs.ncols(),
            u: inputs.iter().copied().collect(),
            between: Between::Linear,
            lengths: lengths.to_vec(),
            weights: vec![T::ONE; states.ncols()],
            angles: vec![false; states.ncols()],
        };
        rows.check_order()?;
        Ok(rows)
    }

    fn check_order(&self) -> Result<(), LossError> {
        let mut rest = 0..0;
        for length in &self.lengths {
            rest = rest.end..rest.end + length;
            let times = &self.t[rest.clone()];
            if let Some(step) = times.windows(2).position(|pair| pair[1] <= pair[0]) {
                let row = rest.start + step + 1;
                let (time, previous) = (self.t[row].to_f64(), self.t[row - 1].to_f64());
                return Err(LossError::TimeOrder { row, time, previous });
            }
        }
        Ok(())
    }

    pub(super) fn len(&self) -> usize {
        self.t.len()
    }

    /// Checks that other data have the same times, states and inputs.
    pub(super) fn check_same(&self, [t, x, u]: [&[T]; 3]) -> Result<(), LossError> {
        let pairs = [("times", t, &self.t), ("states", x, &self.x), ("inputs", u, &self.u)];
        for (what, other, own) in pairs {
            if other != &own[..] {
                let pairs = other.iter().zip(own);
                let index = pairs.take_while(|(other, own)| other == own).count();
                let (derivative, trajectory) = (other.len(), own.len());
                return Err(LossError::DifferentData { what, derivative, trajectory, index });
            }
        }
        Ok(())
    }

    /// Cuts the trajectories into windows, the longest first.
    pub(super) fn cut(&self, window: Window) -> Vec<Stretch> {
        let mut stretches = Vec::new();
        let mut first = 0;
        for length in &self.lengths {
            let steps = length.saturating_sub(1);
            for begin in (0..steps).step_by(window.limit(steps).max(1)) {
                let steps = window.limit(steps - begin);
                stretches.push(Stretch { row: first + begin, steps });
            }
            first += length;
        }
        stretches.sort_by_key(|s| std::cmp::Reverse(s.steps));
        stretches
    }

    /// Writes the state that each stretch begins at (coordinate-major), out of one for every row.
    pub(super) fn gather(&self, stretches: &[Stretch], states: &[T], x: &mut [T]) {
        for (lane, Stretch { row, .. }) in stretches.iter().enumerate() {
            for (i, value) in states[row * self.dim..(row + 1) * self.dim].iter().enumerate() {
                x[i * stretches.len() + lane] = *value;
            }
        }
    }

    /// Writes the time of each stretch after `step` steps; it stands still where the stretch is over.
    pub(super) fn times(&self, stretches: &[Stretch], step: usize, t: &mut [T]) {
        for (t, stretch) in t.iter_mut().zip(stretches) {
            *t = self.t[stretch.row + step.min(stretch.steps)];
        }
    }

    /// Writes the inputs of each stretch after `step` steps (coordinate-major), held where it is over.
    pub(super) fn inputs_at(&self, stretches: &[Stretch], step: usize, u: &mut [T]) {
        for (lane, stretch) in stretches.iter().enumerate() {
            let row = stretch.row + step.min(stretch.steps);
            for (k, value) in self.u[row * self.inputs..][..self.inputs].iter().enumerate() {
                u[k * stretches.len() + lane] = *value;
            }
        }
    }

    /// Inputs at the states of stretches, as a grid takes them.
    pub(super) fn samples<'a>(&self, u: &'a [T]) -> GridInputs<'a, T> {
        match self.between {
            _ if self.inputs == 0 => GridInputs::None,
            Between::Held => GridInputs::Held(u),
            Between::Linear => GridInputs::Linear(u),
        }
    }

    /// As [`errors`](Self::errors) of the states, those of angles modulo a turn.
    pub(super) fn state_errors(
        &self,
        stretches: &[Stretch],
        step: usize,
        x: &[T],
        mut each: impl FnMut(usize, T),
    ) {
        self.errors(&self.x, stretches, step, x, |index, error| {
            let is_angle = self.angles[index / stretches.len()];
            each(index, if is_angle { within_turn(error) } else { error });
        });
    }

    /// Calls `each(index, error)` for every coordinate of every stretch that has a state after
    /// `step` steps, with the index into `x` and `x` minus the number `measured` at its row.
    pub(super) fn errors(
        &self,
        measured: &[T],
        stretches: &[Stretch],
        step: usize,
        x: &[T],
        mut each: impl FnMut(usize, T),
    ) {
        // The longest stretches come first.
        let going = stretches.partition_point(|stretch| stretch.steps >= step);
        for i in 0..self.dim {
            for (lane, stretch) in stretches[..going].iter().enumerate() {
                let index = i * stretches.len() + lane;
                each(index, x[index] - measured[(stretch.row + step) * self.dim + i]);
            }
        }
    }
}

/// The windows of an evaluation, in blocks of about equal lengths.
#[derive(Debug)]
pub(super) struct Plan {
    window: Window,
    /// All windows of the data, the longest first.
    all: Vec<Stretch>,
    /// Which of them begins at a row, if any.
    at_row: Vec<Option<usize>>,
    /// The windows of the batch, by index; then themselves.
    indices: Vec<usize>,
    pub(super) chosen: Vec<Stretch>,
    pub(super) blocks: Vec<Range<usize>>,
}

impl Plan {
    pub(super) fn new<T: Scalar>(rows: &Rows<T>, window: Window) -> Result<Self, LossError> {
        if window == Window::Steps(0) {
            return Err(LossError::NoSteps);
        }
        let all = rows.cut(window);
        if all.is_empty() {
            return Err(LossError::Empty { what: "windows (every trajectory has one state only)" });
        }
        let mut at_row = vec![None; rows.len()];
        all.iter().enumerate().for_each(|(index, s)| at_row[s.row] = Some(index));
        let (indices, chosen, blocks) = (Vec::new(), Vec::new(), Vec::new());
        Ok(Self { window, all, at_row, indices, chosen, blocks })
    }

    /// Whether a window begins at a row.
    pub(super) fn begins_at(&self, row: usize) -> bool {
        self.at_row[row].is_some()
    }

    pub(super) fn window(&self) -> Window {
        self.window
    }

    /// Chooses the windows that begin at the selected rows, and puts them into blocks of at most
    /// `block_len`.
    pub(super) fn choose(
        &mut self,
        selection: RowSelection<'_>,
        block_len: usize,
    ) -> Result<(), LossError> {
        selected(selection, self.at_row.len())?;
        self.chosen.clear();
        match selection {
            RowSelection::All => self.chosen.extend_from_slice(&self.all),
            RowSelection::Rows(rows) => {
                self.indices.clear();
                self.indices.extend(rows.iter().filter_map(|row| self.at_row[*row]));
                self.indices.sort_unstable();
                self.chosen.extend(self.indices.iter().map(|index| self.all[*index]));
            }
        }
        self.blocks.clear();
        let mut start = 0;
        while start < self.chosen.len() {
            let end = start + similar(&self.chosen[start..]);
            let (count, blocks) = (end - start, (end - start).div_ceil(block_len.max(1)));
            let cut = |block: usize| start + block * count / blocks;
            self.blocks.extend((0..blocks).map(|block| cut(block)..cut(block + 1)));
            start = end;
        }
        Ok(())
    }

    /// Number of states that the windows of a selection are compared with, each with `first` 1 or 0 more
    /// at its start.
    pub(super) fn compared(&self, selection: RowSelection<'_>, first: usize) -> usize {
        match selection {
            RowSelection::All => self.all.iter().map(|s| s.steps + first).sum(),
            RowSelection::Rows(rows) => {
                let windows = rows.iter().filter_map(|row| self.at_row[*row]);
                windows.map(|index| self.all[index].steps + first).sum()
            }
        }
    }
}

/// How many of the first stretches take more than half as many steps as the first one: windows
/// that end early wait for the others, which must not cost more than they do.
fn similar(stretches: &[Stretch]) -> usize {
    let longest = stretches[0].steps;
    stretches.partition_point(|stretch| 2 * stretch.steps > longest)
}
