//! Systems in Cartesian coordinates, held by constraints.

mod rods;
mod system;
mod weights;

pub use rods::{End, Rod, Rods};
pub use system::ConstrainedSystem;
pub use weights::Weights;
