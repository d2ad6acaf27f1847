//! A real pendulum: the same models learn measured data, beside a pendulum of two parameters
//! fitted by least squares; and what forward differences do to all of them.
//!
//! `cargo run --release --example real_pendulum -- --data real_pend_h_1.txt`
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_data::{DataSet, DerivativeScheme, Recording};
use hnn_examples::{
    Config, Drawn, ExampleError, Kind, Learned, LossKind, Model, Objective, Optimiser, Output,
    Recipe, RecipeOptions, Result, Rollouts, Row, Source, Summary, Table, Training, Trial, band,
    exit, roll_out, scientific, seed_range, use_threads,
};
use hnn_integrators::{DifferentiableField, DualField, Lane, Parameters, RK4};
use hnn_losses::{DerivativeLoss, Loss, TrajectoryLoss, Window};
use hnn_plots::{Color, Figure, Motion, energy, phase_portrait, squared_error, trajectories};
use hnn_systems::{Hamiltonian, Pendulum};
use hnn_train::{LeastSquares, Observer, Scaling};
use ndarray::{Array1, Array2, Axis, s};
use rayon::prelude::*;
use serde::Serialize;

/// A real pendulum, learned from measured angles and angular velocities.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// The measured data: rows of trial, time, angle, angular velocity between blanks.
    #[arg(long)]
    data: Option<PathBuf>,
    /// Number of seeds (initial weights).
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// The first seed; recipes are chosen on other seeds than those reported.
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// The part of the rows that the models are trained on; they are tested on the rest.
    #[arg(long, default_value_t = 0.8)]
    train: f64,
    #[command(flatten)]
    objective: Objective,
    #[command(flatten)]
    #[serde(skip)]
    recipe: RecipeOptions,
    /// Output folder [default: target/examples/real_pendulum].
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    source: Source,
    /// Number of threads [default: all cores].
    #[arg(long)]
    threads: Option<usize>,
    /// A short run that shows that everything works; without --data, on a simulated pendulum.
    #[arg(long)]
    quick: bool,
}

const HELP: &str = "give a text file of measured rows, four numbers a row between blanks: trial, \
    time in seconds, angle in radians, angular velocity; lines that begin with % are skipped. \
    Such a file is real_pend_h_1.txt in the supplement of Schmidt and Lipson, \"Distilling \
    Free-Form Natural Laws from Experimental Data\", Science 324 (2009), and in the code of \
    Greydanus et al., \"Hamiltonian Neural Networks\" (2019)";

/// The measured test rows, and the energy they are scored with.
struct Test {
    rollout: Rollouts,
    times: Vec<f64>,
    score: Pendulum,
}

/// A model, and the data that it learns from.
type Learner<'a> = (Kind, &'a DataSet<f64>);

/// The rollout of one model, and its errors.
struct Outcome {
    trial: Trial,
    rollout: Rollouts,
    band: Option<[Array2<f64>; 2]>,
}

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let begin = Instant::now();
    use_threads(options.threads)?;
    let mut recipe = options.recipe.change(match options.recipe.optimiser(false) {
        Optimiser::LeastSquares => Recipe::noisy_pendulum(),
        Optimiser::Adam => measured(),
    })?;
    options.objective.loss.get_or_insert(match recipe.optimiser {
        Optimiser::LeastSquares => LossKind::FittedTrajectory,
        Optimiser::Adam => LossKind::Derivative,
    });
    if options.quick {
        (options.seeds, recipe) = (options.seeds.min(2), recipe.quick(100));
    }
    let seeds = seed_range(options.first_seed, options.seeds)?;
    let output = Output::new("real_pendulum", options.out.as_deref())?;
    let ([midpoint, forward], test) = data(&options)?;

    // Every kind, and the dissipative one also with forward differences.
    let of = |kind: Kind| (kind, kind.key().to_owned(), kind.label().to_owned(), &midpoint);
    let mut kinds = Vec::from_iter(Kind::ALL.map(of));
    let (kind, key, label, _) = of(Kind::HnnDissipative);
    kinds.push((kind, format!("{key}_forward"), format!("{label}, forward differences"), &forward));
    let models = seeds.flat_map(|seed| {
        kinds.iter().map(move |(kind, key, label, data)| {
            let data: &DataSet<f64> = data;
            Model { kind: (*kind, data), seed, key, label }
        })
    });
    let models = Vec::from_iter(models);
    let (objective, start) = (options.objective, test.rollout.states.slice(s![0, 0, ..]).to_vec());
    let drawn = Some(Drawn { start: &start, times: &test.times });
    let train = |model: &Model<'_, Learner<'_>>, path: &Path, observer: &mut dyn Observer| {
        let Model { kind: (kind, train), seed, .. } = *model;
        let recipe = &recipe;
        Training { kind, recipe, objective, seed, train, path, drawn }.run(observer)
    };
    let config = Config { options: &options, recipe: &recipe };
    let folder = options.source.folder(&output, &config, &models, recipe.steps, train)?;
    let Some(folder) = folder else { return Ok(()) };

    let mut outcomes = fits(&midpoint, &forward, &test)?;
    let judged = models.par_iter().map(|model| test.judge_model(model, &folder));
    outcomes.extend(judged.collect::<Result<Vec<_>>>()?);
    let table = tabulate(&outcomes)?;
    draw(&test, &outcomes, &output)?;
    output.results(&config, begin.elapsed().as_secs_f64(), &table)
}

/// What the models learn from, by midpoint and by forward differences, and what they are tested on.
fn data(options: &Options) -> Result<([DataSet<f64>; 2], Test)> {
    let recording = match &options.data {
        Some(path) => Recording::read(path).trial(0).time(1).angle(2).velocity(3).load()?,
        None if options.quick => simulated()?,
        None => return Err(ExampleError::Option { option: "--data", reason: HELP.to_owned() }),
    };
    if !(options.train > 0.0 && options.train < 1.0) {
        let reason = format!("{} is no part of the rows between 0 and 1", options.train);
        return Err(ExampleError::Option { option: "--train", reason });
    }
    let rows = (options.train * recording.len() as f64) as usize;
    let (train, test) = recording.split_at(rows)?;
    let midpoint = train.differences(DerivativeScheme::Midpoint)?;
    let forward = train.differences(DerivativeScheme::Forward)?;
    println!(
        "{} measured rows: {} to train on ({} derivatives in {} pieces), {} to test on",
        recording.len(),
        train.len(),
        midpoint.len(),
        midpoint.num_trajectories(),
        test.len()
    );
    let test = test.data_set()?;
    let test = Test {
        rollout: Rollouts { states: test.states().to_owned().insert_axis(Axis(0)) },
        times: test.times().to_vec(),
        // H = 2.4 (1 - cos q) + p^2.
        score: Pendulum::new(0.5, 2.4)?,
    };
    Ok(([midpoint, forward], test))
}

/// Adam for few data: a small network. More weight decay would pull the friction's output bias to 0, and so
/// `R` to softplus(0) = 0.69, far above the true 0.01.
fn measured() -> Recipe {
    Recipe {
        steps: 2000,
        hidden: vec![32, 32],
        friction_hidden: vec![32, 32],
        rate: 1e-2,
        constant_rate: false,
        batch: 0,
        ..Recipe::clean()
    }
}

/// A simulated pendulum with measurement noise, for `--quick` without data.
fn simulated() -> Result<Recording> {
    let times = Array1::linspace(0.0, 50.0, 301).to_vec();
    let start = ndarray::array![[1.0, 0.5]];
    let run = roll_out(&pendulum([1.3, 0.01]), start.view(), &times, 1e-9)?;
    let noise = |i: usize, phase: f64| 0.005 * (12.9898 * i as f64 + phase).sin();
    let column = |i: usize, phase: f64| {
        let states = run.states.slice(s![0, .., i]);
        Vec::from_iter(states.iter().enumerate().map(|(k, x)| x + noise(k, phase)))
    };
    let (angle, velocity) = (column(0, 0.0), column(1, 78.233));
    let columns = [("t", &times[..]), ("theta", &angle), ("velocity", &velocity)];
    Ok(Recording::from_columns(columns).time("t").angle("theta").velocity("velocity").load()?)
}

impl Test {
    /// Rolls a field out from the first test row.
    fn judge(
        &self,
        name: &str,
        label: &str,
        field: &dyn hnn_integrators::VectorField<f64>,
    ) -> Result<Outcome> {
        let start = self.rollout.states.slice(s![.., 0, ..]);
        let rollout = roll_out(field, start, &self.times, 1e-12)?;
        let (coordinate_mse, energy_mse) = rollout.errors(&self.score, &self.rollout, 0..1)?;
        let metrics = vec![("energy_mse", energy_mse), ("coordinate_mse", coordinate_mse)];
        Ok(Outcome { trial: Trial::new(name, label, metrics), rollout, band: None })
    }

    /// The same of a trained model, with its band.
    fn judge_model(&self, model: &Model<'_, Learner<'_>>, folder: &Path) -> Result<Outcome> {
        let path = model.file(folder);
        let learned = Learned::load(model.kind.0, &path)?;
        let outcome = self.judge(model.key, model.label, learned.field())?;
        let band = band(&path, &outcome.rollout.states.slice(s![0, .., ..]).to_owned())?;
        Ok(Outcome { band, ..outcome })
    }
}

/// `theta'' = -a sin theta - c theta'`, the yardstick that a learned model has to beat.
fn pendulum(constants: [f64; 2]) -> impl DifferentiableField<f64> {
    DualField::new(constants, |_t, [q, v]: [_; 2], [a, c]| [v, -a * q.sin() - c * v])
}

/// Its two constants by least squares: from accelerations, by midpoint and by forward differences, and
/// from the states along trajectories whose starts are fitted.
fn fits(midpoint: &DataSet<f64>, forward: &DataSet<f64>, test: &Test) -> Result<Vec<Outcome>> {
    let accelerations =
        |data| DerivativeLoss::from_data(data)?.with_coordinate_weights(&[0.0, 1.0]);
    let trajectories =
        TrajectoryLoss::new(RK4, Window::Whole, midpoint)?.with_fitted_starts(0.1)?;
    let losses: [(_, _, Box<dyn Loss<f64, _>>); 3] = [
        ("least_squares", "two parameters", Box::new(accelerations(midpoint)?)),
        ("least_squares_forward", "forward differences", Box::new(accelerations(forward)?)),
        ("least_squares_trajectories", "whole trajectories", Box::new(trajectories)),
    ];
    let solver = LeastSquares::new(100).with_scaling(Scaling::Diagonal);
    let outcome = |(name, how, mut loss): (_, _, Box<dyn Loss<f64, _>>)| {
        let (label, mut model) = (format!("least squares, {how}"), pendulum([1.0, 0.0]));
        solver.fit(&mut model, &mut *loss, None, &mut ())?;
        let errors = solver.posterior(&mut model, &mut *loss, None)?.standard_errors();
        let mut constants = [0.0; 2];
        model.copy_params(&mut constants)?;
        let ([a, c], [a_error, c_error]) = (constants, [errors[0], errors[1]]);
        println!(
            "{label}: theta'' = -({a:.4} ± {a_error:.4}) sin theta - ({c:.4} ± {c_error:.4}) theta'"
        );
        test.judge(name, &label, &model)
    };
    losses.into_iter().map(outcome).collect()
}

fn tabulate(outcomes: &[Outcome]) -> Result<Vec<Row>> {
    let models = Summary::of_models(outcomes.iter().map(|outcome| &outcome.trial))?;
    let mut table =
        Table::new(&["model", "energy MSE", "std. error", "median", "coordinate MSE", "seeds"]);
    for Summary { label, rows } in &models {
        if let [energy, coordinate] = &rows[..] {
            let numbers = [energy.mean, energy.std_error, energy.median, coordinate.mean];
            let cells = numbers.map(scientific).into_iter().chain([energy.n.to_string()]);
            table.row([label.clone()].into_iter().chain(cells));
        }
    }
    println!("\nOne rollout over the test rows, energy H = 2.4 (1 - cos q) + p^2");
    println!("(published: baseline 0.386, HNN 1.45e-2, dissipative HNN 1.07e-3):");
    println!("{table}");
    Ok(models.into_iter().flat_map(|model| model.rows).collect())
}

/// The figures, of the first seed.
fn draw(test: &Test, outcomes: &[Outcome], output: &Output) -> Result<()> {
    let motion = |label: &str, rollout: &Rollouts| {
        Motion::new(label, &test.times, rollout.states.slice(s![0, .., ..]))
    };
    let truth = motion("measured", &test.rollout)?.truth();
    let mut motions = vec![truth.clone()];
    let mut fits = Kind::ALL.len()..;
    for Outcome { trial, rollout, band } in outcomes {
        let known = motions.iter().any(|m| m.label() == trial.label);
        let finite = rollout.states.iter().all(|x| x.is_finite());
        if !known && finite && !trial.key.ends_with("forward") {
            let kind = Kind::ALL.into_iter().find(|kind| kind.key() == trial.key);
            // Fits of constants are no networks: each has a colour of its own behind theirs.
            let color =
                kind.map_or_else(|| Color::for_model(fits.next().unwrap_or(0)), Kind::color);
            let mut motion = motion(&trial.label, rollout)?.with_color(color);
            if let Some([low, high]) = band {
                motion = motion.with_band(low.view(), high.view())?;
            }
            motions.push(motion);
        }
    }
    let portrait =
        phase_portrait(&test.score, &motions)?.with_title("A real pendulum: phase space");
    output.figure("phase_space", &Figure::new(portrait))?;
    let panels = trajectories(&motions, &["angle θ = q (rad)", "angular velocity p (rad/s)"])?;
    output.figure(
        "trajectory",
        &Figure::grid(1, panels)?.with_title("A real pendulum: trajectory"),
    )?;
    output.figure("mse", &Figure::new(squared_error(&truth, &motions[1..])?))?;
    let score = |x: &[f64]| test.score.energy_state(x).unwrap_or(f64::NAN);
    output.figure("energy", &Figure::new(energy(&motions, score)?))
}
