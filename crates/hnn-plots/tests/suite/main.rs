//! Tests of this crate, in one program.

mod bad_input;
mod common;
mod gallery;
