//! What a training run offers besides the optimiser: schedules, decay, clipping, batches, patience,
//! curricula, progress and the log.

use std::time::Duration;

use hnn_data::DataSet;
use hnn_integrators::{Parameters, RK4};
use hnn_losses::{
    DerivativeLoss, JointLoss, L1Penalty, L2Penalty, Loss, LossError, RowSelection, TotalLoss,
    TrajectoryLoss, Window,
};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::{Sampling, Spring};
use hnn_train::{
    Adam, Control, EarlyStopping, MiniBatch, Progress, Schedule, StepRecord, TrainError, Trainer,
    TrainingRecord, WeightDecay,
};

type Model = Hnn<Mlp<f64>>;

fn model() -> Model {
    let architecture = Architecture::new(&[2, 8, 1]).expect("sizes");
    Hnn::new(Mlp::new(architecture, Initialisation::Orthogonal, 1)).expect("even")
}

fn data() -> DataSet<f64> {
    let sampling = Sampling { trajectories: 4, points: 9, ..Sampling::spring() };
    sampling.sample(&Spring::default(), 0).expect("samples")
}

fn derivative(data: &DataSet<f64>) -> DerivativeLoss<f64> {
    DerivativeLoss::new(data.times().into(), data.states(), data.derivatives()).expect("fits")
}

fn params(model: &Model) -> Vec<f64> {
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta).expect("fits");
    theta
}

/// A validation loss that takes these values, one after the other.
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
        _: &mut [f64],
    ) -> Result<f64, LossError> {
        self.value(model, selection)
    }
}

#[test]
fn schedules_follow_their_formulas() {
    let close = |a: f64, b: f64| assert!((a - b).abs() < 1e-15, "{a}, expected {b}");
    let cosine = Schedule::Cosine { from: 0.3, to: 0.1 };
    close(cosine.rate(25, 100), 0.2 + 0.1 * std::f64::consts::FRAC_PI_4.cos());
    let exponential = Schedule::Exponential { from: 1e-2, to: 1e-4 };
    close(exponential.rate(0, 10), 1e-2);
    close(exponential.rate(5, 10), 1e-3);
    let steps = Schedule::Step { from: 0.8, factor: 0.5, every: 10 };
    for (step, rate) in [(0, 0.8), (9, 0.8), (10, 0.4), (29, 0.2), (30, 0.1)] {
        close(steps.rate(step, 100), rate);
    }
    // The rate of each update is the schedule's, and it is in the log.
    let record = Trainer::new(20)
        .with_schedule(steps)
        .fit(&mut model(), &mut derivative(&data()), None, &mut ())
        .expect("trains");
    assert!(record.steps.iter().all(|s| s.rate == steps.rate(s.step, 20)));
}

/// With a gradient of 0, decoupled decay shrinks the weights by `1 - rate * decay` a step, and
/// coupled decay is Adam on the decay's own gradient.
#[test]
fn decoupled_decay_shrinks_the_weights() {
    let mut adam = Adam::<f64>::default().with_decay(WeightDecay::Decoupled(0.5));
    let mut run = |steps: usize| {
        let mut theta = [3.0, -2.0];
        hnn_train::Optimiser::start(&mut adam, 2).expect("sensible");
        for _ in 0..steps {
            hnn_train::Optimiser::step(&mut adam, &mut theta, &mut [0.0; 2], 0.1).expect("started");
        }
        theta
    };
    let [a, b] = run(4);
    assert!((a - 3.0 * 0.95_f64.powi(4)).abs() < 1e-14);
    assert!((b + 2.0 * 0.95_f64.powi(4)).abs() < 1e-14);
}

/// An L1 penalty drives weights to zero that an L2 penalty only shrinks.
#[test]
fn l1_makes_weights_vanish() {
    let train = |l1: f64, l2: f64| {
        let mut model = model();
        let mut loss = TotalLoss::new(derivative(&data()))
            .plus(l1, L1Penalty::new())
            .and_then(|loss| loss.plus(l2, L2Penalty::new()))
            .expect("weights");
        let schedule = Schedule::Cosine { from: 2e-2, to: 0.0 };
        Trainer::new(1500)
            .with_schedule(schedule)
            .fit(&mut model, &mut loss, None, &mut ())
            .expect("trains");
        params(&model).iter().filter(|w| w.abs() < 1e-4).count()
    };
    let (l1, l2) = (train(1e-2, 0.0), train(0.0, 1e-2));
    assert!(l1 >= l2 + 5, "{l1} weights vanish with L1, {l2} with L2");
}

#[test]
fn clipping_bounds_the_gradient_and_the_log_has_its_norm() {
    /// Moves by the rate times the gradient.
    struct Descent;
    impl hnn_train::Optimiser<f64> for Descent {
        fn name(&self) -> &str {
            "descent"
        }
        fn start(&mut self, _: usize) -> Result<(), TrainError> {
            Ok(())
        }
        fn step(
            &mut self,
            theta: &mut [f64],
            gradient: &mut [f64],
            rate: f64,
        ) -> Result<(), TrainError> {
            theta.iter_mut().zip(gradient).for_each(|(w, g)| *w -= rate * *g);
            Ok(())
        }
    }
    let step = |clip: f64| {
        let (mut model, rate) = (model(), 1e-3);
        let before = params(&model);
        let record = Trainer::new(1)
            .with_schedule(Schedule::Constant(rate))
            .with_optimiser(Descent)
            .with_clipping(clip)
            .fit(&mut model, &mut derivative(&data()), None, &mut ())
            .expect("trains");
        let moved = params(&model).iter().zip(before).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        (moved.sqrt() / rate, record.steps[0].gradient_norm)
    };
    let (free, norm) = step(1e9);
    assert!((free / norm - 1.0).abs() < 1e-9);
    let (clipped, same) = step(0.1 * norm);
    assert!((clipped / (0.1 * norm) - 1.0).abs() < 1e-9 && same == norm);
}

/// Each epoch has every trajectory once, its rows together and in order.
#[test]
fn batches_of_trajectories_keep_them_whole() {
    let lengths = [3, 1, 4, 2, 5];
    let starts = [0, 3, 4, 8, 10];
    let mut batches = MiniBatch::trajectories(&lengths, 2, 7).expect("sizes");
    let mut orders = Vec::new();
    for _ in 0..3 {
        let mut order = Vec::new();
        for count in [2, 2, 1] {
            let mut rows = batches.next_rows();
            for _ in 0..count {
                let m = starts.iter().position(|start| *start == rows[0]).expect("a first row");
                let (own, rest) = rows.split_at(lengths[m]);
                assert!(own.iter().copied().eq(starts[m]..starts[m] + lengths[m]));
                order.push(m);
                rows = rest;
            }
            assert!(rows.is_empty());
        }
        let mut all = order.clone();
        all.sort_unstable();
        assert_eq!(all, [0, 1, 2, 3, 4]);
        orders.push(order);
    }
    assert!(orders[0] != orders[1] || orders[1] != orders[2]);
}

/// An improvement smaller than the least one does not restart the patience, but is kept.
#[test]
fn patience_counts_from_the_last_real_improvement() {
    let values = [1.0, 0.8, 0.79, 0.785, 0.9, 0.5];
    let run = |min_improvement| {
        let stopping =
            EarlyStopping { every: 1, patience: 3, min_improvement, ..EarlyStopping::default() };
        let record = Trainer::new(6).with_early_stopping(stopping).fit(
            &mut model(),
            &mut derivative(&data()),
            Some(&mut Script(values.to_vec())),
            &mut (),
        );
        let record = record.expect("trains");
        (record.steps.len(), record.kept_step, record.stopped_early())
    };
    // By 5 %: the last is at step 1, and three validations later it is over.
    assert_eq!(run(0.05), (5, 3, true));
    assert_eq!(run(0.0), (6, 5, false));
}

#[test]
fn progress_tells_terms_rate_and_time_left() {
    let record = StepRecord {
        step: 24,
        rate: 1e-3,
        loss: 1.0,
        terms: Vec::new(),
        gradient_norm: 1.0,
        validation: None,
    };
    let theta = vec![0.5_f32, -2.0];
    let progress = |steps| Progress::new(&record, steps, Duration::from_secs(50), &theta);
    assert_eq!(progress(100).parameters(), [0.5, -2.0]);
    assert!(progress(usize::MAX).remaining() > Duration::from_secs(1 << 50));
    assert_eq!(progress(100).remaining(), Duration::from_secs(150));
    assert_eq!(progress(25).remaining(), Duration::ZERO);

    let mut left = Vec::new();
    let mut observer = |progress: &Progress<'_>| {
        left.push(progress.remaining());
        assert_eq!(progress.record.terms[0].0, "derivative");
        Control::Continue
    };
    let mut loss = TotalLoss::new(derivative(&data()));
    Trainer::new(5).fit(&mut model(), &mut loss, None, &mut observer).expect("trains");
    assert_eq!((left.len(), left[4]), (5, Duration::ZERO));
    assert!(left[0] > Duration::ZERO);
}

/// A curriculum changes the windows while the run goes on, and the columns of its log do not.
#[test]
fn a_curriculum_trains_and_its_log_has_one_column() {
    let data = data();
    let stages = [(0.0, Window::Steps(1)), (0.5, Window::Steps(3)), (0.75, Window::Whole)];
    let trajectory = TrajectoryLoss::new(RK4, Window::Steps(1), &data)
        .and_then(|loss| loss.with_curriculum(&stages))
        .expect("fits");
    let joint = JointLoss::new(derivative(&data), 10.0, trajectory).expect("the same data");
    let mut loss = TotalLoss::new(joint).plus(1e-4, L2Penalty::new()).expect("weight");
    let lengths: Vec<usize> = data.iter().map(|one| one.times.len()).collect();
    let mut model = model();
    let record: TrainingRecord = Trainer::new(400)
        .with_schedule(Schedule::Cosine { from: 2e-2, to: 0.0 })
        .with_minibatch(MiniBatch::trajectories(&lengths, 3, 0).expect("sizes"))
        .fit(&mut model, &mut loss, None, &mut ())
        .expect("trains");
    // The derivatives' term, which windows do not change.
    let first = |step: &StepRecord| step.terms[0].1;
    let (begin, end) = (first(&record.steps[0]), first(&record.steps[399]));
    assert!(end < 0.05 * begin, "{end}, from {begin}");
    let file = tempfile::NamedTempFile::new().expect("a file");
    record.write_csv(file.path()).expect("written");
    let text = std::fs::read_to_string(file.path()).expect("read");
    let header = text.lines().next().expect("a header");
    assert_eq!(header, "step,rate,loss,derivative,windows,l2,gradient_norm,validation");
    let columns = header.split(',').count();
    assert!(text.lines().all(|line| line.split(',').count() == columns));
    // The loss is the weighted sum of its columns.
    for line in text.lines().skip(1) {
        let cells: Vec<f64> = line.split(',').filter_map(|cell| cell.parse().ok()).collect();
        let sum = cells[3] + 10.0 * cells[4] + 1e-4 * cells[5];
        assert!((cells[2] - sum).abs() < 1e-12 * sum, "{line}");
    }
}
