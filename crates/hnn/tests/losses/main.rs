//! Losses with the models they train: every loss, model and stepper, in one binary.
#![allow(missing_docs)]

mod common;
mod constants;
mod constrained;
mod erased;
mod external;
mod finite_differences;
mod fitted_starts;
mod friction;
mod inputs;
mod joint;
mod losses;
mod recordings;
mod residuals;
mod trajectory;
mod units;
