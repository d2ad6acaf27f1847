//! The joint loss is the sum of its two parts, whatever the measure, the stepper and the batch.

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::common::{lengths_of, network, wave};
use crate::erased::{Erased, erased};
use hnn_integrators::{
    At, Bars, DifferentiableField, DifferentiableStepper, EULER, FieldError, GAUSS_LEGENDRE4,
    Parameters, RALSTON3, RK4, Tableau, VELOCITY_VERLET, VectorField, Workspace,
};
use hnn_losses::{
    DerivativeLoss, ErrorMeasure, JointLoss, L2Penalty, Loss, LossError, RowSelection, TotalLoss,
    TrajectoryData, TrajectoryLoss, Window,
};
use hnn_models::{Baseline, Hnn, Lnn, MechanicalLagrangian, Mlp, SeparableHnn};
use ndarray::{Array1, Array2};
use proptest::prelude::*;

/// Random trajectories with random derivatives.
struct Data {
    times: Array1<f64>,
    states: Array2<f64>,
    derivatives: Array2<f64>,
    lengths: Vec<usize>,
}

impl Data {
    fn new(lengths: Vec<usize>, dim: usize, seed: u64) -> Self {
        let rows = lengths.iter().sum();
        let steps = wave(seed, 0.3, rows).mapv(|w| 0.2 + 0.15 * w);
        let times = steps.iter().scan(0.0, |t, dt| Some(std::mem::replace(t, *t + dt))).collect();
        let table =
            |phase| wave(seed, phase, rows * dim).into_shape_with_order((rows, dim)).expect("rows");
        Self { times, states: table(1.9), derivatives: table(0.4), lengths }
    }

    fn derivative(&self, measure: ErrorMeasure) -> DerivativeLoss<f64> {
        let loss =
            DerivativeLoss::new(self.times.view(), self.states.view(), self.derivatives.view());
        loss.and_then(|loss| loss.with_error_measure(measure)).expect("fits")
    }

    fn trajectory<S>(&self, stepper: S, window: Window) -> TrajectoryLoss<f64, S> {
        let (times, states) = (self.times.view(), self.states.view());
        let data = TrajectoryData::new(times, states, &self.lengths);
        TrajectoryLoss::new(stepper, window, data).expect("fits").with_segments(3)
    }
}

/// Value, terms and gradient of 0.7 times a loss.
fn evaluate<F: DifferentiableField<f64>>(
    loss: &mut dyn Loss<f64, F>,
    field: &F,
    rows: RowSelection<'_>,
) -> (f64, Vec<(String, f64)>, Vec<f64>) {
    let mut theta_bar = vec![0.0; field.num_params()];
    let value = loss.value_and_gradient(field, rows, 0.7, &mut theta_bar).expect("evaluates");
    (value, loss.terms(), theta_bar)
}

fn assert_close(what: &str, a: f64, b: f64, scale: f64) {
    assert!((a - b).abs() <= 1e-12 * scale, "{what}: {a}, expected {b}");
}

const ALPHA: f64 = 30.0;

fn check<F, S>(field: F, stepper: S, window: Window, seed: u64)
where
    F: DifferentiableField<f64> + 'static,
    S: DifferentiableStepper<f64, F> + Clone + 'static,
{
    let measures =
        [ErrorMeasure::Squared, ErrorMeasure::Absolute, ErrorMeasure::Huber { threshold: 0.3 }];
    let measure = measures[seed as usize % 3];
    let data = Data::new(lengths_of(seed), field.dim(), seed);
    let rows = data.times.len();
    let mut joint =
        JointLoss::new(data.derivative(measure), ALPHA, data.trajectory(stepper.clone(), window))
            .expect("the same data");
    let mut parts = TotalLoss::new(data.derivative(measure))
        .plus(ALPHA, data.trajectory(stepper, window))
        .expect("weight");
    // All rows, some of them (one of them twice), and one that starts nothing.
    let some: Vec<usize> =
        (0..rows).filter(|row| !(row + seed as usize).is_multiple_of(3)).chain([1]).collect();
    for selection in [RowSelection::All, RowSelection::Rows(&some), RowSelection::Rows(&[rows - 1])]
    {
        let (value, terms, theta_bar) = evaluate(&mut joint, &field, selection);
        let (expected, expected_terms, expected_bar) = evaluate(&mut parts, &field, selection);
        assert_close("value", value, expected, expected);
        for ((name, value), (expected_name, expected)) in terms.iter().zip(&expected_terms) {
            assert_eq!(name, expected_name);
            assert_close(name, *value, *expected, *expected);
        }
        let scale = expected_bar.iter().fold(1e-3, |max: f64, g| max.max(g.abs()));
        for (g, expected) in theta_bar.iter().zip(&expected_bar) {
            assert_close("gradient", *g, *expected, scale);
        }
        let alone = joint.value(&field, selection).expect("evaluates");
        assert_close("value alone", alone, expected, expected);
    }
}

fn check_steppers(field: impl Fn() -> Erased, window: Window, seed: u64) {
    check(field(), EULER, window, seed);
    check(field(), RALSTON3, window, seed);
    check(field(), RK4, window, seed);
    check(field(), GAUSS_LEGENDRE4, window, seed);
}

fn windows() -> impl Strategy<Value = Window> {
    prop_oneof![Just(Window::Whole), (1..6_usize).prop_map(Window::Steps)]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(12))]

    #[test]
    fn the_sum_for_networks(window in windows(), seed in 0..999_u64) {
        check_steppers(|| {
            erased(Baseline::new(network(&[2, 5, 2], seed)).expect("square"))
        }, window, seed);
        check_steppers(|| {
            erased(Hnn::new(network(&[2, 7, 5, 1], seed)).expect("even"))
        }, window, seed);
    }

    #[test]
    fn the_sum_for_separable_models(window in windows(), seed in 0..999_u64) {
        let (kinetic, potential) = (network(&[2, 7, 1], seed), network(&[2, 5, 1], seed + 1));
        let field = SeparableHnn::new(kinetic, potential).expect("fits");
        check(field, VELOCITY_VERLET, window, seed);
    }

    #[test]
    fn the_sum_for_lagrangian_networks(window in windows(), seed in 0..999_u64) {
        check_steppers(|| {
            let (factor, potential) = (network(&[1, 5, 1], seed), network(&[1, 7, 1], seed + 1));
            let lagrangian = MechanicalLagrangian::new(factor, potential).expect("fits");
            let lagrangian = lagrangian.with_epsilon(1.0).expect("positive");
            erased(Lnn::new(lagrangian).expect("even"))
        }, window, seed);
    }
}

/// A field that counts the states it is evaluated at.
struct Counting {
    field: Hnn<Mlp<f64>>,
    states: AtomicUsize,
}

impl Parameters<f64> for Counting {
    fn num_params(&self) -> usize {
        self.field.num_params()
    }
    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        self.field.copy_params(out)
    }
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        self.field.set_params(theta)
    }
}

impl VectorField<f64> for Counting {
    fn dim(&self) -> usize {
        self.field.dim()
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        self.states.fetch_add(at.batch(), Ordering::Relaxed);
        self.field.eval(at, x, dx, workspace)
    }
}

impl DifferentiableField<f64> for Counting {
    type Residuals = <Hnn<Mlp<f64>> as DifferentiableField<f64>>::Residuals;

    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.states.fetch_add(at.batch(), Ordering::Relaxed);
        self.field.eval_recorded(at, x, dx, residuals)
    }
    fn vjp(
        &self,
        x: &[f64],
        residuals: &mut Self::Residuals,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        self.field.vjp(x, residuals, v, bars)
    }
}

/// Where a step begins at a measured state, the field is evaluated there once.
#[test]
fn the_first_stage_is_shared() {
    let field = || Hnn::new(network(&[2, 6, 1], 3)).expect("even");
    let counting = || Counting { field: field(), states: AtomicUsize::new(0) };
    let data = Data::new(vec![7, 5, 1], 2, 1);
    let evaluations = |joint: &mut JointLoss<f64, Tableau>| {
        let counting = counting();
        evaluate(joint, &counting, RowSelection::All);
        counting.states.into_inner()
    };
    let joint = |trajectory| {
        JointLoss::new(data.derivative(ErrorMeasure::Squared), ALPHA, trajectory).expect("same")
    };
    // 13 rows, of which 10 begin a step of 4 stages.
    let one_step = || data.trajectory(RK4, Window::Steps(1));
    assert_eq!(evaluations(&mut joint(one_step())), 4 * 10 + 3);
    let fitted = one_step().with_fitted_starts(0.1).expect("a rate");
    assert_eq!(evaluations(&mut joint(fitted)), 4 * 10 + 13);
}

#[test]
fn a_part_of_a_total_is_logged_as_its_terms() {
    let field = Hnn::new(network(&[2, 6, 1], 3)).expect("even");
    let data = Data::new(vec![7, 5], 2, 1);
    let stages = [(0.5, Window::Whole)];
    let trajectory = data.trajectory(RK4, Window::Steps(1)).with_curriculum(&stages);
    let joint = JointLoss::new(
        data.derivative(ErrorMeasure::Squared),
        ALPHA,
        trajectory.expect("increases"),
    );
    let mut total =
        TotalLoss::new(joint.expect("the same data")).plus(0.1, L2Penalty::new()).expect("weight");
    let mut names = |step| {
        total.begin_step(step, 2).expect("begins");
        let (value, terms, _) = evaluate(&mut total, &field, RowSelection::All);
        let sum = terms[0].1 + ALPHA * terms[1].1 + 0.1 * terms[2].1;
        assert_close("sum", value, sum, sum);
        terms.into_iter().map(|(name, _)| name).collect::<Vec<_>>()
    };
    // A column of the log keeps its name while windows grow.
    assert_eq!(names(0), ["derivative", "windows", "l2"]);
    assert_eq!(names(1), ["derivative", "windows", "l2"]);
}

#[test]
fn the_same_numbers_for_any_number_of_threads() {
    let field = Hnn::new(network(&[2, 16, 1], 3)).expect("even");
    let data = Data::new(vec![3; 300], 2, 1);
    let run = |threads| {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().expect("pool");
        pool.install(|| {
            let trajectory = data.trajectory(RK4, Window::Steps(1));
            let joint = JointLoss::new(data.derivative(ErrorMeasure::Squared), ALPHA, trajectory);
            evaluate(&mut joint.expect("the same data"), &field, RowSelection::All)
        })
    };
    let one = run(1);
    assert_eq!(one, run(2));
    assert_eq!(one, run(5));
}

#[test]
fn bad_input_is_an_error() {
    let data = Data::new(vec![3, 2], 2, 1);
    let derivative = || data.derivative(ErrorMeasure::Squared);
    let trajectory = || data.trajectory(RK4, Window::Steps(1));
    let new = |derivative, alpha, trajectory| {
        JointLoss::new(derivative, alpha, trajectory).map(|_| ()).expect_err("refused")
    };
    for alpha in [-1.0, f64::NAN, f64::INFINITY] {
        let refused = new(derivative(), alpha, trajectory());
        assert!(matches!(refused, LossError::Weight { .. }), "{refused}");
    }
    let mut other = Data::new(vec![3, 2], 2, 1);
    other.states[[1, 1]] += 1e-3;
    let refused = new(other.derivative(ErrorMeasure::Squared), 1.0, trajectory());
    assert!(
        matches!(refused, LossError::DifferentData { what: "states", index: 3, .. }),
        "{refused}"
    );
    let shorter = Data::new(vec![3], 2, 1);
    let refused = new(shorter.derivative(ErrorMeasure::Squared), 1.0, trajectory());
    assert!(
        matches!(refused, LossError::DifferentData { what: "times", index: 3, .. }),
        "{refused}"
    );
    let mut joint = JointLoss::new(derivative(), 1.0, trajectory()).expect("the same data");
    let field = Hnn::new(network(&[2, 3, 1], 0)).expect("even");
    let mut theta_bar = vec![0.0; field.num_params()];
    let outside = RowSelection::Rows(&[5]);
    let refused = joint.value_and_gradient(&field, outside, 1.0, &mut theta_bar);
    assert!(matches!(refused, Err(LossError::NoSuchRow { row: 5, rows: 5 })));
    assert!(joint.value_and_gradient(&field, RowSelection::All, 1.0, &mut [0.0]).is_err());
}
