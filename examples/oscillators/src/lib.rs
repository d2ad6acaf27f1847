//! What the spring and pendulum experiments share: data, test starts, variants of training,
//! tables and figures.
#![allow(clippy::print_stdout, missing_debug_implementations)]

mod comparison;
mod options;
mod report;
mod setting;
mod system;
mod variant;

pub use comparison::Comparison;
pub use options::OscillatorOptions;
pub use report::{Outcome, Report};
pub use setting::Setting;
pub use system::System;
pub use variant::{TrajectoryTerm, Variant};
