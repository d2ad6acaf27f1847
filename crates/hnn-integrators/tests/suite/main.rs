//! One program: the kernels of each field are then compiled once for all tests.
//!
//! They are what takes long to compile, for each field given by a formula and each type of number.
//! Tests therefore share a few fields that have them ([`common::Pendulum`], [`common::Pair`],
//! [`common::Lorenz`]; in single precision [`common::ByHand`]) and go without for all others:
//! closures, or [`common::Plain`]. Solvers are compiled for each type of field, unless it comes as
//! [`common::erased`].

mod accuracy;
mod adaptive;
mod adjoint;
mod closures;
mod common;
mod constrained;
mod dual;
mod energy;
mod events;
mod explicit;
mod fused_adjoint;
mod implicit;
mod inputs;
mod lane_math;
mod linalg;
mod no_panic;
mod objects;
mod signals;
mod symplectic;
mod units;
