//! Metrics of learned dynamics: how far off is the field, the trajectory, the energy?

mod chaos;
mod spread;
mod trajectory;

pub use chaos::{EnergyDrift, ValidTime, energy_drift, valid_prediction_time};
pub use spread::Spread;
pub use trajectory::{
    coordinate_mse, coordinate_mse_of, derivative_mse, derivative_mse_of, energy_mse,
    nearest_turns, squared_errors,
};
