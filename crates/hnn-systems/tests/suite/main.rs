//! The crate's tests, in one binary: the systems' kernels are compiled once.
#![allow(missing_docs)]

mod chaos;
mod common;
mod conserved;
mod constrained;
mod golden;
mod known_orbits;
mod sampling;
mod systems;
mod wrong_lengths;
