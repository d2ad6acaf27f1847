//! Networks and models of mechanical systems.
//!
//! Two kinds of networks, [`DifferentiableMap`]s `x -> y` and [`DifferentiableEnergy`]s
//! `x -> H(x)`, and the vector fields made of them:
//!
//! | model | field |
//! |---|---|
//! | [`Baseline`] | `dx/dt = N(x)` |
//! | [`Hnn`] | `dq/dt = dH/dp`, `dp/dt = -dH/dq` |
//! | [`SeparableHnn`] | `dq/dt = grad T(p)`, `dp/dt = -grad V(q)` |
//! | [`HnnFriction`] | `dq/dt = dH/dp`, `dp/dt = -dH/dq - F(q, p)` |
//! | [`Lnn`] | `dq/dt = v`, `dv/dt = (d2L/dv2)^-1 (dL/dq - (d2L/dv dq) v + Q)` |
//!
//! The networks are [`Mlp`]s, computed by the native engine: exact formulas, batched, no tape of
//! operations, no allocation once the buffers have grown. Any other energy or map that implements
//! the two traits makes the same models; those of module `tch` (with feature `tch`) wrap any
//! libtorch module.

mod angles;
mod energy;
mod error;
mod field;
mod io;
mod jacobian_map;
mod lagrangian;
mod lnn;
mod map;
pub mod mlp;
mod sections;
#[cfg(feature = "tch")]
pub mod tch;

pub use angles::{Angles, Inputs};
pub use energy::DifferentiableEnergy;
pub use error::ModelError;
pub use field::{Baseline, Dissipative, Friction, Hnn, HnnFriction, SeparableHnn};
pub use io::{PartReader, PartWriter, Persist};
pub use jacobian_map::JacobianMap;
pub use lagrangian::{DifferentiableLagrangian, EulerLagrange, LagrangianBars, LagrangianTerms};
pub use lnn::{
    FrictionForce, GeneralisedForce, InputForce, KineticPrior, Lnn, MechanicalLagrangian, Sum,
    Unforced,
};
pub use map::DifferentiableMap;
pub use mlp::{Activation, Architecture, Initialisation, Mlp};
