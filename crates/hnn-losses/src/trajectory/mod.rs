//! Losses of trajectories: the model's states, integrated, against the measured ones.

mod derivatives;
mod loss;
mod residuals;
mod rollout;
mod shooting;
mod slopes;
mod starts;
mod windows;

pub use loss::TrajectoryLoss;
pub use shooting::Reduction;
pub(crate) use slopes::Slopes;
pub use windows::{TrajectoryData, Window};
