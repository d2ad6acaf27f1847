//! Losses and training with libtorch against the native engine.
#![cfg(feature = "tch")]
#![allow(missing_docs)]

mod joint;
mod training;

use hnn_models::Mlp;
use hnn_models::tch::{TchEnergy, TchMap, tch};

fn energy(native: &Mlp<f64>) -> TchEnergy<f64> {
    TchEnergy::mlp(native.clone(), tch::Device::Cpu).expect("the CPU is there")
}

fn map(native: &Mlp<f64>) -> TchMap<f64> {
    TchMap::mlp(native.clone(), tch::Device::Cpu).expect("the CPU is there")
}
