//! Explicit Runge-Kutta methods: orders, adjoints, bad input.

use std::ops::ControlFlow;

use crate::common::*;
use hnn_integrators::{
    Bars, DOP853, DORMAND_PRINCE5, DifferentiableStepper, EULER, EmbeddedPair, FixedStep, Flow,
    FnField, Grid, HEUN, ImplicitTableau, Interval, MIDPOINT, RALSTON3, RK4, SolveError, Splitting,
    Stepper, THREE_EIGHTHS, TSITOURAS5, Tableau, TableauError, VectorField,
};
use ndarray::{Array2, ArrayView2, array};

/// The scalar path, through a closure, gives what the lanes give.
#[test]
fn closures_and_dyn_fields_agree_with_lanes() {
    let closure = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = -x[0].sin();
    });
    let x0 = Array2::from_shape_fn((37, 2), |(row, i)| 0.05 * row as f64 - 0.3 * i as f64);
    let run = FixedStep::count(RK4, 50);
    let interval = (0.0, 5.0);
    let lanes = run.run(&Pendulum, interval, x0.view()).expect("lanes");
    let object: &dyn VectorField<f64> = &closure;
    let scalar = run.run(object, interval, x0.view()).expect("closure");
    assert_close(&lanes.states, &scalar.states, 1e-12, 1e-13);
}

#[test]
fn methods_converge_with_their_order() {
    check_pendulum_order(&EULER, 100_000);
    check_pendulum_order(&MIDPOINT, 4000);
    check_pendulum_order(&HEUN, 4000);
    check_pendulum_order(&RALSTON3, 2000);
    check_pendulum_order(&RK4, 400);
    check_pendulum_order(&THREE_EIGHTHS, 400);
    check_pendulum_order(&DORMAND_PRINCE5.propagated(), 200);
    check_pendulum_order(&DOP853.propagated(), 25);
}

/// On the pendulum the error of order 5 of this method is so small that the next order shows
/// until rounding does; on the system of Henon and Heiles it is not.
#[test]
fn tsitouras_5_converges_with_its_order() {
    let x0 = array![[0.1, 0.3, 0.3, 0.1]];
    let end = |method: &EmbeddedPair, steps| {
        let run = FixedStep::count(method.propagated(), steps);
        run.run(erased(&Plain(HenonHeiles)), (0.0, 10.0), x0.view()).expect("run")
    };
    let exact = end(&DOP853, 1000);
    let points: Vec<(f64, f64)> = [70, 90, 117, 152, 198, 257]
        .into_iter()
        .map(|steps| {
            let errors = &end(&TSITOURAS5, steps).last() - &exact.last();
            (10.0 / steps as f64, errors.iter().fold(0.0, |most: f64, e: &f64| most.max(e.abs())))
        })
        .collect();
    assert_order(&TSITOURAS5, &points);
}

#[test]
fn every_tableau_is_consistent() {
    let pairs = [DORMAND_PRINCE5, TSITOURAS5, DOP853].map(|pair| pair.propagated());
    for method in [EULER, MIDPOINT, HEUN, RALSTON3, RK4, THREE_EIGHTHS].iter().chain(&pairs) {
        let rows: Vec<&[f64]> = (0..method.stages()).map(|i| method.row(i)).collect();
        let (b, c) = (method.weights(), method.nodes());
        let same = Tableau::new(method.name(), method.order(), &rows, b, c).expect("consistent");
        assert_eq!(same, *method);
        assert!(method.row(method.stages()).is_empty() && method.row(usize::MAX).is_empty());
    }
}

#[test]
fn backward_returns_to_the_start() {
    let x0 = array![[1.0, 0.5], [-0.3, 1.2]];
    let run = FixedStep::count(RK4, 2000);
    let there = run.run(&Pendulum, (0.0, 5.0), x0.view()).expect("there");
    let back = run.run(&Pendulum, (5.0, 0.0), there.last()).expect("back");
    assert_close(back.last(), &x0, 0.0, 1e-11);
}

#[test]
fn a_run_lands_on_its_end_exactly() {
    let clock = FnField::new(1, |t: f64, _x: &[f64], dx: &mut [f64]| dx[0] = 3.0 * t * t);
    let x0 = array![[0.0]];
    let odd = FixedStep::size(RK4, 0.3)
        .with_save_every(1)
        .run(erased(&clock), (0.0, 1.0), x0.view())
        .expect("run");
    assert_eq!(odd.times, [0.0, 0.3, 0.6, 0.899_999_999_999_999_9, 1.0]);
    assert!((odd.last()[[0, 0]] - 1.0).abs() < 1e-14);
    let even = FixedStep::size(RK4, 0.01)
        .with_save_every(1)
        .run(erased(&clock), (0.0, 10.0), x0.view())
        .expect("run");
    assert_eq!((even.times.len(), even.times[1000]), (1001, 10.0));
    let back = FixedStep::size(RK4, 0.4)
        .with_save_every(1)
        .run(erased(&clock), (1.0, 0.0), x0.view())
        .expect("run");
    assert_eq!((back.times.len(), back.times[3]), (4, 0.0));
}

#[test]
fn bad_input_is_an_error() {
    let x0 = array![[1.0_f64, 0.5]];
    let go = |run: FixedStep<Tableau>, interval, x0: &Array2<f64>| -> SolveError {
        run.run(&Pendulum, interval, x0.view()).expect_err("bad input").into()
    };
    let ok = FixedStep::count(RK4, 10);
    assert_eq!(go(FixedStep::count(RK4, 0), (0.0, 1.0), &x0), SolveError::NoSteps);
    for dt in [0.0, -0.1, f64::NAN, f64::INFINITY] {
        let error = go(FixedStep::size(RK4, dt), (0.0, 1.0), &x0);
        assert!(matches!(error, SolveError::NotPositive { .. }), "{error}");
    }
    assert!(matches!(
        go(FixedStep::size(RK4, 1e-300), (0.0, 1.0), &x0),
        SolveError::StepSize { .. }
    ));
    for count in [usize::MAX, 1 << 60] {
        let endless = FixedStep::count(RK4, count).with_save_every(1);
        assert!(matches!(go(endless.clone(), (0.0, 1.0), &x0), SolveError::StepSize { .. }));
        assert!(endless.run_at(&Pendulum, &[0.0, 1.0], x0.view()).is_err());
    }
    for run in [FixedStep::count(RK4, 1 << 40), FixedStep::size(RK4, 1e-12)] {
        let error = go(run.clone().with_save_every(2), (0.0, 1.0), &x0).to_string();
        assert!(
            error.contains("states to save would take") && error.contains("observe"),
            "{error}"
        );
        let run = run.with_save_every(2);
        let stop = |_t: f64, _x: ArrayView2<'_, f64>| ControlFlow::Break(());
        assert_eq!(run.observe(&Pendulum, (0.0, 1.0), x0.view(), stop), Ok(0.0));
    }
    for interval in [(0.0, 0.0), (0.0, f64::NAN), (f64::INFINITY, 0.0)] {
        assert!(matches!(go(ok.clone(), interval, &x0), SolveError::Times { .. }));
    }
    assert_eq!(go(ok.clone(), (0.0, 1.0), &Array2::zeros((0, 2))), SolveError::EmptyBatch);
    let wrong = SolveError::Dimension { given: 3, expected: 2 };
    assert_eq!(go(ok.clone(), (0.0, 1.0), &Array2::zeros((1, 3))), wrong);
    let nan = go(ok, (0.0, 1.0), &array![[0.0, 0.0], [0.0, f64::NAN]]);
    assert!(matches!(nan, SolveError::NonFiniteStart { trajectory: 1, coordinate: 1, .. }));
}

#[test]
fn blow_up_names_trajectory_step_and_time_and_keeps_what_was_done() {
    let explosive = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = x[0] * x[0]);
    let x0 = array![[0.1], [2.0]];
    let run = FixedStep::size(RK4, 0.1).with_save_every(1);
    let failure =
        run.run(erased(&explosive), (0.0, 5.0), x0.view()).expect_err("singular at t = 0.5");
    let SolveError::NonFinite { trajectory, step, time } = failure.error else {
        panic!("{}", failure.error)
    };
    assert_eq!(trajectory, 1);
    assert!((0.5..1.5).contains(&time) && (time - 0.1 * step as f64).abs() < 1e-12);
    let partial = failure.partial.expect("partial");
    assert!(partial.states[[1, step, 0]].is_finite() && partial.states[[1, step + 1, 0]].is_nan());
}

#[test]
fn inconsistent_tableaus_are_refused() {
    let error = |order, a: &[&[f64]], b: &[f64], c: &[f64]| {
        Tableau::new("test", order, a, b, c).expect_err("inconsistent")
    };
    assert_eq!(error(1, &[], &[], &[]), TableauError::NoStages);
    assert!(matches!(error(1, &[&[]], &[1.0], &[0.1]), TableauError::FirstNode { .. }));
    assert!(matches!(error(1, &[&[]], &[0.9], &[0.0]), TableauError::WeightSum { .. }));
    assert!(matches!(error(1, &[&[]], &[f64::NAN], &[0.0]), TableauError::WeightSum { .. }));
    let half = [0.5, 0.5];
    assert!(matches!(error(2, &[&[], &[1.0]], &half, &[0.0, 0.5]), TableauError::RowSum { .. }));
    assert!(matches!(error(2, &[&[]], &half, &[0.0, 1.0]), TableauError::Length { .. }));
    assert!(matches!(error(3, &[&[], &[1.0]], &half, &[0.0, 1.0]), TableauError::Order { .. }));
}

#[test]
fn inconsistent_implicit_tableaus_are_refused() {
    let error = |order, a: &[&[f64]], b: &[f64], c: &[f64]| {
        ImplicitTableau::new("test", order, a, b, c).expect_err("inconsistent")
    };
    assert_eq!(error(1, &[], &[], &[]), TableauError::NoStages);
    assert!(matches!(error(1, &[&[0.5]], &[0.9], &[0.5]), TableauError::WeightSum { .. }));
    assert!(matches!(error(1, &[&[0.5]], &[1.0], &[0.4]), TableauError::RowSum { .. }));
    assert!(matches!(error(1, &[&[0.5, 0.0]], &[1.0], &[0.5]), TableauError::Length { .. }));
    assert!(matches!(error(1, &[], &[1.0], &[0.5]), TableauError::Length { .. }));
    assert!(matches!(error(2, &[&[1.0]], &[1.0], &[1.0]), TableauError::Order { .. }));
}

#[test]
fn inconsistent_splittings_are_refused() {
    let error = |order, lengths: &[f64]| {
        Splitting::new("test", order, Flow::Kick, lengths).expect_err("inconsistent")
    };
    assert!(matches!(error(1, &[]), TableauError::FlowSum { flow: "drift", .. }));
    assert!(matches!(error(1, &[1.0]), TableauError::FlowSum { flow: "drift", .. }));
    assert!(matches!(error(1, &[0.5, 1.0]), TableauError::FlowSum { flow: "kick", .. }));
    assert!(matches!(error(1, &[f64::NAN, 1.0]), TableauError::FlowSum { flow: "kick", .. }));
    assert!(matches!(error(2, &[1.0, 1.0]), TableauError::Order { .. }));
}

#[test]
fn inconsistent_pairs_are_refused() {
    // Heun's method with Euler's for the error, and the end of the step as its last stage.
    let [half, zero] = [0.5, 0.0];
    let rows: [&[f64]; 3] = [&[], &[1.0], &[half, half]];
    let heun =
        || Tableau::new("Heun", 2, &rows, &[half, half, zero], &[zero, 1.0, 1.0]).expect("Heun");
    let line = |b: f64| [b, zero, zero, zero, zero, zero, zero];
    let dense = [line(half), line(half), line(zero)];
    let error = [-half, half, zero];
    EmbeddedPair::new(heun(), &error, 2, &dense).expect("a pair");
    let refused = |tableau, error: &[f64], dense: &[[f64; 7]]| {
        EmbeddedPair::new(tableau, error, 2, dense).expect_err("inconsistent")
    };
    assert!(matches!(refused(heun(), &[half; 2], &dense), TableauError::Length { .. }));
    assert!(matches!(refused(heun(), &error, &dense[..2]), TableauError::Length { .. }));
    assert!(matches!(refused(heun(), &[half; 3], &dense), TableauError::ErrorSum { .. }));
    assert!(matches!(refused(heun(), &error, &[line(half); 3]), TableauError::DenseSum { .. }));
    assert_eq!(refused(EULER, &[zero], &[line(1.0)]), TableauError::NotLast);
}

const THREE_ROWS: Interval<'_, f64> = Interval::new(&[0.0, 0.5, 1.0], &[0.1, -0.2, 0.3]);

/// `sum(weights * out)` of one step, as a function of the state and the parameters.
fn step_value<S: Stepper<f64, Driven>>(method: &S, theta: [f64; 2], x: &[f64]) -> f64 {
    let (field, mut out) = (Driven { theta, drive: 1.0 }, [0.0; 6]);
    method.step(&field, THREE_ROWS, x, &mut out, &mut Default::default()).expect("step");
    out.iter().enumerate().map(|(i, out)| (1.0 + 0.3 * i as f64) * out).sum()
}

pub(crate) fn check_adjoint<S: DifferentiableStepper<f64, Driven>>(method: &S) {
    let theta = [1.3, 0.2];
    let x = [0.4, -1.0, 2.0, 0.7, 0.1, -0.5];
    let (field, mut tape, mut out) = (Driven { theta, drive: 1.0 }, S::Tape::default(), [0.0; 6]);
    method.record(&field, THREE_ROWS, &x, &mut out, &mut tape).expect("record");
    let mut x_bar: [f64; 6] = std::array::from_fn(|i| 1.0 + 0.3 * i as f64);
    let mut theta_bar = [0.0; 2];
    method
        .pull_back(&field, &mut tape, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("pull");
    let h = 1e-5;
    for i in 0..6 {
        let (mut up, mut down) = (x, x);
        up[i] += h;
        down[i] -= h;
        let slope = (step_value(method, theta, &up) - step_value(method, theta, &down)) / (2.0 * h);
        assert_close(&[x_bar[i]], &[slope], 1e-8, 1e-9);
    }
    for i in 0..2 {
        let (mut up, mut down) = (theta, theta);
        up[i] += h;
        down[i] -= h;
        let slope = (step_value(method, up, &x) - step_value(method, down, &x)) / (2.0 * h);
        assert_close(&[theta_bar[i]], &[slope], 1e-8, 1e-9);
    }
}

#[test]
fn adjoints_agree_with_finite_differences() {
    check_adjoint(&EULER);
    check_adjoint(&MIDPOINT);
    check_adjoint(&HEUN);
    check_adjoint(&RALSTON3);
    check_adjoint(&RK4);
    check_adjoint(&THREE_EIGHTHS);
    check_adjoint(&DORMAND_PRINCE5.propagated());
    check_adjoint(&TSITOURAS5.propagated());
    check_adjoint(&DOP853.propagated());
}

/// The gradient of `(q_N^2 + p_N^2)/2` after 1000 steps of h = 0.01.
#[test]
fn gradient_through_a_thousand_steps() {
    let field = Driven { theta: [1.0, 0.0], drive: 0.0 };
    let (_, bar) = half_square_at_end(&RK4, &field, Grid::equal(1, 0.0, 0.01, 1000), &[1.0, 0.5]);
    assert!((bar[0] - 0.836_866_991_237_068_4).abs() < 1e-12);
    assert!((bar[1] - 0.416_009_068_032_950_6).abs() < 1e-12);
}
