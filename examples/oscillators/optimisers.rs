//! Adam, L-BFGS and Levenberg-Marquardt on one loss of one model: loss and energy error over time.
//!
//! `cargo run --release --example optimisers`
#![allow(clippy::print_stdout)]

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_data::DataSet;
use hnn_examples::{Judge, Output, Recipe, Result, Row, Table, exit, scientific, use_threads};
use hnn_integrators::Parameters;
use hnn_losses::{DerivativeLoss, Loss, RowSelection};
use hnn_models::{Dissipative, FrictionForce, Hnn, Initialisation, Mlp};
use hnn_plots::{Color, Figure, Panel, Series};
use hnn_systems::{DampedPendulum, Sampling, Starts};
use hnn_train::{Adam, Control, Lbfgs, LeastSquares, MiniBatch, Progress, Schedule, Trainer};
use ndarray::Array1;
use serde::Serialize;

/// The damped pendulum, learned by three optimisers, each on one thread.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// Seed of the data and of the initial weights.
    #[arg(long, default_value_t = 10)]
    seed: u64,
    /// Steps of Adam, on mini-batches of 256 points, at a rate that falls from 2e-2 to 0.
    #[arg(long, default_value_t = 12_000)]
    adam: usize,
    /// Steps of L-BFGS.
    #[arg(long, default_value_t = 3000)]
    lbfgs: usize,
    /// Steps of Levenberg-Marquardt.
    #[arg(long, default_value_t = 50)]
    levenberg_marquardt: usize,
    /// Output folder [default: target/examples/optimisers].
    #[arg(long)]
    out: Option<PathBuf>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    quick: bool,
}

type Model = Hnn<Mlp<f64>, FrictionForce<Dissipative<Mlp<f64>>>>;
type Squares = DerivativeLoss<f64>;

/// How many points of a run are looked at.
const POINTS: usize = 60;

/// The time and the parameters at some points of a run.
type Path = Vec<(f64, Vec<f64>)>;

/// A run, as it is drawn: time, loss and energy MSE.
struct Course {
    key: &'static str,
    label: &'static str,
    seconds: Vec<f64>,
    loss: Vec<f64>,
    energy_mse: Vec<f64>,
}

fn main() -> ExitCode {
    exit(run(Options::parse()))
}

fn run(mut options: Options) -> Result<()> {
    let begin = Instant::now();
    use_threads(Some(1))?;
    if options.quick {
        (options.adam, options.lbfgs, options.levenberg_marquardt) = (40, 20, 4);
    }
    let output = Output::new("optimisers", options.out.as_deref())?;
    let system = DampedPendulum::new(0.1, 6.0)?;
    let times = Array1::linspace(0.0, 20.0, 100).to_vec();
    let judge = Judge::new(&system, Starts::GREY.draw(15, 2, 1_000_000)?, times, 1e-9)?;
    let (train, _) = Sampling::pendulum().sample(&system, options.seed)?.split_at(25)?;
    let course = |key, label, fit: Fit| {
        let followed = follow_fit(&options, &train, fit)?;
        Course::new(key, label, followed, &system, &judge, &train)
    };
    let courses = [
        course("adam", "Adam", adam)?,
        course("lbfgs", "L-BFGS", lbfgs)?,
        course("levenberg_marquardt", "Levenberg-Marquardt", squares)?,
    ];
    draw(&courses, &output)?;
    let mut table = Table::new(&["optimiser", "time (s)", "loss", "energy MSE"]);
    let mut rows = Vec::new();
    for Course { key, label, seconds, loss, energy_mse } in &courses {
        let last = [seconds, loss, energy_mse].map(|values| values[values.len() - 1]);
        table.row([(*label).to_owned()].into_iter().chain(last.map(scientific)));
        for (metric, value) in ["seconds", "loss", "energy_mse"].into_iter().zip(last) {
            rows.push(Row::of(key, metric, &[value])?);
        }
    }
    println!("{table}");
    output.results(&options, begin.elapsed().as_secs_f64(), &rows)
}

/// The model of the example `damped_pendulum`.
fn model(seed: u64) -> Result<Model> {
    let recipe = Recipe::least_squares();
    let network = |architecture, seed| Mlp::new(architecture, Initialisation::Orthogonal, seed);
    let energy = recipe.architecture(2, 1)?.with_output_bias(false);
    let friction = recipe.friction_architecture(2, 1)?;
    let dissipative = Dissipative::new(network(friction, 2000 + seed))?;
    Ok(Hnn::with_friction(network(energy, seed), dissipative)?)
}

fn adam(options: &Options, model: &mut Model, loss: &mut Squares, path: &mut Path) -> Result<()> {
    let mut trainer = Trainer::new(options.adam)
        .with_optimiser(Adam::default())
        .with_schedule(Schedule::Cosine { from: 2e-2, to: 0.0 })
        .with_minibatch(MiniBatch::points(loss.len(), 256, options.seed)?);
    trainer.fit(model, loss, None, &mut follow(path))?;
    Ok(())
}

fn lbfgs(options: &Options, model: &mut Model, loss: &mut Squares, path: &mut Path) -> Result<()> {
    Lbfgs::new(options.lbfgs).fit(model, loss, None, &mut follow(path))?;
    Ok(())
}

fn squares(
    options: &Options,
    model: &mut Model,
    loss: &mut Squares,
    path: &mut Path,
) -> Result<()> {
    LeastSquares::new(options.levenberg_marquardt).fit(model, loss, None, &mut follow(path))?;
    Ok(())
}

/// Keeps the parameters at about [`POINTS`] points.
fn follow(path: &mut Path) -> impl FnMut(&Progress<'_>) -> Control + '_ {
    |progress| {
        let (step, steps) = (progress.record.step, progress.steps);
        if step + 1 == steps || step.is_multiple_of(steps.div_ceil(POINTS)) {
            path.push((progress.elapsed.as_secs_f64(), progress.parameters()));
        }
        Control::Continue
    }
}

/// One of the optimisers.
type Fit = fn(&Options, &mut Model, &mut Squares, &mut Path) -> Result<()>;

/// Trains a model, and follows its parameters.
fn follow_fit(options: &Options, train: &DataSet<f64>, fit: Fit) -> Result<(Model, Path)> {
    let (mut model, mut path) = (model(options.seed)?, Path::new());
    fit(options, &mut model, &mut DerivativeLoss::from_data(train)?, &mut path)?;
    Ok((model, path))
}

impl Course {
    /// The loss, on all data, and the energy MSE along a path of parameters.
    fn new(
        key: &'static str,
        label: &'static str,
        (mut model, path): (Model, Path),
        system: &DampedPendulum,
        judge: &Judge,
        train: &DataSet<f64>,
    ) -> Result<Self> {
        let mut squares = DerivativeLoss::from_data(train)?;
        let (seconds, points): (Vec<_>, Vec<_>) = path.into_iter().unzip();
        let (mut loss, mut energy_mse) = (Vec::new(), Vec::new());
        for theta in points {
            model.set_params(&theta)?;
            loss.push(squares.value(&model, RowSelection::All)?);
            let rollouts = judge.roll_out(&model)?;
            energy_mse.push(rollouts.errors(system, &judge.truth, 0..judge.starts.nrows())?.1);
        }
        Ok(Self { key, label, seconds, loss, energy_mse })
    }
}

fn draw(courses: &[Course], output: &Output) -> Result<()> {
    let panel = |title: &str, of: fn(&Course) -> &[f64]| -> Result<Panel> {
        let empty = Panel::new(title)
            .with_x_label("time (s)")
            .with_y_label(title)
            .with_log_x()
            .with_log_y();
        courses.iter().enumerate().try_fold(empty, |panel, (index, course)| {
            let points = course.seconds.iter().copied().zip(of(course).iter().copied());
            let (x, y): (Vec<_>, Vec<_>) =
                points.filter(|(x, y)| *x > 0.0 && *y > 0.0 && y.is_finite()).unzip();
            Ok(panel.series(Series::new(course.label, x, y)?.with_color(Color::for_model(index))))
        })
    };
    let panels = vec![
        panel("loss", |course| &course.loss)?,
        panel("energy MSE", |course| &course.energy_mse)?,
    ];
    output.figure("course", &Figure::grid(2, panels)?)
}
