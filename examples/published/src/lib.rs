//! What the examples that reproduce published tables share: options, the table of published figures
//! beside ours, and how a field is judged.
#![allow(clippy::print_stdout, missing_debug_implementations)]

mod bodies;
mod judge;
mod options;
mod report;
mod train;

pub use bodies::Bodies;
pub use judge::{energy_error, losses};
pub use options::PublishedOptions;
pub use report::{Figure, Scores};
pub use train::{timed, train};

/// What these examples return: errors of the libraries and of the examples alike.
pub type Result<T, E = Box<dyn std::error::Error>> = std::result::Result<T, E>;
