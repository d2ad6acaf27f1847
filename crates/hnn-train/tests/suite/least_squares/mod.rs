//! Least squares against certified results, and their promises.

mod bad_input;
mod evidence;
mod forms;
mod network;
mod reference;
mod squares;
mod steps;
