//! Tests of this crate, in one program.

mod conveniences;
mod resuming;
mod settings;
mod training;
