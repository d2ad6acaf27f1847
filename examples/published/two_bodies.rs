//! Table of the HNN paper's repository (Greydanus, Dzamba and Yosinski 2019): two bodies.
//!
//! `cargo run --release --example two_bodies`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::{Recipe, exit};
use hnn_published_examples::{Bodies, Figure, PublishedOptions, Result};
use hnn_systems::Sampling;
use serde::Serialize;

/// The HNN paper's two bodies: networks of the whole state and of the pair, and the formula.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
}

const METRICS: [&str; 3] = ["train_loss", "test_loss", "energy_mse"];

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let published = [
        Figure::row("baseline", METRICS, [3.27e-5, 2.96e-5, 6.33e-2]),
        Figure::row("HNN", METRICS, [3.00e-6, 2.82e-6, 3.88e-5]),
    ];
    let published = Vec::from_iter(published.into_iter().flatten());
    let bodies = Bodies::<2> {
        sampling: Sampling::two_bodies(),
        training: 800,
        recipe: Some(Recipe { steps: 60, hidden: vec![30, 30], ..Recipe::least_squares() }),
        pairs: Recipe { steps: 80, hidden: vec![12, 12], ..Recipe::least_squares() },
        points: 2000,
        names: ["hnn", "pairs"],
    };
    options.shared.run("two_bodies", options, &published, |seed, output| {
        bodies.trial(&options.shared, seed, output)
    })
}
