//! Table of D-HNN (Sosanya and Greydanus 2022): a damped spring, `dq/dt = 2p - 2q`, `dp/dt = -2q`.
//!
//! In this library's form the motion is `H = (p - q)^2` with the friction `-R p`, `R = 2`, not
//! `q^2 + p^2` with friction.
//!
//! `cargo run --release --example damped_spring`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use chacha20::ChaCha8Rng;
use clap::Parser;
use hnn_data::DataSet;
use hnn_examples::{Judge, Kind, Output, Recipe, exit};
use hnn_integrators::{FnField, VectorField};
use hnn_losses::metrics::coordinate_mse;
use hnn_plots::phase_portrait;
use hnn_published_examples::{Figure, PublishedOptions, Result, Scores, losses, timed, train};
use hnn_sparse::{Ansatz, Expression, Friction, Library, Samples, Selection, SparseHamiltonian};
use ndarray::{Array1, Array2, array};
use rand::SeedableRng;
use rand::seq::SliceRandom;
use serde::Serialize;

/// D-HNN's damped spring: networks, and the formula.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
}

const METRICS: [&str; 2] = ["test_loss", "trajectory_mse"];
/// Points a side of the grid on [-1.2, 1.2]^2.
const SIDE: usize = 25;
/// Those to train on.
const TRAINING: usize = 531;

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let published = [
        Figure::row("D-HNN", METRICS, [5.75e-5, 3.56e-6]),
        Figure::row("HNN", METRICS, [0.626, 0.290]),
        Figure::row("MLP", METRICS, [9.86e-5, 6.04e-6]),
    ];
    let published = Vec::from_iter(published.into_iter().flatten());
    options.shared.run("damped_spring", options, &published, |seed, output| {
        trial(&options.shared, seed, output)
    })
}

fn truth() -> impl VectorField<f64> {
    FnField::new(2, |_t: f64, x: &[f64], dx: &mut [f64]| {
        (dx[0], dx[1]) = (2.0 * x[1] - 2.0 * x[0], -2.0 * x[0]);
    })
}

/// All points of the grid in random order: those to train on, the others.
fn data(seed: u64) -> Result<[DataSet<f64>; 2]> {
    let mut order = Vec::from_iter(0..SIDE * SIDE);
    order.shuffle(&mut ChaCha8Rng::seed_from_u64(seed));
    let at = |k: usize| -1.2 + 2.4 * k as f64 / (SIDE - 1) as f64;
    let states = Array2::from_shape_fn((SIDE * SIDE, 2), |(row, i)| {
        at([order[row] / SIDE, order[row] % SIDE][i])
    });
    Ok(DataSet::from_states(&truth(), 0.0, states)?.split_at(TRAINING)?.into())
}

/// The networks' recipe. The paper leaves open: the widths, 5000 full batches, the rate.
fn recipe(options: &PublishedOptions) -> Recipe {
    let recipe = match options.protocol {
        true => Recipe { steps: 5000, weight_decay: 0.0, ..Recipe::protocol() },
        false => Recipe { hidden: vec![16, 16], ..Recipe::least_squares() },
    };
    if options.quick { recipe.quick(20) } else { recipe }
}

fn trial(options: &PublishedOptions, seed: u64, output: &Output) -> Result<Vec<Scores>> {
    let [training, test] = data(seed)?;
    let times = Array1::linspace(0.0, 4.0, 101).to_vec();
    let judge = Judge::new(&truth(), array![[0.85, 0.25]], times, 1e-12)?;
    let mut motions = vec![judge.motion("truth", &truth())?.truth()];
    let score = |field: &dyn VectorField<f64>, model, label: &str, seconds| -> Result<Scores> {
        let states = judge.roll_out(field)?.states;
        let trajectory = coordinate_mse(states.view(), judge.truth.states.view())?.mean;
        let mut metrics = losses(field, [&training, &test])?.to_vec();
        metrics.push(("trajectory_mse", trajectory));
        Ok(Scores { model, label: label.to_owned(), metrics, seconds })
    };
    let mut all = vec![];
    let recipe = recipe(options);
    let friction = if options.protocol { Kind::HnnFriction } else { Kind::HnnDissipative };
    for (kind, model, label) in [
        (friction, "hnn", "HNN with friction"),
        (Kind::Hnn, "hnn_without_friction", "HNN without friction"),
        (Kind::Baseline, "baseline", "network of the field"),
    ] {
        let path = output.path(&format!("{model}_{seed}.safetensors"));
        let (field, seconds) = train(kind, &recipe, seed, &training, &path)?;
        all.push(score(&*field, model, label, seconds)?);
        motions.push(judge.motion(label, &*field)?);
    }
    if !options.protocol {
        let (formula, seconds) = timed(|| formula(&training))?;
        println!("{formula}");
        all.push(score(&formula, "formula", "formula", seconds)?);
    }
    if seed == options.first_seed {
        let panel = phase_portrait(&truth(), &motions)?.with_title("damped spring");
        output.figure("phase_space", &hnn_plots::Figure::new(panel))?;
    }
    Ok(all)
}

/// Monomials up to degree 3 in the energy, and up to degree 2 in the friction.
fn formula(train: &DataSet<f64>) -> Result<SparseHamiltonian> {
    let factor = Library::monomials(1, 1..=2)?
        .union(&Library::from_features(1, [Expression::constant(1.0)])?)?;
    let ansatz =
        Ansatz::new(&Library::monomials(1, 1..=3)?)?.with_friction(&factor, Friction::Shared)?;
    let equations = Samples::try_from(train)?.equations(&ansatz)?;
    Ok(Selection::default().run(&equations)?.into_model())
}
