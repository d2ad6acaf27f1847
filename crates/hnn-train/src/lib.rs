//! Optimisers and the trainer: schedules, mini-batches, early stopping, records, checkpoints.
//!
//! An optimiser sees one flat parameter vector and its gradient; the [`Trainer`] puts it to work
//! on any [`Loss`](hnn_losses::Loss) of any
//! [`DifferentiableField`](hnn_integrators::DifferentiableField), and tells an [`Observer`] how it
//! goes.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `mpi` | no | losses shared out among ranks of MPI, over a system's Open MPI or MPICH; reading its headers needs libclang |
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

// A negated comparison is also true of NaN, which is what checks of numbers want.
#![allow(clippy::neg_cmp_op_on_partial_ord)]

mod adam;
mod average;
mod checkpoint;
mod course;
mod early_stopping;
mod error;
mod fitting;
mod lbfgs;
mod least_squares;
mod linalg;
mod minibatch;
mod observer;
mod optimiser;

mod record;
mod run;
mod schedule;
mod state;
mod trainer;

pub use adam::{Adam, WeightDecay};
pub use checkpoint::Checkpoint;
pub use early_stopping::EarlyStopping;
pub use error::TrainError;
pub use lbfgs::Lbfgs;
pub use least_squares::{
    Evidence, EvidenceRule, Form, LeastSquares, Posterior, Scaling, StopTolerances, TermEvidence,
};
pub use minibatch::MiniBatch;
pub use observer::{Control, Observer, Progress};
pub use optimiser::Optimiser;
pub use record::{StepRecord, StopReason, TrainingRecord};
pub use schedule::Schedule;
pub use trainer::Trainer;
