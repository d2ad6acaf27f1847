//! Symmetric matrices: sums of outer products, Cholesky factors, solutions.
//!
//! Everything is in `f64`, whatever the rows are in. Work is cut by sizes alone, and every sum has
//! one order, so that the numbers are the same for any number of threads.

mod cholesky;
mod panels;
mod product;
mod symmetric;
mod vectors;

pub(crate) use cholesky::Cholesky;
pub(crate) use panels::Panels;
pub(crate) use symmetric::{Symmetric, pack_columns};
pub(crate) use vectors::{axpy, dot};
