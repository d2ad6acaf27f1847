//! Tests of this crate, in one program.

mod attack;
mod common;
mod diagnosis;
mod expressions;
mod golden_lasso;
mod lasso;
mod model;
mod ranks;
mod recordings;
mod scales;
mod selection;
mod states_only;
