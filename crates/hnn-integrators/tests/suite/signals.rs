//! Runs with inputs: against exact solutions of a driven oscillator, each trajectory with a signal of
//! its own.

use std::f64::consts::PI;
use std::ops::ControlFlow;

use hnn_integrators::{
    Adaptive, At, Between, Crossing, DOP853, DORMAND_PRINCE5, Driven, Event, FieldError, FixedStep,
    FnField, GAUSS_LEGENDRE4, Grid, PEFRL, RK4, Scalar, Separable, Signal, SignalError, Signals,
    SolveError, Stepper, TSITOURAS5, Tolerances, VELOCITY_VERLET, VectorField, Workspace, solve,
    solve_batch,
};
use ndarray::{Array2, Axis, array};

use crate::common::*;

/// `q' = p`, `p' = u - q`.
struct Oscillator;

impl<T: Scalar> VectorField<T> for Oscillator {
    fn dim(&self) -> usize {
        2
    }
    fn inputs(&self) -> usize {
        1
    }
    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let (q, p) = x.split_at(at.batch());
        let (dq, dp) = dx.split_at_mut(at.batch());
        self.velocity(p, dq, workspace)?;
        self.force(at, q, dp, workspace)
    }
}

impl<T: Scalar> Separable<T> for Oscillator {
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        velocity.copy_from_slice(p);
        Ok(())
    }
    fn force(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        FieldError::check_lengths(at.batch(), [("the inputs", at.u.len())])?;
        for (row, force) in force.iter_mut().enumerate() {
            *force = at.u[row] - q[row];
        }
        Ok(())
    }
}

/// Samples of a row, at times that no grid of steps meets.
fn samples(row: usize) -> (Vec<f64>, Vec<f64>) {
    let times = (0..9 + row).map(|i| -0.1 + 0.83 * i as f64 / (1.0 + 0.1 * row as f64));
    let times = Vec::from_iter(times.map(|t| t + 0.1 * (5.0 * t).sin()));
    let values = times.iter().enumerate().map(|(i, _)| ((3 * i + 7 * row) as f64).cos()).collect();
    (times, values)
}

fn signal(row: usize, between: Between) -> Signal<f64> {
    let (times, values) = samples(row);
    let values = Array2::from_shape_vec((values.len(), 1), values).expect("a column");
    match between {
        Between::Held => Signal::held(&times, values.view()),
        Between::Linear => Signal::linear(&times, values.view()),
    }
}

/// The exact state: within a piece the input is `u + slope t`, and the state turns around it.
fn exact(row: usize, between: Between, [mut q, mut p]: [f64; 2], start: f64, end: f64) -> [f64; 2] {
    let (times, values) = samples(row);
    let mut now = start;
    for (i, pair) in times.windows(2).enumerate() {
        let until = pair[1].min(end);
        if until <= now {
            continue;
        }
        let slope = match between {
            Between::Held => 0.0,
            Between::Linear => (values[i + 1] - values[i]) / (pair[1] - pair[0]),
        };
        let u = |t: f64| values[i] + slope * (t - pair[0]);
        let ((s, c), (y, v)) = ((until - now).sin_cos(), (q - u(now), p - slope));
        (q, p) = (u(until) + y * c + v * s, slope - y * s + v * c);
        now = until;
    }
    assert_eq!(now, end);
    [q, p]
}

const BOTH: [Between; 2] = [Between::Held, Between::Linear];
const END: f64 = 5.0;

fn starts(rows: usize) -> Array2<f64> {
    Array2::from_shape_fn((rows, 2), |(row, i)| 0.3 * row as f64 - 0.5 * i as f64)
}

fn start(x0: &Array2<f64>, row: usize) -> [f64; 2] {
    [x0[[row, 0]], x0[[row, 1]]]
}

/// Steps are cut at samples: no method loses its order.
#[test]
fn fixed_steps_keep_their_order() {
    fn check<S>(method: &S, order: f64)
    where
        S: Stepper<f64, Driven<'static, f64, Oscillator>> + Clone,
    {
        for between in BOTH {
            let (x0, rows) = (starts(3), [0, 1, 2]);
            let signals = Vec::leak(Vec::from(rows.map(|row| signal(row, between))));
            let driven = Driven::new(&Oscillator, Signals::Sampled(signals));
            let points = [20, 28, 40, 56, 80].map(|count| {
                let run = FixedStep::count(method.clone(), count);
                let run = run.run(&driven, (0.0, END), x0.view()).expect("run");
                let error = |row: usize| {
                    let expected = exact(row, between, start(&x0, row), 0.0, END);
                    f64::hypot(
                        run.last()[[row, 0]] - expected[0],
                        run.last()[[row, 1]] - expected[1],
                    )
                };
                (END / f64::from(count as u32), rows.map(error).iter().sum())
            });
            let found = observed_order(&points, 1e-12);
            assert!((found - order).abs() < 0.45, "{} {between:?}: {found}", method.name());
        }
    }
    check(&RK4, 4.0);
    check(&GAUSS_LEGENDRE4, 4.0);
    check(&VELOCITY_VERLET, 2.0);
    check(&PEFRL, 4.0);
}

/// To the tolerance, with few steps more than there are samples, at any time asked for.
#[test]
fn adaptive_steps_keep_their_tolerance() {
    let times = Vec::from_iter((0..=50).map(|i| f64::from(i) * 0.1));
    for between in BOTH {
        let (x0, signals) = (starts(3), [0, 1, 2].map(|row| signal(row, between)));
        let driven = Driven::new(&Oscillator, Signals::Sampled(&signals));
        for method in [DORMAND_PRINCE5, TSITOURAS5, DOP853] {
            for tolerance in [1e-6, 1e-9, 1e-11] {
                let solver = Adaptive::new(method.clone(), Tolerances::relative(tolerance));
                let run = solver.solve_batch(&driven, x0.view(), &times).expect("run");
                for row in 0..3 {
                    for (k, t) in times.iter().enumerate() {
                        let expected = exact(row, between, start(&x0, row), 0.0, *t);
                        for i in 0..2 {
                            let error = (run.states[[row, k, i]] - expected[i]).abs();
                            assert!(error < 100.0 * tolerance, "{row} {t} {i}: {error:e}");
                        }
                    }
                    let statistics = run.statistics[row];
                    assert!(statistics.rejected < 15, "{statistics:?}");
                }
            }
        }
    }
}

/// A row gives in a batch what it gives alone, to the last bit; two trials at the same times have
/// their own inputs.
#[test]
fn each_row_has_its_own_signal() {
    let rows = 140;
    let all = Vec::from_iter((0..rows).map(|row| signal(row % 5, BOTH[row % 2])));
    let x0 = starts(rows).mapv(f64::sin);
    let times = [0.0, 1.0, END];
    let driven = Driven::new(&Oscillator, Signals::Sampled(&all));
    let fixed = FixedStep::count(RK4, 30).with_save_every(10);
    let fixed_all = fixed.run(&driven, (0.0, END), x0.view()).expect("fixed").states;
    let adaptive =
        solve_batch(&driven, x0.view(), &times, Tolerances::default()).expect("adaptive");
    for row in [0, 1, 77, 129, 139] {
        let own = Driven::new(&Oscillator, Signals::Sampled(&all[row..=row]));
        let one = x0.select(Axis(0), &[row]);
        let alone = fixed.run(&own, (0.0, END), one.view()).expect("alone").states;
        assert_close(fixed_all.index_axis(Axis(0), row), &alone, 0.0, 0.0);
        let alone = solve(&own, x0.row(row), &times, Tolerances::default()).expect("alone");
        assert_close(adaptive.states.index_axis(Axis(0), row), &alone.states, 0.0, 0.0);
        assert_eq!(adaptive.statistics[row], alone.statistics);
    }
    let trials = [[0.0, 0.0], [1.0, 0.5]]
        .map(|u| Signal::held(&[0.0, 2.0], array![[u[0]], [u[1]]].view()).hold_ends());
    let driven = Driven::new(&Oscillator, Signals::Sampled(&trials));
    let run =
        solve_batch(&driven, Array2::zeros((2, 2)).view(), &[0.0, 3.0], Tolerances::default());
    let ends = run.expect("trials").states.index_axis_move(Axis(1), 1);
    let after = 1.0 - 3.0_f64.cos() - 0.5 * (1.0 - 1.0_f64.cos());
    assert!(ends.row(0).iter().all(|x| *x == 0.0) && (ends[[1, 0]] - after).abs() < 1e-8);
}

#[test]
fn backward_in_time_returns() {
    for between in BOTH {
        let (signals, x0) = ([signal(1, between)], array![[0.7, -0.2]]);
        let driven = Driven::new(&Oscillator, Signals::Sampled(&signals));
        let there = solve_batch(&driven, x0.view(), &[0.0, 2.0, END], Tolerances::relative(1e-11));
        let end = there.expect("there").states.index_axis_move(Axis(1), 2);
        let back = solve_batch(&driven, end.view(), &[END, 2.0, 0.0], Tolerances::relative(1e-11));
        let back = back.expect("back").states.index_axis_move(Axis(1), 2);
        assert_close(&back, &x0, 0.0, 1e-9);
        let run = FixedStep::count(GAUSS_LEGENDRE4, 500);
        let back = run.run(&driven, (END, 0.0), end.view()).expect("back");
        assert_close(back.last(), &x0, 0.0, 1e-7);
    }
}

/// Steps that end at the samples but for rounding are not cut; a grid that lies on them costs nothing.
#[test]
fn samples_on_the_grid() {
    let times = Vec::from_iter((0..=30).map(|i| 0.1 * f64::from(i)));
    let values = Array2::from_shape_fn((31, 1), |(i, _)| (i as f64).sin());
    let signals = [Signal::held(&times, values.view())];
    let count = std::sync::atomic::AtomicUsize::new(0);
    let field = FnField::with_inputs(1, 1, |_t: f64, _x: &[f64], u: &[f64], dx: &mut [f64]| {
        count.fetch_add(1, std::sync::atomic::Ordering::Relaxed);
        dx[0] = u[0];
    });
    let driven = Driven::new(&field, Signals::Sampled(&signals));
    let run = FixedStep::count(RK4, 30).run(&driven, (0.0, 3.0), array![[0.0]].view());
    let expected: f64 = (0..30).map(|i| 0.1 * f64::from(i).sin()).sum();
    assert!((run.expect("run").last()[[0, 0]] - expected).abs() < 1e-13);
    assert_eq!(count.into_inner(), 4 * 30);
}

#[test]
fn events_and_observers() {
    // A step of the force at pi / 2 turns the motion around.
    let signals = [Signal::held(&[0.0, 0.5 * PI], array![[0.0], [2.0]].view()).hold_ends()];
    let driven = Driven::new(&Oscillator, Signals::Sampled(&signals));
    let turn =
        Event { function: &|_t, x: &[f64]| x[1], crossing: Crossing::Either, terminal: true };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::relative(1e-11));
    let run = solver.solve_events(&driven, array![1.0, 0.0].view(), &[0.0, 9.0], &[turn]);
    // q = 2 - 2 cos s - sin s after it: p = 2 sin s - cos s = 0.
    let found = run.expect("run").occurrences[0].time;
    assert!((found - 0.5 * PI - 0.5_f64.atan()).abs() < 1e-9, "{found}");
    let mut ends = Vec::new();
    let seen = solver.observe(&driven, (0.0, 3.0), array![1.0, 0.0].view(), |t, _| {
        ends.push(t);
        ControlFlow::Continue(())
    });
    assert_eq!(seen, Ok(3.0));
    assert!(ends.contains(&(0.5 * PI)), "a step ends at the sample: {ends:?}");
    let run = FixedStep::count(RK4, 300).with_save_every(300);
    let mut last = [0.0; 2];
    let end = run.observe(&driven, (0.0, 3.0), array![[1.0, 0.0]].view(), |_, x| {
        last = [x[[0, 0]], x[[0, 1]]];
        ControlFlow::Continue(())
    });
    let (s, c) = (3.0 - 0.5 * PI).sin_cos();
    assert_eq!(end, Ok(3.0));
    assert!((last[0] - (2.0 - 2.0 * c - s)).abs() < 1e-8, "{last:?}");
}

#[test]
fn functions_of_row_and_time() {
    let rows = 131;
    let wave = |row: usize, t: f64, u: &mut [f64]| u[0] = (row as f64 + 2.0 * t).sin();
    let driven = Driven::new(&Oscillator, Signals::Function(&wave));
    let x0 = Array2::zeros((rows, 2));
    let fixed = FixedStep::count(RK4, 400).run(&driven, (0.0, 3.0), x0.view()).expect("fixed");
    let run =
        solve_batch(&driven, x0.view(), &[0.0, 3.0], Tolerances::default()).expect("adaptive");
    for row in [0, 1, 128, 130] {
        // q'' = sin(phase + 2 t) - q from rest.
        let (phase, t) = (row as f64, 3.0_f64);
        let (a, b) = (phase.sin() / 3.0, 2.0 * phase.cos() / 3.0);
        let expected = a * t.cos() + b * t.sin() - (phase + 2.0 * t).sin() / 3.0;
        assert!((fixed.last()[[row, 0]] - expected).abs() < 1e-7);
        assert!((run.states[[row, 1, 0]] - expected).abs() < 1e-8);
    }
}

#[test]
fn single_precision() {
    let (times, values) = samples(0);
    let (times, values) = (times.iter().map(|t| *t as f32), values.iter().map(|u| *u as f32));
    let (times, values) = (Vec::from_iter(times), Vec::from_iter(values));
    let values = Array2::from_shape_vec((values.len(), 1), values).expect("a column");
    let signals = [Signal::held(&times, values.view())];
    let driven = Driven::new(&Oscillator, Signals::Sampled(&signals));
    let expected = exact(0, Between::Held, [0.5, 0.0], 0.0, END);
    let x0 = array![[0.5_f32, 0.0]];
    let run = solve_batch(&driven, x0.view(), &[0.0, END as f32], Tolerances::relative(1e-5));
    assert!((f64::from(run.expect("run").states[[0, 1, 0]]) - expected[0]).abs() < 1e-3);
    let run = FixedStep::count(RK4, 100).run(&driven, (0.0, END as f32), x0.view());
    assert!((f64::from(run.expect("run").last()[[0, 0]]) - expected[0]).abs() < 1e-4);
}

/// What does not fit is an error that names the row and the cure.
#[test]
fn bad_signals_are_errors() {
    let x0 = array![[0.0, 0.0], [1.0, 0.0]];
    let good = Signal::linear(&[0.0, 1.0, 2.0], array![[0.0], [1.0], [0.5]].view());
    let errors = |signals: &[Signal<f64>]| -> [SolveError; 3] {
        let driven = Driven::new(&Oscillator, Signals::Sampled(signals));
        let fixed = FixedStep::count(RK4, 10).run(&driven, (0.0, 2.0), x0.view());
        let adaptive = solve_batch(&driven, x0.view(), &[0.0, 2.0], Tolerances::default());
        let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::default());
        let events = solver.solve_batch_events(&driven, x0.view(), &[0.0, 2.0], &[]);
        [
            fixed.expect_err("fixed").into(),
            adaptive.expect_err("adaptive").into(),
            events.expect_err("events"),
        ]
    };
    for error in errors(std::slice::from_ref(&good)) {
        assert_eq!(error, SolveError::Rows { what: "signals", given: 1, expected: 2 });
    }
    let column = array![[0.0], [1.0], [0.5]];
    let nan = array![[0.0], [f64::NAN], [0.5]];
    for (bad, part) in [
        (Signal::held(&[], Array2::zeros((0, 1)).view()), "no sample"),
        (Signal::held(&[0.0, 2.0], column.view()), "2 times for 3 samples"),
        (Signal::held(&[0.0, 2.0], Array2::zeros((2, 3)).view()), "3 inputs"),
        (Signal::held(&[0.0, 2.0, 1.0], column.view()), "time 2 is 1 after 2"),
        (Signal::linear(&[0.0, 1.0, f64::INFINITY], column.view()), "time 2"),
        (Signal::linear(&[f64::NAN, 1.0, 2.0], column.view()), "time 0"),
        (Signal::linear(&[0.0, 1.0, 2.0], nan.view()), "sample 1 holds NaN"),
        (Signal::linear(&[0.0, 1.0, 1.9], column.view()), "hold_ends"),
        (Signal::held(&[0.1, 1.0, 2.0], column.view()), "from 0.1 to 2"),
    ] {
        for error in errors(&[good.clone(), bad.clone()]) {
            let message = error.to_string();
            assert!(message.contains("trajectory 1") && message.contains(part), "{message}");
        }
    }
    let held = Signal::held(&[0.5, 1.0, 1.5], column.view()).hold_ends();
    let driven = [good.clone(), held];
    let driven = Driven::new(&Oscillator, Signals::Sampled(&driven));
    FixedStep::count(RK4, 10).run(&driven, (0.0, 2.0), x0.view()).expect("ends are held");
    solve_batch(&driven, x0.view(), &[0.0, 2.0], Tolerances::default()).expect("ends are held");
    assert_eq!(good.at(0.5, &mut [0.0; 2]), Err(SignalError::Inputs { given: 1, expected: 2 }));

    // Along a grid.
    let along = |signals: &[Signal<f64>], grid: Grid<'_, f64>, inputs| {
        Signals::Sampled(signals).at_states(&grid, inputs)
    };
    let two = [good.clone(), good.clone()];
    let grid = Grid::times(2, &[0.0, 2.0, 0.5, 1.5]);
    assert_eq!(along(&two, grid, 1), Ok(vec![0.0, 0.5, 0.5, 0.75]));
    for (grid, inputs) in [
        (Grid::equal(2, 0.0, 0.1, usize::MAX), 1),
        (Grid::equal(2, 0.0, 0.1, usize::MAX), 0),
        (Grid::equal(usize::MAX, 0.0, 0.1, 2), 1),
        (Grid::equal(0, 0.0, 0.1, 2), 1),
        (Grid::equal(2, 0.0, 0.1, 21), 1),
        (Grid::equal(3, 0.0, 0.1, 2), 1),
        (Grid::times(2, &[0.0; 3]), 1),
    ] {
        assert!(along(&two, grid, inputs).is_err(), "{grid:?}");
    }

    // No signal; signals of nothing; a function that gives no number.
    let fixed = FixedStep::count(RK4, 10);
    let error = fixed.run::<f64, _>(&Oscillator, (0.0, 2.0), x0.view()).expect_err("no signal");
    assert_eq!(error.error, SolveError::NoSignal { inputs: 1 });
    assert!(error.to_string().contains("Driven::new"));
    let error = solve_batch::<f64, _>(&Oscillator, x0.view(), &[0.0, 2.0], Tolerances::default());
    assert_eq!(error.expect_err("no signal").error, SolveError::NoSignal { inputs: 1 });
    let closed = FnField::new(2, |_t: f64, _x: &[f64], dx: &mut [f64]| dx.fill(0.0));
    let driven = Driven::new(&closed, Signals::Sampled(&[]));
    let error = fixed.run(&driven, (0.0, 2.0), x0.view()).expect_err("no inputs");
    assert_eq!(error.error, SolveError::NoInputs);
    let broken =
        |row: usize, t: f64, u: &mut [f64]| u[0] = if row == 1 { (0.5 - t).sqrt() } else { t };
    let driven = Driven::new(&Oscillator, Signals::Function(&broken));
    let error = solve_batch(&driven, x0.view(), &[0.0, 2.0], Tolerances::default());
    let partial = error.expect_err("NaN").partial.expect("partial");
    assert!(partial.statuses[0].is_ok());
    let Err(error @ SolveError::Field { trajectory: 1, time, .. }) = &partial.statuses[1] else {
        panic!("{:?}", partial.statuses[1])
    };
    assert!((time - 0.5).abs() < 1e-6 && error.to_string().contains("input 0 is NaN"), "{error}");
    assert!(fixed.run(&driven, (0.0, 2.0), x0.view()).is_err());
}
