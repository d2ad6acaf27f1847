//! The system of Hénon and Heiles, learned from trajectories: Poincaré sections and Lyapunov exponents of the truth and of
//! the model, and what the model conserves.
//!
//! `cargo run --release --example henon_heiles`
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_data::DataSet;
use hnn_examples::{Bars, Output, Recipe, Result, Row, Table, exit, scientific};
use hnn_integrators::{Crossing, Parameters};
use hnn_losses::DerivativeLoss;
use hnn_losses::metrics::derivative_mse_of;
use hnn_models::{Hnn, Initialisation, Mlp, Persist};
use hnn_plots::{Figure, Mark, Panel, Series};
use hnn_systems::{
    Conservation, EnergyShell, Features, Hamiltonian, HenonHeiles, Lyapunov, PoincareSection,
    Sampling,
};
use ndarray::{Array2, s};
use serde::Serialize;

/// The system of Hénon and Heiles.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// Seed of the data and of the initial weights.
    #[arg(long, default_value_t = 10)]
    seed: u64,
    /// Output folder [default: target/examples/henon_heiles].
    #[arg(long)]
    out: Option<PathBuf>,
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

/// Energies of the sections: below 1/12 motion is mostly regular, at 1/8 half of the section is chaos.
const ENERGIES: [(f64, &str); 2] = [(1.0 / 12.0, "1/12"), (1.0 / 8.0, "1/8")];

/// A chaotic start on the plane `x = 0`: energy, y and py.
const CHAOTIC: [f64; 3] = [0.155, -0.1, 0.1];

/// How long trajectories of the sections are, and how many intervals an exponent is the mean of.
struct Length {
    duration: f64,
    intervals: usize,
}

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let begin = Instant::now();
    let recipe = Recipe { steps: 80, hidden: vec![20, 20], ..Recipe::least_squares() };
    let (recipe, length) = match options.quick {
        true => (recipe.quick(20), Length { duration: 30.0, intervals: 20 }),
        false => (recipe, Length { duration: 1500.0, intervals: 1500 }),
    };
    let output = Output::new("henon_heiles", options.out.as_deref())?;
    let system = HenonHeiles::default();
    // Bound motions of all energies up to that of the saddles.
    let law = EnergyShell { positions: vec![(-0.8, 0.8), (-0.5, 1.0)], energies: (0.01, 0.16) };
    let starts = law.draw(&system, 100, options.seed)?;
    let sampling = Sampling { t_end: 10.0, points: 21, ..Sampling::spring() };
    let data = sampling.sample_from(&system, starts.view(), options.seed)?;
    let (train, test) = data.split_at(80)?;
    let model = learn(&recipe, options.seed, &train, &output)?;

    let mut rows = Vec::new();
    let mut table = Table::new(&["", "truth", "HNN"]);
    let loss = derivative_mse_of(&model, &test)?.mean;
    rows.push(Row::of("hnn", "test_loss", &[loss])?);
    table.row(["test loss".to_owned(), String::new(), scientific(loss)]);
    let exponents = exponents(&system, &model, &length)?;
    for (name, value) in ["truth", "hnn"].into_iter().zip(&exponents) {
        rows.push(Row::of(name, "lyapunov_exponent", &[value.exponent])?);
    }
    let cells = exponents.iter().map(|e| format!("{:.3} ± {:.3}", e.exponent, e.std_error));
    table.row(["largest Lyapunov exponent".to_owned()].into_iter().chain(cells));
    let energy = Conservation { tolerance: 1e-9, ..Conservation::default() };
    let energy = energy.test_energy(&model, test.states())?;
    println!("{table}\n{energy}");
    let library = Features::monomials(&["x", "y", "px", "py"], 3)?;
    let settings = Conservation { tolerance: 1e-3, ..Conservation::default() };
    println!("{}", settings.find(&model, test.states(), &library)?);

    output.figure("sections", &sections(&system, &model, length.duration)?)?;
    let config = Config { options, recipe: &recipe };
    output.results(&config, begin.elapsed().as_secs_f64(), &rows)
}

/// An HNN by least squares, on the derivatives.
fn learn(
    recipe: &Recipe,
    seed: u64,
    train: &DataSet<f64>,
    output: &Output,
) -> Result<Hnn<Mlp<f64>>> {
    let network = Mlp::new(recipe.architecture(4, 1)?, Initialisation::Orthogonal, seed);
    let mut model = Hnn::new(network)?;
    let mut loss = DerivativeLoss::new(train.times().into(), train.states(), train.derivatives())?;
    let bars = Bars::new(recipe.steps);
    let solver = recipe.solver(recipe.steps, output.path("hnn.checkpoint"))?;
    let record = solver.fit(&mut model, &mut loss, None, &mut bars.observer("HNN"))?;
    bars.finish();
    println!("{} parameters trained in {:.0} s", model.num_params(), record.seconds);
    model.save(output.path("hnn.safetensors"))?;
    Ok(model)
}

/// The largest Lyapunov exponents of both from a chaotic start.
fn exponents(
    system: &HenonHeiles,
    model: &Hnn<Mlp<f64>>,
    length: &Length,
) -> Result<[hnn_systems::LyapunovExponent; 2]> {
    let [energy, y, py] = CHAOTIC;
    let start = on_the_plane(system, energy, y, py)?.unwrap_or([0.0, y, 0.0, py]);
    let settings =
        Lyapunov { intervals: length.intervals, tolerance: 1e-11, ..Lyapunov::default() };
    Ok([settings.exponent(system, &start)?, settings.exponent(model, &start)?])
}

/// The state `[0, y, px, py]` of an energy with `px > 0`, where there is one.
fn on_the_plane(system: &HenonHeiles, energy: f64, y: f64, py: f64) -> Result<Option<[f64; 4]>> {
    let room = 2.0 * (energy - system.energy_state(&[0.0, y, 0.0, py])?);
    Ok((room > 0.0).then(|| [0.0, y, room.sqrt(), py]))
}

/// A grid of starts of an energy on the plane `x = 0`.
fn grid(system: &HenonHeiles, energy: f64) -> Result<Array2<f64>> {
    let mut starts = Vec::new();
    for y in [-0.25, -0.1, 0.05, 0.2, 0.35, 0.5] {
        for py in [0.0, 0.13, 0.26] {
            starts.extend(on_the_plane(system, energy, y, py)?.into_iter().flatten());
        }
    }
    let count = starts.len() / 4;
    Ok(Array2::from_shape_fn((count, 4), |(row, i)| starts[4 * row + i]))
}

/// The sections `x = 0`, `px > 0` of the truth and of the model, energy by energy.
fn sections(system: &HenonHeiles, model: &Hnn<Mlp<f64>>, duration: f64) -> Result<Figure> {
    let section = PoincareSection::new(|x: &[f64]| x[0], Crossing::Rising).with_tolerance(1e-9);
    let fields: [(&str, &dyn Hamiltonian<f64>); 2] = [("truth", system), ("HNN", model)];
    let mut panels = Vec::new();
    for (energy, name) in ENERGIES {
        let starts = grid(system, energy)?;
        for (label, field) in fields {
            let crossings = section.crossings(field, starts.view(), duration)?;
            let points = |i: usize| {
                crossings.iter().flat_map(move |one| one.states.slice(s![.., i]).to_vec())
            };
            let points = Series::new(label, points(1), points(3))?.with_mark(Mark::Dots);
            let panel = Panel::new(format!("{label}, energy {name}"));
            let panel = panel.with_x_range(-0.6, 0.8).with_y_range(-0.6, 0.6);
            panels.push(panel.with_x_label("y").with_y_label("py").series(points));
        }
    }
    Ok(Figure::grid(2, panels)?
        .with_title("Hénon and Heiles: the section x = 0, px > 0")
        .with_size(1100, 1000))
}
