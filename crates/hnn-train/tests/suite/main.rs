//! Tests of this crate, in one program.

mod conveniences;
mod least_squares;
mod ranks;
mod resuming;
mod settings;
mod training;
