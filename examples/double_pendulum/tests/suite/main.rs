//! Tests of what the examples share, in one program.

#[cfg(feature = "tch")]
mod engines;
mod judging;
