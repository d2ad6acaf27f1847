//! The names that most programs need: `use hnn::prelude::*;`.
//!
//! Traits, systems, models, losses and the trainer; what is rarer stays in its module.

pub use hnn_data::{Column, DataSet, Recording};
pub use hnn_integrators::{
    AnalyticField, Between, DifferentiableField, Driven, DualField, FixedStep, FnField, Lane,
    Parameters, RK4, Scalar, Signal, Signals, Tolerances, VectorField, solve, solve_batch,
};
pub use hnn_losses::{
    DerivativeLoss, JointLoss, L2Penalty, Loss, RowSelection, TorqueLoss, TotalLoss,
    TrajectoryData, TrajectoryLoss, Window, metrics,
};
pub use hnn_models::{
    Activation, Architecture, Baseline, Dissipative, FrictionForce, FrictionLaw, FrictionTerm, Hnn,
    Initialisation, InputPort, Lnn, Mlp, Persist, Scaled, Scales,
};
#[cfg(feature = "plots")]
pub use hnn_plots::{Figure, Motion, Panel, Series};
pub use hnn_systems::{
    AnalyticHamiltonian, DampedPendulum, DoublePendulum, FromEnergy, Hamiltonian, Pendulum,
    Sampling, Spring, Starts,
};
pub use hnn_train::{
    Adam, Checkpoint, EarlyStopping, LeastSquares, MiniBatch, Observer, Schedule, Trainer,
    WeightDecay,
};
