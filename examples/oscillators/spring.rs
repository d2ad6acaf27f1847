//! The spring: a baseline network, an HNN, and HNNs with trajectory losses.
//!
//! `cargo run --release --example spring`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::{Result, exit};
use hnn_losses::Window;
use hnn_oscillator_examples::{OscillatorOptions, Setting, TrajectoryTerm, Variant};
use serde::Serialize;

/// The spring H = q^2 + p^2, learned four times.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: OscillatorOptions,
    /// Weight of the one-step loss; 100 in the deck.
    #[arg(long, default_value_t = 100.0)]
    alpha: f64,
    /// Weight of the window loss.
    #[arg(long, default_value_t = 10.0)]
    window_alpha: f64,
    /// Steps of the longest windows.
    #[arg(long, default_value_t = 29)]
    window: usize,
}

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let setting = Setting::spring(&options.shared)?;
    let one_step = TrajectoryTerm::new(options.alpha, Window::Steps(1));
    let variants = [
        Variant::network(),
        Variant::plain(),
        Variant::with_trajectory("hnn_one_step", "HNN + one-step loss", one_step),
        Variant::with_trajectory("hnn_windows", "HNN + growing windows", windows(options)),
    ];
    let (report, output) = options.shared.run("spring", options, &setting, &variants)?;
    report.draw(&output)
}

/// Windows that grow during training: from one step to `--window` steps.
fn windows(options: &Options) -> TrajectoryTerm {
    let half = Window::Steps((options.window / 3).max(1));
    let stages = vec![(0.0, Window::Steps(1)), (0.2, half), (0.4, Window::Steps(options.window))];
    TrajectoryTerm { alpha: options.window_alpha, stages }
}
