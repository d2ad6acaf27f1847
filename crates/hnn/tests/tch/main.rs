//! Losses and training with libtorch against the native engine.
#![cfg(feature = "tch")]
#![allow(missing_docs)]

mod joint;
mod training;

use hnn_models::Mlp;
use hnn_models::tch::{TchEnergy, TchMap, parse_device, tch};

/// Where libtorch's networks live: the CPU, or what the environment's `HNN_DEVICE` names.
fn device() -> tch::Device {
    let name = std::env::var("HNN_DEVICE").unwrap_or_else(|_| "cpu".to_owned());
    parse_device(&name).expect("HNN_DEVICE is a device of this machine")
}

fn energy(native: &Mlp<f64>) -> TchEnergy<f64> {
    TchEnergy::mlp(native.clone(), device()).expect("the device is there")
}

fn map(native: &Mlp<f64>) -> TchMap<f64> {
    TchMap::mlp(native.clone(), device()).expect("the device is there")
}
