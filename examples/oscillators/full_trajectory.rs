//! The full-trajectory loss: before (plain HNN) and after, with windows between the two.
//!
//! `cargo run --release --example full_trajectory`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::{Result, exit};
use hnn_losses::Window;
use hnn_oscillator_examples::{OscillatorOptions, System, TrajectoryTerm, Variant};
use serde::Serialize;

/// Training through whole trajectories.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: OscillatorOptions,
    /// Which system.
    #[arg(long, value_enum, default_value_t = System::Spring)]
    system: System,
    /// Weight of the trajectory losses.
    #[arg(long, default_value_t = 1.0)]
    alpha: f64,
}

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let setting = options.system.setting(&options.shared)?;
    let windows = [Window::Steps(1), Window::Steps(5), Window::Steps(15), Window::Whole];
    let curriculum = TrajectoryTerm::growing(options.alpha, &windows);
    let variants = [
        Variant::plain(),
        Variant::with_trajectory(
            "hnn_full",
            "HNN + full trajectory",
            TrajectoryTerm::new(options.alpha, Window::Whole),
        ),
        Variant::with_trajectory("hnn_curriculum", "HNN + curriculum", curriculum.clone()),
        Variant::with_trajectory("hnn_shooting", "the same, shooting", curriculum.shooting()),
    ];
    let trained = options.shared.run("full_trajectory", options, &setting, &variants)?;
    let Some((report, output)) = trained else { return Ok(()) };
    report.draw(&output)?;
    report.draw_losses(&output)
}
