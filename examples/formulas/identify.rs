//! From a log file to a model: fits what applies, judges it on rows held out, writes a page.
//!
//! `cargo run --release --example identify -- FILE --time t --angle theta --input tau`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use chacha20::ChaCha8Rng;
use clap::Parser;
use hnn_data::{Column, ColumnKey, Recording};
use hnn_examples::{Output, Row, exit};
use hnn_identify::{Feature, Identify, Law};
use hnn_integrators::{Adaptive, Between, DORMAND_PRINCE5, Driven, Signal, Signals, Tolerances};
use ndarray::{Array2, array};
use rand::SeedableRng;
use rand_distr::{Distribution, StandardNormal};
use serde::Serialize;

/// Errors of the libraries and of the examples alike.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// Identifies a mechanical system from a log file. Without one, from a simulated log of a motor-driven
/// pendulum with dry friction.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// The log: CSV and its relatives, numbers between blanks, or .npz. Columns are named as in its header,
    /// or by their numbers, counted from 0.
    file: Option<PathBuf>,
    /// The column of the time.
    #[arg(long, value_name = "COLUMN")]
    time: Option<String>,
    /// What the time is multiplied by, as 0.001 for milliseconds.
    #[arg(long, value_name = "FACTOR", default_value_t = 1.0, requires = "time")]
    time_factor: f64,
    /// The time between rows, where there is no column.
    #[arg(long, value_name = "SECONDS", conflicts_with = "time")]
    interval: Option<f64>,
    /// The column of the trial.
    #[arg(long, value_name = "COLUMN")]
    trial: Option<String>,
    /// A position; may be given several times, as all below.
    #[arg(long, value_name = "COLUMN")]
    position: Vec<String>,
    /// A position that is an angle.
    #[arg(long, value_name = "COLUMN")]
    angle: Vec<String>,
    /// Angles and angular velocities are in degrees.
    #[arg(long)]
    degrees: bool,
    /// The velocity of a position, in the order of the positions.
    #[arg(long, value_name = "COLUMN")]
    velocity: Vec<String>,
    /// The momentum of a position.
    #[arg(long, value_name = "COLUMN")]
    momentum: Vec<String>,
    /// An input, such as a torque.
    #[arg(long, value_name = "COLUMN")]
    input: Vec<String>,
    /// What stands for a missing number, besides nothing, NaN, NA, null and the like.
    #[arg(long, value_name = "WORD", allow_hyphen_values = true)]
    missing: Vec<String>,
    /// Inputs are held from row to row, as by a digital controller. [default: linear in between]
    #[arg(long)]
    held: bool,
    /// The time by which inputs act later than they are logged.
    #[arg(long, value_name = "TIME", default_value_t = 0.0)]
    delay: f64,
    /// Laws and formulas alone.
    #[arg(long)]
    without_networks: bool,
    /// Seed of the networks, and of the simulated log's noise.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Output folder [default: target/examples/identify].
    #[arg(long)]
    out: Option<PathBuf>,
    /// A short run that shows that everything works: no networks.
    #[arg(long)]
    quick: bool,
}

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let begin = Instant::now();
    let output = Output::new("identify", options.out.as_deref())?;
    let file = match &options.file {
        Some(file) => file.clone(),
        None => {
            let file = output.path("simulated_log.csv");
            simulate(&file, options.seed)?;
            println!("no file is given: a simulated log is in {}", file.display());
            options.time = Some("t".into());
            options.angle = vec!["theta".into()];
            options.input = vec!["tau".into()];
            file
        }
    };
    let recording = read(&file, &options)?;
    println!("{}", recording.report());
    let between = if options.held { Between::Held } else { Between::Linear };
    let mut identify = Identify::default()
        .with_inputs_between(between)
        .with_input_delay(options.delay)
        .with_seed(options.seed);
    if options.without_networks || options.quick {
        identify = identify.without_networks();
    }
    let found = identify.run(&recording)?;
    println!("{found}");
    println!("page: {}", found.write(output.folder())?.display());
    let mut rows = Vec::new();
    for candidate in found.candidates.iter().filter(|c| c.score.mean().is_finite()) {
        let name = candidate.name.replace(", ", "_").replace(' ', "_");
        rows.push(Row::of(&name, "prediction", &candidate.score.windows)?);
    }
    output.results(&options, begin.elapsed().as_secs_f64(), &rows)?;
    Ok(())
}

fn read(file: &Path, options: &Options) -> Result<Recording> {
    // A name, or a number counted from 0.
    let key = |given: &String| match given.parse::<usize>() {
        Ok(number) => ColumnKey::from(number),
        Err(_) => ColumnKey::from(given.as_str()),
    };
    let column = |given: &String| Column::new(key(given));
    let turned = |given: &String| match options.degrees {
        true => column(given).degrees(),
        false => column(given),
    };
    let missing = Vec::from_iter(options.missing.iter().map(String::as_str));
    let mut reader = Recording::read(file).with_missing(&missing);
    let clock = |given: &String| column(given).scaled(options.time_factor);
    reader = options.time.iter().fold(reader, |reader, given| reader.time(clock(given)));
    reader = options.interval.iter().fold(reader, |reader, dt| reader.with_interval(*dt));
    reader = options.trial.iter().fold(reader, |reader, given| reader.trial(key(given)));
    reader = options.position.iter().fold(reader, |reader, given| reader.position(column(given)));
    reader = options.angle.iter().fold(reader, |reader, given| reader.angle(turned(given)));
    reader = options.velocity.iter().fold(reader, |reader, given| reader.velocity(turned(given)));
    reader = options.momentum.iter().fold(reader, |reader, given| reader.momentum(column(given)));
    reader = options.input.iter().fold(reader, |reader, given| reader.input(column(given)));
    Ok(reader.load()?)
}

/// `0.15 theta'' = tau - 2.5 sin theta - 0.02 theta' - 0.2 sign theta'`, at 100 Hz, with noise of 2 mrad.
fn simulate(file: &Path, seed: u64) -> Result<()> {
    let (inertia, width) = (0.15, 0.02);
    let features = [
        Feature::Sin(0),
        Feature::Velocity(0),
        Feature::Coulomb { of: 0, width },
        Feature::Input(0),
    ];
    let constants = [-2.5, -0.02, -0.2, 1.0].map(|c: f64| c / inertia);
    let law = Law::new(1, 1, &features, &constants)?;
    let times = Vec::from_iter((0..1500).map(|k| 0.01 * f64::from(k)));
    let torque = |t: f64| 1.2 * (2.1 * t).sin() + 0.8 * (5.3 * t).cos() + 0.5 * (0.7 * t).sin();
    let torques = Array2::from_shape_fn((times.len(), 1), |(row, _)| torque(times[row]));
    let signals = [Signal::linear(&times, torques.view())];
    let driven = Driven::new(&law, Signals::Sampled(&signals));
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-9));
    let run = solver.solve_batch(&driven, array![[0.6, 0.0]].view(), &times)?;
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let mut log = String::from("t [s],theta [rad],tau [N m]\n");
    for (row, t) in times.iter().enumerate() {
        let noise: f64 = StandardNormal.sample(&mut rng);
        let angle = run.states[[0, row, 0]] + 0.002 * noise;
        log += &format!("{t:.2},{angle:.5},{:.5}\n", torque(*t));
    }
    fs::write(file, log)?;
    Ok(())
}
