//! One training step of an HNN (2-200-200-1, tanh, f32, 25 trajectories of 30 points, Adam) on one
//! thread: the derivative loss alone, with the one-step loss, and with the full-trajectory loss;
//! and the gradient of the energy of one state.
//!
//! `cargo bench -p hnn-benches --bench training_step`; `benches/peers/training_step.py` measures
//! the same with JAX.//! With feature `tch` (`scripts/with-libtorch cargo bench ..`) the libtorch engine takes its turns with
//! the native one.
#![allow(clippy::print_stdout)]

use std::hint::black_box;

use hnn_benches::{Clock, Error, NamedStep, Step, TimedStep, compare, median};
use hnn_data::DataSet;
use hnn_integrators::{DifferentiableField, RK4, Tableau};
use hnn_losses::{DerivativeLoss, JointLoss, Loss, TotalLoss, TrajectoryLoss, Window};
use hnn_models::{Architecture, DifferentiableEnergy, Hnn, Initialisation, Mlp};
use hnn_systems::{Hamiltonian, Sampling, Spring};
use hnn_train::{Adam, WeightDecay};
use ndarray::ArrayView1;

type Model = Hnn<Mlp<f32>>;

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
    let names =
        ["derivative loss", "+ one-step loss", "+ full trajectory", "+ one-step loss, apart"];
    let mut steps = steps(names, &data, || Ok(model.clone()))?;
    #[cfg(feature = "tch")]
    steps.extend(libtorch_steps(&model, &data)?);
    compare(rounds, &mut steps)?;
    let mut times: Vec<f64> = (0..rounds).map(|_| gradients(&model)).collect::<Result<_, _>>()?;
    println!("energy gradient of one state: {:.2} microseconds", 1e6 * median(&mut times));
    Ok(())
}

/// The same steps on the other engine.
#[cfg(feature = "tch")]
fn libtorch_steps(model: &Model, data: &DataSet<f32>) -> Result<Vec<NamedStep>, Error> {
    use hnn_models::tch::{TchEnergy, tch};
    tch::set_num_threads(1);
    let names = [
        "libtorch engine, derivative loss",
        "libtorch engine, + one-step loss",
        "libtorch engine, + full trajectory",
        "libtorch engine, + one-step loss, apart",
    ];
    steps(names, data, || {
        let energy = TchEnergy::mlp(model.energy_network().clone(), tch::Device::Cpu)?;
        Ok(Hnn::new(energy)?)
    })
}

/// A step with each loss: that of the derivatives, and a trajectory loss beside it.
fn steps<E>(
    names: [&'static str; 4],
    data: &DataSet<f32>,
    model: impl Fn() -> Result<Hnn<E>, Error>,
) -> Result<Vec<NamedStep>, Error>
where
    E: DifferentiableEnergy<f32> + 'static,
{
    let steps = [
        step(model()?, derivative(data)?)?,
        step(model()?, joint(data, Window::Steps(1))?)?,
        step(model()?, joint(data, Window::Whole)?)?,
        step(model()?, apart(data)?)?,
    ];
    Ok(names.into_iter().zip(steps).collect())
}

fn derivative(data: &DataSet<f32>) -> Result<DerivativeLoss<f32>, Error> {
    let times = ArrayView1::from(data.times());
    Ok(DerivativeLoss::new(times, data.states(), data.derivatives())?)
}

/// With a trajectory loss, the field at the windows' begins evaluated once.
fn joint(data: &DataSet<f32>, window: Window) -> Result<JointLoss<f32, Tableau>, Error> {
    let trajectory = TrajectoryLoss::new(RK4, window, data)?;
    Ok(JointLoss::new(derivative(data)?, 1.0, trajectory)?)
}

/// With the one-step loss, each evaluated on its own.
fn apart<F: DifferentiableField<f32> + 'static>(
    data: &DataSet<f32>,
) -> Result<TotalLoss<f32, F>, Error> {
    let one_step = TrajectoryLoss::new(RK4, Window::Steps(1), data)?;
    Ok(TotalLoss::new(derivative(data)?).plus(1.0, one_step)?)
}

fn step<F: DifferentiableField<f32> + 'static>(
    model: F,
    loss: impl Loss<f32, F> + 'static,
) -> Result<Box<dyn TimedStep>, Error> {
    let optimiser = Adam::default().with_decay(WeightDecay::Coupled(1e-4));
    Ok(Box::new(Step::new(model, loss, optimiser)?))
}

/// Seconds for the gradient of one state.
fn gradients(model: &Model) -> Result<f64, Error> {
    let (count, clock) = (1000, Clock::start());
    for _ in 0..count {
        black_box(model.energy_gradient_state(black_box(&[0.1, 0.2]))?);
    }
    Ok(clock.seconds() / f64::from(count))
}
