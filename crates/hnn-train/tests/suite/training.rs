//! The trainer against PyTorch's Adam, and its promises.

use hnn_integrators::{FieldObject, Parameters, RK4};
use hnn_losses::{
    DerivativeLoss, JointLoss, L2Penalty, Loss, LossError, Reduction, RowSelection, TotalLoss,
    TrajectoryData, TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Baseline, Hnn, Initialisation, Mlp};
use hnn_testing::{golden, numbers, read_json};
use hnn_train::{
    Adam, Control, EarlyStopping, Lbfgs, MiniBatch, Optimiser, Progress, Schedule, StopReason,
    TrainError, Trainer, WeightDecay,
};
use ndarray::{Array1, Array2};
use serde_json::Value;

type Model = Hnn<Mlp<f64>>;

fn array(value: &Value) -> Array2<f64> {
    Array2::from_shape_vec((numbers(value).len() / 2, 2), numbers(value)).expect("pairs")
}

fn problem() -> (Model, DerivativeLoss<f64>) {
    let g = golden("hnn_tanh_2_16_16_1");
    let theta = ["W1", "b1", "W2", "b2", "W3"].iter().flat_map(|n| numbers(&g["params"][n]));
    let architecture = Architecture::new(&[2, 16, 16, 1]).expect("sizes");
    let net = Mlp::from_params(architecture, theta.collect()).expect("parameters");
    let (x, dx) = (array(&g["x"]), array(&g["dx"]));
    let t = Array1::zeros(x.nrows());
    let loss = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
    (Hnn::new(net).expect("even"), loss)
}

fn params(model: &Model) -> Vec<f64> {
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta).expect("fits");
    theta
}

#[test]
fn adam_agrees_with_pytorch() {
    let g = read_json(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/adam_hnn.json"));
    for (case, decay) in [("hnn", WeightDecay::Coupled(1e-4)), ("hnn_nodecay", WeightDecay::None)] {
        let (mut model, mut loss) = problem();
        let expected = numbers(&g[case]["loss"]);
        let record = Trainer::new(expected.len())
            .with_optimiser(Adam::default().with_decay(decay))
            .fit(&mut model, &mut loss, None, &mut ())
            .expect("trains");
        for (step, expected) in record.steps.iter().zip(&expected) {
            assert!((step.loss / expected - 1.0).abs() < 1e-10, "{case}, step {}", step.step);
        }
        for (w, expected) in params(&model).iter().zip(numbers(&g[case]["final"])) {
            assert!((w - expected).abs() < 1e-10, "{case}: {w}, expected {expected}");
        }
    }
}

/// Models of different types, trained as objects.
#[test]
fn objects_train_to_the_same_numbers() {
    let (model, mut loss) = problem();
    let mut trainer = Trainer::new(5);
    let mut expected = model.clone();
    trainer.fit(&mut expected, &mut loss, None, &mut ()).expect("trains");
    let mut own = model.clone();
    let mut borrowed: &mut dyn FieldObject<f64> = &mut own;
    trainer.fit(&mut borrowed, &mut loss, None, &mut ()).expect("trains");
    assert_eq!(params(&own), params(&expected));

    let architecture = Architecture::new(&[2, 6, 2]).expect("sizes");
    let net = Mlp::new(architecture, Initialisation::Orthogonal, 1);
    let baseline = Baseline::new(net).expect("square");
    let models: [Box<dyn FieldObject<f64>>; 2] = [Box::new(model), Box::new(baseline)];
    for (place, mut model) in models.into_iter().enumerate() {
        let record = trainer.fit(&mut model, &mut loss, None, &mut ()).expect("trains");
        assert!(record.final_loss() < record.steps[0].loss);
        let mut theta = vec![0.0; model.num_params()];
        model.copy_params(&mut theta).expect("fits");
        assert_eq!(theta == params(&expected), place == 0);
    }
}

/// Total losses, `L_HNN + alpha L_traj`, ten updates each.
#[test]
fn training_through_the_integrator_agrees_with_pytorch() {
    let g = read_json(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/data/adam_hnn.json"));
    let measured = golden("hnn_tanh_2_16_16_1");
    let (x, dx) = (array(&measured["x"]), array(&measured["dx"]));
    let times = Array1::from_shape_fn(33, |row| 0.1 * (row % 11) as f64);
    let data = TrajectoryData::new(times.view(), x.view(), &[11; 3]);
    for (case, alpha, window, reduction) in [
        ("hnn_step100", 100.0, Window::Steps(1), Reduction::MaskedMean),
        ("hnn_full1", 1.0, Window::Whole, Reduction::Mean),
    ] {
        let (mut model, _) = problem();
        let derivative = DerivativeLoss::new(times.view(), x.view(), dx.view()).expect("fits");
        let trajectory = TrajectoryLoss::new(RK4, window, data).expect("fits");
        let trajectory = trajectory.with_reduction(reduction);
        let mut loss = JointLoss::new(derivative, alpha, trajectory).expect("the same data");
        let expected = numbers(&g[case]["loss"]);
        let record = Trainer::new(expected.len())
            .with_optimiser(Adam::default().with_decay(WeightDecay::Coupled(1e-4)))
            .fit(&mut model, &mut loss, None, &mut ())
            .expect("trains");
        for (step, expected) in record.steps.iter().zip(&expected) {
            assert!((step.loss / expected - 1.0).abs() < 1e-10, "{case}, step {}", step.step);
        }
        for (w, expected) in params(&model).iter().zip(numbers(&g[case]["final"])) {
            assert!((w - expected).abs() < 1e-10, "{case}: {w}, expected {expected}");
        }
    }
}

/// A penalty of weight w / 2 in the loss is PyTorch's coupled weight decay w.
#[test]
fn a_penalty_is_coupled_decay() {
    let run = |optimiser: Adam<f64>, penalty: f64| {
        let (mut model, loss) = problem();
        let mut loss = TotalLoss::new(loss).plus(penalty, L2Penalty::new()).expect("weight");
        Trainer::new(30)
            .with_optimiser(optimiser)
            .fit(&mut model, &mut loss, None, &mut ())
            .expect("trains");
        params(&model)
    };
    let coupled = run(Adam::default().with_decay(WeightDecay::Coupled(0.02)), 0.0);
    let penalised = run(Adam::default(), 0.01);
    let decoupled = run(Adam::default().with_decay(WeightDecay::Decoupled(0.02)), 0.0);
    let worst =
        |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst(&coupled, &penalised) < 1e-12);
    assert!(worst(&coupled, &decoupled) > 1e-6);
}

#[test]
fn the_same_numbers_for_any_number_of_threads() {
    let run = |threads: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let net = Mlp::<f64>::new(
                Architecture::new(&[2, 20, 1]).expect("sizes"),
                Initialisation::Orthogonal,
                3,
            );
            let mut model = Hnn::new(net).expect("even");
            let wave = |phase: f64| {
                Array2::from_shape_fn((1000, 2), |(i, j)| (phase + (i * 7 + j) as f64).sin())
            };
            let (x, dx, t) = (wave(0.1), wave(0.9), Array1::zeros(1000));
            let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view()).expect("fits");
            let batches = MiniBatch::points(1000, 700, 5).expect("sizes");
            Trainer::new(20)
                .with_minibatch(batches)
                .fit(&mut model, &mut loss, None, &mut ())
                .expect("trains");
            params(&model)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(3));
}

/// A loss that is a function of how often it was asked for (from 1), whatever the model.
struct Scripted(fn(usize) -> f64, usize);

impl Loss<f64, Model> for Scripted {
    fn name(&self) -> &str {
        "scripted"
    }
    fn value(&mut self, _: &Model, _: RowSelection<'_>) -> Result<f64, LossError> {
        self.1 += 1;
        Ok((self.0)(self.1))
    }
    fn value_and_gradient(
        &mut self,
        model: &Model,
        selection: RowSelection<'_>,
        _: f64,
        _: &mut [f64],
    ) -> Result<f64, LossError> {
        self.value(model, selection)
    }
}

#[test]
fn early_stopping_keeps_the_best_weights() {
    let (mut model, mut loss) = problem();
    let mut seen = Vec::new();
    let mut validation = Scripted(|n| n.abs_diff(4) as f64 + 1.0, 0);
    let stopping = EarlyStopping { every: 1, patience: 5, ..EarlyStopping::default() };
    let record = Trainer::new(100)
        .with_early_stopping(stopping)
        .fit(&mut model, &mut loss, Some(&mut validation), &mut |p: &Progress<'_>| {
            seen.push(p.record.validation);
            Control::Continue
        })
        .expect("trains");
    assert_eq!((record.kept_step, record.stopped_early(), seen.len()), (3, true, 9));
    // The weights are those after four updates.
    let (mut again, mut loss) = problem();
    Trainer::new(4).fit(&mut again, &mut loss, None, &mut ()).expect("trains");
    assert_eq!(params(&model), params(&again));
    // Or the last ones, where that is asked for.
    let (mut last, mut loss) = problem();
    let mut validation = Scripted(|n| n.abs_diff(4) as f64 + 1.0, 0);
    let record = Trainer::new(100)
        .with_early_stopping(EarlyStopping { keep_best: false, ..stopping })
        .fit(&mut last, &mut loss, Some(&mut validation), &mut ())
        .expect("trains");
    assert_eq!((record.kept_step, record.stopped_early()), (8, true));
    assert_ne!(params(&last), params(&model));
}

#[test]
fn divergence_names_the_step_and_keeps_finite_weights() {
    let (mut model, _) = problem();
    let mut loss = Scripted(|n| if n < 6 { 1.0 / n as f64 } else { f64::NAN }, 0);
    let error = Trainer::new(100).fit(&mut model, &mut loss, None, &mut ()).expect_err("diverges");
    assert!(matches!(error, TrainError::Diverged { step: 5, last_finite: 0.2, .. }), "{error}");
    assert!(params(&model).iter().all(|w| w.is_finite()));
}

#[test]
fn observers_can_stop_a_run_and_settings_are_checked() {
    let (mut model, mut loss) = problem();
    let mut stop = |p: &Progress<'_>| {
        if p.record.step == 6 { Control::Stop } else { Control::Continue }
    };
    let record = Trainer::new(50).fit(&mut model, &mut loss, None, &mut stop).expect("trains");
    assert_eq!(record.steps.len(), 7);
    let mut fit =
        |mut trainer: Trainer<f64>| trainer.fit(&mut model, &mut loss, None, &mut ()).is_err();
    assert!(fit(Trainer::new(1).with_schedule(Schedule::Constant(-1.0))));
    assert!(fit(Trainer::new(1).with_clipping(f64::NAN)));
    assert!(fit(Trainer::new(1).with_averaging(1.0)));
    let decay = WeightDecay::Coupled(-1.0);
    assert!(fit(Trainer::new(1).with_optimiser(Adam::default().with_decay(decay))));
    assert!(Adam::<f64>::default().with_betas(1.0, 0.9).start(3).is_err());
    assert!(MiniBatch::points(0, 3, 0).is_err());
    assert!(MiniBatch::trajectories(&[3, 2], 0, 0).is_err());
}

/// Clipping bounds the step of plain gradients; averaging lags behind the last weights.
#[test]
fn clipping_and_averaging() {
    let run = |trainer: Trainer<f64>| {
        let (mut model, mut loss) = problem();
        let mut trainer = trainer;
        trainer.fit(&mut model, &mut loss, None, &mut ()).expect("trains");
        params(&model)
    };
    let start = params(&problem().0);
    let distance = |theta: &[f64]| -> f64 {
        theta.iter().zip(&start).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
    };
    let plain = run(Trainer::new(50));
    let averaged = run(Trainer::new(50).with_averaging(0.99));
    assert!(distance(&averaged) < 0.8 * distance(&plain));
    assert_eq!(run(Trainer::new(50).with_clipping(1e9)), plain);
    assert_ne!(run(Trainer::new(50).with_clipping(0.1)), plain);
}

/// L-BFGS validates as a trainer does, and its last step in any case.
#[test]
fn lbfgs_keeps_what_validates_best() {
    let stopping = EarlyStopping { every: 1, patience: 5, ..EarlyStopping::default() };
    let fit = |lbfgs: Lbfgs, of: fn(usize) -> f64| {
        let (mut model, mut loss) = problem();
        let record = lbfgs.fit(&mut model, &mut loss, Some(&mut Scripted(of, 0)), &mut ());
        (record, params(&model))
    };
    let fourth_is_best = |n: usize| n.abs_diff(4) as f64 + 1.0;
    let (record, best) = fit(Lbfgs::new(100).with_early_stopping(stopping), fourth_is_best);
    let record = record.expect("fits");
    assert_eq!((record.kept_step, record.stop), (3, StopReason::Validation));
    assert_eq!((record.steps.len(), record.steps[3].validation), (9, Some(1.0)));
    let (_, four) = fit(Lbfgs::new(4), |_| 1.0);
    assert_eq!(best, four);
    let last = EarlyStopping { keep_best: false, ..stopping };
    let (record, nine) = fit(Lbfgs::new(100).with_early_stopping(last), fourth_is_best);
    assert_eq!(record.expect("fits").kept_step, 8);
    assert_ne!(nine, best);

    // One validation at the end, though the interval is longer than the run.
    let (record, _) = fit(Lbfgs::new(3), |n| n as f64);
    let values = record.expect("fits").steps.into_iter().map(|step| step.validation);
    assert_eq!(Vec::from_iter(values), [None, None, Some(1.0)]);
    let (record, theta) = fit(Lbfgs::new(3), |_| f64::NAN);
    assert!(matches!(record, Err(TrainError::Diverged { .. })), "{record:?}");
    let (mut model, mut loss) = problem();
    Lbfgs::new(3).fit(&mut model, &mut loss, None, &mut ()).expect("fits");
    assert_eq!(theta, params(&model));
    let alone = Lbfgs::new(3).with_early_stopping(stopping);
    let record = alone.fit(&mut model, &mut loss, None, &mut ());
    assert!(matches!(record, Err(TrainError::NoValidation)), "{record:?}");
}

/// L-BFGS needs far fewer evaluations than Adam, and keeps the best weights.
#[test]
fn lbfgs_converges() {
    let (mut model, loss) = problem();
    let mut loss = TotalLoss::new(loss).plus(1e-4, L2Penalty::new()).expect("weight");
    let start = loss.value(&model, RowSelection::All).expect("evaluates");
    let record = Lbfgs::new(100).fit(&mut model, &mut loss, None, &mut ()).expect("converges");
    let end = loss.value(&model, RowSelection::All).expect("evaluates");
    assert_eq!(end, record.final_loss());
    assert!(end < 0.02 * start, "{end}, from {start}");
    assert!(record.steps.windows(2).all(|pair| pair[1].loss <= pair[0].loss));
    let (mut slow, loss) = problem();
    let mut loss = TotalLoss::new(loss).plus(1e-4, L2Penalty::new()).expect("weight");
    Trainer::new(300).fit(&mut slow, &mut loss, None, &mut ()).expect("trains");
    assert!(end < 0.5 * loss.value(&slow, RowSelection::All).expect("evaluates"));

    let mut stop = |p: &Progress<'_>| {
        if p.record.step == 2 { Control::Stop } else { Control::Continue }
    };
    let (mut model, mut loss) = problem();
    let record = Lbfgs::new(100).fit(&mut model, &mut loss, None, &mut stop).expect("stops");
    assert_eq!((record.steps.len(), record.stopped_early()), (3, true));
    let mut nan = Scripted(|_| f64::NAN, 0);
    let before = params(&model);
    assert!(Lbfgs::new(5).fit(&mut model, &mut nan, None, &mut ()).is_err());
    assert_eq!(params(&model), before);
    assert!(Lbfgs::new(5).with_memory(0).fit(&mut model, &mut loss, None, &mut ()).is_err());
}

/// Each step has a mask of its own; validation and the trained model have none.
#[test]
fn dropout_is_for_training_only() {
    let run = |rate: f64| {
        let (_, mut loss) = problem();
        let (_, mut validation) = problem();
        let architecture = Architecture::new(&[2, 16, 16, 1]).expect("sizes");
        let net = Mlp::<f64>::new(architecture, Initialisation::Orthogonal, 1);
        let mut model = Hnn::new(net.with_dropout(rate, 4).expect("rate")).expect("even");
        let record = Trainer::new(10)
            .with_schedule(Schedule::Constant(1e-12))
            .with_early_stopping(EarlyStopping { every: 1, ..EarlyStopping::default() })
            .fit(&mut model, &mut loss, Some(&mut validation), &mut ())
            .expect("trains");
        let after = loss.value(&model, RowSelection::All).expect("evaluates");
        (record, after)
    };
    let (plain, (thinned, after)) = (run(0.0).0, run(0.3));
    let value = plain.steps[0].loss;
    // At a vanishing rate only the masks change.
    assert!(plain.steps.iter().all(|s| (s.loss / value - 1.0).abs() < 1e-6));
    assert!(thinned.steps.windows(2).all(|pair| pair[0].loss != pair[1].loss));
    assert!(thinned.steps.iter().all(|s| (s.validation.unwrap_or(0.0) / value - 1.0).abs() < 1e-6));
    assert!((after / value - 1.0).abs() < 1e-6);
    let mut again = run(0.3).0;
    again.seconds = thinned.seconds;
    assert_eq!(thinned, again);
}

#[test]
fn the_record_is_written_as_csv() {
    let (mut model, loss) = problem();
    let mut loss = TotalLoss::new(loss).plus(1e-3, L2Penalty::new()).expect("weight");
    let record = Trainer::new(3).fit(&mut model, &mut loss, None, &mut ()).expect("trains");
    let folder = std::env::temp_dir().join(format!("hnn-train-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("folder");
    let path = folder.join("record.csv");
    record.write_csv(&path).expect("written");
    let text = std::fs::read_to_string(&path).expect("read");
    let mut lines = text.lines();
    assert_eq!(lines.next(), Some("step,rate,loss,derivative,l2,gradient_norm,validation"));
    assert_eq!(lines.count(), 3);
    assert!(record.write_csv(folder.join("missing/record.csv")).is_err());
    std::fs::remove_dir_all(&folder).expect("removed");
}
