//! One training step of an HNN (2-200-200-1, tanh, f32, 25 trajectories of 30 points, Adam) on one
//! thread: the derivative loss alone, with the one-step loss, and with the full-trajectory loss;
//! and the gradient of the energy of one state.
//!
//! `cargo bench -p hnn-benches --bench training_step`; `benches/peers/training_step.py` measures
//! the same with JAX.
#![allow(clippy::print_stdout)]

use std::hint::black_box;

use hnn_benches::Clock;
use hnn_integrators::{Parameters, Rk4};
use hnn_losses::{DerivativeLoss, Loss, Selection, TotalLoss, TrajectoryLoss, Window};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::{DataSet, HamiltonianExt, Sampling, Spring};
use hnn_train::{Adam, Optimiser, WeightDecay};
use ndarray::ArrayView1;

type Model = Hnn<Mlp<f32>>;
type Error = Box<dyn std::error::Error + Send + Sync>;

fn main() -> Result<(), Error> {
    let rounds = if std::env::args().any(|arg| arg == "--quick") { 3 } else { 31 };
    // The pool's only thread does all the work, so its processor time is the work's.
    rayon::ThreadPoolBuilder::new().num_threads(1).build()?.install(|| run(rounds))
}

fn run(rounds: usize) -> Result<(), Error> {
    let (data, _) = Sampling::spring().sample(&Spring::default(), 0)?.split_at(25)?;
    let data = data.cast::<f32>()?;
    let architecture = Architecture::new(&[2, 200, 200, 1])?;
    let model = Hnn::new(Mlp::<f32>::new(architecture, Initialisation::Orthogonal, 0))?;
    let mut steps = [
        ("derivative loss", Step::new(&model, None, &data)?),
        ("+ one-step loss", Step::new(&model, Some(Window::Steps(1)), &data)?),
        ("+ full trajectory", Step::new(&model, Some(Window::Whole), &data)?),
    ];
    // Alternating rounds, so that a busy machine slows all alike; the first one warms up.
    for round in 0..=rounds {
        for (_, step) in &mut steps {
            step.run(round > 0)?;
        }
    }
    println!("one training step, median of {rounds} rounds, ms:");
    let base = steps[0].1.median();
    for (name, step) in &mut steps {
        let median = step.median();
        println!("  {name:18} {:8.3}  {:5.2} x", 1e3 * median, median / base);
    }
    let mut times: Vec<f64> = (0..rounds).map(|_| gradients(&model)).collect::<Result<_, _>>()?;
    println!("energy gradient of one state: {:.2} microseconds", 1e6 * median(&mut times));
    Ok(())
}

/// A training step of a loss, and its times.
struct Step {
    model: Model,
    loss: TotalLoss<f32, Model>,
    optimiser: Adam<f32>,
    theta: Vec<f32>,
    gradient: Vec<f32>,
    seconds: Vec<f64>,
}

impl Step {
    fn new(model: &Model, window: Option<Window>, data: &DataSet<f32>) -> Result<Self, Error> {
        let times = ArrayView1::from(data.times());
        let derivative = DerivativeLoss::new(times, data.states(), data.derivatives())?;
        let mut loss = TotalLoss::new(derivative);
        if let Some(window) = window {
            loss = loss.plus(1.0, TrajectoryLoss::of_data_set(Rk4, window, data)?)?;
        }
        let mut theta = vec![0.0; model.num_params()];
        model.copy_params(&mut theta)?;
        let mut optimiser = Adam::default().with_decay(WeightDecay::Coupled(1e-4));
        optimiser.start(theta.len())?;
        let (model, gradient) = (model.clone(), theta.clone());
        Ok(Self { model, loss, optimiser, theta, gradient, seconds: Vec::new() })
    }

    fn run(&mut self, counted: bool) -> Result<(), Error> {
        let clock = Clock::start();
        self.gradient.fill(0.0);
        let (all, gradient) = (Selection::All, &mut self.gradient);
        black_box(self.loss.value_and_gradient(&self.model, all, 1.0, gradient)?);
        self.optimiser.step(&mut self.theta, &mut self.gradient, 1e-3);
        self.model.set_params(&self.theta)?;
        if counted {
            self.seconds.push(clock.seconds());
        }
        Ok(())
    }

    fn median(&mut self) -> f64 {
        median(&mut self.seconds)
    }
}

/// Seconds for the gradient of one state.
fn gradients(model: &Model) -> Result<f64, Error> {
    let (count, clock) = (1000, Clock::start());
    for _ in 0..count {
        black_box(model.energy_gradient_state(black_box(&[0.1, 0.2]))?);
    }
    Ok(clock.seconds() / f64::from(count))
}

fn median(seconds: &mut [f64]) -> f64 {
    seconds.sort_by(f64::total_cmp);
    seconds[seconds.len() / 2]
}
