//! What tests of several crates share: golden files, finite differences, slices of wrong lengths,
//! processor time.
//!
//! It stands on `hnn-integrators` alone, so that every crate above can have it as a
//! dev-dependency; `hnn-integrators` itself cannot, and its fields and steppers are put to these
//! checks in the tests of this crate.
//!
//! What is here panics where a test should fail.

mod close;
mod differences;
mod golden;
pub mod lengths;
mod parameter_rows;
mod time;

pub use close::{assert_close, assert_each_close};
pub use differences::{check_states, check_step_inputs, check_vjp, slope, wave};
pub use golden::{golden, matrix, measured, numbers, read_json, recording};
pub use parameter_rows::{check_rows, check_step_rows};
pub use time::processor_time;
