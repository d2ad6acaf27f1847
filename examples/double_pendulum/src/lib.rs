//! What the experiments with the double pendulum share: options, models, training, judging,
//! figures.
#![allow(clippy::print_stdout, missing_debug_implementations)]

mod contest;
mod figures;
mod kind;
mod options;
mod training;

pub use contest::{Contender, Verdict};
pub use figures::Show;
pub use kind::Kind;
pub use options::RunOptions;
pub use training::Training;
