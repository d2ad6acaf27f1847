//! The facade as a whole: its names, what threads may share, what a text may hold.
#![allow(missing_docs)]

mod names;
#[cfg(feature = "serde")]
mod texts;
mod threads;
