//! One step of a method over slices, and back.

mod explicit;
mod implicit;
mod inputs;
mod iteration;
mod manifold;
mod projected;
mod rattle;
mod splitting;
mod stepper;
mod substeps;
mod weighted;

pub use explicit::{ExplicitTape, rk4};
pub use implicit::ImplicitTape;
pub(crate) use projected::project;
pub use projected::{Projected, ProjectedTape};
pub use rattle::{RATTLE, Rattle, RattleTape};
pub use splitting::SplittingTape;
pub use stepper::{DifferentiableStepper, StartSlope, Stepper};
pub use substeps::{Substeps, SubstepsTape};
pub(crate) use weighted::add_scaled_stages;
