//! From measurements to equations.

mod differences;
mod integral;
mod observations;
mod quadrature;
mod samples;
mod weak;
mod windows;

pub use differences::Differentiation;
pub use integral::IntegralForm;
pub use observations::Observations;
pub(crate) use observations::Observed;
pub use samples::Samples;
pub use weak::WeakForm;
