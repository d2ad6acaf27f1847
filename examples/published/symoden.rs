//! Table of SymODEN (Zhong, Dey and Chakraborty 2020), tasks 1 and 2: a pendulum with constant
//! torques, its states given as angle and momentum, or as cosine, sine and velocity.
//!
//! `cargo run --release --example symoden`
#![allow(clippy::print_stdout)]

use std::f64::consts::PI;
use std::path::Path;
use std::process::ExitCode;

use clap::{Parser, ValueEnum};
use hnn_data::DataSet;
use hnn_examples::{Bars, Output, exit};
use hnn_integrators::{
    Between, DOP853, DifferentiableField, Driven, FnField, RK4, Signals, Tableau, Tolerances,
    VectorField,
};
use hnn_losses::{TrajectoryLoss, Window};
use hnn_models::{
    Angles, Architecture, Hnn, Initialisation, InputPort, Lnn, MechanicalLagrangian, Mlp, Scales,
};
use hnn_plots::{Motion, trajectories};
use hnn_published_examples::{Figure, PublishedOptions, Result, Scores, timed};
use hnn_systems::{Sampling, Starts};
use hnn_train::{Checkpoint, LeastSquares, Trainer};
use ndarray::{Array2, Axis, concatenate, s};
use serde::Serialize;

/// SymODEN's pendulums: an energy and the gain of the torque, learned over windows.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
    /// Which tasks.
    #[arg(long, value_enum, value_delimiter = ',', default_values_t = [Task::One, Task::Two])]
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
}

const METRICS: [&str; 3] = ["train_loss", "test_loss", "prediction"];
/// The torque of each trajectory from one start.
const TORQUES: [f64; 5] = [-2.0, -1.0, 0.0, 1.0, 2.0];
/// Starts to train on, and as many to test with.
const STARTS: usize = 25;
const STEP: f64 = 0.05;
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
    ];
    let published = Vec::from_iter(published.into_iter().flatten());
    options.shared.run("symoden", options, &published, |seed, output| {
        options.tasks.iter().map(|task| task.trial(&options.shared, seed, output)).collect()
    })
}

/// Trajectories with torques to train on and to test with, and without for predictions. States are
/// (q, p), or (q, q').
struct Data {
    train: DataSet<f64>,
    test: DataSet<f64>,
    prediction: DataSet<f64>,
}

impl Task {
    fn truth(self) -> impl VectorField<f64> {
        FnField::with_inputs(2, 1, move |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
            (dx[0], dx[1]) = match self {
                Self::One => (3.0 * x[1], -5.0 * x[0].sin() + u[0]),
                Self::Two => (x[1], 15.0 * x[0].sin() + 3.0 * u[0]),
            };
        })
    }

    fn data(self, seed: u64) -> Result<Data> {
        let bounds = match self {
            Self::One => vec![(-PI, 2.0 * PI); 2],
            Self::Two => vec![(-PI, PI), (-1.0, 1.0)],
        };
        let starts = Starts::Box(bounds).draw(2 * STARTS, 2, seed)?;
        let field = self.truth();
        let sample = |starts: Array2<f64>, torques: &[f64], points: usize| {
            let of_row = |row: usize, _t: f64, u: &mut [f64]| u[0] = torques[row % torques.len()];
            let driven = Driven::new(&field, Signals::Function(&of_row));
            let repeated =
                Array2::from_shape_fn((starts.nrows() * torques.len(), 2), |(row, i)| {
                    starts[[row / torques.len(), i]]
                });
            let t_end = STEP * (points - 1) as f64;
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
        let (model, label) = match self {
            Self::One => ("hnn_task_1", "task 1, HNN with a port"),
            Self::Two => ("hnn_task_2", "task 2, LNN with a port"),
        };
        let checkpoint = output.path(&format!("{model}_{seed}.checkpoint"));
        let fit = Fit { options, label, data: &data.train, checkpoint: &checkpoint };
        let (field, seconds) = timed(|| match self {
            Self::One => fit.run(energy(&data.train, fit.hidden(), seed)?),
            Self::Two => fit.run(lagrangian(&data.train, fit.hidden(), seed)?),
        })?;
        let sets = [&data.train, &data.test, &data.prediction];
        let errors = sets.map(|set| self.error(&*field, set));
        let metrics = METRICS.into_iter().zip(errors);
        let metrics = metrics.map(|(metric, error)| Ok((metric, error?)));
        let metrics = metrics.collect::<Result<_>>()?;
        if seed == options.first_seed {
            draw(model, label, &*field, &data.prediction, output)?;
        }
        Ok(Scores { model, label: label.to_owned(), metrics, seconds })
    }

    /// Squared errors of rollouts, summed over times and coordinates as they are given; the mean over
    /// trajectories.
    fn error(self, field: &dyn VectorField<f64>, data: &DataSet<f64>) -> Result<f64> {
        let Ok(model) = data.rollout_of(field, Between::Held, Tolerances::relative(1e-9)) else {
            return Ok(f64::INFINITY);
        };
        let given = |data: &DataSet<f64>| match self {
            Self::One => data.states().to_owned(),
            Self::Two => {
                let (q, v) = (data.states().slice_move(s![.., ..1]), data.states());
                concatenate![Axis(1), q.mapv(f64::cos), q.mapv(f64::sin), v.slice(s![.., 1..])]
            }
        };
        let errors = (given(&model) - given(data)).mapv(|e| e * e);
        Ok(errors.sum() / data.num_trajectories() as f64)
    }
}

type Network = Mlp<f64>;

fn network(inputs: usize, hidden: &[usize], seed: u64) -> Result<Network> {
    let sizes = [&[inputs], hidden, &[1]].concat();
    Ok(Mlp::new(Architecture::new(&sizes)?, Initialisation::Orthogonal, seed))
}

/// The states' slopes, by differences: for the sizes of what networks see alone.
fn slopes(data: &DataSet<f64>) -> Array2<f64> {
    let mut slopes = Array2::zeros(data.states().dim());
    for (row, mut slope) in slopes.outer_iter_mut().enumerate() {
        let last = (row + 1) % POINTS[0] == 0;
        let from = if last { row - 1 } else { row };
        let difference = &data.states().row(from + 1) - &data.states().row(from);
        slope.assign(&(difference / STEP));
    }
    slopes
}

/// `H(cos q, sin q, p)` and a force `g u`, `g` fitted.
fn energy(
    data: &DataSet<f64>,
    hidden: &[usize],
    seed: u64,
) -> Result<impl DifferentiableField<f64> + 'static> {
    let scales = Scales::new(data.states(), slopes(data).view())?;
    let network = Angles::new::<f64>(network(3, hidden, seed)?, &[true, false])?;
    Ok(Hnn::forced(scales.energy(network)?, InputPort::new(1).fitted())?)
}

/// `L = M(q) v^2 / 2 - V(q)` and the torque `u`, whose gain is 1: it is what masses and potential are
/// measured in.
fn lagrangian(
    data: &DataSet<f64>,
    hidden: &[usize],
    seed: u64,
) -> Result<impl DifferentiableField<f64> + 'static> {
    let scales = Scales::of_forces(data.states(), slopes(data).view(), data.inputs())?;
    let wrapped =
        |seed| -> Result<_> { Ok(Angles::new::<f64>(network(2, hidden, seed)?, &[true])?) };
    let lagrangian = MechanicalLagrangian::new(wrapped(1000 + seed)?, wrapped(seed)?)?;
    Ok(Lnn::forced(scales.lagrangian(lagrangian)?, InputPort::new(1))?)
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
    ) -> Result<Box<dyn VectorField<f64>>>
    where
        F::Residuals: 'static,
    {
        let stages = [(Window::Steps(1), 20), (Window::Steps(4), 60)];
        let all = if self.options.protocol { 1000 } else { 80 };
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

/// The first predictions, angle and momentum (or velocity) over time.
fn draw(
    name: &str,
    label: &str,
    field: &dyn VectorField<f64>,
    data: &DataSet<f64>,
    output: &Output,
) -> Result<()> {
    let data = data.select(&[0])?;
    let truth = Motion::new("truth", data.times(), data.states())?.truth();
    let model = data.rollout_of(field, Between::Held, Tolerances::relative(1e-9))?;
    let model = Motion::new(label, data.times(), model.states())?;
    let panels = trajectories(&[truth, model], &["angle q", "momentum or velocity"])?;
    output.figure(&format!("{name}_prediction"), &hnn_plots::Figure::grid(1, panels)?)?;
    Ok(())
}
