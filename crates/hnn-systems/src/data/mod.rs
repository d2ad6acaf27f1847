//! Data sets: trajectories, how they are sampled from a system or made of measured rows.

mod data_set;
mod derivatives;
mod energy_shell;
mod measurements;
mod orbits;
mod points;
mod read;
mod sampling;
mod starts;
mod trajectory;

pub use data_set::DataSet;
pub use derivatives::DerivativeScheme;
pub use energy_shell::EnergyShell;
pub use measurements::{GAP_FACTOR, Measurements};
pub use points::{Pairs, Points, TimeBatch};
pub use read::CsvColumns;
pub use sampling::Sampling;
pub use starts::Starts;
pub use trajectory::{Trajectory, TrajectoryView};
