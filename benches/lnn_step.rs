//! One training step of a Lagrangian network against one of a Hamiltonian network (4-200-200-1,
//! f32, 512 states of the double pendulum, derivative loss, Adam), on one thread; and the
//! acceleration of one state.
//!
//! `cargo bench -p hnn-benches --bench lnn_step`; `benches/peers/lnn_step.py` measures the same
//! with PyTorch and JAX. With feature `tch` (`scripts/with-libtorch cargo bench ..`) the libtorch engine
//! takes its turns with the native one.
#![allow(clippy::print_stdout)]

use std::hint::black_box;

use hnn_benches::{Clock, Error, NamedStep, Options, Step, TimedStep, compare, median, on_threads};
use hnn_data::DataSet;
use hnn_integrators::{At, DifferentiableField, VectorField, Workspace};
use hnn_losses::DerivativeLoss;
use hnn_models::{
    Activation, Angles, Architecture, Hnn, Initialisation, Lnn, MechanicalLagrangian, Mlp,
};
use hnn_systems::{DoublePendulum, Sampling};
use hnn_train::Adam;
use ndarray::{ArrayView1, s};

/// States of a batch.
const BATCH: usize = 512;

fn main() -> Result<(), Error> {
    let rounds = Options::from_args().pick(41, 3);
    hnn_benches::announce();
    on_threads(1, || run(rounds))
}

fn network(inputs: usize, outputs: usize, activation: Activation) -> Result<Mlp<f32>, Error> {
    let architecture = Architecture::new(&[inputs, 200, 200, outputs])?;
    Ok(Mlp::new(architecture.with_activation(activation), Initialisation::Orthogonal, 0))
}

fn run(rounds: usize) -> Result<(), Error> {
    let system = DoublePendulum::default();
    let canonical = Sampling::double_pendulum().sample(&system, 0)?.cast()?;
    let lagrangian = Sampling::double_pendulum().sample(&system.lagrangian(), 0)?.cast()?;
    let angles = [true, true, false, false];
    let hnn = Hnn::new(network(4, 1, Activation::Tanh)?)?;
    let lnn = Lnn::new(network(4, 1, Activation::Softplus)?)?;
    let periodic = Angles::of_lagrangian(network(6, 1, Activation::Softplus)?, &angles)?;
    let mass = network(4, 3, Activation::Softplus)?;
    let potential = network(4, 1, Activation::Softplus)?;
    let mechanical = MechanicalLagrangian::new(mass.clone(), potential.clone())?;
    let mechanical = Lnn::new(Angles::of_lagrangian(mechanical, &angles)?)?;
    let mut steps: Vec<NamedStep> = vec![
        ("HNN", step(hnn, &canonical)?),
        ("LNN, any L(q, v)", step(lnn.clone(), &lagrangian)?),
        ("LNN of cos q, sin q, v", step(Lnn::new(periodic)?, &lagrangian)?),
        ("LNN, T - V, two networks", step(mechanical.clone(), &lagrangian)?),
    ];
    #[cfg(feature = "tch")]
    {
        use hnn_models::tch::{TchEnergy, TchMap, tch};
        tch::set_num_threads(1);
        let energy = |network| TchEnergy::mlp(network, tch::Device::Cpu);
        let free = Lnn::new(energy(lnn.lagrangian().clone())?)?;
        let mass = TchMap::mlp(mass, tch::Device::Cpu)?;
        let mechanical = MechanicalLagrangian::new(mass, energy(potential)?)?;
        let mechanical = Lnn::new(Angles::of_lagrangian(mechanical, &angles)?)?;
        steps.push(("libtorch engine, LNN, any L(q, v)", step(free, &lagrangian)?));
        steps.push(("libtorch engine, LNN, T - V", step(mechanical, &lagrangian)?));
    }
    compare(rounds, &mut steps)?;
    println!("acceleration of one state, median of {rounds} rounds, microseconds:");
    println!("  {:26} {:8.2}", "LNN, any L(q, v)", acceleration(&lnn, rounds)?);
    println!("  {:26} {:8.2}", "LNN, T - V", acceleration(&mechanical, rounds)?);
    Ok(())
}

/// A training step on the first states of a data set.
fn step<F>(model: F, data: &DataSet<f32>) -> Result<Box<dyn TimedStep>, Error>
where
    F: DifferentiableField<f32> + 'static,
{
    let rows = s![..BATCH, ..];
    let times = ArrayView1::from(&data.times()[..BATCH]);
    let (states, derivatives) = (data.states(), data.derivatives());
    let loss = DerivativeLoss::new(times, states.slice(rows), derivatives.slice(rows))?;
    Ok(Box::new(Step::new(model, loss, Adam::default())?))
}

/// Microseconds for dx/dt of one state.
fn acceleration(model: &dyn VectorField<f32>, rounds: usize) -> Result<f64, Error> {
    let (x, mut dx, mut workspace) = ([0.1, 0.2, -0.3, 0.4], [0.0; 4], Workspace::default());
    let mut round = || -> Result<f64, Error> {
        let (count, clock) = (1000, Clock::start());
        for _ in 0..count {
            model.eval(At::time(&[0.0]), black_box(&x), &mut dx, &mut workspace)?;
            black_box(&dx);
        }
        Ok(1e6 * clock.seconds() / f64::from(count))
    };
    let mut times = (0..rounds).map(|_| round()).collect::<Result<Vec<_>, _>>()?;
    Ok(median(&mut times))
}
