//! Equations that are weighted sums over pieces of trajectories.

use hnn_integrators::{Between, TooLarge, Workspace, coordinate_major};

use super::labels::{Labels, Place};
use super::observations::{Observations, Observed};
use crate::SparseError;
use crate::equations::{Equations, Table};
use crate::expression::Expression;
use crate::program::Program;
use crate::unknowns::{Balance, Unknowns};

/// A piece of a trajectory: what stands for the integral of a test function times a function of the
/// state, or times its time derivative.
pub(crate) struct Window {
    /// The first point.
    pub(crate) first: usize,
    /// Weights of a function whose derivative is integrated.
    pub(crate) target: Vec<f64>,
    /// Weights of a function that is integrated.
    pub(crate) features: Vec<f64>,
    /// The test function from each point to the next, where it is constant there; otherwise empty.
    pub(crate) steps: Vec<f64>,
}

impl Window {
    fn sum(&self, weights: &[f64], lane: &[f64]) -> f64 {
        weights.iter().zip(&lane[self.first..]).map(|(w, value)| w * value).sum()
    }

    /// The integral of what jumps at each time, by trapezoids: `after` are its values from each time
    /// on, `before` those up to it.
    fn integral_of_pieces(&self, times: &[f64], after: &[f64], before: &[f64]) -> f64 {
        let piece = |(k, step): (usize, &f64)| {
            let (from, to) = (self.first + k, self.first + k + 1);
            0.5 * step * (times[to] - times[from]) * (after[from] + before[to])
        };
        self.steps.iter().enumerate().map(piece).sum()
    }
}

/// Builds the equations of all windows of all trajectories; those that are shorter than a window are
/// left out, with a word.
pub(crate) fn equations<A: Unknowns>(
    observations: &Observations,
    unknowns: &A,
    [relative_error, width]: [f64; 2],
    windows: impl Fn(&Observed) -> Result<Vec<Window>, SparseError>,
) -> Result<Equations<A>, SparseError> {
    unknowns.check(observations.dim(), observations.inputs())?;
    let sums = Sums::new(observations, unknowns)?;
    // Row by row first: a table's columns are only known to be as long once all rows are there.
    let mut rows: Vec<(Vec<f64>, usize)> = vec![];
    let mut used = vec![false; observations.len()];
    for (index, trajectory) in observations.trajectories.iter().enumerate() {
        let lanes = sums.lanes(index, trajectory)?;
        let windows = windows(trajectory)?;
        used[index] = !windows.is_empty();
        rows.extend(windows.iter().map(|w| (lanes.row(w, trajectory), index)));
    }
    if let Some(longest) = observations.longest().filter(|_| rows.is_empty()) {
        return Err(SparseError::Setting {
            name: "the window's width",
            given: format!("{width}, but the longest trajectory lasts {longest}"),
            expected: "at most that",
        });
    }
    let count = unknowns.components().len();
    let columns = sums.outputs / count - 1;
    let column = |j: usize, i: usize| rows.iter().map(move |(row, _)| row[j * count + i]);
    let table = Table {
        columns: (0..count).map(|i| (0..columns).flat_map(|j| column(j, i)).collect()).collect(),
        target: (0..count).map(|i| column(columns, i).collect()).collect(),
        observations: (0..rows.len()).collect(),
        trajectories: rows.iter().map(|(_, trajectory)| *trajectory).collect(),
    };
    let errors = vec![relative_error; count];
    let sizes = unknowns.of_components(&observations.sizes());
    let warnings = observations.warnings(&used, width);
    Equations::new(unknowns.clone(), Box::new(table), errors, &sizes)
        .map(|equations| equations.with_warnings(warnings))
}

/// The functions that are summed.
struct Sums {
    /// How many there are: components of the unknowns, then of the right-hand side.
    outputs: usize,
    components: usize,
    /// Those whose derivatives are integrated, and those that are integrated, with their places
    /// among all.
    rates: (Vec<usize>, Program),
    rest: (Vec<usize>, Program),
    /// Which of the latter jump where an input does.
    jumps: Vec<bool>,
    between: Between,
    labels: Labels,
}

impl Sums {
    fn new<A: Unknowns>(observations: &Observations, unknowns: &A) -> Result<Self, SparseError> {
        let Balance { rates, rest } = unknowns.balance()?;
        let compile = |all: &[Expression]| {
            let some = all.iter().enumerate().filter(|(_, f)| !f.is_zero());
            let (places, functions): (Vec<_>, Vec<_>) = some.unzip();
            (places, Program::compile(observations.dim(), functions))
        };
        let between = observations.between;
        let jumps = |f: &Expression| between == Between::Held && f.last_input().is_some();
        Ok(Self {
            outputs: rates.len(),
            components: unknowns.components().len(),
            rates: compile(&rates),
            rest: compile(&rest),
            jumps: rest.iter().map(jumps).collect(),
            between,
            labels: Labels::of(unknowns),
        })
    }

    /// The functions along a trajectory.
    fn lanes(&self, index: usize, trajectory: &Observed) -> Result<Lanes<'_>, SparseError> {
        let count = trajectory.times.len();
        TooLarge::check(
            "values of features along a trajectory",
            2 * self.outputs as u128 * count as u128,
            8,
            "cut the trajectory, or take fewer features",
        )?;
        let x = coordinate_major(trajectory.states.view());
        let evaluate = |(places, program): &(Vec<usize>, Program), u: &[f64]| {
            let mut values = vec![0.0; places.len() * count];
            program.run(count, [&x, u], &mut values, &mut Workspace::default());
            match values.iter().position(|value| !value.is_finite()) {
                None => Ok(values),
                Some(at) => {
                    let (column, row) = (places[at / count] / self.components, at % count);
                    let [x, u] =
                        [&trajectory.states, &trajectory.inputs].map(|table| table.row(row));
                    let place = Place { trajectory: index, row, x, u };
                    Err(self.labels.singular(column, place))
                }
            }
        };
        let after = trajectory.input_lanes();
        let before = match self.between {
            Between::Linear => vec![],
            Between::Held => evaluate(&self.rest, &trajectory.lanes_before())?,
        };
        let (rates, rest) = (evaluate(&self.rates, &after)?, evaluate(&self.rest, &after)?);
        Ok(Lanes { sums: self, rates, rest, before })
    }
}

struct Lanes<'a> {
    sums: &'a Sums,
    rates: Vec<f64>,
    rest: Vec<f64>,
    /// Where inputs are held, with those up to each time.
    before: Vec<f64>,
}

impl Lanes<'_> {
    /// The sums on a window.
    fn row(&self, window: &Window, trajectory: &Observed) -> Vec<f64> {
        let Sums { outputs, rates, rest, jumps, .. } = self.sums;
        let count = trajectory.times.len();
        let mut row = vec![0.0; *outputs];
        for (&place, lane) in rates.0.iter().zip(self.rates.chunks_exact(count)) {
            row[place] += window.sum(&window.target, lane);
        }
        for (k, (&place, lane)) in rest.0.iter().zip(self.rest.chunks_exact(count)).enumerate() {
            row[place] += match jumps[place] {
                false => window.sum(&window.features, lane),
                true => {
                    let before = &self.before[k * count..][..count];
                    window.integral_of_pieces(&trajectory.times, lane, before)
                }
            };
        }
        row
    }
}
