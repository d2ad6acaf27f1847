//! One training step of an HNN: 2-200-200-1, tanh, `f32`, 25 trajectories of 30 points, Adam.

use hnn_benches::{Case, Error, Run, training_step};
use hnn_data::DataSet;
use hnn_integrators::{RK4, Tableau};
use hnn_losses::{DerivativeLoss, JointLoss, TrajectoryLoss, Window};
use hnn_models::{Architecture, DifferentiableEnergy, Hnn, Initialisation, Mlp};
use hnn_systems::{Sampling, Spring};
use hnn_train::{Adam, WeightDecay};
use ndarray::ArrayView1;

pub(crate) fn cases() -> Vec<Case> {
    cases_of(network)
}

#[cfg(feature = "tch")]
pub(crate) fn libtorch_cases() -> Vec<Case> {
    use hnn_models::tch::{TchEnergy, tch};
    tch::set_num_threads(1);
    cases_of(|| Ok(TchEnergy::mlp(network()?, tch::Device::Cpu)?))
}

fn network() -> Result<Mlp<f32>, Error> {
    Ok(Mlp::new(Architecture::new(&[2, 200, 200, 1])?, Initialisation::Orthogonal, 0))
}

/// A step with the loss of the derivatives, alone and with a trajectory loss beside it.
fn cases_of<E: DifferentiableEnergy<f32> + 'static>(energy: fn() -> Result<E, Error>) -> Vec<Case> {
    let names = [
        ("step derivative", None),
        ("step one-step", Some(Window::Steps(1))),
        ("step trajectory", Some(Window::Whole)),
    ];
    names.map(|(name, window)| Case::new(name, move || step(energy()?, window))).into()
}

fn step(
    energy: impl DifferentiableEnergy<f32> + 'static,
    window: Option<Window>,
) -> Result<Run, Error> {
    let (data, _) = Sampling::spring().sample(&Spring::default(), 0)?.split_at(25)?;
    let data = data.cast::<f32>()?;
    let adam = Adam::default().with_decay(WeightDecay::Coupled(1e-4));
    let model = Hnn::new(energy)?;
    match window {
        None => training_step(model, derivative(&data)?, adam),
        Some(window) => training_step(model, joint(&data, window)?, adam),
    }
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
