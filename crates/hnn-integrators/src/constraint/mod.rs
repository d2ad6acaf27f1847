//! Mechanics under holonomic constraints.

mod field;
mod formula;
mod geometry;
mod inertia;

pub use field::{Constrained, ConstrainedRecord, DifferentiableConstrained};
pub(crate) use field::{check_shape, constraints};
pub use formula::Constraint;
pub(crate) use geometry::{Geometry, MassBar, dependent, gather, scatter};
pub use inertia::{Inertia, StateForm};
