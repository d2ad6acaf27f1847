//! Units change nothing: adaptive and implicit methods are as accurate at every size of the states
//! and of the times, each coordinate and each row for itself.

use hnn_integrators::{
    Adaptive, Crossing, DOP853, DORMAND_PRINCE5, Event, FixedStep, FnField, GAUSS_LEGENDRE4,
    IMPLICIT_MIDPOINT, ImplicitTableau, Scalar, TSITOURAS5, Tolerances, VectorField, solve,
    solve_batch,
};
use ndarray::{Array2, array};

use crate::common::*;

/// `q' = p / unit`, `p' = -unit rate^2 q`.
fn spring<T: Scalar>(rate: f64, unit: f64) -> impl VectorField<T> {
    let (velocity, force) = (T::from_f64(1.0 / unit), T::from_f64(-unit * rate * rate));
    FnField::new(2, move |_t: T, x: &[T], dx: &mut [T]| {
        dx[0] = velocity * x[1];
        dx[1] = force * x[0];
    })
}

const AMPLITUDES: [f64; 11] = [1.0, 1e-15, 1e-12, 1e-9, 1e-6, 1e-3, 1e3, 1e6, 1e9, 1e12, 1e15];
const TEN_PERIODS: f64 = 20.0 * std::f64::consts::PI;

#[test]
fn a_spring_of_any_amplitude_returns() {
    for method in [DORMAND_PRINCE5, TSITOURAS5, DOP853] {
        let solver = Adaptive::new(method, Tolerances::default());
        let error = |amplitude: f64, unit: f64| {
            let x0 = array![amplitude, 0.0];
            let run = solver.solve(erased(&spring(1.0, unit)), x0.view(), &[0.0, TEN_PERIODS]);
            let end = run.expect("run").states.row(1).to_vec();
            f64::hypot(end[0] / amplitude - 1.0, end[1] / (amplitude * unit))
        };
        let bar = 10.0 * error(1.0, 1.0);
        assert!(bar < 1e-5);
        for amplitude in AMPLITUDES {
            for unit in [1.0, 1e-12, 1e12] {
                let found = error(amplitude, unit);
                assert!(found <= bar, "{amplitude:e}, {unit:e}: {found:e} of {bar:e}");
            }
        }
    }
}

/// Lanes and slices, each row for itself: what it gives alone, to the last bit.
#[test]
fn rows_of_all_sizes_side_by_side() {
    let x0 =
        Array2::from_shape_fn(
            (AMPLITUDES.len(), 2),
            |(row, i)| {
                if i == 0 { AMPLITUDES[row] } else { 0.0 }
            },
        );
    let times = [0.0, 3.0, TEN_PERIODS];
    let slices = spring(1.0, 1.0);
    for field in [erased(&slices), erased(&Pendulum)] {
        let batch = solve_batch(field, x0.view(), &times, Tolerances::default()).expect("batch");
        for row in 0..AMPLITUDES.len() {
            let single = solve(field, x0.row(row), &times, Tolerances::default()).expect("single");
            assert_close(batch.states.index_axis(ndarray::Axis(0), row), &single.states, 0.0, 0.0);
            assert_eq!(batch.statistics[row], single.statistics);
        }
        // Small pendulums are springs.
        for row in 1..4 {
            let ends = [batch.states[[row, 1, 0]] / 3.0_f64.cos(), batch.states[[row, 2, 0]]];
            for end in ends {
                assert!((end / AMPLITUDES[row] - 1.0).abs() < 1e-6, "{end:e}");
            }
        }
    }
}

#[test]
fn events_of_any_amplitude() {
    let turn =
        Event { function: &|_t, x: &[f64]| x[1], crossing: Crossing::Either, terminal: false };
    let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::default());
    for amplitude in AMPLITUDES {
        let x0 = array![amplitude, 0.0];
        let run = solver.solve_events(erased(&spring(1.0, 1.0)), x0.view(), &[0.0, 10.0], &[turn]);
        let found: Vec<f64> = run.expect("run").occurrences.iter().map(|o| o.time).collect();
        let expected: Vec<f64> = (1..=3).map(|k| f64::from(k) * std::f64::consts::PI).collect();
        assert_close(&found, &expected, 0.0, 1e-7);
    }
}

#[test]
fn single_precision_of_any_amplitude_and_time() {
    for (amplitude, rate) in [(1.0, 1.0), (1e-15, 1.0), (1e15, 1.0), (1.0, 1e15), (1.0, 1e-15)] {
        let (x0, end) = (array![amplitude as f32, 0.0], (20.0 / rate) as f32);
        let field = spring::<f32>(rate, 1.0 / rate);
        let run = solve(&field, x0.view(), &[0.0, end], Tolerances::relative(1e-5));
        let end = f64::from(run.expect("run").states[[1, 0]]) / amplitude;
        assert!((end - 20.0_f64.cos()).abs() < 2e-3, "{amplitude:e}, {rate:e}: {end}");
    }
}

/// From femtoseconds to the age of the universe.
#[test]
fn any_unit_of_time() {
    let end_of = |rate: f64| {
        let (times, x0) = ([0.0, TEN_PERIODS / rate], array![1.0, 0.0]);
        let run =
            solve(erased(&spring(rate, 1.0 / rate)), x0.view(), &times, Tolerances::default());
        let run = run.expect("run");
        (run.statistics.steps as f64, (run.states[[1, 0]] - 1.0).abs() + run.states[[1, 1]].abs())
    };
    let (steps, error) = end_of(1.0);
    for rate in [1e-17, 1e-6, 1e3, 1e15] {
        let found = end_of(rate);
        assert!((found.0 / steps - 1.0).abs() < 0.02 && found.1 <= 10.0 * error, "{found:?}");
    }
}

/// Seconds since 1970 are 2.4e-7 apart: the state goes as far as the clock does.
#[test]
fn time_stamps() {
    let driven = FnField::new(1, |t: f64, x: &[f64], dx: &mut [f64]| {
        dx[0] = (t - 1_764_000_000.0).cos() + 0.0 * x[0];
    });
    let times = [1_764_000_000.0, 1_764_000_020.0];
    let run = solve(erased(&driven), array![0.0].view(), &times, Tolerances::default());
    let end = run.expect("run").states[[1, 0]];
    assert!((end - 20.0_f64.sin()).abs() < 3e-7, "{end}");
    let still = FnField::new(1, |_t: f64, _x: &[f64], dx: &mut [f64]| dx[0] = 1.0);
    let run = solve(erased(&still), array![0.0].view(), &times, Tolerances::default());
    assert!((run.expect("run").states[[1, 0]] - 20.0).abs() < 1e-12);
}

/// Without an absolute tolerance: from 0, at rest for ever, and along a chain whose far end moves
/// like a high power of the time at first.
#[test]
fn coordinates_that_begin_at_zero() {
    let only = Tolerances { rtol: 1e-9, atol: 0.0 };
    let rest = solve(erased(&Pendulum), array![0.0, 0.0].view(), &[0.0, 10.0], only).expect("rest");
    assert!(rest.states.iter().all(|x| *x == 0.0) && rest.statistics.steps < 30);
    let still = solve(erased(&spring(1.0, 1.0)), array![0.0, 0.0].view(), &[0.0, 10.0], only);
    assert!(still.expect("rest").states.iter().all(|x| *x == 0.0));

    const N: usize = 12;
    let chain = |drive: f64| {
        FnField::new(2 * N, move |t: f64, x: &[f64], dx: &mut [f64]| {
            for i in 0..N {
                let (before, after) = (if i > 0 { x[i - 1] } else { 0.0 }, x.get(i + 1));
                let after = if i + 1 < N { *after.unwrap_or(&0.0) } else { x[i] };
                dx[i] = x[N + i];
                dx[N + i] = before - 2.0 * x[i] + after;
            }
            dx[N] += drive * t.sin();
        })
    };
    for (drive, first) in [(1.0, 0.0), (0.0, 1.0), (0.0, 1e-12)] {
        let mut x0 = ndarray::Array1::zeros(2 * N);
        x0[0] = first;
        for method in [DORMAND_PRINCE5, TSITOURAS5, DOP853] {
            let solve = |tolerances| {
                let solver = Adaptive::new(method.clone(), tolerances);
                solver.solve(erased(&chain(drive)), x0.view(), &[0.0, 20.0]).expect("run")
            };
            let (run, size) = (solve(only), if drive > 0.0 { 1.0 } else { first });
            let expected = solve(Tolerances { rtol: 1e-12, atol: 1e-14 * size });
            let gap = (&run.states - &expected.states).mapv(f64::abs);
            assert!(gap.iter().all(|gap| *gap < 1e-7 * size), "{drive} {first}: {gap}");
            assert!(run.statistics.steps < 4000, "{:?}", run.statistics);
        }
    }
}

/// Energies as well kept at every amplitude; a row in a batch as alone.
#[test]
fn implicit_methods_at_any_amplitude() {
    fn check(method: &ImplicitTableau) {
        let field = spring(1.0, 1.0);
        let end = |x0: &Array2<f64>| {
            let run = FixedStep::count(method.clone(), 2000);
            run.run(erased(&field), (0.0, 100.0), x0.view()).expect("run").last().to_owned()
        };
        let amplitudes = [1.0, 1e-10, 1e-16, 1e-300, 1e10];
        let x0 =
            Array2::from_shape_fn((5, 2), |(row, i)| if i == 0 { amplitudes[row] } else { 0.0 });
        let batch = end(&x0);
        let expected = end(&array![[1.0, 0.0]]);
        for (row, amplitude) in amplitudes.into_iter().enumerate() {
            let alone = end(&array![[amplitude, 0.0]]);
            for i in 0..2 {
                assert_eq!(batch[[row, i]], alone[[0, i]], "{amplitude:e}");
                let alone = alone[[0, i]] / amplitude;
                assert!((alone - expected[[0, i]]).abs() < 1e-11, "{amplitude:e}: {alone}");
            }
        }
    }
    check(&IMPLICIT_MIDPOINT);
    check(&GAUSS_LEGENDRE4);
}
