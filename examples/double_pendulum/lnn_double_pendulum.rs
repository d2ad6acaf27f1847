//! The double pendulum in Lagrangian coordinates: a baseline network, a Lagrangian network whose
//! Lagrangian is any function of (q, v), and one with a mass matrix and a potential energy.
//!
//! `cargo run --release --example lnn_double_pendulum`
#![allow(clippy::print_stdout)]

use std::path::Path;
use std::process::ExitCode;
use std::time::Instant;

use clap::{Parser, ValueEnum};
use hnn_data::DataSet;
use hnn_double_pendulum_examples::{Contender, Kind, RunOptions, Show, Training, Verdict};
use hnn_examples::{
    Config, Judge, Model, Optimiser, Output, Recipe, Result, Trial, exit, tabulate,
};
use hnn_losses::ErrorMeasure;
use hnn_models::Activation;
use hnn_plots::{Figure, squared_error};
use hnn_systems::{EnergyShell, LagrangianDoublePendulum, Sampling, Starts};
use hnn_train::Observer;
use ndarray::{Array1, Array2, s};
use serde::Serialize;

/// The double pendulum, learned from its accelerations.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    run: RunOptions,
    /// What the models learn from, and are judged by.
    #[arg(long, value_enum, default_value_t = Task::Turns)]
    task: Task,
    /// Number of training states of task `turns` [default: 6000, with Adam 20 000].
    #[arg(long)]
    states: Option<usize>,
    /// The models to train; all by default.
    #[arg(long, value_delimiter = ',', value_parser = Kind::LAGRANGIAN.map(Kind::key))]
    models: Vec<String>,
    /// Length of the rollouts, in s [default: 100, of task swings 50].
    #[arg(long)]
    duration: Option<f64>,
    /// Number of rollouts [default: 40, of task swings 10].
    #[arg(long)]
    starts: Option<usize>,
}

/// What the models learn from, and are judged by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "lowercase")]
enum Task {
    /// Motions that turn over: states of all angles and energies; rollouts from the starts of the
    /// published LNN (any angles, velocities in [0, 0.1]).
    Turns,
    /// The states of example `double_pendulum`: 100 trajectories from rest, angles within a right
    /// angle; rollouts from more such starts.
    Swings,
}

/// Half the range of the potential energy, in J: what the published errors are divided by.
const ENERGY_SCALE: f64 = 29.4;
/// Time between two states of a rollout, in s.
const INTERVAL: f64 = 0.05;

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let begin = Instant::now();
    options.run.prepare()?;
    let optimiser = options.run.recipe.optimiser(false);
    let mut recipe = options.run.recipe.change(match optimiser {
        Optimiser::LeastSquares => Recipe {
            steps: 150,
            hidden: vec![32, 32],
            activation: Activation::Swish,
            ..Recipe::least_squares()
        },
        Optimiser::Adam => Recipe {
            steps: 5000,
            hidden: vec![100, 100],
            rate: 1e-2,
            batch: 256,
            weight_decay: 0.0,
            activation: Activation::Swish,
            ..Recipe::clean()
        },
    })?;
    let mut states = options.states.unwrap_or(match optimiser {
        Optimiser::LeastSquares => 6000,
        Optimiser::Adam => 20_000,
    });
    let (duration, starts) = match options.task {
        Task::Turns => (100.0, 40),
        Task::Swings => (50.0, 10),
    };
    let mut duration = options.duration.unwrap_or(duration);
    let mut starts = options.starts.unwrap_or(starts);
    if options.run.quick {
        recipe = recipe.quick(30);
        states = states.min(2000);
        (duration, starts) = (duration.min(2.0), starts.min(3));
    }
    let output = Output::new("lnn_double_pendulum", options.run.out.as_deref())?;
    let system = LagrangianDoublePendulum::default();
    let asked =
        |kind: &Kind| options.models.is_empty() || options.models.iter().any(|m| m == kind.key());
    let kinds = Vec::from_iter(Kind::LAGRANGIAN.into_iter().filter(asked));
    let models = options.run.models(&kinds)?;
    let train = |model: &Model<'_, Kind>, path: &Path, observer: &mut dyn Observer| {
        let Model { kind, seed, .. } = *model;
        let (train, _) = options.task.data(&system, states, seed)?;
        let (plain, recipe, train, clip) = (false, &recipe, &train, Some(1.0));
        let measure = match optimiser {
            Optimiser::LeastSquares => ErrorMeasure::Squared,
            Optimiser::Adam => ErrorMeasure::Absolute,
        };
        Training { kind, plain, recipe, seed, train, measure, clip, path }.run(observer)
    };
    let config = Config { options: &options, recipe: &recipe };
    let folder = options.run.source.folder(&output, &config, &models, recipe.steps, train)?;
    let Some(folder) = folder else { return Ok(()) };

    let points = (duration / INTERVAL).round() as usize + 1;
    let times = Array1::linspace(0.0, duration, points).to_vec();
    let starts = options.task.starts(starts)?;
    let judge = Judge::new(&system, starts, times, options.run.tolerance)?;

    let (mut trials, mut first) = (vec![], vec![]);
    for model in &models {
        let (_, test) = options.task.data(&system, states, model.seed)?;
        let contender = Contender::load(model, &folder)?;
        let verdict = Verdict::new(&judge, &system, &contender)?;
        trials.push(assess(&contender, &verdict, &test)?);
        if model.seed == options.run.first_seed {
            first.push((contender, verdict));
        }
    }
    let columns = [
        "acceleration error²: median",
        "mean",
        "valid time (s)",
        "|E(T) - E(0)| / 29.4 J",
        "energy error r.m.s. (J)",
    ];
    let rows = tabulate(&trials, &columns)?;
    println!("Published (Cranmer et al. 2020), T = 100 s: LNN 0.0043, baseline 0.074.");
    draw(&system, &judge, &first, &output)?;
    output.results(&config, begin.elapsed().as_secs_f64(), &rows)?;
    Ok(())
}

impl Task {
    /// Starts of the rollouts.
    fn starts(self, count: usize) -> Result<Array2<f64>> {
        let turn = (-std::f64::consts::PI, std::f64::consts::PI);
        let law = match self {
            Self::Turns => Starts::Box(vec![turn, turn, (0.0, 0.1), (0.0, 0.1)]),
            Self::Swings => Sampling::double_pendulum().starts,
        };
        Ok(law.draw(count, 4, 1_000_000)?)
    }

    /// States and accelerations to train on, and to test with.
    fn data(
        self,
        system: &LagrangianDoublePendulum,
        count: usize,
        seed: u64,
    ) -> Result<(DataSet<f64>, DataSet<f64>)> {
        if self == Self::Swings {
            return Ok(Sampling::double_pendulum().sample(system, seed)?.split_at(100)?);
        }
        // From nearly hanging at rest to just above standing upright.
        let turn = (-std::f64::consts::PI, std::f64::consts::PI);
        let law = EnergyShell {
            positions: vec![turn; 2],
            energies: (-0.95 * ENERGY_SCALE, 1.1 * ENERGY_SCALE),
        };
        let states = |count, seed| -> Result<DataSet<f64>> {
            let states = law.draw(system, count, seed)?;
            Ok(DataSet::from_states(system, 0.0, states)?)
        };
        Ok((states(count, seed)?, states(2000, 1_000_000 + seed)?))
    }
}

/// The metrics of one contender: accelerations at the test states, and its rollouts.
fn assess(contender: &Contender, verdict: &Verdict, test: &DataSet<f64>) -> Result<Trial> {
    let predicted = contender.field.eval_rows(0.0, test.states())?;
    let errors = &predicted.slice(s![.., 2..]) - &test.derivatives().slice(s![.., 2..]);
    let mut squares: Vec<f64> = errors.iter().map(|e| e * e).collect();
    squares.sort_by(f64::total_cmp);
    let mean = squares.iter().sum::<f64>() / squares.len() as f64;
    let metrics = vec![
        ("acceleration_squared_error_median", squares[squares.len() / 2]),
        ("acceleration_squared_error_mean", mean),
        ("valid_prediction_time", verdict.valid_time()),
        ("energy_drift_relative", verdict.mean_drift() / ENERGY_SCALE),
        ("energy_rms", verdict.energy_rms()),
    ];
    Ok(Trial::new(contender.key, contender.label, metrics))
}

/// Figures of the first start: angles, energy, errors, and an animation.
fn draw(
    system: &LagrangianDoublePendulum,
    judge: &Judge,
    first: &[(Contender, Verdict)],
    output: &Output,
) -> Result<()> {
    let show = Show::new(judge, first, 20.0);
    show.figure(system, output, "trajectory")?;
    let motions = show.motions()?;
    if motions.len() > 1 {
        let panel = squared_error(&motions[0], &motions[1..])?;
        output.figure("errors", &Figure::new(panel).with_title("Double pendulum: errors"))?;
    }
    show.animation(output, "Double pendulum: truth and learned Lagrangians")
}
