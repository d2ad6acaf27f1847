//! Recordings of systems that are known, and what is made of them.
#![allow(missing_docs)]

mod laws;
mod recordings;
