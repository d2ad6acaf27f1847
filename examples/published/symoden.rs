//! Table of SymODEN (Zhong, Dey and Chakraborty 2020): systems under constant inputs. A pendulum, its
//! states given as angle and momentum, or as cosine, sine and velocity; a cart-pole; an acrobot.
//!
//! `cargo run --release --example symoden`
#![allow(clippy::print_stdout)]

use std::f64::consts::PI;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use hnn_data::DataSet;
use hnn_examples::{Bars, Output, exit, midpoints};
use hnn_integrators::{
    Between, DOP853, DifferentiableField, Driven, FnField, RK4, Signals, Tableau, Tolerances,
    VectorField,
};
use hnn_losses::{DerivativeLoss, TrajectoryLoss, Window};
use hnn_models::{
    Angles, Architecture, Hnn, Initialisation, InputPort, Lnn, MechanicalLagrangian, Mlp, Scales,
};
use hnn_plots::{Motion, trajectories};
use hnn_published_examples::{Figure, PublishedOptions, Result, Scores, timed};
use hnn_systems::{CartPole, Sampling, Starts};
use hnn_train::{Checkpoint, LeastSquares, Trainer};
use ndarray::{Array2, Axis};
use serde::Serialize;

/// SymODEN's systems: an energy and the gains of the input, learned over windows.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
    /// Which tasks.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = Task::ALL)]
    tasks: Vec<Task>,
}

#[derive(Debug, Clone, Copy, PartialEq, ValueEnum, Serialize)]
enum Task {
    /// States (q, p): H = 5 (1 - cos q) + 1.5 p^2, dp/dt = -5 sin q + u.
    #[value(name = "1")]
    One,
    /// States (cos q, sin q, q'): gym's pendulum, q'' = 15 sin q + 3 u.
    #[value(name = "2")]
    Two,
    /// States (x, cos q, sin q, x', q'): gym's cart-pole without friction, a cart of half a kilogram.
    #[value(name = "3")]
    Three,
    /// States (cos, sin of both angles, velocities): gym's acrobot, a motor in its elbow.
    #[value(name = "4")]
    Four,
}

const METRICS: [&str; 3] = ["train_loss", "test_loss", "prediction"];
/// The torque of each trajectory from one start.
const TORQUES: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];
/// Starts to train on, and as many to test with.
const STARTS: usize = 25;
/// Steps of least squares on differences, from which those over windows begin where there are two
/// coordinates.
const START: usize = 15;
/// Points of a trajectory, and of a prediction.
const POINTS: [usize; 2] = [20, 40];

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let published = [
        Figure::row("task 1, naive", METRICS, [0.918, 0.884, 19.9]),
        Figure::row("task 1, unstructured", METRICS, [0.113, 0.108, 9.46]),
        Figure::row("task 1, SymODEN", METRICS, [0.0796, 0.0725, 4.31]),
        Figure::row("task 2, naive", METRICS, [5.68, 5.86, 221.0]),
        Figure::row("task 2, geometric", METRICS, [0.212, 0.195, 13.3]),
        Figure::row("task 2, unstructured", METRICS, [1.55, 1.47, 3.68]),
        Figure::row("task 2, SymODEN", METRICS, [0.0325, 0.0242, 0.0948]),
        Figure::row("task 3, naive", METRICS, [0.285, 0.284, 37.3]),
        Figure::row("task 3, geometric", METRICS, [0.110, 0.113, 10.5]),
        Figure::row("task 3, unstructured", METRICS, [0.342, 0.335, 132.0]),
        Figure::row("task 3, SymODEN", METRICS, [0.200, 0.191, 4.16]),
        Figure::row("task 4, naive", METRICS, [0.185, 0.204, 39.0]),
        Figure::row("task 4, geometric", METRICS, [0.172, 0.184, 11.2]),
        Figure::row("task 4, unstructured", METRICS, [0.0974, 0.0988, 2.69]),
        Figure::row("task 4, SymODEN", METRICS, [0.0473, 0.0483, 0.809]),
    ];
    let published = Vec::from_iter(published.into_iter().flatten());
    options.shared.run("symoden", options, &published, |seed, output| {
        options.tasks.iter().map(|task| task.trial(&options.shared, seed, output)).collect()
    })
}

/// Trajectories with torques to train on and to test with, and without for predictions. States are
/// (q, p), or (q, q'), with angles as numbers.
struct Data {
    train: DataSet<f64>,
    test: DataSet<f64>,
    prediction: DataSet<f64>,
}

impl Task {
    const ALL: [Self; 4] = [Self::One, Self::Two, Self::Three, Self::Four];

    /// The key and the label of our model.
    fn name(self) -> (&'static str, &'static str) {
        match self {
            Self::One => ("hnn_task_1", "task 1, HNN with a port"),
            Self::Two => ("hnn_task_2", "task 2, LNN with a port"),
            Self::Three => ("hnn_task_3", "task 3, LNN with a port"),
            Self::Four => ("hnn_task_4", "task 4, LNN with a port"),
        }
    }

    /// Which positions are angles.
    fn angles(self) -> &'static [bool] {
        match self {
            Self::One | Self::Two => &[true],
            Self::Three => &[false, true],
            Self::Four => &[true, true],
        }
    }

    fn dim(self) -> usize {
        2 * self.angles().len()
    }

    /// Time between two points.
    fn step(self) -> f64 {
        if self == Self::Three { 0.02 } else { 0.05 }
    }

    fn labels(self) -> &'static [&'static str] {
        match self {
            Self::One => &["angle q", "momentum p"],
            Self::Two => &["angle q", "velocity q'"],
            Self::Three => &["cart x", "angle q", "velocity x'", "velocity q'"],
            Self::Four => &["angle q1", "angle q2", "velocity q1'", "velocity q2'"],
        }
    }

    fn starts(self) -> Vec<(f64, f64)> {
        match self {
            Self::One => vec![(-PI, 2.0 * PI); 2],
            Self::Two => vec![(-PI, PI), (-1.0, 1.0)],
            Self::Three => vec![(-0.05, 0.05), (-PI, PI), (-0.05, 0.05), (-3.0, 3.0)],
            Self::Four => vec![(-PI, PI); 4],
        }
    }

    fn truth(self) -> Result<impl VectorField<f64>> {
        let cart = CartPole::new(0.5, 0.1, 0.5, 9.8)?;
        let slope = move |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| match self {
            Self::One => dx.copy_from_slice(&[3.0 * x[1], -5.0 * x[0].sin() + u[0]]),
            Self::Two => dx.copy_from_slice(&[x[1], 15.0 * x[0].sin() + 3.0 * u[0]]),
            Self::Three => dx.copy_from_slice(&cart.eval_under(u[0], &[x[0], x[1], x[2], x[3]])),
            Self::Four => dx.copy_from_slice(&acrobot(u[0], [x[0], x[1], x[2], x[3]])),
        };
        Ok(FnField::with_inputs(self.dim(), 1, slope))
    }

    fn data(self, seed: u64) -> Result<Data> {
        let starts = Starts::Box(self.starts()).draw(2 * STARTS, self.dim(), seed)?;
        let field = self.truth()?;
        let sample = |starts: Array2<f64>, torques: &[f64], points: usize| {
            let of_row = |row: usize, _t: f64, u: &mut [f64]| u[0] = torques[row % torques.len()];
            let driven = Driven::new(&field, Signals::Function(&of_row));
            let repeated =
                Array2::from_shape_fn((starts.nrows() * torques.len(), self.dim()), |(row, i)| {
                    starts[[row / torques.len(), i]]
                });
            let t_end = self.step() * (points - 1) as f64;
            Sampling { t_end, points, ..Sampling::spring() }.sample_from(
                &driven,
                repeated.view(),
                seed,
            )
        };
        let (first, rest) = starts.view().split_at(Axis(0), STARTS);
        Ok(Data {
            train: sample(first.to_owned(), &TORQUES, POINTS[0])?,
            test: sample(rest.to_owned(), &TORQUES, POINTS[0])?,
            prediction: sample(rest.to_owned(), &[0.0], POINTS[1])?,
        })
    }

    fn trial(self, options: &PublishedOptions, seed: u64, output: &Output) -> Result<Scores> {
        let data = self.data(seed)?;
        let (model, label) = self.name();
        let checkpoint = output.path(&format!("{model}_{seed}.checkpoint"));
        let fit = Fit { options, label, data: &data.train, checkpoint: &checkpoint };
        let (field, seconds) = timed(|| match self {
            Self::One => fit.run(energy(&data.train, fit.hidden(), seed)?),
            _ => fit.run(lagrangian(&data.train, self.angles(), fit.hidden(), seed)?),
        })?;
        let sets = [&data.train, &data.test, &data.prediction];
        let errors = sets.map(|set| self.error(&*field, set));
        let metrics = METRICS.into_iter().zip(errors);
        let metrics = metrics.map(|(metric, error)| Ok((metric, error?)));
        let metrics = metrics.collect::<Result<_>>()?;
        if seed == options.first_seed {
            self.draw(&*field, &data.prediction, output)?;
        }
        Ok(Scores { model, label: label.to_owned(), metrics, seconds })
    }

    /// Squared errors of rollouts, summed over times and coordinates as they are given; the mean over
    /// trajectories.
    fn error(self, field: &dyn VectorField<f64>, data: &DataSet<f64>) -> Result<f64> {
        let Ok(model) = data.rollout_of(field, Between::Held, Tolerances::relative(1e-9)) else {
            return Ok(f64::INFINITY);
        };
        let is_embedded = |i: usize| self != Self::One && self.angles().get(i) == Some(&true);
        let square = |x: f64, y: f64| (x - y) * (x - y);
        let (model, truth) = (model.states(), data.states());
        let columns = model.columns().into_iter().zip(truth.columns()).enumerate();
        let errors = columns.map(|(i, (model, truth))| {
            let pairs = model.iter().zip(truth);
            let error = |(x, y): (&f64, &f64)| match is_embedded(i) {
                true => square(x.cos(), y.cos()) + square(x.sin(), y.sin()),
                false => square(*x, *y),
            };
            pairs.map(error).sum::<f64>()
        });
        Ok(errors.sum::<f64>() / data.num_trajectories() as f64)
    }

    /// The first prediction, coordinates over time.
    fn draw(
        self,
        field: &dyn VectorField<f64>,
        data: &DataSet<f64>,
        output: &Output,
    ) -> Result<()> {
        let (name, label) = self.name();
        let data = data.select(&[0])?;
        let truth = Motion::new("truth", data.times(), data.states())?.truth();
        let model = data.rollout_of(field, Between::Held, Tolerances::relative(1e-9))?;
        let model = Motion::new(label, data.times(), model.states())?;
        let panels = trajectories(&[truth, model], self.labels())?;
        output.figure(&format!("{name}_prediction"), &hnn_plots::Figure::grid(1, panels)?)?;
        Ok(())
    }
}

/// The slope of gym's acrobot: two links of mass, length and moment of inertia 1, their centres half
/// way, angles from hanging, the second from the first.
fn acrobot(torque: f64, [a, b, v, w]: [f64; 4]) -> [f64; 4] {
    const GRAVITY: f64 = 9.8;
    let (sin, cos) = b.sin_cos();
    let (m11, m12, m22) = (3.5 + cos, 1.25 + 0.5 * cos, 1.25);
    let outer = 0.5 * GRAVITY * (a + b).sin();
    let f1 = 0.5 * sin * w * (2.0 * v + w) - 1.5 * GRAVITY * a.sin() - outer;
    let f2 = torque - 0.5 * sin * v * v - outer;
    let determinant = m11 * m22 - m12 * m12;
    [v, w, (m22 * f1 - m12 * f2) / determinant, (m11 * f2 - m12 * f1) / determinant]
}

/// A network that sees angles as cosines and sines.
fn network(
    angles: &[bool],
    hidden: &[usize],
    outputs: usize,
    seed: u64,
) -> Result<Angles<Mlp<f64>>> {
    let inputs = angles.len() + angles.iter().filter(|angle| **angle).count();
    let sizes = [&[inputs], hidden, &[outputs]].concat();
    let network = Mlp::new(Architecture::new(&sizes)?, Initialisation::Orthogonal, seed);
    Ok(Angles::new::<f64>(network, angles)?)
}

/// `H(cos q, sin q, p)` and a force `g u`, `g` fitted.
fn energy(
    data: &DataSet<f64>,
    hidden: &[usize],
    seed: u64,
) -> Result<impl DifferentiableField<f64> + 'static> {
    let middle = midpoints(data)?;
    let scales = Scales::new(middle.states(), middle.derivatives())?;
    let network = network(&[true, false], hidden, 1, seed)?;
    Ok(Hnn::forced(scales.energy(network)?, InputPort::new(1).fitted())?)
}

/// `L = v . M(q) v / 2 - V(q)` and the force `G u`. Masses, potential and `G` are the same up to a
/// factor: of one coordinate `G = 1`, of two it is fitted.
fn lagrangian(
    data: &DataSet<f64>,
    angles: &[bool],
    hidden: &[usize],
    seed: u64,
) -> Result<impl DifferentiableField<f64> + 'static> {
    let n = angles.len();
    let port = InputPort::with_matrix(Array2::ones((n, 1)))?;
    let port = if n == 1 { port } else { port.fitted() };
    let middle = midpoints(data)?;
    let forces = port.matrix().dot(&middle.inputs().t()).reversed_axes();
    let scales = Scales::from_forces(middle.states(), middle.derivatives(), forces.view())?;
    let factor = network(angles, hidden, n * (n + 1) / 2, 1000 + seed)?;
    let lagrangian = MechanicalLagrangian::new(factor, network(angles, hidden, 1, seed)?)?;
    // A direction of hardly any mass lets a step between known states leave all bounds.
    let lagrangian = if n == 1 { lagrangian } else { lagrangian.with_epsilon(0.03)? };
    Ok(Lnn::forced(scales.lagrangian(lagrangian)?, port)?)
}

/// How a model is trained.
struct Fit<'a> {
    options: &'a PublishedOptions,
    label: &'a str,
    data: &'a DataSet<f64>,
    checkpoint: &'a Path,
}

impl Fit<'_> {
    fn hidden(&self) -> &'static [usize] {
        if self.options.protocol { &[50, 50] } else { &[16, 16] }
    }

    fn run<F: DifferentiableField<f64> + 'static>(
        &self,
        mut model: F,
    ) -> Result<Box<dyn VectorField<f64>>> {
        let stages = [(Window::Steps(1), 20), (Window::Steps(4), 60)];
        let all = if self.options.protocol { 1000 } else { START + 80 };
        let bars = Bars::new(all);
        let checkpoint = Checkpoint::new(self.checkpoint.to_owned());
        if self.options.protocol {
            // Every piece of 5 points, by 4 steps of RK4.
            let windows = self.data.windows(5, 1)?;
            let mut loss = self.loss(RK4, Window::Whole, &windows)?;
            let steps = if self.options.quick { 3 } else { all };
            let mut trainer = Trainer::new(steps).with_checkpoint(checkpoint);
            trainer.fit(&mut model, &mut loss, None, &mut bars.observer(self.label))?;
        } else {
            let most = if self.options.quick { 3 } else { usize::MAX };
            if self.data.states().ncols() > 2 {
                let mut loss = DerivativeLoss::from_data(&midpoints(self.data)?)?;
                let solver = LeastSquares::new(START.min(most));
                solver.fit(&mut model, &mut loss, None, &mut bars.observer(self.label))?;
            }
            for (window, steps) in stages {
                let mut loss = self.loss(DOP853.propagated(), window, self.data)?;
                let solver = LeastSquares::new(steps.min(most));
                solver.fit(&mut model, &mut loss, None, &mut bars.observer(self.label))?;
            }
        }
        bars.finish();
        Ok(Box::new(model))
    }

    fn loss(
        &self,
        method: Tableau,
        window: Window,
        data: &DataSet<f64>,
    ) -> Result<TrajectoryLoss<f64, Tableau>> {
        Ok(TrajectoryLoss::new(method, window, data)?.with_inputs_between(Between::Held))
    }
}
