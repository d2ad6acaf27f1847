//! One program: the fused kernels of each field are then compiled once for all tests.

mod accuracy;
mod adaptive;
mod adjoint;
mod closures;
mod common;
mod dual;
mod energy;
mod events;
mod explicit;
mod fused_adjoint;
mod implicit;
mod inputs;
mod lane_math;
mod no_panic;
mod symplectic;
