//! From measurements to equations.

mod samples;

pub use samples::Samples;
