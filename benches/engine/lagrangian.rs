//! One training step of Lagrangian networks and of a Hamiltonian one (4-200-200-1, `f32`, 512 states of the
//! double pendulum, derivative loss, Adam), and the acceleration of one state.

use std::hint::black_box;

use hnn_benches::{Case, Error, Run, training_step};
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
const ANGLES: [bool; 4] = [true, true, false, false];

type Mechanical<N, V> = Angles<MechanicalLagrangian<N, V>>;

pub(crate) fn cases() -> Vec<Case> {
    vec![
        Case::new("double pendulum HNN", || {
            let data = Sampling::double_pendulum().sample(&DoublePendulum::default(), 0)?;
            step(Hnn::new(network(4, 1, Activation::Tanh)?)?, &data.cast()?)
        }),
        Case::new("double pendulum LNN", || step(Lnn::new(free()?)?, &data()?)),
        Case::new("double pendulum LNN of angles", || {
            let network = network(6, 1, Activation::Softplus)?;
            step(Lnn::new(Angles::new(network, &ANGLES)?)?, &data()?)
        }),
        Case::new("double pendulum LNN, T - V", || {
            let (mass, potential) = masses()?;
            let lagrangian: Mechanical<_, _> =
                Angles::new(MechanicalLagrangian::new(mass, potential)?, &ANGLES)?;
            step(Lnn::new(lagrangian)?, &data()?)
        }),
        Case::new("acceleration LNN", || acceleration(Lnn::new(free()?)?)),
    ]
}

#[cfg(feature = "tch")]
pub(crate) fn libtorch_cases() -> Vec<Case> {
    use hnn_models::tch::tch::Device;
    use hnn_models::tch::{TchEnergy, TchMap};
    vec![
        Case::new("double pendulum LNN", || {
            step(Lnn::new(TchEnergy::mlp(free()?, Device::Cpu)?)?, &data()?)
        }),
        Case::new("double pendulum LNN, T - V", || {
            let (mass, potential) = masses()?;
            let (mass, potential) =
                (TchMap::mlp(mass, Device::Cpu)?, TchEnergy::mlp(potential, Device::Cpu)?);
            let lagrangian: Mechanical<_, _> =
                Angles::new(MechanicalLagrangian::new(mass, potential)?, &ANGLES)?;
            step(Lnn::new(lagrangian)?, &data()?)
        }),
    ]
}

fn network(inputs: usize, outputs: usize, activation: Activation) -> Result<Mlp<f32>, Error> {
    let architecture = Architecture::new(&[inputs, 200, 200, outputs])?;
    Ok(Mlp::new(architecture.with_activation(activation), Initialisation::Orthogonal, 0))
}

/// Any `L(q, v)`.
fn free() -> Result<Mlp<f32>, Error> {
    network(4, 1, Activation::Softplus)
}

/// The networks of a mass matrix and of a potential energy, of cosines and sines.
fn masses() -> Result<(Mlp<f32>, Mlp<f32>), Error> {
    Ok((network(4, 3, Activation::Softplus)?, network(4, 1, Activation::Softplus)?))
}

fn data() -> Result<DataSet<f32>, Error> {
    let system = DoublePendulum::default().lagrangian();
    Ok(Sampling::double_pendulum().sample(&system, 0)?.cast()?)
}

/// A training step on the first states of a data set.
fn step<F: DifferentiableField<f32> + 'static>(
    model: F,
    data: &DataSet<f32>,
) -> Result<Run, Error> {
    let rows = s![..BATCH, ..];
    let times = ArrayView1::from(&data.times()[..BATCH]);
    let (states, derivatives) = (data.states(), data.derivatives());
    let loss = DerivativeLoss::new(times, states.slice(rows), derivatives.slice(rows))?;
    training_step(model, loss, Adam::default())
}

fn acceleration(model: impl VectorField<f32> + 'static) -> Result<Run, Error> {
    let (x, mut dx, mut workspace) = ([0.1, 0.2, -0.3, 0.4], [0.0; 4], Workspace::default());
    Ok(Box::new(move || {
        model.eval(At::time(&[0.0]), black_box(&x), &mut dx, &mut workspace)?;
        black_box(&dx);
        Ok(())
    }))
}
