//! Lagrangian neural networks.

mod force;
mod mechanical;
mod model;
mod solve;

pub use force::{FrictionForce, GeneralisedForce, InputForce, Sum, Unforced};
pub use mechanical::MechanicalLagrangian;
pub use model::Lnn;
