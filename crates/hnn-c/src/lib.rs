//! Trained models for programs in C: a simulator or a controller loads a model file, and calls its field,
//! its energy and its gradient in its loop.
//!
//! The functions, and what each asks of its caller, are declared in `include/hnn.h`;
//! `examples/controller.c` is a program that uses them. `cargo build --release -p hnn-c` makes
//! `libhnn_c.a` and `libhnn_c.so` (or what they are called on the system).
//!
//! No panic crosses the boundary, and nothing but pointers is believed: lengths that do not fit are
//! errors.

mod exports;
mod handle;
mod raw;
mod status;

pub use exports::*;
pub use handle::Handle;
pub use status::{Status, hnn_last_error};
