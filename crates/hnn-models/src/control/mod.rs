//! Control by the energy of a model: set points, and swinging up.
//!
//! A controller reads inputs `u` off the energy and the port of a [`Hamiltonian`], learned or true;
//! [`ClosedLoop`] puts it around a field with inputs, the true system or the model, and is a field
//! that all solvers run.

mod closed_loop;
mod plant;
mod shaping;
mod swing_up;

pub use closed_loop::ClosedLoop;
pub use shaping::EnergyShaping;
pub use swing_up::SwingUp;

#[cfg(doc)]
use hnn_systems::Hamiltonian;
