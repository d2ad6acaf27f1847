//! Both engines train the damped pendulum's models along the same loss curves.

use hnn_data::DataSet;
use hnn_integrators::DifferentiableField;
use hnn_losses::DerivativeLoss;
use hnn_models::tch::tch;
use hnn_models::{Architecture, Baseline, Dissipative, Hnn, Initialisation, Mlp};
use hnn_systems::{DampedPendulum, Sampling};
use hnn_train::{Adam, Trainer, WeightDecay};
use ndarray::ArrayView1;

use crate::{energy, map};

/// The protocol's data, without noise: 25 trajectories of 45 points.
fn data() -> DataSet<f64> {
    let sampling = Sampling { trajectories: 25, ..Sampling::pendulum() };
    let pendulum = DampedPendulum::new(0.1, 6.0).expect("a pendulum");
    sampling.sample(&pendulum, 0).expect("trajectories")
}

/// The protocol's network with a quarter of its units.
fn network(outputs: usize, seed: u64) -> Mlp<f64> {
    let architecture = Architecture::new(&[2, 50, 50, outputs]).expect("sizes");
    Mlp::new(architecture, Initialisation::Orthogonal, seed)
}

/// 200 full-batch steps of Adam at 1e-3, weight decay 1e-4.
fn losses(data: &DataSet<f64>, mut model: impl DifferentiableField<f64>) -> Vec<f64> {
    let times = ArrayView1::from(data.times());
    let loss = DerivativeLoss::new(times, data.states(), data.derivatives());
    let mut loss = loss.expect("states and derivatives fit");
    let adam = Adam::default().with_decay(WeightDecay::Coupled(1e-4));
    let mut trainer = Trainer::new(200).with_optimiser(adam);
    let record = trainer.fit(&mut model, &mut loss, None, &mut ()).expect("it trains");
    record.steps.iter().map(|step| step.loss).collect()
}

#[track_caller]
fn assert_same_curve(what: &str, native: &[f64], judge: &[f64]) {
    assert_eq!((native.len(), judge.len()), (200, 200));
    let differences = native.iter().zip(judge).map(|(a, b)| (a - b).abs() / b);
    let worst = differences.fold(0.0, f64::max);
    assert!(worst <= 1e-6, "{what}: the loss curves differ by {worst:.1e}");
    assert!(native[199] < native[0], "{what} did not train");
}

#[test]
fn loss_curves_agree() {
    tch::set_num_threads(1);
    let data = data();
    let (h, f, base) = (network(1, 1), network(1, 2), network(2, 3));

    let judge = losses(&data, Baseline::new(map(&base)).expect("fits"));
    assert_same_curve("baseline", &losses(&data, Baseline::new(base).expect("fits")), &judge);

    let judge = losses(&data, Hnn::new(energy(&h)).expect("even"));
    assert_same_curve("HNN", &losses(&data, Hnn::new(h.clone()).expect("even")), &judge);

    let judge = losses(&data, Hnn::with_friction(energy(&h), map(&f)).expect("fits"));
    let native = losses(&data, Hnn::with_friction(h.clone(), f.clone()).expect("fits"));
    assert_same_curve("HNN + friction", &native, &judge);

    let friction = Dissipative::new(map(&f)).expect("fits");
    let judge = losses(&data, Hnn::with_friction(energy(&h), friction).expect("fits"));
    let friction = Dissipative::new(f).expect("fits");
    let native = losses(&data, Hnn::with_friction(h, friction).expect("fits"));
    assert_same_curve("HNN + dissipative friction", &native, &judge);
}
