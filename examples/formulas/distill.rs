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
    Config, Judge, Kind, Learned, Model, Objective, Output, Recipe, RecipeOptions, Row, Source,
    Summary, Table, Trial, exit, learn, roll_out, scientific, seed_range,
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
struct Pair {
    network: Learned,
    distilled: Distilled,
    trials: [Trial; 2],
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
    let pairs = models.iter().map(|model| distil(model, &folder, data(model.seed)?));
    let pairs = pairs.collect::<Result<Vec<_>>>()?;
    for (seed, Pair { distilled, .. }) in pairs.iter().enumerate() {
        println!("seed {seed}: {}", distilled.found);
    }
    draw(&pairs[0], &output)?;
    let rows = tabulate(&pairs)?;
    Ok(output.results(&config, begin.elapsed().as_secs_f64(), &rows)?)
}

/// Distils a network, and compares both with the truth.
fn distil(
    model: &Model<'_, Kind>,
    folder: &Path,
    [train, test]: [DataSet<f64>; 2],
) -> Result<Pair> {
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
    let judge = Judge::new(&truth, starts, times, 1e-10)?;
    type Own<'a> = &'a [(&'static str, f64)];
    let trial = |name: &str, field: &dyn VectorField<f64>, own: Own<'_>| -> Result<Trial> {
        let rollouts = judge.roll_out(field)?;
        let (coordinate, energy) = rollouts.errors(&truth, &judge.truth, 0..STARTS)?;
        let metrics = [own, &[("coordinate_mse", coordinate), ("energy_mse", energy)]].concat();
        Ok(Trial::new(name, name, metrics))
    };
    let formula = distilled.found.model();
    let of_formula = [
        ("field_error", relative_error(formula, &test)?),
        ("distance_to_network", distilled.relative_error),
        ("terms", distilled.found.terms.len() as f64),
    ];
    let trials = [
        trial("network", network.field(), &[("field_error", held_out)])?,
        trial("formula", formula, &of_formula)?,
    ];
    Ok(Pair { network, distilled, trials })
}

/// Distance of a field to the derivatives of a data set, relative.
fn relative_error(field: &dyn VectorField<f64>, data: &DataSet<f64>) -> Result<f64> {
    let given = data.derivatives();
    let difference = field.eval_rows(0.0, data.states())? - given;
    let square = |sum: f64, v: &f64| sum + v * v;
    Ok((difference.iter().fold(0.0, square) / given.iter().fold(0.0, square)).sqrt())
}

fn tabulate(pairs: &[Pair]) -> Result<Vec<Row>> {
    let mut printed = Table::new(&["model", "metric", "mean", "median"]);
    let models = Summary::of_models(pairs.iter().flat_map(|pair| &pair.trials))?;
    let rows = Vec::from_iter(models.into_iter().flat_map(|model| model.rows));
    for Row { model, metric, mean, median, .. } in &rows {
        printed.row([model.clone(), metric.clone(), scientific(*mean), scientific(*median)]);
    }
    println!("{printed}");
    Ok(rows)
}

/// One rollout of the network and of its formula against the truth.
fn draw(pair: &Pair, output: &Output) -> Result<()> {
    let truth = Pendulum::default();
    let times = Array1::linspace(0.0, 20.0, 401).to_vec();
    let start = Starts::Ring { low: 1.3, high: 2.3 }.draw(1, 2, 3_000_000)?;
    let motion = |label: &str, field: &dyn VectorField<f64>| -> Result<Motion> {
        let states = roll_out(field, start.view(), &times, 1e-10)?.states;
        Ok(Motion::new(label, times.as_slice(), states.slice(s![0, .., ..]))?)
    };
    let exact = motion("truth", &truth)?.truth();
    let motions = [
        motion("network", pair.network.field())?,
        motion("formula", pair.distilled.found.model())?,
    ];
    let energy_of = |x: &[f64]| truth.energy_state(x).unwrap_or(f64::NAN);
    let panels = vec![squared_error(&exact, &motions)?, energy(&motions, energy_of)?];
    let title = format!("Distilled: {}", pair.distilled.found.model());
    Ok(output.figure("distill", &Figure::grid(2, panels)?.with_title(title))?)
}
