//! Energies of many bodies: kinetic, of each body, of each pair; sums of them.
//!
//! Positions, and momenta, go axis by axis, `[x_1..x_N, y_1..y_N, ..]`, as in
//! [`PhaseSpace`](hnn_systems::PhaseSpace).

mod kinetic;
mod one_body;
mod pair;
mod pairs;
mod separable;
mod separation;
mod sum;

pub use kinetic::KineticEnergy;
pub use one_body::OneBodyEnergy;
pub use pair::PairEnergy;
pub use separable::SeparableEnergy;
pub use separation::Separation;
pub use sum::EnergySum;

use hnn_integrators::TooLarge;

use crate::ModelError;

/// Number of coordinates of so many bodies.
fn coordinates(axes: usize, bodies: usize) -> Result<usize, ModelError> {
    let count = axes.saturating_mul(bodies);
    if count == 0 {
        return Err(ModelError::Bodies { axes, bodies });
    }
    TooLarge::check("coordinates", count, size_of::<f64>(), "take fewer bodies")?;
    Ok(count)
}
