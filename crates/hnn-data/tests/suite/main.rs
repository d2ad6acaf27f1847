//! The crate's tests, in one binary.
#![allow(missing_docs)]

mod convert;
mod data_set;
mod differences;
mod differentiate;
mod odd_files;
mod recording;
mod shares;
