//! What the fuzz targets do with a file's bytes: what the facade's own attack does.

#[path = "../../crates/hnn/tests/attack/readers.rs"]
mod readers;

pub use readers::*;
