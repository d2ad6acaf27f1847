//! The vector fields that networks make.

mod baseline;
mod hnn;
mod separable;

pub use baseline::Baseline;
pub use hnn::Hnn;
pub use separable::SeparableHnn;
