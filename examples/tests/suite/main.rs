//! Tests of what the examples share, in one program.

mod bad_input;
mod sweep;
