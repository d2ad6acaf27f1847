//! The vector fields that networks make.

mod baseline;
mod constrained;
mod hnn;
mod separable;

pub use baseline::Baseline;
pub use constrained::ConstrainedHnn;
pub use hnn::Hnn;
pub use separable::SeparableHnn;
