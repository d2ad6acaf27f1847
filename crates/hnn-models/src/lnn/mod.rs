//! Lagrangian neural networks.

mod force;
mod kinetic;
mod mechanical;
mod model;
mod solve;

pub use force::{FrictionForce, GeneralisedForce, InputForce, Sum, Unforced};
pub use kinetic::KineticPrior;
pub use mechanical::MechanicalLagrangian;
pub use model::Lnn;
