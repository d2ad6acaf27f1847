//! Metrics of learned dynamics: how far off is the field, the trajectory, the energy?

mod spread;
mod trajectory;

pub use spread::Spread;
pub use trajectory::{coordinate_mse, derivative_mse, energy_mse, squared_errors};
