//! From measurements to equations.

mod agreement;
mod differences;
mod integral;
mod labels;
mod observations;
mod quadrature;
mod samples;
mod waves;
mod weak;
mod windows;

pub use differences::Differentiation;
pub use integral::IntegralForm;
pub use observations::Observations;
pub(crate) use observations::Observed;
pub use samples::Samples;
pub(crate) use samples::column_sizes;
pub use weak::WeakForm;
