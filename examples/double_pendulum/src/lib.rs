//! What the experiments with the double pendulum share: options, models, training, judging,
//! figures.
#![allow(clippy::print_stdout)]

mod contest;
mod figures;
mod models;
mod options;
mod trial;

pub use contest::{Contender, Judge, Training, Verdict};
pub use figures::Show;
pub use models::{Canonical, Lagrangian};
pub use options::RunOptions;
pub use trial::{Trial, tabulate};
