//! A Lagrangian network, which knows velocities and no momenta, becomes a formula too.

use std::error::Error;

use hnn_losses::DerivativeLoss;
use hnn_models::{Architecture, Initialisation, Lnn, MechanicalLagrangian, Mlp, ModelError};
use hnn_sparse::{Distillation, Library};
use hnn_systems::{Pendulum, Sampling};
use hnn_train::{Schedule, Trainer};
use ndarray::Axis;

#[test]
fn the_energy_of_a_lagrangian_network() -> Result<(), Box<dyn Error>> {
    // (q, p) with p = q_dot / 2 as (q, v): theta'' = -6 sin theta.
    let data = Sampling::pendulum().sample(&Pendulum::default(), 0)?;
    let (mut x, mut dx) = (data.states().to_owned(), data.derivatives().to_owned());
    x.index_axis_mut(Axis(1), 1).mapv_inplace(|p| 2.0 * p);
    dx.index_axis_mut(Axis(1), 1).mapv_inplace(|p_dot| 2.0 * p_dot);

    let network = |hidden: usize, seed: u64| -> Result<Mlp<f64>, ModelError> {
        Ok(Mlp::new(Architecture::new(&[1, hidden, 1])?, Initialisation::Orthogonal, seed))
    };
    let mut model = Lnn::new(MechanicalLagrangian::new(network(8, 0)?, network(32, 1)?)?)?;
    let mut loss = DerivativeLoss::new(data.times().into(), x.view(), dx.view())?;
    let record = Trainer::new(1500).with_schedule(Schedule::Cosine { from: 2e-2, to: 0.0 }).fit(
        &mut model,
        &mut loss,
        None,
        &mut (),
    )?;
    let error = (record.final_loss() / dx.mapv(|v| v * v).mean().expect("not empty")).sqrt();
    assert!(error < 0.02, "trained to {error:.1e}");

    let library = Library::monomials(1, 1..=4)?.union(&Library::trigonometric(1, &[1.0], 0)?)?;
    let distilled = Distillation::new(&[(-1.5, 1.5), (-3.0, 3.0)])?
        .with_relative_error(error)
        .run(&model, &library)?;
    assert_eq!(distilled.found.names(), ["p^2", "cos(q)"]);
    // The energy is known up to a factor: c (v^2 / 2 - 6 cos q).
    let ratio = distilled.found.terms[1].coefficient / distilled.found.terms[0].coefficient;
    assert!((ratio + 12.0).abs() < 12.0 * 5.0 * error, "{}", distilled.found);
    assert!(distilled.relative_error < 5.0 * error, "{:.1e}", distilled.relative_error);
    Ok(())
}
