//! What rows and columns are called in errors.

use ndarray::ArrayView1;

use crate::SparseError;
use crate::unknowns::Unknowns;

/// Names of the unknowns, and of what is known at each row: coordinates, then inputs.
pub(crate) struct Labels {
    pub(crate) columns: Vec<String>,
    pub(crate) variables: Vec<String>,
}

/// A row of the data: state and inputs.
pub(crate) struct Place<'a> {
    pub(crate) trajectory: usize,
    pub(crate) row: usize,
    pub(crate) x: ArrayView1<'a, f64>,
    pub(crate) u: ArrayView1<'a, f64>,
}

impl Labels {
    pub(crate) fn of<A: Unknowns>(unknowns: &A) -> Self {
        let mut columns = unknowns.names();
        columns.push("the right-hand side".to_owned());
        Self { columns, variables: unknowns.variables() }
    }

    /// The error of a column that has no finite value at a place of the data.
    pub(crate) fn singular(&self, column: usize, place: Place<'_>) -> SparseError {
        let Place { trajectory, row, x, u } = place;
        let values = self.variables.iter().zip(x.iter().chain(u));
        let state: Vec<_> = values.map(|(name, value)| format!("{name} = {value}")).collect();
        let name = self.columns[column].clone();
        SparseError::Singular { name, trajectory, row, state: state.join(", ") }
    }
}
