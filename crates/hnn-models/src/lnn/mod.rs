//! Lagrangian neural networks.

mod kinetic;
mod mechanical;
mod model;
mod solve;

pub use kinetic::KineticPrior;
pub use mechanical::MechanicalLagrangian;
pub use model::Lnn;
