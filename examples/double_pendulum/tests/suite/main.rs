//! Tests of what the examples share, in one program.

mod judging;
