//! The vector fields that networks make.

mod baseline;
mod dissipative;
mod friction;
mod hnn;
mod separable;

pub use baseline::Baseline;
pub use dissipative::Dissipative;
pub(crate) use dissipative::{transposed_product, triangle};
pub use friction::{Friction, HnnFriction};
pub use hnn::Hnn;
pub use separable::SeparableHnn;
