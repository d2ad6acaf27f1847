//! Recordings and data sets: everything between a file and a loss.
//!
//! - A [`Recording`] is read from a file (CSV and its relatives, numbers between blanks, `.npz`) or
//!   from columns in memory, by a [`RecordingReader`], which is told what the file does not say:
//!   which [`Column`] is what, and its unit. Its [`Report`] prints what was read, what was dropped
//!   and why, and what the numbers allow.
//! - A [`DataSet`] holds [`Trajectory`]s of any lengths, with times of their own; it comes from a
//!   recording, with derivatives by local polynomials ([`Recording::differentiate`]) or a
//!   [`DerivativeScheme`], from what a solver gives, or from trajectories of one's own.
//! - Losses take its [`Points`], [`Pairs`] or [`TimeBatch`]es.
//!
//! What is in a data set has been checked: finite numbers, times that increase. Errors name the
//! file, the line and the column, or the trajectory and the row.
//!
//! ```
//! use hnn_data::{DerivativeScheme, Recording};
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("swing.csv");
//! std::fs::write(&path, "t,q,p\n0.0,0.00,1.00\n0.1,0.10,0.98\n0.2,0.19,0.93\n")?;
//! let swing = Recording::read(&path).time("t").angle("q").momentum("p").load()?;
//! let data = swing.differences(DerivativeScheme::Midpoint)?;
//! // A derivative for each of the two steps, at its middle.
//! assert_eq!((data.num_trajectories(), data.len(), data.dim()), (1, 2, 2));
//! assert!((data.derivatives()[[0, 0]] - 1.0).abs() < 1e-12);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

mod convert;
mod data_set;
mod derivatives;
mod error;
mod local_polynomial;
mod points;
mod recording;
mod share;
mod trajectory;

pub use data_set::DataSet;
pub use derivatives::DerivativeScheme;
pub use error::DataError;
pub use points::{Pairs, Points, TimeBatch};
pub use recording::{
    ChannelReport, Column, ColumnKey, Differentiated, Dropped, Gap, Recording, RecordingReader,
    Report, Role, Slope, TrialReport,
};
pub use share::Share;
pub use trajectory::{Trajectory, TrajectoryView};
