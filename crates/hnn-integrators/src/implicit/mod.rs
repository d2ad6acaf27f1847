//! Implicit Runge-Kutta methods of Gauss: symplectic and symmetric for any Hamiltonian.

mod adjoint;
mod gauss;
mod iteration;
mod step;

pub use adjoint::ImplicitTape;
pub use gauss::{GaussLegendre4, GaussLegendre6, ImplicitMidpoint};

/// A full tableau of `S` stages.
pub(crate) struct ImplicitTableau<'a> {
    /// `a_ij`, row after row: `S^2` numbers.
    pub(crate) a: &'a [f64],
    pub(crate) b: &'a [f64],
    pub(crate) c: &'a [f64],
}
