//! The pendulum: a baseline network, an HNN, and HNNs with trajectory losses.
//!
//! `cargo run --release --example pendulum`

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::exit;
use hnn_oscillator_examples::{Comparison, Setting};

/// The pendulum H = 3 (1 - cos q) + p^2, learned five times.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    comparison: Comparison,
}

fn main() -> ExitCode {
    exit(Options::parse().comparison.run("pendulum", Setting::pendulum, &[1, 5, 15]))
}
