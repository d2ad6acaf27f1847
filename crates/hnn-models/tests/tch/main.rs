//! libtorch against the native engine, the golden files and its own contract.
#![cfg(feature = "tch")]

mod agreement;
#[path = "../common/mod.rs"]
mod common;
mod devices;
mod dropout;
mod golden;
#[path = "../common/lengths.rs"]
mod lengths;
mod random;
mod rows;
mod tensors;
mod trajectories;
mod trajectory;
mod weights;
mod wrong_lengths;
