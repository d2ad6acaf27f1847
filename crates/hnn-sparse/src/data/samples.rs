//! States with their derivatives.

use std::collections::HashMap;
use std::ops::Range;

use hnn_integrators::{Workspace, coordinate_major};
use ndarray::{Array2, ArrayView2, Axis, concatenate, s};

use super::labels::{Labels, Place};
use crate::equations::{
    Equations, RowBlock, RowSource, Visitor, check_relative_errors, root_mean_square,
};
use crate::expression::Expression;
use crate::gram::not_finite;
use crate::program::Program;
use crate::unknowns::{Balance, Unknowns};
use crate::{SparseError, error::require, error::same_length};

/// States `x` with derivatives `dx/dt`, both of shape (N, D).
///
/// Every sample gives `D` equations, one a coordinate; features are evaluated in blocks, so memory
/// does not grow with the library times the samples.
///
/// ```
/// use hnn_sparse::{Ansatz, Library, Samples, Selection};
/// use ndarray::Array2;
/// let x = Array2::from_shape_fn((40, 2), |(k, i)| ((7 * k + 3 * i) as f64).sin());
/// // H = p^2/2 + q^4/4: dq/dt = p, dp/dt = -q^3.
/// let dx = Array2::from_shape_fn((40, 2), |(k, i)| if i == 0 { x[[k, 1]] } else { -x[[k, 0]].powi(3) });
/// let ansatz = Ansatz::new(&Library::monomials(1, 1..=5)?)?;
/// let found = Selection::default().run(&Samples::new(x, dx)?.equations(&ansatz)?)?;
/// assert_eq!(found.names(), ["p^2", "q^4"]);
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct Samples {
    x: Array2<f64>,
    dx: Array2<f64>,
    /// (N, K).
    u: Array2<f64>,
    root_weights: Option<Vec<f64>>,
    trajectories: Vec<usize>,
    /// The place of each sample in its trajectory, for errors.
    places: Vec<usize>,
    /// Of each coordinate's derivative.
    relative_errors: Vec<f64>,
    /// The share of the samples whose noise is independent.
    independent: f64,
    warnings: Vec<String>,
}

/// Samples of one block: what fits the second-level cache with a hundred columns.
const BLOCK: usize = 256;

/// Derivatives given are taken to hold to this, relative: nothing smaller is a term.
const RELATIVE_ERROR: f64 = 1e-11;

impl Samples {
    /// Of states and derivatives, a row a sample.
    ///
    /// # Errors
    /// If the shapes differ or a number is not finite.
    pub fn new(x: Array2<f64>, dx: Array2<f64>) -> Result<Self, SparseError> {
        same_length("rows of the derivatives", dx.nrows(), x.nrows())?;
        same_length("columns of the derivatives", dx.ncols(), x.ncols())?;
        check_finite("the states", x.view())?;
        check_finite("the derivatives", dx.view())?;
        let count = x.nrows();
        Ok(Self {
            u: Array2::zeros((count, 0)),
            root_weights: None,
            trajectories: vec![0; count],
            places: (0..count).collect(),
            relative_errors: vec![RELATIVE_ERROR; x.ncols()],
            independent: 1.0,
            warnings: vec![],
            x,
            dx,
        })
    }

    /// The inputs at each sample, of shape (N, K).
    ///
    /// # Errors
    /// If there are not as many rows as samples, or a number is not finite.
    pub fn with_inputs(mut self, u: Array2<f64>) -> Result<Self, SparseError> {
        same_length("rows of the inputs, one a sample", u.nrows(), self.x.nrows())?;
        check_finite("the inputs", u.view())?;
        self.u = u;
        Ok(self)
    }

    /// Without the inputs, if they act on nothing.
    #[must_use]
    pub fn without_inputs(mut self) -> Self {
        self.u = Array2::zeros((self.len(), 0));
        self
    }

    /// A weight for each sample: the sum of squares is `sum of weight * residual^2`.
    ///
    /// # Errors
    /// If there are not as many as samples, or one is negative or not finite.
    pub fn with_weights(mut self, weights: &[f64]) -> Result<Self, SparseError> {
        same_length("weights, one a sample", weights.len(), self.x.nrows())?;
        for &weight in weights {
            let valid = weight >= 0.0 && weight.is_finite();
            require(valid, "a weight", weight, "finite and not negative")?;
        }
        self.root_weights = Some(weights.iter().map(|w| w.sqrt()).collect());
        Ok(self)
    }

    /// Which trajectory each sample is of, for cross-validation by trajectory: any numbers, the same
    /// for samples of the same.
    ///
    /// # Errors
    /// If there are not as many as samples.
    pub fn with_trajectories(mut self, trajectories: Vec<usize>) -> Result<Self, SparseError> {
        same_length("trajectories, one a sample", trajectories.len(), self.x.nrows())?;
        let mut known = HashMap::new();
        let mut place = |label| {
            let next = known.len();
            *known.entry(label).or_insert(next)
        };
        self.trajectories = trajectories.into_iter().map(&mut place).collect();
        let mut counts = vec![0; known.len()];
        let mut next = |&trajectory: &usize| {
            counts[trajectory] += 1;
            counts[trajectory] - 1
        };
        self.places = self.trajectories.iter().map(&mut next).collect();
        Ok(self)
    }

    /// Says which rows of their trajectories the samples are at.
    pub(crate) fn at_places(mut self, places: Vec<usize>) -> Self {
        self.places = places;
        self
    }

    /// Declares the derivatives to hold no better than this, each coordinate's relative to its root
    /// mean square: what is below is not taken for a term. [`equations`](Self::equations) refuses a
    /// number that is negative or not finite.
    #[must_use]
    pub fn with_relative_error(mut self, error: f64) -> Self {
        self.relative_errors.fill(error);
        self
    }

    pub(crate) fn with_warnings(mut self, warnings: Vec<String>) -> Self {
        self.warnings = warnings;
        self
    }

    /// Declares that only this share of the samples has noise of its own.
    pub(crate) fn with_independent_share(mut self, share: f64) -> Self {
        self.independent = share;
        self
    }

    /// The same with an error for each coordinate.
    pub(crate) fn with_relative_errors(mut self, errors: Vec<f64>) -> Self {
        self.relative_errors = errors;
        self
    }

    /// Number of samples.
    #[must_use]
    pub fn len(&self) -> usize {
        self.x.nrows()
    }

    /// Whether there is no sample.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Their equations for the unknowns of `ansatz`: an [`Ansatz`](crate::Ansatz), or an
    /// [`InverseDynamics`](crate::InverseDynamics).
    ///
    /// # Errors
    /// If the states have another dimension, or other inputs, there are fewer equations than
    /// unknowns, or the relative error is negative or not finite.
    pub fn equations<A: Unknowns>(self, ansatz: &A) -> Result<Equations<A>, SparseError> {
        let (dim, inputs) = (self.x.ncols(), self.u.ncols());
        ansatz.check(dim, inputs)?;
        check_relative_errors(&self.relative_errors)?;
        let errors: Vec<f64> =
            self.relative_errors.iter().map(|error| error.max(RELATIVE_ERROR)).collect();
        let mut functions = pointwise(ansatz.balance()?, dim, inputs);
        let target = functions.split_off(functions.len() - ansatz.components().len());
        let sizes = ansatz.of_components(&column_sizes(&self.x));
        let (independent, warnings) = (self.independent, self.warnings.clone());
        let rows = SampleRows {
            target: Program::compile(dim, &target),
            program: Program::compile(dim, &functions),
            labels: Labels::of(ansatz),
            known: concatenate![Axis(1), self.u, self.dx],
            samples: self,
        };
        Equations::new(ansatz.clone(), Box::new(rows), ansatz.of_components(&errors), &sizes)
            .map(|equations| equations.with_independent_share(independent).with_warnings(warnings))
    }
}

/// The functions of both sides, derivatives by the chain rule: they follow the inputs.
fn pointwise(Balance { rates, rest }: Balance, dim: usize, inputs: usize) -> Vec<Expression> {
    let derivative = |rate: Expression| {
        let along = |k: usize| (1.0, rate.derivative(k) * Expression::input(inputs + k));
        Expression::sum((0..dim).filter(|&k| rate.depends_on(k)).map(along))
    };
    rates.into_iter().zip(rest).map(|(rate, rest)| derivative(rate) + rest).collect()
}

/// Rows made of samples as they are needed.
struct SampleRows {
    samples: Samples,
    /// The inputs, then the derivatives.
    known: Array2<f64>,
    /// Every component of every column.
    program: Program,
    /// Every component of the right-hand side.
    target: Program,
    labels: Labels,
}

impl Samples {
    fn place(&self, row: usize) -> Place<'_> {
        let (trajectory, place) = (self.trajectories[row], self.places[row]);
        Place { trajectory, row: place, x: self.x.row(row), u: self.u.row(row) }
    }
}

/// The root mean square of every column.
pub(crate) fn column_sizes(table: &Array2<f64>) -> Vec<f64> {
    table.columns().into_iter().map(|column| root_mean_square(column.iter().copied())).collect()
}

/// The error that names the first number that is not finite.
pub(crate) fn check_finite(what: &'static str, x: ArrayView2<'_, f64>) -> Result<(), SparseError> {
    if x.iter().all(|value| value.is_finite()) {
        return Ok(());
    }
    match not_finite(x, ndarray::ArrayView1::from(&[])) {
        SparseError::NotFinite { row, column, .. } => {
            Err(SparseError::NotFinite { what, row, column })
        }
        other => Err(other),
    }
}

impl SampleRows {
    /// Weighted values at some samples.
    fn evaluate(
        &self,
        program: &Program,
        block: Range<usize>,
        out: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) {
        let gather = |table: &Array2<f64>| coordinate_major(table.slice(s![block.clone(), ..]));
        let known = [&gather(&self.samples.x)[..], &gather(&self.known)];
        program.run(block.len(), known, out, workspace);
        if let Some(weights) = &self.samples.root_weights {
            for part in out.chunks_exact_mut(block.len().max(1)) {
                let weights = &weights[block.clone()];
                part.iter_mut().zip(weights).for_each(|(value, weight)| *value *= weight);
            }
        }
    }
}

impl RowSource for SampleRows {
    fn rows(&self) -> usize {
        self.samples.len() * self.target.outputs()
    }

    fn trajectories(&self) -> usize {
        self.samples.trajectories.iter().max().map_or(0, |last| last + 1)
    }

    fn target_sizes(&self) -> Vec<f64> {
        let (count, components) = (self.samples.len(), self.target.outputs());
        let mut targets = vec![0.0; components * count];
        self.evaluate(&self.target, 0..count, &mut targets, &mut Workspace::default());
        let lanes = targets.chunks_exact(count.max(1));
        let sizes: Vec<f64> = lanes.map(|y| root_mean_square(y.iter().copied())).collect();
        if sizes.is_empty() { vec![0.0; components] } else { sizes }
    }

    fn visit(&self, visitor: &mut Visitor<'_>) -> Result<(), SparseError> {
        let (count, dim) = (self.samples.len(), self.target.outputs());
        let mut workspace = Workspace::default();
        let (mut values, mut target, mut columns) = (vec![], vec![], vec![]);
        for first in (0..count).step_by(BLOCK) {
            let batch = BLOCK.min(count - first);
            let block = first..first + batch;
            values.resize(self.program.outputs() * batch, 0.0);
            target.resize(dim * batch, 0.0);
            self.evaluate(&self.target, block.clone(), &mut target, &mut workspace);
            self.evaluate(&self.program, block.clone(), &mut values, &mut workspace);
            if let Some(place) = values.iter().position(|value| !value.is_finite()) {
                let row = first + place % batch;
                let place = place / batch / dim;
                return Err(self.labels.singular(place, self.samples.place(row)));
            }
            let observations: Vec<usize> = block.clone().collect();
            for (component, target) in target.chunks_exact(batch).enumerate() {
                columns.clear();
                for column in values.chunks_exact(dim * batch) {
                    columns.extend_from_slice(&column[component * batch..][..batch]);
                }
                visitor(RowBlock {
                    columns: &columns,
                    target,
                    observations: &observations,
                    trajectories: &self.samples.trajectories[block.clone()],
                    component,
                })?;
            }
        }
        Ok(())
    }
}

/// The points of a data set with the derivatives and inputs that are in it.
impl TryFrom<&hnn_data::DataSet<f64>> for Samples {
    type Error = SparseError;

    fn try_from(data: &hnn_data::DataSet<f64>) -> Result<Self, SparseError> {
        let count = |trajectory: hnn_data::TrajectoryView<'_, f64>| trajectory.times.len();
        let counts = data.iter().map(count).enumerate();
        let trajectories = counts.flat_map(|(index, n)| std::iter::repeat_n(index, n)).collect();
        Self::new(data.states().to_owned(), data.derivatives().to_owned())?
            .with_inputs(data.inputs().to_owned())?
            .with_trajectories(trajectories)
    }
}
