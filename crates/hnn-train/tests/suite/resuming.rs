//! Runs that are killed and go on, against one that was not.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use hnn_data::DataSet;
use hnn_integrators::{Parameters, RK4};
use hnn_losses::{DerivativeLoss, TotalLoss, TrajectoryLoss, Window};
use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
use hnn_systems::{Sampling, Spring};
use hnn_train::{
    Adam, Checkpoint, Control, EarlyStopping, MiniBatch, Optimiser, Progress, Schedule, TrainError,
    Trainer, TrainingRecord, WeightDecay,
};

type Model = Hnn<Mlp<f32>>;

const STEPS: usize = 150;

fn model(seed: u64) -> Model {
    let architecture = Architecture::new(&[2, 12, 1]).expect("sizes");
    let network = Mlp::new(architecture, Initialisation::Orthogonal, seed);
    Hnn::new(network.with_dropout(0.05, 3).expect("a rate")).expect("even")
}

fn data(seed: u64) -> DataSet<f32> {
    let sampling = Sampling { trajectories: 6, points: 9, ..Sampling::spring() };
    sampling.sample(&Spring::default(), seed).expect("samples").cast().expect("finite in f32")
}

fn derivative(data: &DataSet<f32>) -> DerivativeLoss<f32> {
    DerivativeLoss::new(data.times().into(), data.states(), data.derivatives()).expect("fits")
}

/// A trainer with all that has a state: moments, batches, an average, patience.
fn trainer() -> Trainer<f32> {
    Trainer::new(STEPS)
        .with_schedule(Schedule::Cosine { from: 1e-2, to: 1e-4 })
        .with_optimiser(Adam::default().with_decay(WeightDecay::Coupled(1e-4)))
        .with_minibatch(MiniBatch::trajectories(&[9; 6], 4, 5).expect("sizes"))
        .with_clipping(0.5)
        .with_averaging(0.9)
        .with_early_stopping(EarlyStopping { every: 7, patience: 100, ..EarlyStopping::default() })
}

/// Trains the model; also with fitted starts and a curriculum, which are states of the loss.
fn train(
    mut trainer: Trainer<f32>,
    seed: u64,
    observer: &mut dyn FnMut(&Progress<'_>) -> Control,
) -> Result<(Vec<f32>, TrainingRecord), TrainError> {
    let (train, validation) = (data(seed), data(9));
    let stages = [(0.0, Window::Steps(1)), (0.3, Window::Steps(2)), (0.6, Window::Whole)];
    let trajectory = TrajectoryLoss::new(RK4, Window::Steps(1), &train)
        .and_then(|loss| loss.with_curriculum(&stages))
        .and_then(|loss| loss.with_fitted_starts(0.1))
        .expect("fits");
    let mut loss = TotalLoss::new(derivative(&train)).plus(3.0, trajectory).expect("a weight");
    let mut model = model(1);
    let mut observer = |progress: &Progress<'_>| observer(progress);
    let record =
        trainer.fit(&mut model, &mut loss, Some(&mut derivative(&validation)), &mut observer)?;
    let mut theta = vec![0.0; model.num_params()];
    model.copy_params(&mut theta)?;
    Ok((theta, record))
}

fn go_on(_: &Progress<'_>) -> Control {
    Control::Continue
}

/// All numbers of a run but its time, bit by bit.
fn bits((theta, record): &(Vec<f32>, TrainingRecord)) -> String {
    let theta: Vec<u32> = theta.iter().map(|w| w.to_bits()).collect();
    let mut record = record.clone();
    record.seconds = 0.0;
    format!("{theta:?} {record:?}")
}

/// How often a run is killed, at least: as often as `HNN_KILLS` says, or a few times.
fn kills() -> u64 {
    std::env::var("HNN_KILLS").map_or(4, |kills| kills.parse().expect("a number"))
}

/// What a child process does, if this process is one.
#[test]
fn the_child() {
    let Ok(folder) = std::env::var("HNN_TRAIN_CHILD") else { return };
    let folder = Path::new(&folder);
    let checkpoint = Checkpoint::new(folder.join("run")).with_step_interval(3).with_resume(true);
    let mut first = None;
    let run = train(trainer().with_checkpoint(checkpoint), 0, &mut |progress| {
        if first.is_none() {
            first = Some(progress.record.step);
            let step = progress.record.step.to_string();
            hnn_files::write_all(folder.join("begun"), step.as_bytes()).expect("written");
        }
        std::thread::sleep(Duration::from_micros(500 * kills()));
        Control::Continue
    });
    hnn_files::write_all(folder.join("end"), bits(&run.expect("trains")).as_bytes())
        .expect("written");
}

#[test]
fn a_run_that_is_killed_again_and_again_gives_the_same_numbers() {
    let folder = tempfile::tempdir().expect("a folder");
    let end = folder.path().join("end");
    let (mut begins, mut killed) = (Vec::new(), 0);
    for kill in 0..15 * kills() {
        let mut child = Command::new(std::env::current_exe().expect("this test"))
            .args(["resuming::the_child", "--exact"])
            .env("HNN_TRAIN_CHILD", folder.path())
            .stdout(Stdio::null())
            .spawn()
            .expect("starts");
        // Moments all over a run, from before its first step on.
        std::thread::sleep(Duration::from_millis(20 + kill * 67 % 101));
        // On Unix, SIGKILL.
        child.kill().and_then(|()| child.wait()).expect("killed");
        if let Ok(step) = std::fs::read_to_string(folder.path().join("begun")) {
            begins.push(step.parse::<usize>().expect("a number"));
        }
        if end.exists() {
            break;
        }
        killed += 1;
    }
    begins.dedup();
    assert!(killed >= kills() && begins.len() >= 4 && begins.is_sorted(), "begun at {begins:?}");
    let whole = std::fs::read_to_string(end).expect("the last child ended");
    assert_eq!(whole, bits(&train(trainer(), 0, &mut go_on).expect("trains")));
    // Nothing is left of saves that were cut short.
    let names = std::fs::read_dir(folder.path()).expect("a folder");
    assert_eq!(names.count(), 3, "run, begun and end");
}

#[test]
fn a_run_that_is_stopped_or_over_goes_on_or_stays() {
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = Checkpoint::new(folder.path().join("run"));
    let every_steps = |steps| checkpoint.clone().with_step_interval(steps).with_resume(true);
    let whole = train(trainer(), 0, &mut go_on).expect("trains");
    let mut stop = |progress: &Progress<'_>| match progress.record.step % 40 {
        39 => Control::Stop,
        _ => Control::Continue,
    };
    for steps in [40, 80, 120, STEPS, STEPS] {
        let run = train(trainer().with_checkpoint(every_steps(1000)), 0, &mut stop);
        let (theta, record) = run.expect("trains");
        assert_eq!((record.steps.len(), record.stopped_early()), (steps, steps < STEPS));
        assert_eq!(bits(&(theta, record)) == bits(&whole), steps == STEPS);
    }
    // Patience that was at an end stays there.
    let stopping = EarlyStopping { every: 1, patience: 1, min_improvement: 0.9, keep_best: true };
    let impatient = || trainer().with_early_stopping(stopping);
    let once = train(impatient().with_checkpoint(checkpoint.clone()), 0, &mut go_on);
    let once = once.expect("a checkpoint of another run is replaced");
    assert!(once.1.stopped_early());
    let again = train(impatient().with_checkpoint(every_steps(1)), 0, &mut |_| panic!("a step"));
    assert_eq!(again.expect("is over"), once);
}

#[test]
fn a_checkpoint_of_another_run_is_refused() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("run");
    let resuming = Checkpoint::new(&path).with_resume(true);
    let mut stop = |_: &Progress<'_>| Control::Stop;
    train(trainer().with_checkpoint(resuming.clone()), 0, &mut stop).expect("trains");
    let mut refused = |trainer: Trainer<f32>, data: u64, word: &str| {
        let error = train(trainer.with_checkpoint(resuming.clone()), data, &mut stop);
        let error = error.expect_err(word);
        let is_named = matches!(error, TrainError::Checkpoint { .. });
        assert!(is_named && error.to_string().contains(word), "{word}: {error}");
    };
    refused(trainer().with_clipping(0.6), 0, "clipping");
    refused(trainer().with_schedule(Schedule::Constant(1e-3)), 0, "schedule");
    refused(trainer().with_optimiser(Adam::default()), 0, "decay");
    let batches = MiniBatch::points(54, 4, 5).expect("sizes");
    refused(trainer().with_minibatch(batches), 0, "mini-batches");
    refused(trainer(), 1, "data");

    let whole = std::fs::read(&path).expect("there");
    for (bytes, word) in [
        (&b"a text file"[..], "no checkpoint"),
        (&whole[..whole.len() / 2], "damaged"),
        (&whole[..20], "damaged"),
        (b"", "no checkpoint"),
    ] {
        std::fs::write(&path, bytes).expect("written");
        refused(trainer(), 0, word);
    }
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    std::fs::write(&path, &flipped).expect("written");
    refused(trainer(), 0, "damaged");
    std::fs::write(&path, &whole).expect("written");
    train(trainer().with_checkpoint(resuming), 0, &mut go_on).expect("as it was");
}

#[test]
fn what_cannot_be_saved_says_so_before_the_first_step() {
    /// Moves by the rate times the gradient.
    struct Descent;
    impl Optimiser<f32> for Descent {
        fn name(&self) -> &str {
            "descent"
        }
        fn start(&mut self, _: usize) -> Result<(), TrainError> {
            Ok(())
        }
        fn step(&mut self, w: &mut [f32], g: &mut [f32], rate: f64) -> Result<(), TrainError> {
            w.iter_mut().zip(g).for_each(|(w, g)| *w -= rate as f32 * *g);
            Ok(())
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = Checkpoint::new(folder.path().join("run"));
    let descent = trainer().with_optimiser(Descent).with_checkpoint(checkpoint);
    let error = train(descent, 0, &mut |_| panic!("a step")).expect_err("cannot be saved");
    assert!(matches!(error, TrainError::NotResumable { .. }), "{error}");
    let nowhere = Checkpoint::new(folder.path().join("missing/run")).with_step_interval(1);
    let error = train(trainer().with_checkpoint(nowhere), 0, &mut go_on).expect_err("no folder");
    assert!(matches!(error, TrainError::File(_)), "{error}");
}

#[test]
fn an_observer_sees_the_parameters_of_each_step() {
    let mut seen = Vec::new();
    let stopping = EarlyStopping { keep_best: false, ..EarlyStopping::default() };
    let plain = Trainer::new(5).with_early_stopping(stopping);
    let mut watch = |progress: &Progress<'_>| {
        seen.push(progress.parameters());
        Control::Continue
    };
    let (theta, _) = train(plain, 0, &mut watch).expect("trains");
    assert_eq!(seen[4], theta.iter().map(|w| f64::from(*w)).collect::<Vec<_>>());
    assert!(seen.len() == 5 && seen.windows(2).all(|pair| pair[0] != pair[1]));
}
