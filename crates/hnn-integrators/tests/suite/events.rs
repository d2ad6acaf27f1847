//! Events of adaptive integrations.

use crate::common::*;
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use hnn_integrators::{
    Adaptive, Crossing, DOP853, DORMAND_PRINCE5, Event, FnField, SolveError, Tolerances,
};
use ndarray::{Array2, array};

const TIGHT: Tolerances = Tolerances { rtol: 1e-13, atol: 1e-13 };

#[test]
fn the_period_of_the_pendulum() {
    for (q0, period) in
        [(1.0, 6.699_975_664_370_453), (std::f64::consts::FRAC_PI_2, 7.416_298_709_205_487)]
    {
        let turn =
            Event { function: &|_t, x: &[f64]| x[1], crossing: Crossing::Falling, terminal: true };
        let solver = Adaptive::new(DOP853, TIGHT);
        let run =
            solver.solve_events(erased(&Pendulum), array![q0, 0.0].view(), &[0.0, 20.0], &[turn]);
        let run = run.expect("run");
        assert!(run.stopped && run.solution.states[[1, 0]].is_nan());
        let found = run.occurrences[0].time;
        assert!((found - period).abs() < 1e-10, "{found} {period}");
    }
}

/// Watching costs about what solving costs.
#[test]
fn events_of_many_trajectories_are_found_soon() {
    let x0 = Array2::from_shape_fn((20_000, 2), |(row, i)| [0.3 + 1e-5 * row as f64, 0.2][i]);
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-6));
    let begin = Instant::now();
    solver.solve_batch(&Pendulum, x0.view(), &[0.0, 10.0]).expect("solved");
    let plain = begin.elapsed();
    let turn =
        Event { function: &|_t, x: &[f64]| x[1], crossing: Crossing::Either, terminal: false };
    let runs = solver.solve_batch_events(&Pendulum, x0.view(), &[0.0, 10.0], &[turn]);
    let watched = begin.elapsed() - plain;
    for run in runs.expect("runs") {
        assert!(run.expect("solved").occurrences.len() >= 2);
    }
    assert!(watched < 20 * plain + Duration::from_millis(500), "{watched:?}, {plain:?}");
}

#[test]
fn directions_and_order_of_events() {
    let clock = FnField::new(2, |_t, x: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = -x[0];
    });
    let rising =
        Event { function: &|_t, x: &[f64]| x[0], crossing: Crossing::Rising, terminal: false };
    let falling =
        Event { function: &|_t, x: &[f64]| x[0], crossing: Crossing::Falling, terminal: false };
    let timer =
        Event { function: &|t, _x: &[f64]| t - 7.0, crossing: Crossing::Either, terminal: true };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-11));
    let times = [0.0, 1.0, 6.9, 7.1];
    let x0 = array![0.0, 1.0];
    let run = solver
        .solve_events(erased(&clock), x0.view(), &times, &[rising, falling, timer])
        .expect("run");
    let pi = std::f64::consts::PI;
    let expected = [(1, pi), (0, 2.0 * pi), (2, 7.0)];
    assert_eq!(run.occurrences.len(), 3);
    for (found, (event, time)) in run.occurrences.iter().zip(expected) {
        assert!(found.event == event && (found.time - time).abs() < 1e-9, "{found:?}");
        assert!((found.state[0] - found.time.sin()).abs() < 1e-9);
    }
    // What lies before the stop is saved, what lies after is not.
    assert!((run.solution.states[[2, 0]] - 6.9_f64.sin()).abs() < 1e-9);
    assert!(run.solution.states[[3, 0]].is_nan());
}

/// Each trajectory of a batch has the events it has alone, to the last bit; one that fails has its
/// own error, and hinders no other.
#[test]
fn events_of_a_batch() {
    // x' = x^2 from 1 reaches infinity at t = 1, from 0.1 at t = 10.
    let blow_up = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = x[0] * x[0]);
    let half = Event {
        function: &|_t, x: &[f64]| x[0] - 0.125,
        crossing: Crossing::Rising,
        terminal: false,
    };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-10));
    let (x0, times) = (array![[0.1], [1.0], [0.05], [0.12]], [0.0, 3.0]);
    let runs =
        solver.solve_batch_events(erased(&blow_up), x0.view(), &times, &[half]).expect("input");
    assert_eq!(runs.len(), 4);
    for (row, run) in runs.into_iter().enumerate() {
        let alone = solver.solve_events(erased(&blow_up), x0.row(row), &times, &[half]);
        match (run, alone) {
            (Ok(run), Ok(alone)) => {
                assert_eq!(run, alone);
                // 1/x0 - t = 8 at the crossing, if it comes by t = 3.
                let crossing = 1.0 / x0[[row, 0]] - 8.0;
                assert_eq!(run.occurrences.len(), usize::from(crossing < 3.0));
                assert!(run.occurrences.iter().all(|found| (found.time - crossing).abs() < 1e-8));
            }
            (Err(failure), Err(_)) => {
                assert_eq!(row, 1);
                assert!(failure.to_string().contains("trajectory 1"), "{failure}");
                assert!(failure.partial.is_some());
            }
            (run, alone) => panic!("{run:?} {alone:?}"),
        }
    }
    let nothing = array![[f64::NAN]];
    assert!(solver.solve_batch_events(erased(&blow_up), nothing.view(), &times, &[half]).is_err());
}

/// Steps forced to end exactly on the crossings miss none and find none twice.
#[test]
fn crossings_at_the_edge_of_a_step() {
    let drift = FnField::new(1, |_t, _x: &[f64], dx: &mut [f64]| dx[0] = 1.0);
    let comb = Event {
        function: &|t: f64, _x: &[f64]| {
            let phase = t - 2.0 * (t / 2.0).floor();
            if phase < 1.0 { phase - 0.5 } else { 1.5 - phase }
        },
        crossing: Crossing::Either,
        terminal: false,
    };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-6))
        .with_first_step(0.25)
        .with_max_step(0.25);
    let run =
        solver.solve_events(erased(&drift), array![0.0].view(), &[0.0, 8.0], &[comb]).expect("run");
    let times: Vec<f64> = run.occurrences.iter().map(|o| o.time).collect();
    assert_eq!(times, [0.5, 1.5, 2.5, 3.5, 4.5, 5.5, 6.5, 7.5]);
}

#[test]
fn two_crossings_within_one_step() {
    let drift = FnField::new(1, |_t, _x: &[f64], dx: &mut [f64]| dx[0] = 1.0);
    let band = Event {
        function: &|_t, x: &[f64]| (x[0] - 4.0) * (x[0] - 6.0),
        crossing: Crossing::Either,
        terminal: false,
    };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-6)).with_first_step(10.0);
    let run = solver
        .solve_events(erased(&drift), array![0.0].view(), &[0.0, 10.0], &[band])
        .expect("run");
    assert!(run.solution.statistics.steps == 1 && run.occurrences.len() == 2);
}

/// What touches zero exactly at the edge between two steps is seen once, in both directions.
#[test]
fn touching_at_the_edge_of_a_step() {
    let drift = FnField::new(1, |_t, _x: &[f64], dx: &mut [f64]| dx[0] = 1.0);
    let touch = Event {
        function: &|t: f64, _x: &[f64]| (t - 1.0).abs(),
        crossing: Crossing::Either,
        terminal: false,
    };
    let from_below = Event {
        function: &|t: f64, _x: &[f64]| -(t - 1.0).abs(),
        crossing: Crossing::Rising,
        terminal: false,
    };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-6))
        .with_first_step(0.25)
        .with_max_step(0.25);
    for times in [[0.0, 2.0], [2.0, 0.0]] {
        let events = [
            Event { function: touch.function, ..touch },
            Event { function: from_below.function, ..from_below },
        ];
        let run =
            solver.solve_events(erased(&drift), array![0.0].view(), &times, &events).expect("run");
        let found: Vec<_> = run.occurrences.iter().map(|o| (o.event, o.time)).collect();
        assert_eq!(found, [(0, 1.0), (1, 1.0)]);
    }
}

/// A callback sees every accepted step, the start first, and may stop.
#[test]
fn observing_the_steps() {
    let solver = Adaptive::new(DOP853, TIGHT);
    let x0 = array![1.0, 0.5];
    let (mut last, mut count) = (-1.0, 0);
    let reached = solver.observe(erased(&Pendulum), (0.0, 10.0), x0.view(), |t, x| {
        assert!(t > last && x.len() == 2);
        (last, count) = (t, count + 1);
        ControlFlow::Continue(())
    });
    assert_eq!((reached, last), (Ok(10.0), 10.0));
    let run = solver.solve(erased(&Pendulum), x0.view(), &[0.0, 10.0]).expect("run");
    assert!((count as f64 - 1.0 - run.statistics.steps as f64).abs() <= 1.0, "{count}");
    let stopped = solver.observe(erased(&Pendulum), (10.0, 0.0), x0.view(), |t, _| {
        if t < 5.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    assert!((3.0..5.0).contains(&stopped.expect("stops")));
    assert!(
        solver
            .observe(erased(&Pendulum), (0.0, 0.0), x0.view(), |_, _| ControlFlow::Continue(()))
            .is_err()
    );
}

/// An event that cannot be told is no event that did not happen.
#[test]
fn a_nan_event_is_an_error_that_says_when() {
    let fall = FnField::new(1, |_t: f64, _x: &[f64], dx: &mut [f64]| dx[0] = -1.0);
    let event = Event {
        function: &|_t, x: &[f64]| x[0].sqrt(),
        crossing: Crossing::Either,
        terminal: true,
    };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-9)).with_max_step(0.1);
    let starts = array![[0.5], [9.0]];
    let runs = solver.solve_batch_events(&fall, starts.view(), &[0.0, 2.0], &[event]);
    let mut runs = runs.expect("good input");
    assert!(runs.pop().expect("two").is_ok());
    let failure = runs.pop().expect("two").expect_err("sqrt of a negative number");
    let SolveError::UndefinedEvent { trajectory: 0, event: 0, time } = failure.error else {
        panic!("{}", failure.error)
    };
    assert!((0.5..0.7).contains(&time), "{time}");
}
