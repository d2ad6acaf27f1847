//! What equations are about.

use std::fmt;

use crate::SparseError;
use crate::expression::Expression;

/// The unknowns of linear [`Equations`](crate::Equations), and the model that they are the
/// coefficients of.
pub trait Unknowns: Clone {
    /// The formula.
    type Model: fmt::Display;
    /// What the formula's energy is called.
    const ENERGY: &'static str;
    /// Whether the right-hand side is a time derivative.
    const OF_RATES: bool;

    /// Names of the unknowns.
    fn names(&self) -> Vec<String>;

    /// What is known at each row: names of the coordinates, then of the inputs.
    fn variables(&self) -> Vec<String>;

    /// What each component of the equations is of, as `dq/dt`.
    fn components(&self) -> Vec<String>;

    /// That data with so many coordinates and inputs have what the unknowns need.
    ///
    /// # Errors
    /// If they do not.
    fn check(&self, dim: usize, inputs: usize) -> Result<(), SparseError>;

    /// The equations, of functions of state and inputs.
    ///
    /// # Errors
    /// If they are too large.
    fn balance(&self) -> Result<Balance, SparseError>;

    /// Of numbers that belong to the coordinates, those of the components.
    fn of_components(&self, of_coordinates: &[f64]) -> Vec<f64>;

    /// The formula with these terms: unknown, coefficient, standard error.
    ///
    /// # Errors
    /// If it is too large.
    fn model(&self, terms: &[(usize, f64, f64)]) -> Result<Self::Model, SparseError>;
}

/// The equations `sum_j c_j (dr_ji/dt + s_ji) = dr_i/dt + s_i`, one for each component `i`.
///
/// In both lists the components of an unknown follow each other; those of the right-hand side come
/// last.
#[derive(Debug)]
pub struct Balance {
    /// The functions `r` whose time derivatives count.
    pub(crate) rates: Vec<Expression>,
    /// The functions `s` that count themselves.
    pub(crate) rest: Vec<Expression>,
}
