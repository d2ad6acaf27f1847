//! Fields given by formulas over lanes.

mod analytic;
mod field;
mod separable;

pub use analytic::{AnalyticField, LaneState};
pub use separable::AnalyticSeparable;
pub(crate) use separable::{Force, Velocity};
