//! Networks, by least squares with noise and prior from the data.

use hnn_integrators::DifferentiableField;
use hnn_models::{
    Angles, Architecture, Baseline, Hnn, Initialisation, InputPort, Lnn, MechanicalLagrangian, Mlp,
    Scales, Sum,
};
use hnn_train::{EvidenceRule, LeastSquares};
use ndarray::Array2;

use super::{derivative_loss, trajectory_loss};
use crate::IdentifyError;
use crate::candidate::{BaselineModel, Candidate, HnnModel, LearnedForce, LnnModel, Model};
use crate::problem::Problem;
use crate::score::{mean, rollouts};

/// Units of a hidden layer of energies and baselines: at least and at most. Frictions have half as many.
const HIDDEN: [usize; 2] = [6, 16];
/// Steps on derivatives, and on trajectories.
const STEPS: [usize; 2] = [40, 40];
/// The windows of trajectories, in periods.
const WINDOW: f64 = 2.0;

/// `dx/dt = (J - R(x)) grad H(x) + G u`, with `R` positive semidefinite and fitted gains.
pub(crate) fn hnn(problem: &Problem, seed: u64) -> Result<Candidate, IdentifyError> {
    let (scales, hidden) = (&problem.scales, hidden(problem));
    let energy = network(problem, 2 * problem.degrees, [hidden, 1], 2 * seed, false)?;
    let force = force(problem, scales, 2 * seed + 1)?;
    let mut model: HnnModel = Hnn::forced(scales.energy(energy)?, force)?;
    fit(problem, &mut model)?;
    Ok(Candidate::new("HNN with friction", Model::Hnn(Box::new(model))))
}

/// `d/dt dL/dv - dL/dq = -R(x) v + G u` with `L = v^T M(q) v / 2 - V(q)`, `M` positive definite, `R`
/// positive semidefinite, and fitted gains.
pub(crate) fn lnn(problem: &Problem, seed: u64) -> Result<Candidate, IdentifyError> {
    let (n, smooth) = (problem.degrees, &problem.train.smooth);
    let (x, dx, u) = (smooth.states(), smooth.derivatives(), smooth.inputs());
    // Masses start in the units of the inputs, where these are a force for each position.
    let scales = match u.ncols() == n {
        true => Scales::from_forces(x, dx, u)?,
        false => Scales::from_velocities(x, dx)?,
    };
    let hidden = hidden(problem);
    let factor = network(problem, n, [hidden / 2, n * (n + 1) / 2], 3 * seed, true)?;
    let potential = network(problem, n, [hidden, 1], 3 * seed + 1, false)?;
    let lagrangian = scales.lagrangian(MechanicalLagrangian::new(factor, potential)?)?;
    let mut model: LnnModel = Lnn::forced(lagrangian, force(problem, &scales, 3 * seed + 2)?)?;
    fit(problem, &mut model)?;
    Ok(Candidate::new("LNN with friction", Model::Lnn(Box::new(model))))
}

/// `dx/dt = N(x, u)`: no physics.
pub(crate) fn baseline(problem: &Problem, seed: u64) -> Result<Candidate, IdentifyError> {
    let (inputs, outputs) = (problem.inputs.len(), 2 * problem.degrees);
    let coordinates = 2 * problem.degrees + inputs;
    let network = network(problem, coordinates, [hidden(problem), outputs], 2 * seed, true)?;
    let map = problem.scales.map(network)?;
    let mut model: BaselineModel = Baseline::with_inputs(map, inputs)?;
    fit(problem, &mut model)?;
    Ok(Candidate::new("baseline network", Model::Baseline(Box::new(model))))
}

/// The force `-R(x) dq/dt + G u`.
fn force(problem: &Problem, scales: &Scales, seed: u64) -> Result<LearnedForce, IdentifyError> {
    let n = problem.degrees;
    let factors = [hidden(problem) / 2, n * (n + 1) / 2];
    let friction = scales.dissipative(network(problem, 2 * n, factors, seed, true)?)?;
    let mut gains = Array2::zeros((n, problem.inputs.len()));
    gains.diag_mut().fill(1.0);
    Ok(Sum(friction, InputPort::with_matrix(gains)?.fitted()))
}

/// So many units that there are a few numbers for each weight.
fn hidden(problem: &Problem) -> usize {
    let numbers = problem.train.measured.len() * problem.degrees;
    ((numbers as f64 / 3.0).sqrt() as usize).clamp(HIDDEN[0], HIDDEN[1])
}

/// A network of the first so many of the state's coordinates and the inputs.
fn network(
    problem: &Problem,
    coordinates: usize,
    [hidden, outputs]: [usize; 2],
    seed: u64,
    output_bias: bool,
) -> Result<Angles<Mlp<f64>>, IdentifyError> {
    let of = Vec::from_iter((0..coordinates).map(|i| problem.angles.get(i) == Some(&true)));
    let inputs = of.iter().map(|is_angle| 1 + usize::from(*is_angle)).sum();
    let architecture = Architecture::new(&[inputs, hidden, hidden, outputs])?;
    let architecture = architecture.with_output_bias(output_bias);
    Ok(Angles::new(Mlp::new(architecture, Initialisation::Orthogonal, seed), &of)?)
}

/// Derivatives first, then trajectories; the second remains where it predicts the training rows better.
fn fit<F: DifferentiableField<f64>>(problem: &Problem, model: &mut F) -> Result<(), IdentifyError> {
    let solver = |steps| LeastSquares::new(steps).with_evidence(EvidenceRule::default());
    solver(STEPS[0]).fit(model, &mut derivative_loss(problem)?, None, &mut ())?;
    let mut by_derivatives = vec![0.0; model.num_params()];
    model.copy_params(&mut by_derivatives)?;
    let before = mean(&rollouts(model, problem, &problem.check));
    let mut loss = trajectory_loss(problem, WINDOW * problem.period)?;
    // Where trajectories cannot be fitted, derivatives were.
    let fitted = solver(STEPS[1]).fit(model, &mut loss, None, &mut ()).is_ok();
    let after = mean(&rollouts(model, problem, &problem.check));
    if !(fitted && after <= before) {
        model.set_params(&by_derivatives)?;
    }
    Ok(())
}
