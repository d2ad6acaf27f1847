//! What the experiments share: recipes, the four models, progress, tables and output.
#![allow(clippy::print_stdout, missing_debug_implementations)]

mod animation;
mod band;
mod engine;
mod error;
mod judge;
mod kind;
mod learned;
mod midpoints;
mod model;
mod objective;
mod output;
mod progress;
mod recipe;
mod rollouts;
mod run;
mod sweep;
mod table;
mod trial;

pub use animation::write_animation;
pub use band::{Drawn, band};
#[cfg(feature = "tch")]
pub use engine::Libtorch;
pub use engine::{Engine, Native, Networks, OnEngine};
pub use error::ExampleError;
pub use judge::Judge;
pub use kind::Kind;
pub use learned::{Learned, Training, learn};
pub use midpoints::midpoints;
pub use model::{Model, Source};
pub use objective::{Field, LossKind, Objective};
pub use output::{Config, Output, Row};
pub use progress::Bars;
pub use recipe::{Optimiser, Recipe, RecipeOptions};
pub use rollouts::{Rollouts, roll_out};
pub use run::{exit, seed_range, use_threads};
pub use sweep::Sweep;
pub use table::{Table, scientific};
pub use trial::{Summary, Trial, spread, tabulate};

/// What an example returns.
pub type Result<T, E = ExampleError> = std::result::Result<T, E>;
