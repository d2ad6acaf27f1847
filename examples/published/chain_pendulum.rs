//! Table of CHNN (Finzi, Wang and Wilson 2020): chains of pendulums, in Cartesian coordinates with
//! constraints, and in angles.
//!
//! `cargo run --release --example chain_pendulum`
#![allow(clippy::print_stdout)]

use std::process::ExitCode;

use chacha20::ChaCha8Rng;
use clap::Parser;
use hnn_data::{DataSet, Trajectory};
use hnn_examples::{Bars, Output, exit, roll_out};
use hnn_integrators::{Constrained, DOP853, DifferentiableField, RK4, StateForm, VectorField};
use hnn_losses::{TrajectoryLoss, Window};
use hnn_models::{
    Angles, Architecture, ConstrainedHnn, Initialisation, Lnn, MechanicalLagrangian, Mlp, Persist,
    Scales,
};
use hnn_plots::{Motion, Panel, Series};
use hnn_published_examples::{Figure, PublishedOptions, Result, Scores, timed};
use hnn_systems::ChainPendulum;
use hnn_train::{Adam, LeastSquares, MiniBatch, Schedule, Trainer, WeightDecay};
use ndarray::{Array2, Array3, Axis, s};
use rand::{RngExt, SeedableRng};
use rand_distr::StandardNormal;
use serde::Serialize;

/// CHNN's chains of pendulums, learned from short pieces of motion.
#[derive(Debug, Parser, Serialize)]
struct Options {
    #[command(flatten)]
    #[serde(flatten)]
    shared: PublishedOptions,
}

/// The chains' lengths, and the metric of each.
const LINKS: [usize; 4] = [1, 2, 3, 5];
const METRICS: [&str; 4] =
    ["relative_error_1", "relative_error_2", "relative_error_3", "relative_error_5"];
/// Those that are learned in angles as well.
const IN_ANGLES: usize = 2;
/// The numbers that masses, then lengths are made of: the first of numpy's of seed 0.
const UNIFORM: [f64; 10] = [
    0.5488135, 0.71518937, 0.60276338, 0.54488318, 0.4236548, 0.64589411, 0.43758721, 0.891773,
    0.96366276, 0.38344152,
];
const GRAVITY: f64 = 9.81;
/// Trajectories to train on, of each of which one piece is taken, and to test with.
const TRAJECTORIES: [usize; 2] = [800, 100];
const STEP: f64 = 0.03;
/// Points of a trajectory, and of a piece.
const POINTS: [usize; 2] = [100, 5];

fn main() -> ExitCode {
    exit(run(&Options::parse()))
}

fn run(options: &Options) -> Result<()> {
    let published = [
        Figure::row("NODE", METRICS, [3.8e-4, 6.5e-2, 0.27, 0.44]),
        Figure::row("HNN", METRICS, [1.18e-4, 1.9e-3, 4.7e-2, 0.34]),
        Figure::row("DeLaN", METRICS, [2.5e-4, 1.25e-3, 4.1e-2, 0.33]),
        Figure::row("CHNN", METRICS, [6.1e-5, 1.17e-4, 3.4e-4, 1.07e-3]),
        Figure::row("truth, start off by 1e-4", METRICS, [3.6e-5, 5.9e-5, 1.1e-4, 1.4e-4]),
    ];
    let published = Vec::from_iter(published.into_iter().flatten());
    options.shared.run("chain_pendulum", options, &published, |seed, output| {
        trial(&options.shared, seed, output)
    })
}

/// All chains of one seed.
fn trial(options: &PublishedOptions, seed: u64, output: &Output) -> Result<Vec<Scores>> {
    let scores = |model, label: &str| Scores {
        model,
        label: label.to_owned(),
        metrics: vec![],
        seconds: 0.0,
    };
    let mut constrained = scores("hnn", "constrained HNN");
    let mut angles = scores("angles", "LNN in angles");
    let run = Run { options, seed, output };
    let mut series = vec![];
    for (links, metric) in LINKS.into_iter().zip(METRICS) {
        let judged = match links {
            1 => run.chain::<1>()?,
            2 => run.chain::<2>()?,
            3 => run.chain::<3>()?,
            _ => run.chain::<5>()?,
        };
        for (scores, (errors, seconds)) in [&mut constrained, &mut angles].into_iter().zip(judged) {
            scores.metrics.push((metric, geometric_mean(errors.iter())));
            scores.seconds += seconds;
            let over_time = errors.axis_iter(Axis(1)).map(|at| geometric_mean(at.iter()));
            let times = (1..=errors.ncols()).map(|k| STEP * k as f64);
            let points = times.zip(over_time).collect::<Vec<_>>();
            series.push((format!("{links} links, {}", scores.label), points));
        }
    }
    if seed == options.first_seed {
        let panel = Panel::new("relative error").with_x_label("time t in s").with_log_y();
        let panel = series.into_iter().try_fold(panel, |panel, (label, points)| -> Result<_> {
            let (times, errors): (Vec<f64>, Vec<f64>) = points.into_iter().unzip();
            Ok(panel.series(Series::new(label, times, errors)?))
        })?;
        output.figure("errors", &hnn_plots::Figure::new(panel))?;
    }
    Ok(vec![constrained, angles])
}

fn geometric_mean<'a>(values: impl ExactSizeIterator<Item = &'a f64>) -> f64 {
    let count = values.len() as f64;
    (values.map(|value| value.ln()).sum::<f64>() / count).exp()
}

/// One seed.
struct Run<'a> {
    options: &'a PublishedOptions,
    seed: u64,
    output: &'a Output,
}

/// What a model is learned from and judged by; Cartesian states `(q, v)`.
struct Data<const N: usize> {
    system: ChainPendulum<N>,
    /// Pieces of trajectories.
    train: DataSet<f64>,
    times: Vec<f64>,
    /// True rollouts.
    test: Array3<f64>,
}

impl<const N: usize> Data<N> {
    /// The paper's chain hangs from the last numbers drawn.
    fn new([train, test]: [usize; 2], seed: u64) -> Result<Self> {
        let size = |k: usize| 0.6 + 0.8 * UNIFORM[k];
        let masses = std::array::from_fn(|k| size(N - 1 - k));
        let lengths = std::array::from_fn(|k| size(2 * N - 1 - k));
        let system = ChainPendulum::chain(masses, lengths, GRAVITY)?.in_velocities();
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let times = Vec::from_iter((0..POINTS[0]).map(|k| STEP * k as f64));
        let mut rollouts = |count| -> Result<_> {
            let starts = starts(&system, count, &mut rng)?;
            Ok(roll_out(&system, starts.view(), &times, 1e-10)?.states)
        };
        let (all, test) = (rollouts(train)?, rollouts(test)?);
        let pieces = all.outer_iter().map(|states| {
            let first = POINTS[1] * rng.random_range(0..POINTS[0] / POINTS[1]);
            let rows = first..first + POINTS[1];
            Trajectory::states_only(
                times[rows.clone()].to_vec(),
                states.slice(s![rows, ..]).to_owned(),
            )
        });
        Ok(Self { train: DataSet::new(pieces.collect::<Vec<_>>())?, system, times, test })
    }

    /// The relative errors `|z' - z| / (|z'| + |z|)` of rollouts of Cartesian states, one row a
    /// trajectory, one column a time after the first.
    fn errors(&self, states: &Array3<f64>) -> Array2<f64> {
        let norm = |x: &ndarray::ArrayView1<'_, f64>| x.dot(x).sqrt();
        let shape = (states.dim().0, states.dim().1 - 1);
        Array2::from_shape_fn(shape, |(row, k)| {
            let [model, truth] =
                [states, &self.test].map(|states| states.slice(s![row, k + 1, ..]));
            let off = &model - &truth;
            let error = norm(&off.view()) / (norm(&model) + norm(&truth));
            // A rollout that ends early is as wrong as one can be.
            if error.is_finite() { error.max(f64::MIN_POSITIVE) } else { 1.0 }
        })
    }

    fn test_starts(&self) -> Array2<f64> {
        self.test.index_axis(Axis(1), 0).to_owned()
    }
}

/// The paper's law: angles and rates normal, then positions shifted by 0.2 normal, and velocities halved
/// and changed by 0.4 normal, all brought back to the rods.
fn starts<const N: usize>(
    system: &ChainPendulum<N>,
    count: usize,
    rng: &mut ChaCha8Rng,
) -> Result<Array2<f64>> {
    let mut starts = Array2::zeros((count, 4 * N));
    for mut start in starts.outer_iter_mut() {
        // What is too far off the rods is drawn again.
        let on_rods = (0..100).find_map(|_| {
            let mut normal = || rng.sample::<f64, _>(StandardNormal);
            let angles = Array2::from_shape_simple_fn((1, 2 * N), &mut normal);
            let mut x = system.from_angles(angles.view()).ok()?;
            for (i, x) in x.iter_mut().enumerate() {
                *x = if i < 2 * N { *x + 0.2 * normal() } else { 0.5 * *x + 0.4 * normal() };
            }
            system.project_rows(x.view()).ok()
        });
        start.assign(&on_rods.ok_or("no start is near the rods")?.row(0));
    }
    Ok(starts)
}

/// The errors of a model, and the seconds that it took to train.
type Judged = (Array2<f64>, f64);

impl Run<'_> {
    /// The models of one chain: constrained, and of short ones in angles.
    fn chain<const N: usize>(&self) -> Result<Vec<Judged>> {
        let few = |count: usize| if self.options.quick { count / 20 } else { count };
        let data = Data::<N>::new(TRAJECTORIES.map(few), self.seed)?;
        let mut judged = vec![];
        let (model, seconds) = timed(|| self.constrained(&data))?;
        let path = format!("{N}_links_{}.safetensors", self.seed);
        model.save(self.output.path(&path))?;
        let states = roll_out(&model, data.test_starts().view(), &data.times, 1e-9)?.states;
        judged.push((data.errors(&states), seconds));
        if Some(&N) == LINKS.last() && self.seed == self.options.first_seed {
            self.draw(&data, &states)?;
        }
        if N <= IN_ANGLES {
            let (model, seconds) = timed(|| self.in_angles(&data))?;
            let starts = data.system.to_angles(data.test_starts().view())?;
            let angles = roll_out(&*model, starts.view(), &data.times, 1e-9)?.states;
            let mut states = Array3::zeros(data.test.dim());
            for (angles, mut states) in angles.outer_iter().zip(states.outer_iter_mut()) {
                states.assign(&data.system.from_angles(angles)?);
            }
            judged.push((data.errors(&states), seconds));
        }
        Ok(judged)
    }

    fn network(&self, sizes: &[usize], seed: u64) -> Result<Mlp<f64>> {
        Ok(Mlp::new(Architecture::new(sizes)?, Initialisation::Orthogonal, seed))
    }

    /// `V(q)` and the masses, rods known.
    fn constrained<const N: usize>(
        &self,
        data: &Data<N>,
    ) -> Result<ConstrainedHnn<hnn_models::Scaled<Mlp<f64>>, hnn_systems::Rods<2, N, N>, f64>> {
        let hidden: &[usize] = if self.options.protocol { &[256; 3] } else { &[16] };
        let network = self.network(&[&[2 * N], hidden, &[1]].concat(), self.seed)?;
        let scales = Scales::from_velocities(data.train.states(), slopes(&data.train).view())?;
        let potential = scales.potential(network)?;
        let rods = *data.system.constraint();
        let model = ConstrainedHnn::new(potential, rods, StateForm::Lagrangian, &[1.0; N])?;
        let mut model = model.with_learned_masses();
        self.fit(&mut model, &data.train, &format!("{N} links, constrained"))?;
        Ok(model)
    }

    /// `L = v^T M(q) v / 2 - V(q)` of the rods' angles.
    fn in_angles<const N: usize>(&self, data: &Data<N>) -> Result<Box<dyn VectorField<f64>>> {
        let pieces = data.train.iter().map(|piece| -> Result<_> {
            let mut angles = data.system.to_angles(piece.states)?;
            (0..N).for_each(|k| unwrap(angles.column_mut(k)));
            Ok(Trajectory::states_only(piece.times.to_vec(), angles))
        });
        let train = DataSet::new(pieces.collect::<Result<Vec<_>>>()?)?;
        let hidden: &[usize] = if self.options.protocol { &[256; 3] } else { &[32] };
        let network = |outputs: usize, seed| -> Result<_> {
            let network = self.network(&[&[2 * N], hidden, &[outputs]].concat(), seed)?;
            Ok(Angles::new::<f64>(network, &[true; N])?)
        };
        let (factor, potential) =
            (network(N * (N + 1) / 2, 1000 + self.seed)?, network(1, self.seed)?);
        let scales = Scales::from_velocities(train.states(), slopes(&train).view())?;
        let lagrangian = scales.lagrangian(MechanicalLagrangian::new(factor, potential)?)?;
        let mut model = Lnn::new(lagrangian)?;
        self.fit(&mut model, &train, &format!("{N} links, in angles"))?;
        Ok(Box::new(model))
    }

    /// By the states of the pieces alone.
    fn fit<F: DifferentiableField<f64> + 'static>(
        &self,
        model: &mut F,
        data: &DataSet<f64>,
        label: &str,
    ) -> Result<()> {
        let quick = |steps: usize| if self.options.quick { 3 } else { steps };
        if self.options.protocol {
            // Batches of 200 pieces, 2000 times all; the paper's loss is |z' - z|, here its square.
            let bars = Bars::new(8000);
            let mut loss = TrajectoryLoss::new(RK4, Window::Whole, data)?;
            Trainer::new(quick(8000))
                .with_optimiser(Adam::default().with_decay(WeightDecay::Decoupled(1e-4)))
                .with_schedule(Schedule::Cosine { from: 3e-3, to: 0.0 })
                .with_minibatch(MiniBatch::trajectories(data.lengths(), 200, self.seed)?)
                .fit(model, &mut loss, None, &mut bars.observer(label))?;
            bars.finish();
            return Ok(());
        }
        // The first step of each piece leads near, all steps further.
        let first = data.windows(2, POINTS[1] - 1)?;
        let stages = [(&first, 60), (data, 20)];
        let bars = Bars::new(stages.iter().map(|(_, steps)| steps).sum());
        for (data, steps) in stages {
            let mut loss = TrajectoryLoss::new(DOP853.propagated(), Window::Steps(1), data)?;
            let solver = LeastSquares::new(quick(steps));
            solver.fit(model, &mut loss, None, &mut bars.observer(label))?;
        }
        bars.finish();
        Ok(())
    }

    /// The path of the last point from the first test start.
    fn draw<const N: usize>(&self, data: &Data<N>, states: &Array3<f64>) -> Result<()> {
        let motion = |label: &str, states: &Array3<f64>| {
            Motion::new(label, &data.times, states.index_axis(Axis(0), 0))
        };
        let motions = [motion("truth", &data.test)?.truth(), motion("constrained HNN", states)?];
        let panel = Panel::new(format!("the last of {N} links"))
            .with_x_label("x in m")
            .with_y_label("y in m");
        let panel = motions.iter().try_fold(panel, |panel, motion| -> Result<_> {
            Ok(panel.series(motion.path(N - 1, 2 * N - 1)?))
        })?;
        Ok(self.output.figure("path", &hnn_plots::Figure::new(panel))?)
    }
}

/// The states' slopes, by differences: for the sizes of what networks see alone.
fn slopes(data: &DataSet<f64>) -> Array2<f64> {
    let mut slopes = Array2::zeros(data.states().dim());
    for (row, mut slope) in slopes.outer_iter_mut().enumerate() {
        let last = (row + 1) % POINTS[1] == 0;
        let from = if last { row - 1 } else { row };
        let difference = &data.states().row(from + 1) - &data.states().row(from);
        slope.assign(&(difference / STEP));
    }
    slopes
}

/// Adds turns so that angles do not jump.
fn unwrap(mut angles: ndarray::ArrayViewMut1<'_, f64>) {
    let turn = std::f64::consts::TAU;
    for k in 1..angles.len() {
        let turns = ((angles[k] - angles[k - 1]) / turn).round();
        angles[k] -= turns * turn;
    }
}
