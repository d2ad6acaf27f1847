//! Lagrangian neural networks.

mod force;
mod model;
mod solve;

pub use force::{FrictionForce, GeneralisedForce, InputForce, Sum, Unforced};
pub use model::Lnn;
