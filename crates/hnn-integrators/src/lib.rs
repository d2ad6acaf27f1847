//! Vector fields, steppers, solvers and their discrete adjoints.
//!
//! Every dynamics, true or learned, is a [`VectorField`] `dx/dt = f(t, x; theta)`; everything that
//! trains is a [`DifferentiableField`], a vector field with a vector-Jacobian product. Steppers,
//! losses and solvers are written once against these two traits.
//!
//! # What is here
//!
//! - Fields: [`AnalyticField`] (a formula, SIMD and exact derivatives), [`FnField`] (a closure),
//!   [`DualField`] (a closure with parameters and exact derivatives), both with inputs or without,
//!   [`Separable`] and [`AnalyticSeparable`] (for symplectic methods), [`Constrained`] (mechanics
//!   under [`Constraint`]s).
//! - Methods, as values: [`Tableau`], [`Splitting`], [`ImplicitTableau`], [`EmbeddedPair`]; the
//!   constants below, or your own.
//! - Inputs over time: [`Signal`]s, with which [`Driven`] makes a field with inputs one that every solver takes.
//! - Runs: [`FixedStep`], [`Adaptive`] (with events), [`solve`]; [`Rollout`] and [`Adjoint`] for
//!   gradients.
//!
//! | method | order | stages | symmetric | symplectic |
//! |---|---|---|---|---|
//! | [`EULER`], [`MIDPOINT`], [`HEUN`], [`RALSTON3`] | 1, 2, 2, 3 | 1, 2, 2, 3 | no | no |
//! | [`RK4`], [`THREE_EIGHTHS`] | 4 | 4 | no | no |
//! | [`SYMPLECTIC_EULER`], [`RUTH3`] | 1, 3 | 1, 3 | no | yes |
//! | [`VELOCITY_VERLET`], [`POSITION_VERLET`] | 2 | 1 | yes | yes |
//! | [`YOSHIDA4`], [`PEFRL`], [`BLANES_MOAN_SRKN6`] | 4 | 3, 4, 6 | yes | yes |
//! | [`YOSHIDA6`], [`YOSHIDA8`], [`KAHAN_LI8`] | 6, 8, 8 | 7, 15, 17 | yes | yes |
//! | [`IMPLICIT_MIDPOINT`], [`GAUSS_LEGENDRE4`], [`GAUSS_LEGENDRE6`] | 2, 4, 6 | 1, 2, 3 | yes | yes |
//! | [`RATTLE`] (constrained systems) | 2 | 2 | yes | yes |
//! | [`Projected`] (likewise), by any method | its own | its own | no | no |
//! | [`DORMAND_PRINCE5`], [`TSITOURAS5`], [`DOP853`] (adaptive) | 5, 5, 8 | 6, 6, 12 | no | no |
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
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `threads` | yes | batches on all cores, by rayon; the numbers are the same without |
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

// A negated comparison is also true of NaN, which is what checks of input want.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod adaptive;
mod at;
mod check;
mod constraint;
mod error;
mod field;
mod fixed_step;
mod formula;
#[doc(hidden)]
pub mod kernel;
pub mod lane;
#[doc(hidden)]
pub mod linalg;
mod memory;
mod method;
#[doc(hidden)]
pub mod parallel;
mod rollout;
mod scalar;
mod signal;
#[doc(hidden)]
pub mod simd;
mod solve_error;
mod step;
mod workspace;

pub use adaptive::{
    Adaptive, BatchSolution, Crossing, Event, EventResult, EventSolution, Occurrence, Solution,
    Statistics, Tolerances, solve, solve_batch,
};
#[doc(hidden)]
pub use adaptive::{AdaptiveJob, AdaptiveRun};
pub use at::{At, Inputs, Interval};
pub use constraint::{
    Constrained, ConstrainedRecord, Constraint, DifferentiableConstrained, Inertia, StateForm,
};
pub use error::FieldError;
pub(crate) use field::check_dimension;
pub use field::{
    Bars, DifferentiableField, DifferentiableSeparable, DualField, FieldObject, FnField,
    FnFieldVjp, Kept, Mode, Parameters, Separable, ThetaBar, ThetaRows, VectorField,
    coordinate_major, rows,
};
#[doc(hidden)]
pub use fixed_step::SegmentsJob;
pub use fixed_step::{FixedStep, Trajectories};
pub use formula::{AnalyticField, AnalyticSeparable, LaneState};
pub use lane::Lane;
#[doc(hidden)]
pub use lane::Wide;
pub use memory::{MOST_BYTES, TooLarge};
pub use method::{
    BLANES_MOAN_SRKN6, DOP853, DORMAND_PRINCE5, EULER, EmbeddedPair, Flow, GAUSS_LEGENDRE4,
    GAUSS_LEGENDRE6, HEUN, IMPLICIT_MIDPOINT, ImplicitTableau, KAHAN_LI8, MIDPOINT, PEFRL,
    POSITION_VERLET, RALSTON3, RK4, RUTH3, SYMPLECTIC_EULER, Splitting, THREE_EIGHTHS, TSITOURAS5,
    Tableau, TableauError, VELOCITY_VERLET, YOSHIDA4, YOSHIDA6, YOSHIDA8,
};
#[doc(hidden)]
pub use rollout::Motion;
pub use rollout::{Adjoint, Checkpoints, Clock, Gradient, Grid, GridInputs, Rollout, Visit};
#[doc(hidden)]
pub use scalar::PerScalar;
pub use scalar::Scalar;
pub use signal::{Between, Driven, Signal, SignalError, Signals};
pub use simd::instruction_set;
pub use solve_error::{SolveError, SolveFailure, StepLimit};
pub use step::{
    DifferentiableStepper, ExplicitTape, ImplicitTape, Projected, ProjectedTape, RATTLE, Rattle,
    RattleTape, SplittingTape, StartSlope, Stepper, Substeps, SubstepsTape, rk4,
};
pub use workspace::Workspace;
