//! Adaptive integration: batches, failures.

use crate::common::*;
use hnn_integrators::{
    Adaptive, AnalyticField, At, BatchSolution, DOP853, DORMAND_PRINCE5, EmbeddedPair, FieldError,
    FnField, SolveError, StepLimit, TSITOURAS5, Tolerances, VectorField, Workspace, solve,
    solve_batch,
};
use ndarray::{Array2, array, s};

const TIGHT: Tolerances = Tolerances { rtol: 1e-12, atol: 1e-12 };

#[test]
fn objects_give_what_the_field_itself_gives() {
    let (field, times, x0) = (Plain(DampedPendulum(0.3)), [0.0, 0.4, 1.5, 3.0], array![1.4, -0.9]);
    let run = solve(&field, x0.view(), &times, TIGHT).expect("solve");
    assert_eq!(run, solve(erased(&field), x0.view(), &times, TIGHT).expect("solve"));
}

#[test]
fn a_batch_gives_what_single_runs_give() {
    let x0 = Array2::from_shape_fn((150, 2), |(row, i)| 0.02 * row as f64 - 0.5 * i as f64);
    let times = [0.0, 0.3, 1.0, 4.0, 10.0];
    let tolerances = Tolerances::both(1e-9);
    let batch = solve_batch(erased(&Pendulum), x0.view(), &times, tolerances).expect("batch");
    assert_eq!(batch.states.shape(), [150, 5, 2]);
    for row in [0, 1, 77, 149] {
        let single = solve(erased(&Pendulum), x0.row(row), &times, tolerances).expect("single");
        let of_batch = batch.states.index_axis(ndarray::Axis(0), row);
        assert_close(of_batch, &single.states, 0.0, 0.0);
        assert_eq!(batch.statistics[row], single.statistics);
    }
    let steps: Vec<usize> = batch.statistics.iter().map(|s| s.steps).collect();
    assert!(steps.iter().max() > steps.iter().min(), "each has its own steps");
}

#[test]
fn each_trajectory_may_have_its_own_times() {
    let x0 = array![[1.0, 0.5], [1.0, 0.5], [1.0, 0.5]];
    let times: [&[f64]; 3] = [&[0.0, 10.0], &[0.0, 2.0, 10.0], &[5.0]];
    let solver = Adaptive::new(DORMAND_PRINCE5, TIGHT);
    let run = solver.solve_batch_at(erased(&Pendulum), x0.view(), &times).expect("run");
    for i in 0..2 {
        assert!((run.states[[0, 1, i]] - PENDULUM_AT_10[i]).abs() < 1e-10);
        assert!((run.states[[1, 2, i]] - PENDULUM_AT_10[i]).abs() < 1e-10);
        assert_eq!(run.states[[2, 0, i]], x0[[2, i]]);
        assert!(run.states[[2, 1, i]].is_nan());
    }
}

#[test]
fn backward_in_time_returns() {
    let x0 = array![PENDULUM_AT_10[0], PENDULUM_AT_10[1]];
    let run = solve(erased(&Pendulum), x0.view(), &[10.0, 5.0, 0.0], TIGHT).expect("solve");
    assert!((run.states[[2, 0]] - 1.0).abs() < 1e-10 && (run.states[[2, 1]] - 0.5).abs() < 1e-10);
}

#[test]
fn the_error_follows_the_tolerance() {
    let x0 = array![1.0, 0.5];
    let mut last = f64::INFINITY;
    for exponent in [4, 6, 8, 10, 12] {
        let tolerances = Tolerances::both(10f64.powi(-exponent));
        let run = solve(erased(&Pendulum), x0.view(), &[0.0, 10.0], tolerances).expect("solve");
        let error = (run.states[[1, 0]] - PENDULUM_AT_10[0]).abs();
        assert!(error < 30.0 * 10f64.powi(-exponent) && error < last, "{exponent}: {error}");
        last = error;
    }
}

#[test]
fn a_singularity_is_an_error_with_the_partial_solution() {
    // x = 1 / (1/x0 - t): singular at t = 0.5 for the second row only.
    let explosive = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = x[0] * x[0]);
    let x0 = array![[0.1], [2.0]];
    let times = [0.0, 0.25, 1.0];
    let failure = solve_batch(erased(&explosive), x0.view(), &times, Tolerances::both(1e-9));
    let failure = failure.expect_err("singular");
    let SolveError::StepTooSmall { trajectory, time, cause, .. } = failure.error else {
        panic!("{}", failure.error)
    };
    assert_eq!((trajectory, cause), (1, StepLimit::Solution));
    assert!((time - 0.5).abs() < 1e-6);
    let partial = failure.partial.expect("partial");
    assert!(partial.statuses[0].is_ok() && partial.statuses[1].is_err());
    assert!((partial.states[[0, 2, 0]] - 1.0 / 9.0).abs() < 1e-9);
    assert!((partial.states[[1, 1, 0]] - 4.0).abs() < 1e-7);
    assert!(partial.states[[1, 2, 0]].is_nan());
}

#[test]
fn the_limit_of_steps_is_kept() {
    let solver = Adaptive::new(DORMAND_PRINCE5, TIGHT).with_max_steps(10);
    let failure =
        solver.solve(erased(&Pendulum), array![1.0, 0.5].view(), &[0.0, 10.0]).expect_err("few");
    let cause = StepLimit::Solution;
    assert!(
        matches!(failure.error, SolveError::TooManySteps { limit: 10, cause: c, .. } if c == cause)
    );
    let partial = failure.partial.expect("partial");
    assert_eq!(partial.statistics.steps + partial.statistics.rejected, 10);
}

/// What keeps the steps short is told apart, with its cure.
#[test]
fn short_steps_have_a_cause() {
    // A fast part that dies out at once: x follows cos t.
    let stiff = FnField::new(2, |t: f64, x: &[f64], dx: &mut [f64]| {
        dx[0] = -1e6 * (x[0] - t.cos());
        dx[1] = x[0] - x[1];
    });
    for method in [DORMAND_PRINCE5, TSITOURAS5, DOP853] {
        let solver = Adaptive::new(method, Tolerances::default()).with_max_steps(5000);
        let error = solver.solve(erased(&stiff), array![1.0, 0.0].view(), &[0.0, 10.0]);
        let error = error.expect_err("stiff").error;
        let SolveError::TooManySteps { cause: StepLimit::Stiffness { rate }, .. } = error else {
            panic!("{error}")
        };
        assert!((rate / 1e6 - 1.0).abs() < 0.1, "{rate:e}");
        assert!(error.to_string().contains("stiff"), "{error}");
    }
    let spring = FnField::new(2, |_t: f64, x: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = -1e4 * x[0];
    });
    // Numbers around 1e15 are an eighth apart, where the spring has a period of a sixteenth.
    let error = solve(
        erased(&spring),
        array![1.0, 0.0].view(),
        &[1e15, 1e15 + 10.0],
        Tolerances::default(),
    );
    let error = error.expect_err("a coarse clock").error;
    assert!(matches!(error, SolveError::StepTooSmall { cause: StepLimit::Clock { .. }, .. }));
    assert!(error.to_string().contains("from the begin of the trajectory"), "{error}");
    // In single precision so are seconds since 1970.
    let x0 = array![1.0_f32, 0.0];
    let slow = FnField::new(2, |_t: f32, x: &[f32], dx: &mut [f32]| {
        dx[0] = x[1];
        dx[1] = -x[0];
    });
    let error = solve(&slow, x0.view(), &[1.764e9, 1.764e9 + 1e4], Tolerances::relative(1e-5));
    let error = error.expect_err("a coarse clock").error;
    assert!(matches!(error, SolveError::StepTooSmall { cause: StepLimit::Clock { .. }, .. }));
    let error = solve(&slow, x0.view(), &[1.764e9, 1.764e9 + 1.0], Tolerances::relative(1e-5));
    let error = error.expect_err("the same time").to_string();
    assert!(error.contains("apart there"), "{error}");
    let few = Adaptive::new(DORMAND_PRINCE5, Tolerances::default()).with_max_steps(100);
    let error = few.solve(&slow, x0.view(), &[0.0, 100.0]).expect_err("below rounding").error;
    assert!(matches!(error, SolveError::TooManySteps { cause: StepLimit::Rounding { .. }, .. }));
    assert!(error.to_string().contains("rounding"), "{error}");
    // What can never come to an end is not tried a million times.
    for tolerances in [Tolerances::both(1e-300), Tolerances::relative(5e-324)] {
        let start = array![0.1, 0.9];
        for field in [erased(&Pendulum), erased(&Plain(Pendulum))] {
            let error = solve(field, start.view(), &[0.0, 1.0, 2.0], tolerances);
            let error = error.expect_err("below rounding").error;
            let SolveError::StepTooSmall { cause: StepLimit::Rounding { .. }, step, .. } = error
            else {
                panic!("{error}")
            };
            assert!(step <= 10_000, "{step}");
        }
    }
}

/// `dx/dt = -1` where `x > 0`, undefined below.
struct UpperHalf;
impl VectorField<f64> for UpperHalf {
    fn dim(&self) -> usize {
        1
    }
    fn eval(
        &self,
        _at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        if let Some(row) = x.iter().position(|x| *x <= 0.0) {
            return Err(FieldError::Undefined { row, reason: "x <= 0".into() });
        }
        dx.fill(-1.0);
        Ok(())
    }
}

#[test]
fn a_field_that_is_undefined_stops_only_its_trajectory() {
    let x0 = array![[3.0], [0.5], [-1.0]];
    let times = [0.0, 0.25, 1.0];
    let failure = solve_batch(erased(&UpperHalf), x0.view(), &times, Tolerances::both(1e-9));
    let partial = failure.expect_err("undefined").partial.expect("partial");
    assert_eq!(partial.statuses[0], Ok(()));
    assert!((partial.states[[0, 2, 0]] - 2.0).abs() < 1e-12);
    for (row, at) in [(1, 0.5), (2, 0.0)] {
        let Err(SolveError::Field { trajectory, time, .. }) = &partial.statuses[row] else {
            panic!("{:?}", partial.statuses[row])
        };
        assert!(*trajectory == row && (time - at).abs() < 1e-9, "{trajectory} {time}");
    }
    assert!((partial.states[[1, 1, 0]] - 0.25).abs() < 1e-12);
}

#[test]
fn bad_input_is_an_error() {
    let x0 = array![1.0, 0.5];
    let go = |solver: Adaptive, times: &[f64]| -> SolveError {
        solver.solve(erased(&Pendulum), x0.view(), times).expect_err("bad input").into()
    };
    let ok = Adaptive::new(DORMAND_PRINCE5, Tolerances::default());
    assert_eq!(go(ok.clone(), &[]), SolveError::NoTimes);
    for times in
        [&[0.0, 1.0, 0.5][..], &[0.0, 0.0], &[1.0, 0.5, 0.7], &[0.0, f64::NAN], &[f64::NAN]]
    {
        assert!(matches!(go(ok.clone(), times), SolveError::Times { .. }), "{times:?}");
    }
    let times = [0.0, 1.0];
    for size in [0.0, -1.0, f64::NAN] {
        assert!(matches!(
            go(ok.clone().with_max_step(size), &times),
            SolveError::NotPositive { .. }
        ));
        assert!(matches!(
            go(ok.clone().with_first_step(size), &times),
            SolveError::NotPositive { .. }
        ));
    }
    assert_eq!(go(ok.clone().with_max_steps(0), &times), SolveError::NoSteps);
    for (rtol, atol) in [(-1e-9, 1e-9), (f64::NAN, 1e-9), (1e-9, f64::INFINITY)] {
        let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances { rtol, atol });
        assert!(matches!(go(solver, &times), SolveError::Negative { .. }));
    }
    let zero = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(0.0));
    assert!(matches!(go(zero, &times), SolveError::NotPositive { .. }));
    let empty = Array2::<f64>::zeros((0, 2));
    let error = ok.solve_batch(erased(&Pendulum), empty.view(), &times).expect_err("empty");
    assert_eq!(error.error, SolveError::EmptyBatch);
    let error =
        ok.solve_batch_at(erased(&Pendulum), array![[1.0, 0.0]].view(), &[]).expect_err("rows");
    assert!(matches!(error.error, SolveError::Rows { .. }));
    let (many, times) = (Array2::zeros((1 << 16, 2)), Vec::from_iter((0..1 << 16).map(f64::from)));
    let error = ok.solve_batch(erased(&Pendulum), many.view(), &times).expect_err("2^33 numbers");
    assert!(matches!(error.error, SolveError::TooLarge(_)), "{error}");
}

#[test]
fn single_precision_works_to_its_precision() {
    let spring = ByHand { drive: 0.0, cubic: 0.0 };
    let run = solve(&spring, array![1.0_f32, 0.5].view(), &[0.0, 10.0], Tolerances::both(1e-6));
    let (s, c) = 10.0_f64.sin_cos();
    assert!((f64::from(run.expect("solve").states[[1, 0]]) - (c + 0.5 * s)).abs() < 1e-4);
}

/// The order of a pair's states inside the step, with steps of a fixed size.
fn order_inside(method: &EmbeddedPair, counts: [u32; 5]) -> f64 {
    let exact = {
        let solver =
            Adaptive::new(DOP853, Tolerances { rtol: 1e-14, atol: 1e-14 }).with_max_step(0.1);
        solver.solve(erased(&Pendulum), array![1.0, 0.5].view(), &[0.0, 1.3]).expect("exact").states
    };
    let points: Vec<(f64, f64)> = counts
        .into_iter()
        .map(|count| {
            let h = 2.0 / f64::from(count);
            let solver = Adaptive::new(method.clone(), Tolerances::both(1e3));
            let solver = solver.with_first_step(h).with_max_step(h);
            let run = solver.solve(erased(&Pendulum), array![1.0, 0.5].view(), &[0.0, 1.3, 2.0]);
            (h, f64::abs(run.expect("run").states[[1, 0]] - exact[[1, 0]]))
        })
        .collect();
    observed_order(&points, 1e-14)
}

/// Orders 4, 4 and 7 of the interpolants. At one time the place inside the step, and with it the
/// error's constant, changes from one step size to the next: hence no closer bound here.
#[test]
fn interpolants_have_their_order() {
    let fifth = [40, 50, 64, 80, 100];
    assert!(order_inside(&DORMAND_PRINCE5, fifth) > 3.5);
    assert!(order_inside(&TSITOURAS5, fifth) > 3.5);
    assert!(order_inside(&DOP853, [4, 5, 6, 8, 10]) > 6.0);
}

/// Two bodies and a light third one: the orbit of Arenstorf closes after one period.
#[test]
fn the_orbit_of_arenstorf_closes() {
    let x0 = array![0.994, 0.0, 0.0, -2.001_585_106_379_082_5];
    let times = [0.0, 17.065_216_560_157_96];
    for method in [DORMAND_PRINCE5, TSITOURAS5, DOP853] {
        let solver = Adaptive::new(method.clone(), Tolerances::both(1e-9));
        let run = solver.solve(erased(&Plain(Arenstorf)), x0.view(), &times).expect("orbit");
        let gap = (0..4).map(|i| (run.states[[1, i]] - x0[i]).abs()).fold(0.0, f64::max);
        assert!(gap < 2e-5, "{}: {gap:e}", method.name());
    }
}

/// More trajectories than there are places for at a time, of very different lengths, forward and
/// backward: what the kernels give is what slices give, with as many steps.
#[test]
fn lanes_and_slices_agree() {
    fn check<F: AnalyticField + Copy>(field: F, dim: usize) {
        let rows = 150;
        let x0 =
            Array2::from_shape_fn((rows, dim), |(row, i)| (0.37 * (row * dim + i) as f64).sin());
        let times: Vec<Vec<f64>> = (0..rows)
            .map(|row| {
                let end = 0.2 + (row % 7) as f64 * if row % 2 == 0 { 0.3 } else { -0.05 };
                vec![0.1, 0.1 + 0.31 * (end - 0.1), 0.1 + 0.32 * (end - 0.1), end]
            })
            .map(|times| if times[3] == 0.1 { vec![0.1] } else { times })
            .collect();
        let times: Vec<&[f64]> = times.iter().map(Vec::as_slice).collect();
        for method in [DORMAND_PRINCE5, TSITOURAS5, DOP853] {
            let solver = Adaptive::new(method, Tolerances::both(1e-8));
            let lanes = solver.solve_batch_at(erased(&field), x0.view(), &times).expect("lanes");
            let slices =
                solver.solve_batch_at(erased(&Plain(field)), x0.view(), &times).expect("slices");
            for (row, times) in times.iter().enumerate() {
                for step in 0..times.len() {
                    let of =
                        |run: &BatchSolution<f64>| run.states.slice(s![row, step, ..]).to_vec();
                    assert_close(&of(&lanes), &of(&slices), 1e-9, 1e-9);
                }
            }
            assert_eq!(lanes.statistics, slices.statistics);
        }
    }
    check(Pair, 4);
    check(Lorenz { end: 9.0 }, 3);
}

#[test]
fn lanes_shrink_their_steps_where_the_field_ends() {
    for rows in [1, 3] {
        let x0 = Array2::<f64>::zeros((rows, 3));
        let failure =
            solve_batch(&Lorenz { end: 0.5 }, x0.view(), &[0.0, 1.0], Tolerances::both(1e-9));
        let SolveError::StepTooSmall { time, .. } = failure.expect_err("no value").error else {
            panic!("another error")
        };
        assert!((time - 0.5).abs() < 1e-6, "{time}");
    }
}

/// A row that ends, or that never begins, is out of the others' way: nothing is asked of the field
/// where it has no value.
#[test]
fn rows_that_are_over_do_not_stop_the_others() {
    let x0 = Array2::from_shape_fn((9, 1), |(row, _)| [-1.0, 0.3, 5.0][row % 3]);
    for first in [None, Some(0.01)] {
        let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::both(1e-9));
        let solver = if let Some(size) = first { solver.with_first_step(size) } else { solver };
        let partial = solver.solve_batch(erased(&UpperHalf), x0.view(), &[0.0, 0.1, 4.0]);
        let partial = partial.expect_err("undefined").partial.expect("partial");
        for row in 0..9 {
            assert_eq!(partial.statuses[row].is_ok(), row % 3 == 2, "{row}");
            let last = [x0[[row, 0]], 0.2, 1.0][row % 3];
            assert!((partial.states[[row, row % 3, 0]] - last).abs() < 1e-9, "{row}");
        }
    }
}

/// `dx/dt = 1`, undefined between t = 0.15 and t = 0.25 in the row with `x > 100`.
struct Gap;
impl VectorField<f64> for Gap {
    fn dim(&self) -> usize {
        1
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let inside = |(t, x): (&f64, &f64)| *x > 100.0 && (0.15..0.25).contains(t);
        if let Some(row) = at.t.iter().zip(x).position(inside) {
            return Err(FieldError::Undefined { row, reason: "a gap".into() });
        }
        dx.fill(1.0);
        Ok(())
    }
}

/// A stage that only the interpolant needs meets a place where the field has no value: that row
/// tries a smaller step, the others keep their states.
#[test]
fn an_interpolant_without_a_value_is_no_silent_nan() {
    let solver = Adaptive::new(DOP853, Tolerances::both(1e-9)).with_first_step(1.0);
    let x0 = array![[0.0], [200.0]];
    let partial = solver.solve_batch(erased(&Gap), x0.view(), &[0.0, 0.1, 1.0]);
    let partial = match partial {
        Ok(run) => run,
        Err(failure) => *failure.partial.expect("partial"),
    };
    assert!(partial.statuses[0].is_ok() && partial.statuses[1].is_err());
    assert!((partial.states[[0, 1, 0]] - 0.1).abs() < 1e-12);
    assert!((partial.states[[1, 1, 0]] - 200.1).abs() < 1e-9);
}

/// The same where the field does not say so but gives NaN, and where slopes are as steep as they can
/// be.
#[test]
fn an_interpolant_is_finite_where_the_steps_are() {
    let hole = FnField::new(1, |t: f64, _x: &[f64], dx: &mut [f64]| {
        dx[0] = if (t - 0.1).abs() < 1e-3 { f64::NAN } else { 1.0 };
    });
    let solver = Adaptive::new(DOP853, Tolerances::both(1e-9)).with_first_step(1.0);
    let run = solver.solve(&hole, array![0.0].view(), &[0.0, 0.5, 1.0]).expect("around the hole");
    assert!((run.states[[1, 0]] - 0.5).abs() < 1e-12, "{run:?}");
    let steep = FnField::new(1, |_t: f64, _x: &[f64], dx: &mut [f64]| dx[0] = 1e306);
    let times = Vec::from_iter((0..=10).map(|k| 3.0 * k as f64));
    let run = solver.solve(&steep, array![0.0].view(), &times).expect("finite");
    for (t, x) in times.iter().zip(&run.states) {
        assert!((x - t * 1e306).abs() <= 1e-9 * t * 1e306, "{t}: {x}");
    }
}
