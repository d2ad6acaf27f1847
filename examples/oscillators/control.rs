//! A pendulum with a weak motor, learned from its states and torques, swung up and held upright by
//! the learned energy.
//!
//! `cargo run --release --example control`
#![allow(clippy::print_stdout)]

use std::f64::consts::PI;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use hnn_data::DataSet;
use hnn_examples::{
    Bars, Output, Result, Row, Sweep, Table, exit, midpoints, scientific, seed_range, use_threads,
    write_animation,
};
use hnn_integrators::{
    Between, DOP853, Driven, FnField, Signal, Signals, SolveError, StateForm, Tolerances,
    VectorField, solve,
};
use hnn_losses::{TrajectoryLoss, Window};
use hnn_models::control::{ClosedLoop, EnergyShaping, SwingUp};
use hnn_models::{
    Angles, Architecture, Dissipative, Hnn, Initialisation, InputPort, Mlp, Scaled, Scales, Sum,
};
use hnn_plots::{Figure, Motion, energy, trajectories};
use hnn_systems::{Sampling, Starts};
use hnn_train::LeastSquares;
use ndarray::{Array1, Array2, aview2, s};
use serde::{Deserialize, Serialize};

/// A pendulum with a weak motor: learned, swung up, held.
#[derive(Debug, Parser, Serialize)]
struct Options {
    /// Number of seeds (data, initial weights).
    #[arg(long, default_value_t = 3)]
    seeds: u64,
    /// The first seed; settings were chosen on the seeds 0 to 4.
    #[arg(long, default_value_t = 10)]
    first_seed: u64,
    /// The largest torque of the motor in N m; 9.81 would lift the pendulum.
    #[arg(long, default_value_t = 3.0)]
    limit: f64,
    /// Output folder [default: target/examples/control].
    #[arg(long)]
    out: Option<PathBuf>,
    /// Number of threads [default: all cores].
    #[arg(long)]
    threads: Option<usize>,
    /// A short run that shows that everything works; its figures mean little.
    #[arg(long)]
    quick: bool,
    /// The seeds in several jobs.
    #[command(flatten)]
    #[serde(skip)]
    sweep: Sweep,
}

/// 1 kg on a rod of 1 m: `H = p^2 / 2 - g cos q`.
const GRAVITY: f64 = 9.81;
/// Of the hinge, in N m s; no model is told.
const FRICTION: f64 = 0.05;
/// Recorded trajectories, their points, and the time between two, over which the torque is held.
const TRAJECTORIES: usize = 30;
const POINTS: usize = 40;
const STEP: f64 = 0.05;
/// The end of the closed loop's run, in s, and the time between two of its states.
const END: f64 = 15.0;
const FRAME: f64 = 0.025;

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let begin = Instant::now();
    use_threads(options.threads)?;
    let seeds = if options.quick { options.seeds.min(1) } else { options.seeds };
    let seeds = Vec::from_iter(seed_range(options.first_seed, seeds)?);
    let output = Output::new("control", options.out.as_deref())?;
    let steps = if options.quick { [8, 4] } else { [20, 20] };
    let runs = options.sweep.run(&output, options, &seeds, |seeds| -> Result<_> {
        let bars = Bars::new(seeds.len() * steps.iter().sum::<usize>());
        let run = |seed: &u64| {
            let model = learn(&record(options.limit, *seed)?, *seed, steps, &bars)?;
            swing_up(&model, options.limit)
        };
        let runs = seeds.iter().map(run).collect();
        bars.finish();
        runs
    })?;
    let Some(runs) = runs else { return Ok(()) };
    let metric =
        |name, of: fn(&Run) -> f64| Row::of("hnn", name, &Vec::from_iter(runs.iter().map(of)));
    let rows = [
        metric("swing_up_time", |run| run.caught)?,
        metric("upright_error", |run| run.error)?,
        metric("largest_torque", |run| run.torques.iter().fold(0.0, |most, u| most.max(u.abs())))?,
        metric("gain", |run| run.gain)?,
    ];
    let mut table = Table::new(&["metric", "median", "mean"]);
    rows.iter().for_each(|row| {
        table.row([row.metric.clone(), scientific(row.median), scientific(row.mean)]);
    });
    println!("{table}");
    runs[0].draw(&output)?;
    output.results(options, begin.elapsed().as_secs_f64(), &rows)
}

/// The pendulum under a torque.
fn pendulum() -> impl VectorField<f64> {
    FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        (dx[0], dx[1]) = (x[1], u[0] - GRAVITY * x[0].sin() - FRICTION * x[1]);
    })
}

/// States and torques within the limit, a new one at each step.
fn record(limit: f64, seed: u64) -> Result<DataSet<f64>> {
    let starts = Starts::Box(vec![(-PI, PI), (-6.0, 6.0)]).draw(TRAJECTORIES, 2, seed)?;
    let torques =
        Starts::Box(vec![(-limit, limit); POINTS]).draw(TRAJECTORIES, POINTS, 100 + seed)?;
    let t_end = STEP * (POINTS - 1) as f64;
    let sampling = Sampling { t_end, points: POINTS, ..Sampling::spring() };
    let times = sampling.times()?;
    let of =
        |row: ndarray::ArrayView1<'_, f64>| Signal::held(&times, row.insert_axis(ndarray::Axis(1)));
    let signals = Vec::from_iter(torques.outer_iter().map(of));
    let field = pendulum();
    let driven = Driven::new(&field, Signals::Sampled(&signals));
    Ok(sampling.sample_from(&driven, starts.view(), seed)?)
}

type Network = Scaled<Angles<Mlp<f64>>>;
/// `dx/dt = (J - R(x)) dH/dx + G u`.
type Model = Hnn<Network, Sum<Dissipative<Network>, InputPort>>;

/// By least squares over one step, then over four. No derivative is used but for scales.
fn learn(data: &DataSet<f64>, seed: u64, steps: [usize; 2], bars: &Bars) -> Result<Model> {
    let network = |seed| -> Result<_> {
        let network =
            Mlp::new(Architecture::new(&[3, 16, 16, 1])?, Initialisation::Orthogonal, seed);
        Ok(Angles::new::<f64>(network, &[true, false])?)
    };
    let middle = midpoints(data)?;
    let scales = Scales::new(middle.states(), middle.derivatives())?;
    let friction = scales.dissipative(network(1000 + seed)?)?;
    let force = Sum(friction, InputPort::new(1).fitted());
    let mut model = Hnn::forced(scales.energy(network(seed)?)?, force)?;
    for (window, steps) in [1, 4].into_iter().zip(steps) {
        let loss = TrajectoryLoss::new(DOP853.propagated(), Window::Steps(window), data)?;
        let mut loss = loss.with_inputs_between(Between::Held);
        LeastSquares::new(steps).fit(&mut model, &mut loss, None, &mut bars.observer("HNN"))?;
    }
    Ok(model)
}

/// The true pendulum under the controller of a learned one.
#[derive(Serialize, Deserialize)]
struct Run {
    times: Vec<f64>,
    states: Vec<[f64; 2]>,
    torques: Vec<f64>,
    /// When the shaping took over for good; the end of the run where it did not.
    caught: f64,
    /// The angle's distance from upright at the end.
    error: f64,
    /// The learned gain of the motor, of which the true one is 1.
    gain: f64,
}

fn swing_up(model: &Model, limit: f64) -> Result<Run> {
    let (target, stiffness, damping) = ([PI], [4.0], [3.0]);
    let shaping = EnergyShaping::new(model, StateForm::Canonical, &target, &stiffness, &damping)?;
    // In this level set the torque stays within the limit.
    let swing = SwingUp::new(shaping.with_angles(&[true])?, 1.0, limit, 0.008 * limit * limit)?;
    let field = pendulum();
    let driven = ClosedLoop::new(&field, |t, x, u| swing.input(t, x, u));
    let count = (END / FRAME).round() as usize + 1;
    let times = Array1::linspace(0.0, END, count).to_vec();
    let run = solve(&driven, ndarray::aview1(&[0.05, 0.0]), &times, Tolerances::relative(1e-8));
    let states = run.map_err(SolveError::from)?.states;
    let states = Vec::from_iter(states.outer_iter().map(|x| [x[0], x[1]]));
    let mut caught = 0.0;
    let mut torques = Vec::with_capacity(count);
    for (t, x) in times.iter().zip(&states) {
        let mut u = [0.0];
        swing.input(*t, x, &mut u)?;
        torques.push(u[0]);
        if !swing.catches(x)? {
            caught = *t;
        }
    }
    let error = (states[count - 1][0] - PI).sin().atan2((states[count - 1][0] - PI).cos());
    let gain = model.force().1.matrix()[[0, 0]];
    Ok(Run { times, states, torques, caught, error: error.abs(), gain })
}

impl Run {
    /// Angle, true energy and torque over time, and the motion as a page.
    fn draw(&self, output: &Output) -> Result<()> {
        let motion =
            Motion::new("true pendulum, learned controller", &self.times, aview2(&self.states))?;
        let mut panels = trajectories(std::slice::from_ref(&motion), &["angle (rad)"])?;
        let level = |x: &[f64]| 0.5 * x[1] * x[1] - GRAVITY * x[0].cos();
        panels.push(energy(std::slice::from_ref(&motion), level)?.with_y_label("energy (J)"));
        let torques = Array2::from_shape_fn((self.times.len(), 1), |(row, _)| self.torques[row]);
        let torque = Motion::new("torque", &self.times, torques.view())?;
        panels.extend(trajectories(&[torque], &["torque (N m)"])?);
        let title = "Swung up by a learned energy";
        output.figure("swing_up", &Figure::grid(1, panels)?.with_title(title))?;
        let angle = aview2(&self.states).slice_move(s![.., ..1]);
        let motions = [("true pendulum", angle)];
        write_animation(&output.path("animation.html"), title, 1, &motions, FRAME)
    }
}
