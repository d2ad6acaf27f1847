//! libtorch against the native engine, the golden files and its own contract.
#![cfg(feature = "tch")]

mod agreement;
#[path = "../common/mod.rs"]
mod common;
mod devices;
mod dropout;
mod golden;
mod joint;
#[path = "../common/lengths.rs"]
mod lengths;
mod random;
mod training;
mod trajectories;
mod weights;
mod wrong_lengths;
