//! A network, by the losses of this workspace.

use hnn_data::DataSet;
use hnn_integrators::{RK4, Scalar};
use hnn_losses::{DerivativeLoss, L2Penalty, TotalLoss, TrajectoryLoss, Window};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::{Sampling, Spring};
use hnn_train::{EvidenceRule, LeastSquares, TrainingRecord};

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
