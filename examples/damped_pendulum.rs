//! The damped pendulum: a baseline network, an HNN, and HNNs with friction learn
//! `theta'' + lambda theta' + 6 sin theta = 0`, and the figures show who got the energy right.
//!
//! `cargo run --release --example damped_pendulum`
#![allow(clippy::print_stdout)]

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_examples::{
    Config, Drawn, Judge, Kind, Learned, LossKind, Model, Objective, Optimiser, Output, Recipe,
    RecipeOptions, Result, Rollouts, Row, Source, Summary, Table, Training, Trial, band, exit,
    scientific, seed_range, spread, use_threads,
};
use hnn_integrators::coordinate_major;
use hnn_plots::{Figure, Motion, energy, phase_portrait, squared_error, trajectories};
use hnn_systems::{DampedPendulum, Hamiltonian, Sampling, Starts};
use hnn_train::Observer;
use ndarray::{Array1, Array2, Axis, concatenate, s};
use rayon::prelude::*;
use serde::Serialize;

/// The damped pendulum, learned four times.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// Number of seeds (data, initial weights).
    #[arg(long, default_value_t = 5)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    first_seed: u64,
    /// Standard deviation of the noise on the measured states.
    #[arg(long, default_value_t = 0.0)]
    noise: f64,
    /// Friction lambda of the true pendulum.
    #[arg(long, default_value_t = 0.1)]
    lambda: f64,
    /// Which models.
    #[arg(long, value_delimiter = ',')]
    models: Vec<Kind>,
    #[command(flatten)]
    objective: Objective,
    #[command(flatten)]
    #[serde(skip)]
    recipe: RecipeOptions,
    /// The reference protocol's own training recipe: Adam, wider networks, constant rate.
    #[arg(long)]
    protocol: bool,
    /// Tolerance of the adaptive solver that rolls the models out.
    #[arg(long, default_value_t = 1e-12)]
    tolerance: f64,
    /// Output folder [default: target/examples/damped_pendulum].
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    #[serde(flatten)]
    source: Source,
    /// Number of threads [default: all cores].
    #[arg(long)]
    threads: Option<usize>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    quick: bool,
}

/// One trained model: its errors, and what is drawn of it.
struct Outcome {
    trial: Trial,
    kind: Kind,
    seed: u64,
    /// Of the first test start, at the times of the figures.
    motion: Rollouts,
    band: Option<[Array2<f64>; 2]>,
}

/// What the models are judged by, and drawn with.
struct Examination {
    system: DampedPendulum,
    /// From the test starts of both laws.
    all: Judge,
    /// From the first of them, at the times of the figures.
    drawn: Judge,
}

/// Number of test starts of each law.
const STARTS: usize = 15;

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let begin = Instant::now();
    use_threads(options.threads)?;
    if options.models.is_empty() {
        options.models = Kind::ALL.to_vec();
    }
    let is_noisy = options.noise > 0.0;
    let optimiser = options.recipe.optimiser(options.protocol);
    let mut recipe = options.recipe.change(match (optimiser, is_noisy) {
        _ if options.protocol => Recipe::protocol(),
        (Optimiser::Adam, true) => Recipe::noisy(),
        (Optimiser::Adam, false) => Recipe::clean(),
        (Optimiser::LeastSquares, true) => Recipe::noisy_pendulum(),
        (Optimiser::LeastSquares, false) => Recipe::least_squares(),
    })?;
    options.objective.loss.get_or_insert(match recipe.optimiser {
        Optimiser::LeastSquares if is_noisy => LossKind::FittedTrajectory,
        _ => LossKind::Derivative,
    });
    if options.quick {
        (options.seeds, recipe) = (options.seeds.min(2), recipe.quick(60));
        options.tolerance = options.tolerance.max(1e-8);
    }
    let seeds = seed_range(options.first_seed, options.seeds)?;
    let output = Output::new("damped_pendulum", options.out.as_deref())?;
    let system = DampedPendulum::new(options.lambda, 6.0)?;
    let examination = Examination::new(system, options.tolerance)?;

    let of_seed = |seed| options.models.iter().map(move |kind| Model::new(*kind, seed));
    let models = Vec::from_iter(seeds.flat_map(of_seed));
    let sampling = Sampling { noise: options.noise, ..Sampling::pendulum() };
    let (objective, start) = (options.objective, examination.drawn.starts.row(0).to_vec());
    let drawn = Some(Drawn { start: &start, times: &examination.drawn.times });
    let train = |model: &Model<'_, Kind>, path: &Path, observer: &mut dyn Observer| {
        let Model { kind, seed, .. } = *model;
        let (train, _) = sampling.sample(&system, seed)?.split_at(25)?;
        let (recipe, train) = (&recipe, &train);
        Training { kind, recipe, objective, seed, train, path, drawn }.run(observer)
    };
    let config = Config { options: &options, recipe: &recipe };
    let folder = options.source.folder(&output, &config, &models, recipe.steps, train)?;
    let Some(folder) = folder else { return Ok(()) };

    let outcomes = models.par_iter().map(|model| examination.judge(model, &folder));
    let outcomes = outcomes.collect::<Result<Vec<_>>>()?;
    let table = tabulate(options.seeds, &outcomes)?;
    draw(&examination, &outcomes, &output)?;
    output.results(&config, begin.elapsed().as_secs_f64(), &table)
}

impl Examination {
    fn new(system: DampedPendulum, tolerance: f64) -> Result<Self> {
        let times = Array1::linspace(0.0, 20.0, 100).to_vec();
        let grey = Starts::GREY.draw(STARTS, 2, 1_000_000)?;
        let ring = Starts::Ring { low: 1.3, high: 2.3 }.draw(STARTS, 2, 2_000_000)?;
        let starts = concatenate![Axis(0), grey, ring];
        let first = starts.slice(s![..1, ..]).to_owned();
        let dense = Array1::linspace(0.0, 20.0, 1001).to_vec();
        let all = Judge::new(&system, starts, times, tolerance)?;
        Ok(Self { system, all, drawn: Judge::new(&system, first, dense, 1e-6)? })
    }

    /// The share of the true motion of the figures, after its begin, within a band.
    fn share_within(&self, low: &Array2<f64>, high: &Array2<f64>) -> f64 {
        let truth = self.drawn.truth.states.slice(s![0, 1.., ..]);
        let edges = low.slice(s![1.., ..]).into_iter().zip(high.slice(s![1.., ..]));
        let within = truth.iter().zip(edges).filter(|(x, (low, high))| *low <= *x && *x <= *high);
        within.count() as f64 / truth.len() as f64
    }

    /// Rolls a model out and compares it with the truth.
    fn judge(&self, model: &Model<'_, Kind>, folder: &Path) -> Result<Outcome> {
        let (Model { kind, seed, .. }, path) = (*model, model.file(folder));
        let model = Learned::load(kind, &path)?;
        let rollouts = self.all.roll_out(model.field())?;
        let errors = |range| rollouts.errors(&self.system, &self.all.truth, range);
        let (grey, grey_energy) = errors(0..STARTS)?;
        let (ring, ring_energy) = errors(STARTS..2 * STARTS)?;
        let mut metrics = vec![
            ("energy_mse", grey_energy),
            ("coordinate_mse", grey),
            ("energy_mse_ring", ring_energy),
            ("coordinate_mse_ring", ring),
        ];
        let grid = grid();
        if let Some(friction) = model.friction(grid.view())? {
            let lambda = self.system.lambda();
            let errors = friction.iter().zip(grid.column(1)).map(|(f, p)| f - lambda * p);
            metrics.push(("friction_rms_error", rms(errors.collect())));
        }
        if let Some(hamiltonian) = model.hamiltonian() {
            let x = coordinate_major(grid.view());
            let mut learned = vec![0.0; grid.nrows()];
            hamiltonian.energy(&x, &mut learned, &mut Default::default())?;
            let truth = self.system.energy_rows(grid.view())?;
            let difference = Array1::from(learned) - truth;
            let constant = difference.mean().unwrap_or(0.0);
            metrics.push(("energy_rms_error", rms((difference - constant).to_vec())));
        }
        let motion = self.drawn.roll_out(model.field())?;
        let band = band(&path, &motion.states.slice(s![0, .., ..]).to_owned())?;
        if let Some([low, high]) = &band {
            metrics.push(("within_band", self.share_within(low, high)));
        }
        let trial = Trial::new(kind.key(), kind.label(), metrics);
        Ok(Outcome { trial, kind, seed, motion, band })
    }
}

/// 31 x 31 states on |q|, |p| <= 1.5.
fn grid() -> Array2<f64> {
    let at = |i: usize| -1.5 + 0.1 * i as f64;
    Array2::from_shape_fn((31 * 31, 2), |(row, i)| if i == 0 { at(row / 31) } else { at(row % 31) })
}

fn rms(errors: Vec<f64>) -> f64 {
    (errors.iter().map(|e| e * e).sum::<f64>() / errors.len() as f64).sqrt()
}

/// The reference's mean energy MSE, of unknown constants.
fn reference(kind: Kind) -> &'static str {
    match kind {
        Kind::Baseline => "41.56e-3",
        Kind::Hnn => "1.238",
        Kind::HnnFriction => "2.951e-3",
        Kind::HnnDissipative => "",
    }
}

fn tabulate(seeds: u64, outcomes: &[Outcome]) -> Result<Vec<Row>> {
    let models = Summary::of_models(outcomes.iter().map(|outcome| &outcome.trial))?;
    println!("\nMean energy MSE over t in [0, 20], {STARTS} test starts, {seeds} seeds:");
    let header = ["model", "mean", "std. error", "median", "reference"];
    let mut table = Table::new(&header);
    for (model, outcome) in models.iter().zip(outcomes) {
        if let Some(row) = model.row("energy_mse") {
            let numbers = [row.mean, row.std_error, row.median].map(scientific);
            let cells = numbers.into_iter().chain([reference(outcome.kind).to_owned()]);
            table.row([model.label.clone()].into_iter().chain(cells));
        }
    }
    println!("{table}");
    println!(
        "Other errors, mean ± standard error (friction F against lambda p, H against the true"
    );
    println!("energy up to a constant: r.m.s. on |q|, |p| <= 1.5):");
    let metrics = ["coordinate_mse", "friction_rms_error", "energy_rms_error"];
    let mut table = Table::new(&["model", "coordinate MSE", "friction", "energy H"]);
    for model in &models {
        let cell = |metric| model.row(metric).map_or("-".to_owned(), spread);
        table.row([model.label.clone()].into_iter().chain(metrics.map(cell)));
    }
    println!("{table}");
    Ok(models.into_iter().flat_map(|model| model.rows).collect())
}

/// The figures, of the first seed and the first test start.
fn draw(examination: &Examination, outcomes: &[Outcome], output: &Output) -> Result<()> {
    let motion = |label: &str, rollouts: &Rollouts| {
        Motion::new(label, &examination.drawn.times, rollouts.states.slice(s![0, .., ..]))
    };
    let truth = motion("truth", &examination.drawn.truth)?.truth();
    let mut motions = Vec::new();
    for outcome in outcomes.iter().filter(|outcome| outcome.seed == outcomes[0].seed) {
        let Outcome { kind, motion: rollout, band, .. } = outcome;
        if rollout.states.iter().all(|x| x.is_finite()) {
            let mut motion = motion(kind.label(), rollout)?.with_color(kind.color());
            if let Some([low, high]) = band {
                motion = motion.with_band(low.view(), high.view())?;
            }
            motions.push((*kind, motion));
        }
    }
    let of = |kinds: &[Kind]| -> Vec<Motion> {
        let chosen = motions.iter().filter(|(kind, _)| kinds.contains(kind));
        [truth.clone()].into_iter().chain(chosen.map(|(_, m)| m.clone())).collect()
    };
    let all = of(&Kind::ALL);
    let portrait = |title: &str, kinds: &[Kind]| -> Result<_> {
        Ok(phase_portrait(&examination.system, &of(kinds))?.with_title(title))
    };
    let portraits = Figure::grid(
        2,
        vec![
            portrait("HNN against the baseline", &[Kind::Baseline, Kind::Hnn])?,
            portrait(
                "HNN + friction against the baseline",
                &[Kind::Baseline, Kind::HnnFriction, Kind::HnnDissipative],
            )?,
        ],
    )?
    .with_title("Damped pendulum: phase space");
    output.figure("phase_space", &portraits)?;

    let panels = trajectories(&all, &["angle θ = q (rad)", "momentum p"])?;
    let figure = Figure::grid(1, panels)?.with_title("Damped pendulum: trajectory");
    output.figure("trajectory", &figure)?;
    output.figure("mse", &Figure::new(squared_error(&truth, &all[1..])?))?;
    let true_energy = |x: &[f64]| examination.system.energy_state(x).unwrap_or(f64::NAN);
    output.figure("energy", &Figure::new(energy(&all, true_energy)?))?;
    Ok(())
}
