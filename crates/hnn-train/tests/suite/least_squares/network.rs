//! A network, by the losses of this workspace.

use hnn_data::DataSet;
use hnn_integrators::{RK4, Scalar};
use hnn_losses::{DerivativeLoss, L2Penalty, TotalLoss, TrajectoryLoss, Window};
use hnn_models::{
    Architecture, Hnn, Initialisation, KineticEnergy, Mlp, PairEnergy, SeparableHnn, Separation,
};
use hnn_systems::{Chain, Conservation, Features, Sampling, Spring, Starts};
use hnn_train::{EvidenceRule, LeastSquares, TrainingRecord};
use ndarray::{Array1, array};

/// Derivatives, windows with fitted starts, a penalty.
#[test]
fn a_network_is_fitted_in_few_steps() {
    fn fit<T: Scalar>(noise: f64, evidence: bool) -> TrainingRecord {
        let sampling = Sampling { trajectories: 4, points: 13, noise, ..Sampling::spring() };
        let data: DataSet<T> =
            sampling.sample(&Spring::default(), 3).expect("samples").cast().expect("finite");
        let architecture = Architecture::new(&[2, 8, 1]).expect("sizes");
        let network = Mlp::<T>::new(architecture, Initialisation::Orthogonal, 1);
        let mut model = Hnn::new(network).expect("even");
        let derivative =
            DerivativeLoss::new(data.times().into(), data.states(), data.derivatives());
        let windows = TrajectoryLoss::new(RK4, Window::Steps(6), &data)
            .and_then(|windows| windows.with_fitted_starts(0.1));
        let mut loss = TotalLoss::new(derivative.expect("fits"))
            .plus(10.0, windows.expect("fits"))
            .and_then(|loss| loss.plus(1e-9, L2Penalty::new()))
            .expect("weights");
        let mut settings = LeastSquares::new(40);
        if evidence {
            settings = settings.with_evidence(EvidenceRule::default());
        }
        settings.fit(&mut model, &mut loss, None, &mut ()).expect("fits")
    }
    let record = fit::<f64>(0.0, false);
    assert!(record.final_loss() < 1e-5, "{record:?}");
    assert!(record.steps.windows(2).all(|pair| pair[1].loss <= pair[0].loss));
    assert!(fit::<f32>(0.0, false).final_loss() < 1e-4);
    let noisy = fit::<f64>(0.1, true);
    let evidence = noisy.evidence.expect("determined");
    // 104 numbers of states, of which the windows' starts and the network take some.
    let windows = &evidence.terms[1];
    let variance = windows.variance * windows.residuals as f64 / 10.0;
    assert!((0.5..2.0).contains(&(variance / 0.01)), "{variance} {evidence:?}");
}

/// A chain of Fermi, Pasta, Ulam and Tsingou between two walls: one network for all springs, and the mass. What it
/// then conserves is its energy, not its momentum, which the walls take.
#[test]
fn a_chain_is_learned_by_its_springs() {
    const SPACING: f64 = 1.5;
    let truth = Chain::<4>::new(0.8, 1.0).and_then(|chain| chain.with_nonlinearity(0.3, 0.2));
    let starts = Starts::Box(vec![(-0.4, 0.4); 8]);
    let sampling =
        Sampling { starts, trajectories: 12, points: 6, t_end: 5.0, ..Sampling::spring() };
    let data = sampling.sample(&truth.expect("positive"), 5).expect("samples");
    // Places in place of displacements.
    let places = Array1::from_shape_fn(8, |i| if i < 4 { SPACING * (i + 1) as f64 } else { 0.0 });
    let states = &data.states() + &places;
    let walls = array![[0.0], [5.0 * SPACING]];
    let springs = [(4, 0), (0, 1), (1, 2), (2, 3), (3, 5)];
    let architecture = Architecture::new(&[1, 8, 1]).expect("sizes");
    let network = Mlp::<f64>::new(architecture, Initialisation::Orthogonal, 2);
    let pairs = PairEnergy::between(network, Separation::Distance, 1, 4, walls.view(), &springs);
    let pairs = pairs.and_then(|pairs| pairs.scaled(states.view(), data.derivatives()));
    let kinetic = KineticEnergy::new(&[2.0], 4).expect("a mass").with_learned_masses();
    let mut model = SeparableHnn::new(kinetic, pairs.expect("scales")).expect("fits");
    let loss = DerivativeLoss::new(data.times().into(), states.view(), data.derivatives());
    let record = LeastSquares::new(60)
        .fit(&mut model, &mut loss.expect("fits"), None, &mut ())
        .expect("fits");
    assert!(record.final_loss() < 1e-8, "{:e}", record.final_loss());
    assert!((model.kinetic().masses()[0] - 0.8).abs() < 1e-4, "{:?}", model.kinetic().masses());

    let settings = Conservation { rollouts: 2, ..Conservation::default() };
    let energy = settings.test_energy(&model, states.view()).expect("tested");
    assert!(energy.quantities[0].conserved, "{energy}");
    let momentum = Features::momenta(1, 4).expect("few");
    let momentum = settings.test(&model, states.view(), &momentum).expect("tested");
    assert!(!momentum.quantities[0].conserved, "{momentum}");
}
