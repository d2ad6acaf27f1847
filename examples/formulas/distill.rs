//! From a network to a formula: an HNN learns the pendulum, and its energy is distilled into a
//! formula, which is compared with the network it came from.
//!
//! `cargo run --release --example distill`
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_data::DataSet;
use hnn_examples::{
    Config, Kind, Learned, Model, Objective, Output, Recipe, RecipeOptions, Row, Source, Table,
    exit, learn, roll_out, scientific, seed_range,
};
use hnn_integrators::VectorField;
use hnn_plots::{Figure, Motion, energy, squared_error};
use hnn_sparse::{Distillation, Distilled, Library};
use hnn_systems::{Hamiltonian, Pendulum, Sampling, Starts};
use hnn_train::Observer;
use ndarray::{Array1, s};
use serde::Serialize;

/// Errors of the libraries and of the examples alike.
type Result<T, E = Box<dyn Error>> = std::result::Result<T, E>;

/// A pendulum's network, distilled into a formula.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// Number of seeds (data, initial weights).
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// Standard deviation of the noise on the measured states.
    #[arg(long, default_value_t = 0.0)]
    noise: f64,
    #[command(flatten)]
    #[serde(skip)]
    recipe: RecipeOptions,
    /// Output folder [default: target/examples/distill].
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    source: Source,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    quick: bool,
}

/// A network, its formula, and how far each is from the truth.
struct Trial {
    network: Learned,
    distilled: Distilled,
    metrics: Vec<(&'static str, &'static str, f64)>,
}

/// Number of test starts.
const STARTS: usize = 15;

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let mut recipe = options.recipe.change(match options.noise > 0.0 {
        true => Recipe::noisy(),
        false => Recipe::clean(),
    })?;
    if options.quick {
        (options.seeds, recipe.steps) = (options.seeds.min(2), recipe.steps.min(200));
    }
    let seeds = seed_range(0, options.seeds)?;
    let begin = Instant::now();
    let output = Output::new("distill", options.out.as_deref())?;
    let sampling = Sampling { noise: options.noise, ..Sampling::pendulum() };
    let data = |seed| -> hnn_examples::Result<[DataSet<f64>; 2]> {
        Ok(sampling.sample(&Pendulum::default(), seed)?.split_at(25)?.into())
    };
    let models = Vec::from_iter(seeds.map(|seed| Model::new(Kind::Hnn, seed)));
    let train = |model: &Model<'_, Kind>, path: &Path, observer: &mut dyn Observer| {
        let (Model { kind, seed, .. }, [train, _]) = (*model, data(model.seed)?);
        learn(kind, &recipe, Objective::default(), seed, &train, path, observer)
    };
    let config = Config { options: &options, recipe: &recipe };
    let folder = options.source.folder(&output, &config, &models, recipe.steps, train)?;
    let Some(folder) = folder else { return Ok(()) };
    let trials = models.iter().map(|model| trial(model, &folder, data(model.seed)?));
    let trials = trials.collect::<Result<Vec<_>>>()?;
    for (seed, Trial { distilled, .. }) in trials.iter().enumerate() {
        println!("seed {seed}: {}", distilled.found);
    }
    draw(&trials[0], &output)?;
    let rows = tabulate(&trials)?;
    Ok(output.results(&config, begin.elapsed().as_secs_f64(), &rows)?)
}

/// Distils a network, and compares both with the truth.
fn trial(
    model: &Model<'_, Kind>,
    folder: &Path,
    [train, test]: [DataSet<f64>; 2],
) -> Result<Trial> {
    let truth = Pendulum::default();
    let network = Learned::load(model.kind, &model.file(folder))?;
    let energy = network.hamiltonian().ok_or("an HNN has an energy")?;

    // The formula need not be better than the network is on data that it has not seen.
    let held_out = relative_error(network.field(), &test)?;
    let library =
        Library::monomials(1, 1..=4)?.union(&Library::trigonometric(1, &[1.0, 2.0], 1)?)?;
    let domain = [(-2.0, 2.0), (-2.0, 2.0)];
    let distilled = Distillation::new(&domain)?.with_relative_error(held_out).run_at(
        energy,
        &library,
        train.states().to_owned(),
    )?;

    let times = Array1::linspace(0.0, 20.0, 100).to_vec();
    let starts = Starts::Ring { low: 1.3, high: 2.3 }.draw(STARTS, 2, 2_000_000 + model.seed)?;
    let exact = roll_out(&truth, starts.view(), &times, 1e-12)?;
    let mut metrics = vec![
        ("network", "field_error", held_out),
        ("formula", "field_error", relative_error(distilled.found.model(), &test)?),
        ("formula", "distance_to_network", distilled.relative_error),
        ("formula", "terms", distilled.found.terms.len() as f64),
    ];
    let fields: [(&str, &dyn VectorField<f64>); 2] =
        [("network", network.field()), ("formula", distilled.found.model())];
    for (name, field) in fields {
        let rollouts = roll_out(field, starts.view(), &times, 1e-10)?;
        let (coordinate, energy) = rollouts.errors(&truth, &exact, 0..STARTS)?;
        metrics.push((name, "coordinate_mse", coordinate));
        metrics.push((name, "energy_mse", energy));
    }
    Ok(Trial { network, distilled, metrics })
}

/// Distance of a field to the derivatives of a data set, relative.
fn relative_error(field: &dyn VectorField<f64>, data: &DataSet<f64>) -> Result<f64> {
    let given = data.derivatives();
    let difference = field.eval_rows(0.0, data.states())? - given;
    let square = |sum: f64, v: &f64| sum + v * v;
    Ok((difference.iter().fold(0.0, square) / given.iter().fold(0.0, square)).sqrt())
}

fn tabulate(trials: &[Trial]) -> Result<Vec<Row>> {
    let mut printed = Table::new(&["model", "metric", "mean", "median"]);
    let mut rows = vec![];
    for (k, &(model, metric, _)) in trials[0].metrics.iter().enumerate() {
        let values: Vec<f64> = trials.iter().map(|trial| trial.metrics[k].2).collect();
        let row = Row::of(model, metric, &values)?;
        let cells =
            [model.to_owned(), metric.to_owned(), scientific(row.mean), scientific(row.median)];
        printed.row(cells);
        rows.push(row);
    }
    println!("{printed}");
    Ok(rows)
}

/// One rollout of the network and of its formula against the truth.
fn draw(trial: &Trial, output: &Output) -> Result<()> {
    let truth = Pendulum::default();
    let times = Array1::linspace(0.0, 20.0, 401).to_vec();
    let start = Starts::Ring { low: 1.3, high: 2.3 }.draw(1, 2, 3_000_000)?;
    let motion = |label: &str, field: &dyn VectorField<f64>| -> Result<Motion> {
        let states = roll_out(field, start.view(), &times, 1e-10)?.states;
        Ok(Motion::new(label, times.as_slice(), states.slice(s![0, .., ..]))?)
    };
    let exact = motion("truth", &truth)?.truth();
    let motions = [
        motion("network", trial.network.field())?,
        motion("formula", trial.distilled.found.model())?,
    ];
    let energy_of = |x: &[f64]| truth.energy_state(x).unwrap_or(f64::NAN);
    let panels = vec![squared_error(&exact, &motions)?, energy(&motions, energy_of)?];
    let title = format!("Distilled: {}", trial.distilled.found.model());
    Ok(output.figure("distill", &Figure::grid(2, panels)?.with_title(title))?)
}
