//! The engine that computes the networks while they train.

use clap::ValueEnum;
use hnn_integrators::Scalar;
use hnn_models::{
    DifferentiableEnergy, DifferentiableLagrangian, DifferentiableMap, JacobianMap, Mlp, Persist,
};
use serde::Serialize;

use crate::Result;

/// The engine that trains.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Engine {
    /// The exact formulas of `hnn-models`.
    #[default]
    Native,
    /// libtorch; needs feature `tch` and `scripts/with-libtorch`.
    Tch,
}

/// Makes an engine's networks of native ones, with the same weights.
pub trait Networks<T: Scalar> {
    /// A network used as an energy, or as a Lagrangian.
    type Energy: DifferentiableEnergy<T> + DifferentiableLagrangian<T> + Persist<T> + 'static;
    /// A network used as a map, with its Jacobian where that is asked for.
    type Map: DifferentiableMap<T> + JacobianMap<T> + Persist<T> + 'static;

    /// An energy, or a Lagrangian.
    ///
    /// # Errors
    /// If the network has more than one output, or the engine fails.
    fn energy(&self, network: Mlp<T>) -> Result<Self::Energy>;

    /// A map.
    ///
    /// # Errors
    /// If the engine fails.
    fn map(&self, network: Mlp<T>) -> Result<Self::Map>;
}

/// What is done with the networks of whichever engine the options name.
pub trait OnEngine {
    /// What comes out.
    type Output;

    /// Does it, in either precision.
    ///
    /// # Errors
    /// Whatever went wrong.
    fn run<N: Networks<f32> + Networks<f64>>(self, engine: &N) -> Result<Self::Output>;
}

impl Engine {
    /// Does it on this engine; `device` is where engine tch computes.
    ///
    /// # Errors
    /// If the engine is not there, and whatever went wrong.
    pub fn run<J: OnEngine>(self, device: &str, job: J) -> Result<J::Output> {
        match self {
            Self::Native => job.run(&Native),
            #[cfg(feature = "tch")]
            Self::Tch => job.run(&Libtorch::new(device)?),
            #[cfg(not(feature = "tch"))]
            Self::Tch => Err(crate::ExampleError::Option {
                option: "--engine tch",
                reason: format!(
                    "this was built without libtorch (wanted on {device}); run `scripts/with-libtorch \
                     cargo run --release --features tch --example NAME -- --engine tch`"
                ),
            }),
        }
    }
}

/// See [`Engine::Native`].
#[derive(Debug, Clone, Copy)]
pub struct Native;

impl<T: Scalar> Networks<T> for Native {
    type Energy = Mlp<T>;
    type Map = Mlp<T>;

    fn energy(&self, network: Mlp<T>) -> Result<Mlp<T>> {
        Ok(network)
    }

    fn map(&self, network: Mlp<T>) -> Result<Mlp<T>> {
        Ok(network)
    }
}

#[cfg(feature = "tch")]
pub use libtorch::Libtorch;

#[cfg(feature = "tch")]
mod libtorch {
    use hnn_integrators::Scalar;
    use hnn_models::Mlp;
    use hnn_models::tch::tch::kind::Element;
    use hnn_models::tch::{TchEnergy, TchMap, parse_device, tch};

    use super::{Networks, Result};

    /// See [`Engine::Tch`](super::Engine::Tch).
    #[derive(Debug, Clone, Copy)]
    pub struct Libtorch {
        device: tch::Device,
    }

    impl Libtorch {
        /// On a device: `cpu`, `cuda`, `cuda:1` or `mps`.
        ///
        /// # Errors
        /// If it is not there.
        pub fn new(device: &str) -> Result<Self> {
            // Each model trains on a thread of its own.
            tch::set_num_threads(1);
            Ok(Self { device: parse_device(device)? })
        }
    }

    impl<T: Scalar + Element> Networks<T> for Libtorch {
        type Energy = TchEnergy<T>;
        type Map = TchMap<T>;

        fn energy(&self, network: Mlp<T>) -> Result<TchEnergy<T>> {
            Ok(TchEnergy::mlp(network, self.device)?)
        }

        fn map(&self, network: Mlp<T>) -> Result<TchMap<T>> {
            Ok(TchMap::mlp(network, self.device)?)
        }
    }
}
