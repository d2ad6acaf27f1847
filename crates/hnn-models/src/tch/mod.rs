//! libtorch as the engine: any network, any device, and an independent judge of every exact
//! formula. Needs feature `tch` and a libtorch, which `scripts/with-libtorch` finds or fetches.
//!
//! | type | wraps | is |
//! |---|---|---|
//! | [`TchEnergy`] | `(B, D) -> (B)` | a [`DifferentiableEnergy`](crate::DifferentiableEnergy): makes an [`Hnn`](crate::Hnn); a [`DifferentiableLagrangian`](crate::DifferentiableLagrangian): makes an [`Lnn`](crate::Lnn) |
//! | [`TchMap`] | `(B, D) -> (B, K)` | a [`DifferentiableMap`](crate::DifferentiableMap): makes a friction, a [`Baseline`](crate::Baseline) ([`TchField`]); a [`JacobianMap`](crate::JacobianMap): makes the mass matrix of a [`MechanicalLagrangian`](crate::MechanicalLagrangian) |
//!
//! The wrapped network is any [`nn::ModuleT`](tch::nn::ModuleT) (hence any
//! [`nn::Module`](tch::nn::Module)) or closure, with the [`VarStore`](tch::nn::VarStore) that holds
//! its parameters, or a perceptron of the same [`Architecture`](crate::Architecture) as the native
//! engine's. Losses, steppers, trainers and plots see the project's own traits and nothing of
//! libtorch. Derivatives come from automatic differentiation: the gradient of an energy by a
//! backward pass with `create_graph`, its pull-back by a second one through that graph.
//!
//! The parameters' order in the flat vector is the order of their registration in the `VarStore`.
//!
//! **Training and evaluation mode.** A module sees `train = true` between
//! `set_mode(Mode::Training { .. })`, which the trainer calls, and `set_mode(Mode::Evaluation)`,
//! and `false` at first. A perceptron drops the units that the native engine drops, the same ones
//! in all evaluations of a step. What is random in a module of yours is its own: drawn anew for
//! every evaluation, from libtorch's random numbers (`tch::manual_seed`).
//!
//! **Threads.** Tensors may be sent to another thread but not shared, so a model keeps its network
//! behind a lock; libtorch has threads of its own (`tch::set_num_threads`).

mod columns;
mod device;
mod energy;
mod jacobian;
mod lagrangian_terms;
mod map;
mod mlp;
mod network;
mod persist;

pub use device::{parse_device, require_device};
pub use energy::TchEnergy;
pub use map::{TchField, TchMap};
pub use mlp::TchMlp;
pub use network::{TchNetwork, TchResiduals};

/// The crate whose tensors, modules and devices this module takes.
#[doc(no_inline)]
pub use ::tch;
