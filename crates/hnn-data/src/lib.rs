//! Recordings and data sets: everything between a file and a loss.
//!
//! - [`Measurements`] are measured rows, read from text ([`read_text`](Measurements::read_text)) or
//!   CSV ([`read_csv`](Measurements::read_csv), [`CsvColumns`]): trial, time, state, inputs. Times
//!   need not be regular, and may have gaps.
//! - A [`DataSet`] holds [`Trajectory`]s of any lengths, with times of their own; it comes from
//!   measured rows, with derivatives by a [`DerivativeScheme`], from what a solver gives, or from
//!   trajectories of one's own.
//! - Losses take its [`Points`], [`Pairs`] or [`TimeBatch`]es.
//!
//! What is in a data set has been checked: finite numbers, times that increase. Errors name the
//! file and the line, or the trajectory and the row.
//!
//! ```
//! use hnn_data::{CsvColumns, DerivativeScheme, GAP_FACTOR, Measurements};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("swing.csv");
//! std::fs::write(&path, "t,q,p\n0.0,0.00,1.00\n0.1,0.10,0.98\n0.2,0.19,0.93\n")?;
//! let columns = CsvColumns::new("t", &["q", "p"]);
//! let data = Measurements::read_csv(&path, &columns)?
//!     .trajectories(GAP_FACTOR, DerivativeScheme::Midpoint)?;
//! // A derivative for each of the two steps, at its middle.
//! assert_eq!((data.num_trajectories(), data.len(), data.dim()), (1, 2, 2));
//! assert!((data.derivatives()[[0, 0]] - 1.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod convert;
mod data_set;
mod derivatives;
mod error;
mod measurements;
mod points;
mod read;
mod trajectory;

pub use data_set::DataSet;
pub use derivatives::DerivativeScheme;
pub use error::DataError;
pub use measurements::{GAP_FACTOR, Measurements};
pub use points::{Pairs, Points, TimeBatch};
pub use read::CsvColumns;
pub use trajectory::{Trajectory, TrajectoryView};
