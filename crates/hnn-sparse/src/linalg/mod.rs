//! Linear algebra made for this crate's loops: streamed, updated, downdated.

mod cholesky;
mod kernels;
mod triangle;

pub(crate) use cholesky::Cholesky;
pub(crate) use kernels::{axpy_wide, dot_wide};
pub(crate) use triangle::{LeastSquares, Triangle};
