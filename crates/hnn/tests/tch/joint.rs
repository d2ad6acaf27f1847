//! The joint loss of both engines: the same value, terms, gradient and refusals.

use hnn_data::DataSet;
use hnn_integrators::{DifferentiableField, RK4, Tableau};
use hnn_losses::{
    DerivativeLoss, JointLoss, Loss, LossError, RowSelection, TrajectoryLoss, Window,
};
use hnn_models::tch::tch;
use hnn_models::{Activation, Architecture, Baseline, Dissipative, Hnn, Initialisation, Mlp};
use hnn_systems::{DampedPendulum, Pendulum, Sampling};
use hnn_testing::assert_close;
use hnn_train::{Schedule, TrainError, Trainer};
use ndarray::ArrayView1;

use crate::{energy, map};

/// Relative difference that the two engines may have.
const TOLERANCE: f64 = 1e-9;

const ALPHAS: [f64; 4] = [0.0, 1.0, 50.0, 1000.0];

/// 4 noisy trajectories of 12 points, of a pendulum with friction and of one without.
fn data() -> [DataSet<f64>; 2] {
    let sampling = Sampling { trajectories: 4, points: 12, noise: 0.05, ..Sampling::pendulum() };
    let damped = DampedPendulum::new(0.1, 6.0).expect("a pendulum");
    [sampling.sample(&damped, 0), sampling.sample(&Pendulum::default(), 1)]
        .map(|data| data.expect("trajectories"))
}

fn network(sizes: &[usize], seed: u64) -> Mlp<f64> {
    Mlp::new(Architecture::new(sizes).expect("sizes"), Initialisation::Orthogonal, seed)
}

/// The derivative loss and `alpha` times the one-step loss.
fn joint(data: &DataSet<f64>, alpha: f64) -> JointLoss<f64, Tableau> {
    let times = ArrayView1::from(data.times());
    let derivative = DerivativeLoss::new(times, data.states(), data.derivatives());
    let one_step = TrajectoryLoss::new(RK4, Window::Steps(1), data);
    JointLoss::new(derivative.expect("it fits"), alpha, one_step.expect("it fits"))
        .expect("the same data")
}

/// The value and its terms, and the gradient.
fn evaluate<F: DifferentiableField<f64>>(
    model: &F,
    data: &DataSet<f64>,
    alpha: f64,
    selection: RowSelection<'_>,
) -> Result<[Vec<f64>; 2], LossError> {
    let mut loss = joint(data, alpha);
    let mut gradient = vec![0.0; model.num_params()];
    let value = loss.value_and_gradient(model, selection, 0.7, &mut gradient)?;
    let terms = loss.terms().into_iter().map(|(_, term)| term);
    let values = [value].into_iter().chain(terms).collect();
    Ok([values, gradient])
}

#[track_caller]
fn assert_same_loss<A, B>(what: &str, judge: &A, native: &B)
where
    A: DifferentiableField<f64>,
    B: DifferentiableField<f64>,
{
    for (system, data) in ["damped", "undamped"].iter().zip(&data()) {
        // Some rows, one of them twice, and one that begins no step.
        for rows in [RowSelection::All, RowSelection::Rows(&[0, 3, 3, 11, 20, 47])] {
            for alpha in ALPHAS {
                let what = format!("{what}, {system}, alpha {alpha}, {rows:?}");
                let evaluated = |values: Result<_, LossError>| values.expect("it is defined");
                let [values, gradient] = evaluated(evaluate(judge, data, alpha, rows));
                let [expected, expected_gradient] = evaluated(evaluate(native, data, alpha, rows));
                assert!(expected[1] > 0.0 && expected[2] > 0.0, "{what}: {expected:?}");
                for (value, expected) in values.iter().zip(&expected) {
                    assert_close(&what, &[*value], &[*expected], TOLERANCE);
                }
                assert_close(
                    &format!("{what}: gradient"),
                    &gradient,
                    &expected_gradient,
                    TOLERANCE,
                );
            }
        }
    }
}

#[test]
fn values_and_gradients_agree() {
    tch::set_num_threads(1);
    let (h, f) = (network(&[2, 16, 12, 1], 1), network(&[2, 12, 1], 2));
    let judge = Hnn::new(energy(&h)).expect("even");
    assert_same_loss("HNN", &judge, &Hnn::new(h.clone()).expect("even"));

    let judge = Hnn::with_friction(energy(&h), map(&f)).expect("it fits");
    let native = Hnn::with_friction(h.clone(), f.clone()).expect("it fits");
    assert_same_loss("HNN with any friction", &judge, &native);

    let judge = Hnn::with_friction(energy(&h), Dissipative::new(map(&f)).expect("it fits"));
    let native = Hnn::with_friction(h, Dissipative::new(f).expect("it fits"));
    assert_same_loss("dissipative HNN", &judge.expect("it fits"), &native.expect("it fits"));

    let native = Baseline::new(network(&[2, 16, 12, 2], 3)).expect("square");
    let judge = Baseline::new(map(native.network())).expect("square");
    assert_same_loss("plain map", &judge, &native);
}

/// What training at a rate far too high says: the step, and what is not finite.
fn divergence<F: DifferentiableField<f64>>(mut model: F) -> (usize, String) {
    let mut trainer = Trainer::new(20).with_schedule(Schedule::Constant(1e200));
    let error = trainer.fit(&mut model, &mut joint(&data()[0], 50.0), None, &mut ());
    match error.expect_err("it diverges") {
        TrainError::Diverged { step, what, value, last_finite } => {
            assert!(!value.is_finite() && last_finite.is_finite());
            (step, what)
        }
        other => panic!("{other}"),
    }
}

#[test]
fn a_diverged_batch_is_an_error_of_both() {
    tch::set_num_threads(1);
    // Of unbounded activation: a tanh that saturates has finite slopes, however large its weights.
    let unbounded = |sizes: &[usize], seed| {
        let architecture = Architecture::new(sizes).expect("sizes");
        let architecture = architecture.with_activation(Activation::Softplus);
        Mlp::new(architecture, Initialisation::Orthogonal, seed)
    };
    let h = unbounded(&[2, 8, 1], 1);
    let judge = divergence(Hnn::new(energy(&h)).expect("even"));
    assert_eq!(judge, divergence(Hnn::new(h).expect("even")));
    let base = unbounded(&[2, 8, 2], 3);
    let judge = divergence(Baseline::new(map(&base)).expect("square"));
    assert_eq!(judge, divergence(Baseline::new(base).expect("square")));
}

/// What is said to states of another dimension, to rows that are not there, and to a gradient of
/// another length.
fn refusals<F: DifferentiableField<f64>>(four: &F, two: &F) -> [String; 3] {
    let [data, _] = data();
    let gradient = &mut vec![0.0; two.num_params() + 1];
    [
        evaluate(four, &data, 1.0, RowSelection::All).map(drop),
        evaluate(two, &data, 1.0, RowSelection::Rows(&[48])).map(drop),
        joint(&data, 1.0).value_and_gradient(two, RowSelection::All, 1.0, gradient).map(drop),
    ]
    .map(|refused| refused.expect_err("it does not fit").to_string())
}

#[test]
fn a_batch_of_a_wrong_shape_is_an_error_of_both() {
    tch::set_num_threads(1);
    let (four, two) = (network(&[4, 8, 1], 1), network(&[2, 8, 1], 1));
    let judge = |h| Hnn::new(energy(h)).expect("even");
    let refused = refusals(&judge(&four), &judge(&two));
    let hnn = |h| Hnn::new(h).expect("even");
    assert_eq!(refused, refusals(&hnn(four), &hnn(two)));
    for (refused, said) in refused.iter().zip(["dimension", "row 48", "33 parameters"]) {
        assert!(refused.contains(said), "{refused}");
    }
}
