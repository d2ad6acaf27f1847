//! Products of a layer's weights with a batch.
//!
//! Matrices are row-major. Each number of a product is one sum, its terms in their order, whatever the
//! shapes and the instruction set's tiles: a block of columns has the numbers of the whole.
//!
//! A strip of columns of the right factor is copied side by side into the first-level cache, where it
//! serves all rows of the left one; a tile of sums stays in registers from the first term to the
//! last. The left factor is read as it lies: only single numbers of it are needed at a time. Kernels are
//! compiled in this crate, once for each type of number ([`Scalar::product`](crate::Scalar::product)).

mod panel;
mod product;
mod tile;

pub use product::Product;
