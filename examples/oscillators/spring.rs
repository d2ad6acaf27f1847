//! The spring: a baseline network, an HNN, and HNNs with trajectory losses.
//!
//! `cargo run --release --example spring`

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::exit;
use hnn_oscillator_examples::{Comparison, Setting};

/// The spring H = q^2 + p^2, learned five times.
#[derive(Debug, Parser)]
struct Options {
    #[command(flatten)]
    comparison: Comparison,
}

fn main() -> ExitCode {
    exit(Options::parse().comparison.run("spring", Setting::spring, &[1, 5, 15, 29, 29]))
}
