//! One trained HNN (2-200-200-1, tanh, `f64`) over 20 time units, tolerances 1e-9. The model is kept in the
//! folder that peers read it from.

use std::hint::black_box;

use hnn_benches::{Case, Error, Run, folder};
use hnn_integrators::{Adaptive, DOP853, DORMAND_PRINCE5, EmbeddedPair, TSITOURAS5, Tolerances};
use hnn_losses::DerivativeLoss;
use hnn_models::{Architecture, Hnn, Initialisation, Mlp, Persist};
use hnn_systems::{Pendulum, Sampling};
use hnn_train::{Schedule, Trainer};
use ndarray::{ArrayView1, array};

pub(crate) fn cases() -> Vec<Case> {
    let methods = [
        ("rollout: DOP853", DOP853),
        ("rollout: DOPRI5", DORMAND_PRINCE5),
        ("rollout: Tsit5", TSITOURAS5),
    ];
    methods.map(|(name, pair)| Case::new(name, move || rollout(pair.clone()))).into()
}

fn rollout(pair: EmbeddedPair) -> Result<Run, Error> {
    let (model, solver) = (model()?, Adaptive::new(pair, Tolerances::both(1e-9)));
    Ok(Box::new(move || {
        let run = solver.solve(&model, array![1.0, 0.0].view(), &[0.0, 20.0])?;
        black_box(&run.states);
        Ok(())
    }))
}

/// An HNN of a pendulum.
fn model() -> Result<Hnn<Mlp<f64>>, Error> {
    let path = folder()?.join("pendulum.safetensors");
    if path.exists() {
        return Ok(Hnn::load(&path)?);
    }
    let architecture = Architecture::new(&[2, 200, 200, 1])?;
    let mut model = Hnn::new(Mlp::new(architecture, Initialisation::Orthogonal, 0))?;
    let data = Sampling::pendulum().sample(&Pendulum::default(), 0)?;
    let times = ArrayView1::from(data.times());
    let mut loss = DerivativeLoss::new(times, data.states(), data.derivatives())?;
    Trainer::new(500).with_schedule(Schedule::Cosine { from: 3e-3, to: 0.0 }).fit(
        &mut model,
        &mut loss,
        None,
        &mut (),
    )?;
    model.save(&path)?;
    Ok(model)
}
