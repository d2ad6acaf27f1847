//! libtorch against the native engine, the golden files and its own contract.
#![cfg(feature = "tch")]

use hnn_models::tch::parse_device;
use tch::Device;

mod agreement;
#[path = "../suite/common.rs"]
mod common;
mod devices;
mod dropout;
mod golden;
#[path = "../suite/lengths.rs"]
mod lengths;
mod random;
mod rows;
mod tensors;
mod trajectories;
mod trajectory;
mod weights;
mod wrong_lengths;

/// Where libtorch's networks live: the CPU, or what the environment's `HNN_DEVICE` names.
fn device() -> Device {
    let name = std::env::var("HNN_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    parse_device(&name).expect("HNN_DEVICE is a device of this machine")
}
