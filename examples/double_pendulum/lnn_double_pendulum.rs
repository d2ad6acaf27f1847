//! The double pendulum in Lagrangian coordinates: a baseline network, a Lagrangian network whose
//! Lagrangian is any function of (q, v), and one with a mass matrix and a potential energy.
//!
//! `cargo run --release --example lnn_double_pendulum`
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_double_pendulum_examples::{Contender, Judge, Training, Verdict, write_animation};
use hnn_examples::{
    Bars, Output, Recipe, RecipeOptions, Result, Row, Table, check_seeds, exit, scientific,
    use_threads,
};
use hnn_integrators::VectorFieldExt;
use hnn_models::{Activation, Angles, Baseline, Initialisation, Lnn, MechanicalLagrangian, Mlp};
use hnn_plots::{Figure, Motion, energy, squared_error, trajectories};
use hnn_systems::{DataSet, DoublePendulum, HamiltonianExt, Sampling, Starts};
use ndarray::{Array1, s};
use serde::Serialize;

/// The double pendulum, learned from its accelerations.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// Number of seeds (data, initial weights).
    #[arg(long, default_value_t = 1)]
    seeds: u64,
    #[command(flatten)]
    #[serde(skip)]
    recipe: RecipeOptions,
    /// Tolerance of the adaptive solver that rolls the models out.
    #[arg(long, default_value_t = 1e-9)]
    tolerance: f64,
    /// Length of the rollouts.
    #[arg(long, default_value_t = 100.0)]
    duration: f64,
    /// Number of rollouts.
    #[arg(long, default_value_t = 40)]
    starts: usize,
    /// Output folder [default: target/examples/lnn_double_pendulum].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Load the models from this folder instead of training them.
    #[arg(long)]
    load: Option<PathBuf>,
    /// Number of threads [default: all cores].
    #[arg(long)]
    threads: Option<usize>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    quick: bool,
}

/// What `results.json` holds of the run.
#[derive(Serialize)]
struct Config<'a> {
    #[serde(flatten)]
    options: &'a Options,
    recipe: &'a Recipe,
}

/// A contender's errors with one seed.
struct Trial {
    key: &'static str,
    label: &'static str,
    metrics: Vec<(&'static str, f64)>,
}

/// The energy that errors are measured in: from hanging at rest to the outer rod's top.
const ENERGY_SCALE: f64 = 29.4;
/// Time between two states of a rollout.
const INTERVAL: f64 = 0.05;

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let begin = Instant::now();
    use_threads(options.threads)?;
    check_seeds(options.seeds)?;
    let mut recipe = options.recipe.change(Recipe {
        steps: 6000,
        hidden: vec![100, 100],
        rate: 3e-3,
        constant_rate: false,
        batch: 256,
        weight_decay: 0.0,
        activation: Activation::Softplus,
        ..Recipe::clean()
    });
    if options.quick {
        recipe.steps = recipe.steps.min(100);
        (options.duration, options.starts) = (options.duration.min(2.0), options.starts.min(3));
        options.tolerance = options.tolerance.max(1e-6);
    }
    let output = Output::new("lnn_double_pendulum", options.out.as_deref())?;
    let system = DoublePendulum::default().lagrangian();
    // The starts of the published result: any angles, hardly any velocity.
    let turn = (0.0, std::f64::consts::TAU);
    let starts = Starts::Box(vec![turn, turn, (0.0, 0.1), (0.0, 0.1)]);
    let starts = starts.draw(options.starts, 4, 1_000_000)?;
    let points = (options.duration / INTERVAL).round() as usize + 1;
    let times = Array1::linspace(0.0, options.duration, points).to_vec();
    let judge = Judge::new(&system, starts, times, options.tolerance)?;

    let bars = Bars::new(options.seeds as usize * 3 * recipe.steps);
    let mut trials = Vec::new();
    let mut first = Vec::new();
    for seed in 0..options.seeds {
        // States over the whole range of the starts' energies.
        let sampling = Sampling {
            starts: Starts::Box(vec![turn, turn, (-1.0, 1.0), (-1.0, 1.0)]),
            ..Sampling::double_pendulum()
        };
        let (train, test) = sampling.sample(&system, seed)?.split_at(100)?;
        let train = train.cast()?;
        let training = Training {
            recipe: &recipe,
            train: &train,
            seed,
            output: &output,
            load: options.load.as_deref(),
            clip: Some(1.0),
            bars: &bars,
        };
        for contender in contenders(&training)? {
            let verdict = judge.judge(&contender)?;
            trials.push(assess(&contender, &verdict, &test)?);
            if seed == 0 {
                first.push((contender, verdict));
            }
        }
    }
    bars.finish();
    let table = tabulate(&trials)?;
    draw(&judge, &first, &output)?;
    let config = Config { options: &options, recipe: &recipe };
    output.results(&config, begin.elapsed().as_secs_f64(), &table)?;
    Ok(())
}

/// Trains (or loads) the three models.
fn contenders(training: &Training<'_>) -> Result<Vec<Contender>> {
    let network = |inputs: usize, outputs: usize, role: u64| -> Result<Mlp<f32>> {
        let architecture = training.recipe.architecture(inputs, outputs)?;
        Ok(Mlp::new(architecture, Initialisation::Orthogonal, 1000 * role + training.seed))
    };
    // All networks see the angles' cosines and sines.
    let angles = [true, true, false, false];
    let baseline = Baseline::new(Angles::of_map(network(6, 4, 0)?, &angles)?)?;
    let free = Lnn::new(Angles::of_lagrangian(network(6, 1, 1)?, &angles)?)?;
    let mechanical = MechanicalLagrangian::new(network(4, 3, 2)?, network(4, 1, 3)?)?;
    let mechanical = Lnn::new(Angles::of_lagrangian(mechanical, &angles)?)?;
    type Mechanical = MechanicalLagrangian<Mlp<f64>, Mlp<f64>>;
    Ok(vec![
        training.learn::<_, Baseline<Angles<Mlp<f64>>>>("baseline", "baseline", baseline)?,
        training.learn::<_, Lnn<Angles<Mlp<f64>>>>("lnn", "LNN, any L(q, v)", free)?,
        training.learn::<_, Lnn<Angles<Mechanical>>>("lnn_mechanical", "LNN, T - V", mechanical)?,
    ])
}

/// The metrics of one contender: accelerations at the test states, and its rollouts.
fn assess(contender: &Contender, verdict: &Verdict, test: &DataSet<f64>) -> Result<Trial> {
    let predicted = contender.field.eval_rows(0.0, test.states())?;
    let errors = &predicted.slice(s![.., 2..]) - &test.derivatives().slice(s![.., 2..]);
    let mut squares: Vec<f64> = errors.iter().map(|e| e * e).collect();
    squares.sort_by(f64::total_cmp);
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let metrics = vec![
        ("acceleration_squared_error_median", squares[squares.len() / 2]),
        ("acceleration_squared_error_mean", mean(&squares)),
        ("valid_prediction_time", mean(&verdict.valid_times)),
        ("energy_drift_relative", mean(&verdict.energy_drift) / ENERGY_SCALE),
        ("energy_rms", mean(&verdict.energy_rms)),
    ];
    Ok(Trial { key: contender.key, label: contender.label, metrics })
}

fn tabulate(trials: &[Trial]) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    let mut table = Table::new(&[
        "model",
        "acceleration error²: median",
        "mean",
        "valid time",
        "|E(T) - E(0)| / 29.4",
        "energy error r.m.s.",
    ]);
    let mut keys: Vec<_> = trials.iter().map(|t| (t.key, t.label)).collect();
    keys.dedup();
    keys.truncate(3);
    for (key, label) in keys {
        let of_key: Vec<_> = trials.iter().filter(|t| t.key == key).collect();
        let mut cells = vec![label.to_owned()];
        for (index, (metric, _)) in of_key[0].metrics.iter().enumerate() {
            let values: Vec<f64> = of_key.iter().map(|t| t.metrics[index].1).collect();
            let row = Row::of(key, metric, &values)?;
            cells.push(scientific(row.mean));
            rows.push(row);
        }
        table.row(cells);
    }
    println!("\n{table}");
    println!("Published (Cranmer et al. 2020), T = 100: LNN 0.0043, baseline 0.074.");
    Ok(rows)
}

/// Figures of the first start: angles, errors, energy, and an animation.
fn draw(judge: &Judge<'_>, first: &[(Contender, Verdict)], output: &Output) -> Result<()> {
    let shown = judge.times().len().min((20.0 / INTERVAL) as usize + 1);
    let times = &judge.times()[..shown];
    let of = |states: &ndarray::Array3<f64>| states.slice(s![0, ..shown, ..]).to_owned();
    let truth_states = of(&judge.truth().states);
    let truth = Motion::new("truth", times, truth_states.view())?.truth();
    let mut motions = vec![truth.clone()];
    let mut shows = vec![("truth", truth_states.clone())];
    for (contender, verdict) in first {
        let states = of(&verdict.rollouts.states);
        if states.iter().all(|x| x.is_finite()) {
            motions.push(Motion::new(contender.label, times, states.view())?);
            shows.push((contender.label, states));
        }
    }
    let panels = trajectories(&motions[..], &["angle q1 (rad)", "angle q2 (rad)"])?;
    let figure = Figure::grid(1, panels)?.title("Double pendulum: true and predicted angles");
    output.figure("trajectory", &figure)?;
    let system = DoublePendulum::default().lagrangian();
    let level = |x: &[f64]| system.energy_state(x).unwrap_or(f64::NAN);
    let panels = vec![squared_error(&truth, &motions[1..])?, energy(&motions, level)?];
    output.figure("errors", &Figure::grid(1, panels)?.title("Double pendulum: errors"))?;
    let shows: Vec<_> = shows.iter().map(|(label, states)| (*label, states.view())).collect();
    let page = output.path("animation.html");
    write_animation(&page, "Double pendulum: truth and learned Lagrangians", &shows, INTERVAL)
}
