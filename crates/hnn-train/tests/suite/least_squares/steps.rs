//! Steps: which are taken, how a run ends, and how it goes on.

use hnn_losses::Loss;
use hnn_train::{
    Checkpoint, Control, EarlyStopping, EvidenceRule, LeastSquares, Progress, Scaling, StopReason,
    StopTolerances, TrainError, TrainingRecord,
};

use super::forms::with_locals;
use super::reference::misra1a;
use super::squares::{Constants, close, fit, squares};

/// All that has a state: locals, two terms, noise, a validation loss.
fn eventful(
    settings: LeastSquares,
    observer: &mut dyn FnMut(&Progress<'_>) -> Control,
) -> (Vec<f64>, Vec<f64>, TrainingRecord) {
    let mut loss = with_locals();
    loss.terms = vec![("early", vec![(10, 1); 5]), ("late", vec![(10, 1); 7])];
    let mut validation = with_locals();
    let settings = settings
        .with_scaling(Scaling::Diagonal)
        .with_evidence(EvidenceRule { every: 2, begin: 0.9, ..EvidenceRule::default() })
        .with_early_stopping(EarlyStopping {
            every: 1,
            keep_best: false,
            ..EarlyStopping::default()
        });
    let mut model = Constants(vec![0.1, 0.0]);
    let mut observer = |progress: &Progress<'_>| observer(progress);
    let record = settings.fit(&mut model, &mut loss, Some(&mut validation), &mut observer);
    let mut record = record.expect("fits");
    record.seconds = 0.0;
    (model.0, loss.locals, record)
}

#[test]
fn a_run_that_is_stopped_goes_on_bit_for_bit_on_any_number_of_threads() {
    let run = |threads: usize, settings: LeastSquares, stop: usize| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            eventful(settings, &mut |progress| match progress.record.step {
                step if step == stop => Control::Stop,
                _ => Control::Continue,
            })
        })
    };
    let whole = run(1, LeastSquares::new(40), usize::MAX);
    assert!(whole.2.steps.len() > 6 && whole.2.evidence.is_some(), "{whole:?}");
    assert_eq!(run(3, LeastSquares::new(40), usize::MAX), whole);
    let folder = tempfile::tempdir().expect("a folder");
    let checkpoint = Checkpoint::new(folder.path().join("run")).with_resume(true);
    let going_on = |stop| run(2, LeastSquares::new(40).with_checkpoint(checkpoint.clone()), stop);
    for stop in [1, 4] {
        let part = going_on(stop);
        assert_eq!((part.2.steps.len(), part.2.stop), (stop + 1, StopReason::Observer));
    }
    let (theta, locals, record) = going_on(usize::MAX);
    assert_eq!((&theta, &locals, &record), (&whole.0, &whole.1, &whole.2));
    // It is over, and stays so.
    assert_eq!(going_on(0), whole);
    let other = LeastSquares::new(41).with_checkpoint(checkpoint);
    let mut model = Constants(vec![0.1, 0.0]);
    let error = other.fit(&mut model, &mut with_locals(), None, &mut ()).expect_err("another run");
    assert!(matches!(error, TrainError::Checkpoint { .. }), "{error}");
}

#[test]
fn a_run_says_why_it_ended() {
    let reason = |settings: LeastSquares, loss: &mut dyn Loss<f64, Constants>| {
        fit(&settings, &[250.0, 0.0005], loss).1.stop
    };
    let new = || LeastSquares::new(100).with_scaling(Scaling::Diagonal);
    let misra = || squares(vec![(14, 0)], misra1a);
    let tolerances = |gradient, step, reduction| StopTolerances { gradient, step, reduction };
    let with = |t: StopTolerances| reason(new().with_tolerances(t), &mut misra());
    assert_eq!(with(tolerances(1e-4, 0.0, 0.0)), StopReason::Gradient);
    assert_eq!(with(tolerances(0.0, 1e-4, 0.0)), StopReason::Step);
    assert_eq!(with(tolerances(0.0, 0.0, 1e-6)), StopReason::Reduction);
    let few = LeastSquares::new(2);
    assert_eq!(reason(few, &mut misra()), StopReason::Steps);
    // Derivatives that point the wrong way.
    let mut wrong = squares(vec![(14, 0)], |b: &[f64], locals: &[f64], i| {
        let (value, row, none) = misra1a(b, locals, i);
        (value, row.into_iter().map(|j| -j).collect(), none)
    });
    assert_eq!(reason(new(), &mut wrong), StopReason::NothingBetter);
    // A validation loss that rises, and parameters that were best by it.
    let mut model = Constants(vec![250.0_f64, 0.0005]);
    let mut far =
        squares(vec![(1, 0)], |b: &[f64], _: &[f64], _| (b[0] - 247.0, vec![1.0, 0.0], vec![]));
    let stopping = EarlyStopping { every: 1, patience: 2, ..EarlyStopping::default() };
    let record = new()
        .with_early_stopping(stopping)
        .fit(&mut model, &mut misra(), Some(&mut far), &mut ())
        .expect("fits");
    assert_eq!(record.stop, StopReason::Validation);
    assert!(record.kept_step + 2 < record.steps.len() + 1 && (model.0[0] - 247.0).abs() < 5.0);
}

#[test]
fn only_accepted_steps_read_rows_and_failed_trials_are_no_failures() {
    // No value beyond b = 2, where the first steps lead.
    let mut loss = squares(vec![(2, 0)], |b: &[f64], _: &[f64], i| {
        let value = if i == 0 { (2.0 - b[0]).sqrt() - 0.1 } else { 0.0 };
        (value, vec![if i == 0 { -0.5 / (2.0 - b[0]).sqrt() } else { 0.0 }], vec![])
    });
    let settings = LeastSquares::new(50).with_damping(1e-12);
    let (theta, record) = fit::<f64>(&settings, &[-200.0], &mut loss);
    close(&theta, &[1.99], 1e-6);
    assert_eq!(loss.jacobians, record.steps.len());
    assert!(loss.values > 2 * record.steps.len(), "{} values", loss.values);
    // Not finite at the start: an error that names the loss, and nothing is changed.
    let mut model = Constants(vec![3.0]);
    let error = settings.fit(&mut model, &mut loss, None, &mut ()).expect_err("no value");
    assert!(matches!(&error, TrainError::NotFinite { step: 0, loss, .. } if loss == "squares"));
    assert_eq!(model.0, [3.0]);
    let mut rows = squares(vec![(2, 0)], |b: &[f64], _: &[f64], _| (b[0], vec![f64::NAN], vec![]));
    let error = settings.fit(&mut model, &mut rows, None, &mut ()).expect_err("no rows");
    assert!(matches!(error, TrainError::NotFinite { .. }), "{error}");
}
