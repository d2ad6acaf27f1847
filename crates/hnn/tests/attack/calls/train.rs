//! Optimisers and trainers.

use hnn::Error;
use hnn::integrators::Parameters;
use hnn::losses::Loss;
use hnn::models::Hnn;
use hnn::train::{
    Adam, Checkpoint, Control, EarlyStopping, Lbfgs, MiniBatch, Optimiser, Progress, Schedule,
    Trainer, WeightDecay,
};

use super::losses::{Model, loss};
use super::models::network;
use crate::odd::Odd;

pub(super) fn call(odd: &mut Odd) -> Result<(), Error> {
    match odd.below(5) {
        0 => batches(odd),
        1 => adam(odd),
        _ => fit(odd),
    }
}

fn schedule(odd: &mut Odd) -> Schedule {
    let (from, to) = (odd.or_odd(1e-2), odd.or_odd(1e-3));
    match odd.below(4) {
        0 => Schedule::Constant(from),
        1 => Schedule::Cosine { from, to },
        2 => Schedule::Exponential { from, to },
        _ => Schedule::Step { from, factor: odd.or_odd(0.5), every: odd.count(4) },
    }
}

fn optimiser(odd: &mut Odd) -> Adam<f64> {
    let decay = match odd.below(3) {
        0 => WeightDecay::None,
        1 => WeightDecay::Coupled(odd.or_odd(1e-3)),
        _ => WeightDecay::Decoupled(odd.or_odd(1e-3)),
    };
    Adam::default().with_decay(decay).with_betas(odd.or_odd(0.9), odd.or_odd(0.99))
}

fn minibatch(odd: &mut Odd) -> Result<MiniBatch, Error> {
    let size = odd.count(4);
    Ok(if odd.yes(0.5) {
        MiniBatch::points(odd.count(7), size, 0)?
    } else {
        let lengths = odd.some(3, |odd| odd.count(4));
        MiniBatch::trajectories(&lengths, size, 0)?
    })
}

fn batches(odd: &mut Odd) -> Result<(), Error> {
    let mut batches = minibatch(odd)?;
    for _ in 0..4 {
        assert!(!batches.next_rows().is_empty());
    }
    let (schedule, steps) = (schedule(odd), odd.count(9));
    let _ = schedule.rate(odd.count(9), steps);
    Ok(())
}

fn adam(odd: &mut Odd) -> Result<(), Error> {
    let mut adam = optimiser(odd);
    if odd.yes(0.8) {
        adam.start(odd.length(3))?;
    }
    let (mut theta, mut gradient) = (odd.numbers(3), odd.numbers(3));
    adam.step(&mut theta, &mut gradient, odd.positive())?;
    let mut state = Vec::new();
    adam.save_state(&mut state)?;
    state.truncate(odd.length(state.len()));
    adam.restore_state(&mut &state[..])?;
    Ok(())
}

fn fit(odd: &mut Odd) -> Result<(), Error> {
    let mut model = Hnn::new(network(odd, 2, 1)?)?;
    let mut own = loss(odd)?;
    let last = odd.below(6);
    let mut stop = |progress: &Progress<'_>| {
        let _ = (progress.remaining(), progress.parameters());
        if progress.record.step < last { Control::Continue } else { Control::Stop }
    };
    let before = params(&model);
    let stopping = odd.yes(0.2).then(|| EarlyStopping {
        every: odd.count(3),
        patience: odd.count(3),
        min_improvement: odd.or_odd(0.1),
        keep_best: odd.yes(0.5),
    });
    let mut other = if odd.yes(0.5) { Some(loss(odd)?) } else { None };
    let validation = other.as_mut().map(|loss| loss.as_mut() as &mut dyn Loss<f64, Model>);
    let record = if odd.yes(0.3) {
        let mut lbfgs = Lbfgs::new(odd.count(5)).with_memory(odd.count(5));
        if let Some(stopping) = stopping {
            lbfgs = lbfgs.with_early_stopping(stopping);
        }
        lbfgs.fit(&mut model, own.as_mut(), validation, &mut stop)
    } else {
        let mut trainer =
            Trainer::new(odd.count(5)).with_schedule(schedule(odd)).with_optimiser(optimiser(odd));
        if odd.yes(0.2) {
            trainer = trainer.with_minibatch(minibatch(odd)?);
        }
        if odd.yes(0.2) {
            trainer = trainer.with_clipping(odd.positive());
        }
        if odd.yes(0.2) {
            trainer = trainer.with_averaging(odd.or_odd(0.9));
        }
        if let Some(stopping) = stopping {
            trainer = trainer.with_early_stopping(stopping);
        }
        if odd.is_odd() {
            let nowhere = Checkpoint::new("/nowhere/run").with_step_interval(odd.count(3));
            trainer = trainer.with_checkpoint(nowhere.with_resume(odd.yes(0.5)));
        }
        trainer.fit(&mut model, own.as_mut(), validation, &mut stop)
    };
    // Whatever happens, a model that began with numbers ends with numbers.
    if before.iter().all(|w| w.is_finite()) {
        assert!(params(&model).iter().all(|w| w.is_finite()), "{record:?}");
    }
    let record = record?;
    assert!(record.steps.iter().all(|step| step.loss.is_finite()), "{record:?}");
    Ok(())
}

fn params(model: &Model) -> Vec<f64> {
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta).expect("fits");
    theta
}
