//! What threads may share (`Sync`) or hand on (`Send`), by the compiler.

use hnn::data::{DataSet, Recording, RecordingReader, Report};
use hnn::integrators::{
    Adaptive, Adjoint, BatchSolution, FixedStep, ImplicitTableau, Rollout, Signal, Solution,
    Splitting, Tableau,
};
use hnn::losses::{
    DerivativeLoss, Distributed, JointLoss, L1Penalty, L2Penalty, TorqueLoss, TotalLoss,
    TrajectoryLoss,
};
use hnn::models::{
    AnyModel, Baseline, ConstrainedHnn, Hnn, InputPort, Lnn, MechanicalLagrangian, Mlp, Scaled,
    Scales, SeparableHnn,
};
use hnn::sparse::{
    Ansatz, Gram, Lasso, Library, Observations, SparseFit, SparseHamiltonian, SparseLagrangian,
};
use hnn::systems::{DampedPendulum, DoublePendulum, NBody, Pendulum, Rods, Sampling, Spring};
use hnn::train::{Adam, Lbfgs, LeastSquares, MiniBatch, Posterior, Trainer, TrainingRecord};

type Network = Scaled<Mlp<f64>>;
type Model = Hnn<Network, InputPort>;

fn shared<T: Send + Sync>() {}
fn handed_on<T: Send>() {}

#[test]
fn values_are_shared() {
    shared::<(DataSet<f64>, Recording, RecordingReader, Report)>();
    shared::<(Adaptive, Adjoint<Tableau>, FixedStep<Splitting>, ImplicitTableau, Signal<f64>)>();
    shared::<(Solution<f64>, BatchSolution<f64>)>();
    shared::<(L1Penalty<f64>, L2Penalty<f64>)>();
    shared::<(AnyModel<f64>, Baseline<Network>, Model, SeparableHnn<Network, Network>)>();
    shared::<(Lnn<MechanicalLagrangian<Network, Network>>, Scales)>();
    shared::<ConstrainedHnn<Network, Rods<2, 1, 1>, f64>>();
    shared::<(Ansatz, Gram, Lasso, Library, Observations, SparseFit)>();
    shared::<(SparseHamiltonian, SparseLagrangian)>();
    shared::<(DampedPendulum, DoublePendulum, NBody<3, 2>, Pendulum, Sampling, Spring)>();
    shared::<(Adam<f64>, Lbfgs, LeastSquares, MiniBatch, Posterior, TrainingRecord)>();
    shared::<hnn::Error>();
    #[cfg(feature = "identify")]
    shared::<(hnn::identify::Identify, hnn::identify::Identification, hnn::identify::Law)>();
    #[cfg(feature = "plots")]
    shared::<(hnn::plots::Figure, hnn::plots::Motion, hnn::plots::Panel, hnn::plots::Series)>();
}

/// Losses and rollouts keep what a field leaves behind, and a trainer an optimiser, which need not
/// be [`Sync`]: libtorch's tensors are not.
#[test]
fn workers_are_handed_on() {
    handed_on::<(DerivativeLoss<f64>, TorqueLoss<f64>, TrajectoryLoss<f64, Tableau>)>();
    handed_on::<(JointLoss<f64, Tableau>, TotalLoss<f64, Model>, Distributed<f64, Model>)>();
    handed_on::<(Rollout<f64>, Trainer<f64>)>();
}
