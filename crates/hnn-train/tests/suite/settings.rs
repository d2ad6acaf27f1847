//! Settings that make no sense, and runs that cannot end well: errors, and finite parameters.

use std::time::{Duration, Instant};

use hnn_integrators::{Parameters, Scalar};
use hnn_losses::{DerivativeLoss, Loss, LossError, RowSelection, TotalLoss};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_train::{
    Adam, Checkpoint, Control, EarlyStopping, Lbfgs, MiniBatch, Optimiser, Progress, Schedule,
    TrainError, Trainer, WeightDecay,
};
use ndarray::{Array1, array};

type Model<T = f64> = Hnn<Mlp<T>>;

fn model<T: Scalar>() -> Model<T> {
    let architecture = Architecture::new(&[2, 8, 1]).expect("sizes");
    Hnn::new(Mlp::new(architecture, Initialisation::Orthogonal, 1)).expect("even")
}

/// The spring's derivatives, in other units.
fn loss<T: Scalar>(unit: f64) -> DerivativeLoss<T> {
    let x = array![[1.0, 0.0], [0.0, 0.5], [0.3, -0.4]].mapv(T::from_f64);
    let dx = array![[0.0, -2.0], [1.0, 0.0], [-0.8, -0.6]].mapv(|v| T::from_f64(unit * v));
    DerivativeLoss::new(Array1::from_elem(3, T::ZERO).view(), x.view(), dx.view()).expect("fits")
}

fn params<T: Scalar>(model: &Model<T>) -> Vec<f64> {
    let mut theta = vec![T::ZERO; model.num_params()];
    model.copy_params(&mut theta).expect("fits");
    theta.iter().map(|w| w.to_f64()).collect()
}

/// A loss of these values, one after the other; its gradient pulls the parameters to 1.
struct Script(Vec<f64>);

impl Loss<f64, Model> for Script {
    fn name(&self) -> &str {
        "script"
    }
    fn value(&mut self, _: &Model, _: RowSelection<'_>) -> Result<f64, LossError> {
        Ok(self.0.remove(0))
    }
    fn value_and_gradient(
        &mut self,
        model: &Model,
        selection: RowSelection<'_>,
        _: f64,
        theta_bar: &mut [f64],
    ) -> Result<f64, LossError> {
        theta_bar.iter_mut().zip(params(model)).for_each(|(g, w)| *g += w - 1.0);
        self.value(model, selection)
    }
}

fn fails(mut trainer: Trainer<f64>) -> TrainError {
    let validation: &mut dyn Loss<f64, Model> = &mut loss(1.0);
    let result = trainer.fit(&mut model::<f64>(), &mut loss(1.0), Some(validation), &mut ());
    result.expect_err("a setting makes no sense")
}

#[test]
fn an_update_out_of_all_bounds_is_divergence() {
    fn check<T: Scalar>(rate: f64) {
        let mut model = model::<T>();
        let before = params(&model);
        let result = Trainer::new(1).with_schedule(Schedule::Constant(rate)).fit(
            &mut model,
            &mut loss(1.0),
            None,
            &mut (),
        );
        assert!(matches!(result, Err(TrainError::Diverged { .. })), "{rate}: {result:?}");
        assert_eq!(params(&model), before);
    }
    for rate in [1e160, 1e300, 1e308, f64::MAX] {
        check::<f64>(rate);
        check::<f32>(rate);
    }
    check::<f32>(1e25);
    // Finite parameters with which the loss is not.
    let mut model = model::<f64>();
    let result = Trainer::new(1).fit(&mut model, &mut Script(vec![1.0, f64::NAN]), None, &mut ());
    let Err(TrainError::Diverged { step: 1, last_finite: 1.0, what, .. }) = result else {
        panic!("{result:?}");
    };
    assert_eq!(what, "the loss after the last update");
}

#[test]
fn a_start_that_is_not_finite_is_divergence_at_step_0() {
    let mut nan = model::<f64>();
    nan.set_params(&vec![f64::NAN; nan.num_params()]).expect("fits");
    for (mut model, mut loss) in
        [(nan, loss(1.0)), (model::<f64>(), loss(1e155)), (model::<f64>(), loss(1e300))]
    {
        let trained = Trainer::new(10).fit(&mut model, &mut loss, None, &mut ());
        assert!(matches!(trained, Err(TrainError::Diverged { step: 0, .. })), "{trained:?}");
        let searched = Lbfgs::new(10).fit(&mut model, &mut loss, None, &mut ());
        assert!(matches!(searched, Err(TrainError::Diverged { step: 0, .. })), "{searched:?}");
    }
}

#[test]
fn a_line_search_that_leaves_all_bounds_is_divergence() {
    let mut model = model::<f64>();
    let before = params(&model);
    let mut loss = Script(vec![1.0, f64::INFINITY]);
    let result = Lbfgs::new(10).fit(&mut model, &mut loss, None, &mut ());
    assert!(matches!(result, Err(TrainError::Diverged { last_finite: 1.0, .. })), "{result:?}");
    assert_eq!(params(&model), before);
    // A loss that never gets better, whatever its gradient says, ends the run.
    let begin = Instant::now();
    let record = Lbfgs::new(10).fit(&mut model, &mut Script(vec![1.0; 10_000]), None, &mut ());
    assert!(record.expect("ends").stopped_early());
    assert!(begin.elapsed() < Duration::from_secs(10));
}

/// The same search whatever the size of the loss.
#[test]
fn lbfgs_has_no_unit_of_its_own() {
    let run = |weight: f64| {
        let mut model = model::<f64>();
        let mut loss = TotalLoss::empty().plus(weight, loss(1.0)).expect("weight");
        let record = Lbfgs::new(30).fit(&mut model, &mut loss, None, &mut ()).expect("converges");
        (record.steps.len(), record.final_loss() / weight)
    };
    let (steps, end) = run(1.0);
    assert!(steps >= 10 && end < 1e-4, "{steps} steps to {end}");
    for exponent in [-80, -40, 40, 80] {
        assert_eq!(run(2.0_f64.powi(exponent)), (steps, end));
    }
}

#[test]
fn rates_decays_norms_and_intervals_are_checked() {
    use Schedule::{Constant, Cosine, Exponential, Step};
    let new = || Trainer::<f64>::new(1000);
    let setting = |trainer| {
        let error = fails(trainer);
        assert!(matches!(error, TrainError::Setting { .. }), "{error}");
    };
    for bad in [f64::NAN, f64::INFINITY, -1.0] {
        for schedule in [
            Constant(bad),
            Cosine { from: bad, to: 0.0 },
            Cosine { from: 1.0, to: bad },
            Exponential { from: bad, to: 1.0 },
            Exponential { from: 1.0, to: bad },
            Step { from: bad, factor: 0.5, every: 1 },
            Step { from: 1.0, factor: bad, every: 1 },
        ] {
            setting(new().with_schedule(schedule));
        }
        setting(new().with_averaging(bad));
        let stopping = EarlyStopping { min_improvement: bad, ..EarlyStopping::default() };
        setting(new().with_early_stopping(stopping));
        for decay in [WeightDecay::Coupled(bad), WeightDecay::Decoupled(bad)] {
            setting(new().with_optimiser(Adam::default().with_decay(decay)));
        }
        setting(new().with_optimiser(Adam::default().with_betas(bad, 0.9)));
        setting(new().with_optimiser(Adam::default().with_betas(0.9, bad)));
    }
    // Rates that grow out of all bounds on the way.
    setting(new().with_schedule(Exponential { from: 1e-300, to: 1e300 }));
    setting(new().with_schedule(Step { from: 1.0, factor: 1e10, every: 1 }));
    setting(new().with_schedule(Step { from: 1.0, factor: 0.5, every: 0 }));
    for norm in [f64::NAN, 0.0, -1.0] {
        setting(new().with_clipping(norm));
    }
    let stopping = |every, patience| EarlyStopping { every, patience, ..EarlyStopping::default() };
    setting(new().with_early_stopping(stopping(0, 1)));
    setting(new().with_early_stopping(stopping(1, 0)));
    setting(new().with_checkpoint(Checkpoint::new("nowhere").with_step_interval(0)));
    for memory in [0, 1001, usize::MAX] {
        let result = Lbfgs::new(5).with_memory(memory).fit(
            &mut model::<f64>(),
            &mut loss(1.0),
            None,
            &mut (),
        );
        assert!(matches!(result, Err(TrainError::Setting { .. })), "{memory}: {result:?}");
    }
}

/// Counts are no reason to reserve memory.
#[test]
fn absurd_counts_cost_nothing() {
    let mut stop = |_: &Progress<'_>| Control::Stop;
    let (mut model, mut loss) = (model::<f64>(), loss(1.0));
    let record = Trainer::new(usize::MAX).fit(&mut model, &mut loss, None, &mut stop);
    assert_eq!(record.expect("stops").steps.len(), 1);
    let record = Lbfgs::new(usize::MAX).fit(&mut model, &mut loss, None, &mut stop);
    assert_eq!(record.expect("stops").steps.len(), 1);
    for rows in [1 << 40, usize::MAX] {
        assert!(matches!(MiniBatch::points(rows, 1, 0), Err(TrainError::TooLarge(_))));
    }
    for lengths in [&[usize::MAX, 6][..], &[usize::MAX], &[1 << 29, 1 << 30]] {
        let result = MiniBatch::trajectories(lengths, 1, 0);
        assert!(matches!(result, Err(TrainError::TooLarge(_))), "{lengths:?}");
    }
    for lengths in [&[][..], &[3, 0]] {
        let result = MiniBatch::trajectories(lengths, 1, 0);
        assert!(matches!(result, Err(TrainError::Setting { .. })), "{lengths:?}");
    }
    assert!(matches!(MiniBatch::points(0, 1, 0), Err(TrainError::Setting { .. })));
    assert!(MiniBatch::points(3, 0, 0).is_err());
    // A batch of more than there is is all there is.
    let mut all = MiniBatch::points(3, usize::MAX, 0).expect("sizes");
    assert_eq!([all.next_rows().len(), all.next_rows().len()], [3, 3]);
    let begin = Instant::now();
    let mut many = MiniBatch::points(10_000_000, 100, 0).expect("sizes");
    let rows = Vec::from(many.next_rows());
    assert!(rows.len() == 100 && rows.iter().any(|row| *row > 1_000_000));
    assert!(begin.elapsed() < Duration::from_secs(5), "{:?}", begin.elapsed());
}

#[test]
fn an_optimiser_knows_how_many_parameters_it_was_started_for() {
    let mut adam = Adam::<f64>::default();
    let mut theta = [1.0, 2.0];
    let error = adam.step(&mut theta, &mut [0.5; 2], 1e-3).expect_err("not started");
    assert!(matches!(error, TrainError::Length { given: 2, expected: 0, .. }), "{error}");
    adam.start(2).expect("sensible");
    let error = adam.step(&mut theta, &mut [0.5; 3], 1e-3).expect_err("too many");
    assert!(matches!(error, TrainError::Length { given: 3, expected: 2, .. }), "{error}");
    assert_eq!(theta, [1.0, 2.0]);
    adam.step(&mut theta, &mut [0.5; 2], 1e-3).expect("fits");
    assert!(theta[0] < 1.0);
}

#[test]
fn early_stopping_goes_by_finite_validation_losses() {
    let stopping = EarlyStopping { every: 1, patience: 9, ..EarlyStopping::default() };
    let fit = |validation: Option<&mut dyn Loss<f64, Model>>| {
        let mut trainer = Trainer::new(4).with_early_stopping(stopping);
        trainer.fit(&mut model::<f64>(), &mut loss(1.0), validation, &mut ())
    };
    assert!(matches!(fit(None), Err(TrainError::NoValidation)));
    // A loss may be negative: an improvement is then a share of its size.
    let mut script = Script(vec![-1.0, -0.95, -1.05, -1.2]);
    let impatient = EarlyStopping { patience: 2, min_improvement: 0.1, ..stopping };
    let mut trainer = Trainer::new(4).with_early_stopping(impatient);
    let record = trainer.fit(&mut model::<f64>(), &mut loss(1.0), Some(&mut script), &mut ());
    let record = record.expect("trains");
    assert_eq!((record.steps.len(), record.kept_step), (3, 2));
    let record = fit(Some(&mut Script(vec![f64::NAN, 2.0, f64::INFINITY, f64::NAN])));
    assert_eq!(record.expect("one is finite").kept_step, 1);
    let result = fit(Some(&mut Script(vec![f64::NAN; 4])));
    assert!(matches!(result, Err(TrainError::Diverged { step: 3, .. })), "{result:?}");
}
