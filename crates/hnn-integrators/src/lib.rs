//! Vector fields, steppers, solvers and their discrete adjoints.
//!
//! Every dynamics, true or learned, is a [`VectorField`] `dx/dt = f(t, x; theta)`; everything that
//! trains is a [`DifferentiableField`], a vector field with a vector-Jacobian product. Steppers,
//! losses and solvers are written once against these two traits.
//!
//! # What is here
//!
//! - Fields: [`AnalyticField`] (a formula, SIMD and exact derivatives), [`FnField`] (a closure),
//!   [`Separable`] and [`AnalyticSeparable`] (for symplectic methods).
//! - Runs: [`FixedStep`], [`Adaptive`] (with events), [`solve`], and [`Rollout`] for gradients.
//!
//! | method | order | stages | symmetric | symplectic |
//! |---|---|---|---|---|
//! | [`Euler`], [`Midpoint`], [`Heun`], [`Ralston3`] | 1, 2, 2, 3 | 1, 2, 2, 3 | no | no |
//! | [`Rk4`], [`ThreeEighths`] | 4 | 4 | no | no |
//! | [`SymplecticEuler`], [`Ruth3`] | 1, 3 | 1, 3 | no | yes |
//! | [`VelocityVerlet`], [`PositionVerlet`] | 2 | 1 | yes | yes |
//! | [`Yoshida4`], [`Pefrl`], [`BlanesMoanSrkn6`] | 4 | 3, 4, 6 | yes | yes |
//! | [`Yoshida6`], [`Yoshida8`], [`KahanLi8`] | 6, 8, 8 | 7, 15, 17 | yes | yes |
//! | [`ImplicitMidpoint`], [`GaussLegendre4`], [`GaussLegendre6`] | 2, 4, 6 | 1, 2, 3 | yes | yes |
//! | [`DormandPrince5`], [`Tsitouras5`], [`Dop853`] (adaptive) | 5, 5, 8 | 6, 6, 12 | no | no |
//!
//! Each method's page says when to use it, and its source.
//!
//! # Layout of a batch
//!
//! Inside the crate a batch of `B` states of dimension `D` is one slice of `D * B` numbers,
//! *coordinate-major*: coordinate `i` of every state lies in `x[i * B..(i + 1) * B]`. With
//! canonical coordinates `x = [q_1..q_n, p_1..p_n]` the symplectic product `J grad H` is then a
//! swap of two contiguous halves. What a user hands over and gets back is an `ndarray` of shape
//! `(B, D)`, a row a state.

// A negated comparison is also true of NaN, which is what checks of input want.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod adaptive;
mod adjoint;
mod analytic;
mod check;
mod differentiable;
mod differentiable_analytic;
mod dual_field;
mod error;
mod field;
mod fixed_step;
mod fn_field;
mod fused;
mod fused_adjoint;
mod implicit;
pub mod lane;
mod lane_kernel;
mod parallel;
mod rollout;
mod runge_kutta;
mod scalar;
pub mod simd;
mod solve_error;
mod stepper;
mod symplectic;
mod workspace;

pub use adaptive::{
    Adaptive, AdaptiveRun, BatchSolution, Crossing, Dop853, DormandPrince5, EmbeddedPair,
    EmbeddedRungeKutta, Event, EventResult, EventSolution, Occurrence, Solution, Statistics,
    Tolerances, Tsitouras5, solve, solve_batch,
};
pub use adjoint::{Adjoint, Checkpoints, Gradient, ReversibleStepper};
pub use analytic::{AnalyticField, LaneState};
pub use differentiable::{DifferentiableField, Mode, Parameters};
pub use dual_field::DualField;
pub use error::FieldError;
pub use field::{VectorField, VectorFieldExt, coordinate_major, rows};
pub use fixed_step::{FixedStep, Trajectories};
pub use fn_field::{FnField, FnFieldVjp};
pub use fused::ExplicitRun;
pub use fused_adjoint::{AdjointRun, Clock, RolloutRun};
pub use implicit::{GaussLegendre4, GaussLegendre6, ImplicitMidpoint, ImplicitTape};
pub use lane::{Lane, Wide};
pub use rollout::Rollout;
pub use runge_kutta::{
    CustomRungeKutta, Euler, ExplicitRungeKutta, Heun, Midpoint, Ralston3, Rk4, RungeKuttaTape,
    Tableau, TableauError, ThreeEighths, rk4,
};
pub use scalar::Scalar;
pub use solve_error::{SolveError, SolveFailure};
pub use stepper::{DifferentiableStepper, Method, StartSlope, Stepper};
pub use symplectic::{
    AnalyticSeparable, BlanesMoanSrkn6, DifferentiableSeparable, Flow, KahanLi8, Pefrl,
    PositionVerlet, Ruth3, Separable, Splitting, SplittingMethod, SplittingRun, SplittingTape,
    SymplecticEuler, VelocityVerlet, Yoshida4, Yoshida6, Yoshida8,
};
pub use workspace::Workspace;
