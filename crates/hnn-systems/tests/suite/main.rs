//! The crate's tests, in one binary: the systems' kernels are compiled once.
#![allow(missing_docs)]

mod chaos;
mod common;
mod data_set;
mod golden;
mod known_orbits;
#[path = "../lengths/mod.rs"]
mod lengths;
mod measurements;
mod sampling;
mod systems;
mod wrong_lengths;
