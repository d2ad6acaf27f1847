//! Table of the HNN paper's repository (Greydanus, Dzamba and Yosinski 2019): three bodies.
//!
//! `cargo run --release --example three_bodies`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use clap::Parser;
use hnn_examples::{Recipe, exit};
use hnn_published_examples::{Bodies, Figure, PublishedOptions, Result};
use hnn_systems::Sampling;
use serde::Serialize;

/// The HNN paper's three bodies: a network that all pairs share, and the formula.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
    /// Train networks of the whole state by least squares as well, a few minutes a seed.
    #[arg(long)]
    networks: bool,
}

const METRICS: [&str; 3] = ["train_loss", "test_loss", "energy_mse"];

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let published = [
        Figure::row("baseline", METRICS, [9.56e-2, 0.380, 109.0]),
        Figure::row("HNN", METRICS, [8.03e-2, 0.488, 4.19e-2]),
    ];
    let published = Vec::from_iter(published.into_iter().flatten());
    let recipe = Recipe { steps: 60, hidden: vec![30, 30], ..Recipe::least_squares() };
    let names = if options.shared.protocol { ["hnn", "pairs"] } else { ["network", "hnn"] };
    let bodies = Bodies::<3> {
        sampling: Sampling::three_bodies(),
        training: 4000,
        recipe: options.networks.then_some(recipe),
        pairs: Recipe { steps: 80, hidden: vec![12, 12], ..Recipe::least_squares() },
        points: 2000,
        names,
    };
    options.shared.run("three_bodies", options, &published, |seed, output| {
        bodies.trial(&options.shared, seed, output)
    })
}
