//! The double pendulum: how fast neighbouring motions part, and how long a Hamiltonian network
//! and a baseline network follow the true one.
//!
//! `cargo run --release --example double_pendulum`
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_double_pendulum_examples::{Contender, Kind, RunOptions, Show, Training, Verdict};
use hnn_examples::{
    Config, Judge, Model, Optimiser, Output, Recipe, Result, Row, Trial, exit, roll_out, tabulate,
};
use hnn_losses::ErrorMeasure;
use hnn_plots::{Figure, Motion, Panel, Series, trajectories};
use hnn_systems::{DoublePendulum, Lyapunov, Sampling, distances, growth_rate};
use hnn_train::Observer;
use ndarray::{Array1, Array2, Axis};
use serde::Serialize;

/// The double pendulum in canonical coordinates.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    run: RunOptions,
    /// The reference protocol's own networks and training: angles as they are, a constant rate.
    #[arg(long)]
    protocol: bool,
}

/// Time between two states of a rollout, in s.
const INTERVAL: f64 = 0.05;
/// A chaotic start, from which Lyapunov exponents are measured.
const CHAOTIC: [f64; 4] = [2.0, 2.5, 0.0, 0.0];
/// Number of rollouts.
const STARTS: usize = 10;

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let begin = Instant::now();
    options.run.prepare()?;
    let mut recipe =
        options.run.recipe.change(match options.run.recipe.optimiser(options.protocol) {
            Optimiser::LeastSquares => {
                Recipe { steps: 110, hidden: vec![40, 40], ..Recipe::least_squares() }
            }
            Optimiser::Adam => Recipe {
                hidden: vec![200, 200],
                rate: if options.protocol { 1e-3 } else { 1e-2 },
                constant_rate: options.protocol,
                batch: 512,
                weight_decay: 0.0,
                ..Recipe::clean()
            },
        })?;
    let (mut duration, mut intervals) = (50.0, 200);
    if options.run.quick {
        (duration, intervals) = (5.0, 20);
        recipe = recipe.quick(100);
    }
    let output = Output::new("double_pendulum", options.run.out.as_deref())?;
    let system = DoublePendulum::default();
    let models = options.run.models(&Kind::CANONICAL)?;
    let train = |model: &Model<'_, Kind>, path: &Path, observer: &mut dyn Observer| {
        let Model { kind, seed, .. } = *model;
        let (train, _) = Sampling::double_pendulum().sample(&system, seed)?.split_at(100)?;
        let (plain, recipe, train) = (options.protocol, &recipe, &train);
        let (measure, clip) = (ErrorMeasure::Squared, None);
        Training { kind, plain, recipe, seed, train, measure, clip, path }.run(observer)
    };
    let config = Config { options: &options, recipe: &recipe };
    let folder = options.run.source.folder(&output, &config, &models, recipe.steps, train)?;
    let Some(folder) = folder else { return Ok(()) };

    let mut rows = chaos(&system, intervals, &output)?;
    let starts = Sampling::double_pendulum().starts.draw(STARTS, 4, 1_000_000)?;
    let points = (duration / INTERVAL).round() as usize + 1;
    let times = Array1::linspace(0.0, duration, points).to_vec();
    let judge = Judge::new(&system, starts, times, options.run.tolerance)?;
    let (mut trials, mut first) = (vec![], vec![]);
    for model in &models {
        let contender = Contender::load(model, &folder)?;
        let verdict = Verdict::new(&judge, &system, &contender)?;
        trials.push(assess(&contender, &verdict));
        if model.seed == options.run.first_seed {
            first.push((contender, verdict));
        }
    }
    for (contender, _) in &first {
        // A baseline's motion may leave all bounds.
        match lyapunov(intervals).exponent(&*contender.field, &CHAOTIC) {
            Ok(found) => {
                let (exponent, error) = (found.exponent, found.std_error);
                println!(
                    "{}: largest Lyapunov exponent {exponent:.2} ± {error:.2} 1/s",
                    contender.label
                );
                rows.push(Row::of(contender.key, "lyapunov_exponent", &[exponent])?);
            }
            Err(error) => println!("{}: no Lyapunov exponent: {error}", contender.label),
        }
    }
    let columns = ["valid time (s)", "energy error r.m.s. (J)"];
    rows.extend(tabulate(&trials, &columns)?);
    println!(
        "PyTorch, the reference protocol: valid time 4.6 and 11.3, energy error 1.8 and 0.039."
    );
    Show::new(&judge, &first, 5.0).figure(&system, &output, "rollout_short")?;
    let long = Show::new(&judge, &first, duration);
    long.figure(&system, &output, "rollout_long")?;
    long.animation(&output, "Double pendulum: truth and learned")?;
    output.results(&config, begin.elapsed().as_secs_f64(), &rows)?;
    Ok(())
}

/// How the exponents of the truth and of models are measured.
fn lyapunov(intervals: usize) -> Lyapunov {
    Lyapunov { intervals, ..Lyapunov::default() }
}

/// Two motions that start 1e-6 apart, and the exponent at which such motions part on the mean.
fn chaos(system: &DoublePendulum, intervals: usize, output: &Output) -> Result<Vec<Row>> {
    let mut starts = Array2::from_shape_fn((2, 4), |(_, i)| CHAOTIC[i]);
    starts[[1, 0]] += 1e-6;
    let times = Array1::linspace(0.0, 30.0, 601).to_vec();
    let pair = roll_out(system, starts.view(), &times, 1e-12)?;
    let of = |index: usize| pair.states.index_axis(Axis(0), index);
    let distance = distances(of(0), of(1))?;
    let rate = growth_rate(&times, &distance, 0.1)?;
    let exponent = lyapunov(intervals).exponent(system, &CHAOTIC)?;
    println!(
        "two starts 1e-6 apart: distance grows like e^({rate:.2} t); largest Lyapunov exponent {:.2} ± {:.2} 1/s",
        exponent.exponent, exponent.std_error
    );
    // Up to a distance of the size of the motion.
    let expected = times.iter().map(|t| (*t, 1e-6 * (exponent.exponent * t).exp()));
    let (until, expected): (Vec<f64>, Vec<f64>) = expected.take_while(|(_, d)| *d < 10.0).unzip();
    let panel = Panel::new("Two starts 1e-6 apart")
        .with_x_label("time t (s)")
        .with_y_label("distance of the states")
        .with_log_y()
        .series(Series::new("measured", times.iter().copied(), distance.iter().copied())?)
        .series(Series::new("1e-6 exp(Lyapunov exponent × t)", until, expected)?);
    let motions = [("one start", 0), ("1e-6 away", 1)]
        .into_iter()
        .map(|(label, index)| Motion::new(label, &times, of(index)))
        .collect::<Result<Vec<_>, _>>()?;
    let mut panels = vec![panel];
    panels.extend(trajectories(&motions, &["angle q1 (rad)"])?);
    output.figure("chaos", &Figure::grid(1, panels)?.with_title("Double pendulum: chaos"))?;
    Ok(vec![
        Row::of("truth", "growth_rate", &[rate])?,
        Row::of("truth", "lyapunov_exponent", &[exponent.exponent])?,
    ])
}

fn assess(contender: &Contender, verdict: &Verdict) -> Trial {
    let metrics =
        vec![("valid_prediction_time", verdict.valid_time()), ("energy_rms", verdict.energy_rms())];
    Trial::new(contender.key, contender.label, metrics)
}
