//! Losses of derivatives and trajectories, regularisers, and metrics.
//!
//! A [`Loss`] turns the predictions of a [`DifferentiableField`] into a value and cotangents, and
//! calls the field's vector-Jacobian product. It knows no model: not its layers, nor its weights.
//!
//! A batch is cut into blocks that run on all threads of the current `rayon` pool; the blocks, and
//! the order in which their contributions are added, depend on the batch alone, so that the
//! numbers are the same whatever the number of threads.
//!
//! [`DifferentiableField`]: hnn_integrators::DifferentiableField
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `mpi` | no | [`Ranks`] of MPI, over a system's Open MPI or MPICH; reading its headers needs libclang |
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

mod blocks;
mod checks;
mod compiled;
mod derivative;
mod distributed;
mod error;
mod groups;
mod jacobian;
mod joint;
mod loss;
mod measure;
pub mod metrics;
#[cfg(feature = "mpi")]
pub mod mpi;
mod parts;
mod penalty;
mod ranks;
mod residuals;
mod row_totals;
mod selection;
mod threads;
mod torque;
mod total;
mod trajectory;

pub use derivative::DerivativeLoss;
pub use distributed::Distributed;
pub use error::LossError;
pub use joint::JointLoss;
pub use loss::Loss;
pub use measure::ErrorMeasure;
pub use penalty::{L1Penalty, L2Penalty};
pub use ranks::{Ranks, RowShare};
pub use residuals::{JacobianRows, ResidualLayout, ResidualRows};
pub use selection::RowSelection;
pub use threads::on_threads;
pub use torque::TorqueLoss;
pub use total::TotalLoss;
pub use trajectory::{Reduction, TrajectoryData, TrajectoryLoss, Window};
