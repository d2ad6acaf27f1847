//! Regularisation: dropout, weight decay and early stopping against nothing at all, on few noisy
//! trajectories; training against validation loss.
//!
//! `cargo run --release --example regularization`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::{Result, exit};
use hnn_oscillator_examples::{OscillatorOptions, System, Variant};
use hnn_train::EarlyStopping;
use serde::Serialize;

/// Regularisers of an HNN.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: OscillatorOptions,
    /// Which system.
    #[arg(long, value_enum, default_value_t = System::Spring)]
    system: System,
    /// Number of trajectories to train on, 1 to 25: with few of them there is something to
    /// overfit.
    #[arg(long, default_value_t = 4)]
    trajectories: usize,
    /// Dropout rate.
    #[arg(long, default_value_t = 0.02)]
    dropout: f64,
    /// L2 weight decay, coupled as PyTorch's `weight_decay`.
    #[arg(long, default_value_t = 1e-3)]
    l2: f64,
    /// Early stopping after so many validations (one every 10 steps) without an improvement.
    #[arg(long, default_value_t = 30)]
    patience: usize,
}

fn main() -> ExitCode {
    let mut options = Options::parse();
    options.shared.noise.get_or_insert(0.1);
    exit(run(&options))
}

fn run(options: &Options) -> Result<()> {
    let setting = options.system.setting(&options.shared)?.with_training(options.trajectories)?;
    let stopping = EarlyStopping { patience: options.patience, ..EarlyStopping::default() };
    let none =
        |key: &str, label: &str| Variant { weight_decay: Some(0.0), ..Variant::hnn(key, label) };
    let variants = [
        none("none", "none"),
        Variant { dropout: options.dropout, ..none("dropout", "dropout") },
        Variant { weight_decay: Some(options.l2), ..none("l2", "L2") },
        Variant { stopping: Some(stopping), ..none("early_stopping", "early stopping") },
    ];
    let trained = options.shared.run("regularization", options, &setting, &variants)?;
    let Some((report, output)) = trained else { return Ok(()) };
    report.draw_losses(&output)?;
    report.draw(&output)
}
