//! Tests of the native engine, in one program.

mod common;
mod control;
mod finite_differences;
mod golden;
mod lagrangian;
mod lengths;
mod many_body;
mod model_files;
mod wrong_lengths;
