//! Networks and models of mechanical systems.
//!
//! Two kinds of networks, [`DifferentiableMap`]s `x -> y` and [`DifferentiableEnergy`]s
//! `x -> H(x)`, and the vector fields made of them:
//!
//! | model | field |
//! |---|---|
//! | [`Baseline`] | `dx/dt = N(x)` |
//! | [`Hnn`] | `dq/dt = dH/dp`, `dp/dt = -dH/dq + Q`; port-Hamiltonian `dx/dt = (J - R) dH/dx + G u` |
//! | [`SeparableHnn`] | `dq/dt = grad T(p)`, `dp/dt = -grad V(q)` |
//! | [`ConstrainedHnn`] | `dq/dt = M^-1 p`, `dp/dt = -grad V(q) + (D Phi)^T lambda`, `Phi(q) = 0` |
//! | [`Lnn`] | `dq/dt = v`, `dv/dt = (d2L/dv2)^-1 (dL/dq - (d2L/dv dq) v + Q)` |
//!
//! `Q` is a [`GeneralisedForce`]: none, friction, the port of the inputs, a function of time, or a sum.
//!
//! [`control`] turns a model with an energy and inputs into a controller.
//!
//! Energies of many bodies are put together of [`KineticEnergy`], [`OneBodyEnergy`] and [`PairEnergy`].
//!
//! [`Scales`] taken from data let networks see numbers of order one, whatever the units.
//!
//! The networks are [`Mlp`]s, computed by the native engine: exact formulas, batched, no tape of
//! operations, no allocation once the buffers have grown. Any other energy or map that implements
//! the two traits makes the same models; those of module `tch` (with feature `tch`) wrap any
//! libtorch module.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `tch` | no | libtorch as a second engine, module `tch`; `scripts/with-libtorch cargo ..` finds or fetches libtorch |
//! | `tch-download-libtorch` | no | the same, and the build downloads libtorch itself |
//! | `doc-only` | no | for documentation: `tch` builds without libtorch, and links to nothing |
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

mod angles;
mod any;
pub mod control;
mod energy;
mod error;
mod field;
mod force;
mod io;
mod jacobian_map;
mod keep;
mod lagrangian;
mod lnn;
mod many_body;
mod map;
pub mod mlp;
mod network;
mod parameters;
mod scales;
mod sections;
#[cfg(feature = "tch")]
pub mod tch;

pub use angles::Angles;
pub use any::AnyModel;
pub use energy::DifferentiableEnergy;
pub use error::ModelError;
pub use field::{Baseline, ConstrainedHnn, Hnn, SeparableHnn};
pub use force::{
    Dissipative, ExternalForce, ForceBars, FrictionForce, FrictionLaw, FrictionTerm,
    GeneralisedForce, Harmonics, InputForce, InputPort, PowerBalance, StatePort, Sum, Unforced,
};
pub use io::{PartReader, PartWriter, Persist};
pub use jacobian_map::JacobianMap;
pub use keep::{Keep, Record};
pub use lagrangian::{DifferentiableLagrangian, EulerLagrange, LagrangianTerms, MotionBars};
pub use lnn::{KineticPrior, Lnn, MechanicalLagrangian};
pub use many_body::{
    EnergySum, KineticEnergy, OneBodyEnergy, PairEnergy, SeparableEnergy, Separation,
};
pub use map::DifferentiableMap;
pub use mlp::{Activation, Architecture, Initialisation, Mlp};
pub use network::{Coordinate, Network};
pub use scales::{Scaled, Scales};
