//! States with their derivatives.

use std::collections::HashMap;

use hnn_integrators::Workspace;
use ndarray::{Array2, ArrayView2};

use crate::equations::{
    Equations, RowBlock, RowSource, Visitor, check_relative_errors, root_mean_square,
};
use crate::gram::not_finite;
use crate::program::Program;
use crate::{Ansatz, SparseError, error::require, error::same_length};

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
    root_weights: Option<Vec<f64>>,
    trajectories: Vec<usize>,
    /// Of each coordinate's derivative.
    relative_errors: Vec<f64>,
    /// The share of the samples whose noise is independent.
    independent: f64,
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
        let (trajectories, relative_errors) = (vec![0; x.nrows()], vec![RELATIVE_ERROR; x.ncols()]);
        Ok(Self { x, dx, root_weights: None, trajectories, relative_errors, independent: 1.0 })
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
        Ok(self)
    }

    /// Declares the derivatives to hold no better than this, each coordinate's relative to its root
    /// mean square: what is below is not taken for a term. [`equations`](Self::equations) refuses a
    /// number that is negative or not finite.
    #[must_use]
    pub fn with_relative_error(mut self, error: f64) -> Self {
        self.relative_errors.fill(error);
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

    /// Their equations for the unknowns of `ansatz`.
    ///
    /// # Errors
    /// If the states have another dimension, there are fewer equations than unknowns, or the
    /// relative error is negative or not finite.
    pub fn equations(self, ansatz: &Ansatz) -> Result<Equations, SparseError> {
        same_length("coordinates of the states", self.x.ncols(), ansatz.dim())?;
        let program = Program::compile(ansatz.dim(), &ansatz.fields()?);
        let columns = ansatz.columns().len();
        check_relative_errors(&self.relative_errors)?;
        let relative_errors =
            self.relative_errors.iter().map(|error| error.max(RELATIVE_ERROR)).collect();
        let (state_sizes, independent) = (column_sizes(&self.x), self.independent);
        let source = SampleRows { samples: self, program, columns };
        Equations::new(ansatz.clone(), Box::new(source), relative_errors, &state_sizes)
            .map(|equations| equations.with_independent_share(independent))
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

struct SampleRows {
    samples: Samples,
    program: Program,
    columns: usize,
}

impl RowSource for SampleRows {
    fn rows(&self) -> usize {
        self.samples.x.len()
    }

    fn trajectories(&self) -> usize {
        self.samples.trajectories.iter().max().map_or(0, |last| last + 1)
    }

    fn target_sizes(&self) -> Vec<f64> {
        let Samples { dx, root_weights, .. } = &self.samples;
        match root_weights {
            None => column_sizes(dx),
            Some(weights) => {
                let weights = ndarray::ArrayView1::from(weights).insert_axis(ndarray::Axis(1));
                column_sizes(&(dx * &weights))
            }
        }
    }

    fn visit(&self, visitor: &mut Visitor<'_>) -> Result<(), SparseError> {
        let (count, dim) = self.samples.x.dim();
        let mut workspace = Workspace::default();
        let (mut values, mut columns) = (vec![], vec![]);
        for first in (0..count).step_by(BLOCK) {
            let batch = BLOCK.min(count - first);
            let block = first..first + batch;
            let gather = |table: &Array2<f64>| -> Vec<f64> {
                table.slice(ndarray::s![block.clone(), ..]).t().iter().copied().collect()
            };
            let (x, mut target) = (gather(&self.samples.x), gather(&self.samples.dx));
            values.resize(self.columns * dim * batch, 0.0);
            self.program.run(batch, &x, &mut values, &mut workspace);
            if let Some(weights) = &self.samples.root_weights {
                let weights = &weights[block.clone()];
                for part in values.chunks_exact_mut(batch).chain(target.chunks_exact_mut(batch)) {
                    part.iter_mut().zip(weights).for_each(|(value, weight)| *value *= weight);
                }
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

/// The points of a data set with the derivatives that are in it.
impl TryFrom<&hnn_data::DataSet<f64>> for Samples {
    type Error = SparseError;

    fn try_from(data: &hnn_data::DataSet<f64>) -> Result<Self, SparseError> {
        let count = |trajectory: hnn_data::TrajectoryView<'_, f64>| trajectory.times.len();
        let counts = data.iter().map(count).enumerate();
        let trajectories = counts.flat_map(|(index, n)| std::iter::repeat_n(index, n)).collect();
        Self::new(data.states().to_owned(), data.derivatives().to_owned())?
            .with_trajectories(trajectories)
    }
}
