//! Gradients of long runs: kept states, memory, rounding.

use allocation_counter::measure;
use hnn_integrators::{
    Adjoint, At, Bars, Checkpoints, DifferentiableSeparable, FieldError, FixedStep, FnField,
    Gradient, Grid, KAHAN_LI8, PEFRL, RK4, RUTH3, Rollout, SYMPLECTIC_EULER, SolveError, Splitting,
    VELOCITY_VERLET, VectorField, Visit, Workspace, YOSHIDA4,
};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, array};

use crate::common::*;
use crate::symplectic::Learned;

const FIELD: Driven = Driven { theta: [1.3, 0.2], drive: 0.1 };

fn starts(batch: usize) -> Array2<f64> {
    Array2::from_shape_fn((batch, 2), |(row, i)| 0.3 + 0.2 * row as f64 - 0.5 * i as f64)
}

/// A loss that sees every state: `sum_k c_k |x_k|^2 / 2`, `c_k = 1 + (k mod 3)`.
fn weigh(step: usize, x: ArrayView2<'_, f64>, mut x_bar: ArrayViewMut2<'_, f64>) {
    x_bar.scaled_add(1.0 + (step % 3) as f64, &x);
}

/// Half of the squared state at the end.
fn at_end(steps: usize) -> impl Fn(usize, ArrayView2<'_, f64>, ArrayViewMut2<'_, f64>) {
    move |step, x, mut x_bar| {
        if step == steps {
            x_bar.assign(&x);
        }
    }
}

fn gradient(steps: usize, checkpoints: Checkpoints) -> Gradient<f64> {
    let adjoint = Adjoint::count(RK4, steps).with_checkpoints(checkpoints);
    adjoint.run(&FIELD, (0.5, 3.5), starts(3).view(), weigh).expect("gradient")
}

const SEGMENT: usize = Checkpoints::SEGMENT;

#[test]
fn the_gradient_is_the_same_to_the_last_bit_whatever_is_kept() {
    for steps in [1, 2, 3, 7, 16, 20, 101, 1000, 1024] {
        let all = gradient(steps, Checkpoints::All);
        assert_eq!((all.kept, all.advanced), (steps, steps));
        let segments = steps.div_ceil(SEGMENT);
        let logarithmic = [(1, 2), (2, 6), (3, 20), (4, 70)];
        let logarithmic = logarithmic.iter().find(|(_, reach)| *reach >= segments).expect("few").0;
        for (checkpoints, starts, segment) in [
            (Checkpoints::Logarithmic, logarithmic, SEGMENT),
            (Checkpoints::Count(0), 1, SEGMENT),
            (Checkpoints::Count(1), 1, SEGMENT),
            (Checkpoints::Count(2), 2, SEGMENT),
            (Checkpoints::Count(3), 3, SEGMENT),
            (Checkpoints::Count(10), 10, SEGMENT),
            (Checkpoints::Count(usize::MAX), segments, SEGMENT),
            (Checkpoints::Segments(0), steps, 1),
            (Checkpoints::Segments(5), steps.div_ceil(5), 5),
            (Checkpoints::Segments(37), steps.div_ceil(37), 37),
            (Checkpoints::Segments(usize::MAX), 1, steps),
        ] {
            let some = gradient(steps, checkpoints);
            // The starts of segments, and the states of one of these.
            let most = starts.min(steps.div_ceil(segment)) + segment.min(steps) - 1;
            assert!(some.kept <= most, "{steps} {checkpoints:?}: {}, {most}", some.kept);
            if steps.is_multiple_of(segment) {
                assert_eq!(some.kept, most, "{steps} {checkpoints:?}");
            }
            assert_eq!(some.end, all.end);
            assert_eq!(some.start_bar, all.start_bar, "{steps} {checkpoints:?}");
            assert_eq!(some.theta_bar, all.theta_bar, "{steps} {checkpoints:?}");
        }
    }
}

/// The same in kernels.
#[test]
fn fused_gradients_are_the_same_to_the_last_bit_whatever_is_kept() {
    for (steps, batch) in [(7, 1), (101, 1), (101, 5)] {
        let run = |checkpoints| {
            let adjoint = Adjoint::count(RK4, steps).with_checkpoints(checkpoints);
            adjoint.run(&Pendulum, (0.5, 3.5), starts(batch).view(), weigh).expect("gradient")
        };
        let all = run(Checkpoints::All);
        for checkpoints in
            [Checkpoints::Logarithmic, Checkpoints::Count(2), Checkpoints::Segments(11)]
        {
            let some = run(checkpoints);
            assert_eq!((&some.end, &some.start_bar), (&all.end, &all.start_bar), "{checkpoints:?}");
        }
    }
}

/// A thousand steps, 63 segments: the states kept, and the price.
#[test]
fn few_states_cost_few_steps() {
    let cost = |checkpoints| {
        let gradient = gradient(1000, checkpoints);
        (gradient.kept, gradient.advanced)
    };
    // C(8, 4) = 70 segments with 4 starts and 4 repetitions.
    assert_eq!(cost(Checkpoints::Logarithmic).0, 4 + SEGMENT - 1);
    assert!(cost(Checkpoints::Logarithmic).1 < 4 * 1000);
    assert_eq!(cost(Checkpoints::Count(1)), (SEGMENT, SEGMENT * 62 * 63 / 2));
    // C(12, 2) = 66 segments with 2 starts and 10 repetitions; C(9, 3) = 84 with 3 and 6.
    assert!(cost(Checkpoints::Count(2)).1 < 10 * 1000);
    assert!(cost(Checkpoints::Count(3)).1 < 6 * 1000);
    // The last segment, of 8 steps, is taken once; when it is gone, 31 starts are kept.
    assert_eq!(cost(Checkpoints::Segments(32)), (31 + 31, 992));
}

#[test]
fn the_gradient_agrees_with_finite_differences_and_with_a_rollout() {
    let steps = 40;
    let value = |theta: [f64; 2], x0: &Array2<f64>| {
        let field = Driven { theta, ..FIELD };
        let run = FixedStep::count(RK4, steps).with_save_every(1);
        let states = run.run(&field, (0.5, 3.5), x0.view()).expect("run").states;
        let terms = states.indexed_iter();
        terms.map(|((_, k, _), x)| 0.5 * (1.0 + (k % 3) as f64) * x * x).sum::<f64>()
    };
    let (found, x0, h) = (gradient(steps, Checkpoints::Logarithmic), starts(3), 1e-5);
    for (at, bar) in found.start_bar.indexed_iter() {
        let (mut up, mut down) = (x0.clone(), x0.clone());
        up[at] += h;
        down[at] -= h;
        let slope = (value(FIELD.theta, &up) - value(FIELD.theta, &down)) / (2.0 * h);
        assert_close(&[*bar], &[slope], 1e-7, 1e-7);
    }
    for k in 0..2 {
        let (mut up, mut down) = (FIELD.theta, FIELD.theta);
        up[k] += h;
        down[k] -= h;
        let slope = (value(up, &x0) - value(down, &x0)) / (2.0 * h);
        assert_close(&[found.theta_bar[k]], &[slope], 1e-7, 1e-7);
    }
    let times: Vec<f64> =
        (0..=steps).flat_map(|k| [0.5 + 3.0 * k as f64 / steps as f64; 3]).collect();
    let start = hnn_integrators::coordinate_major(x0.view());
    let (mut rollout, mut bar, mut theta_bar) = (Rollout::default(), [0.0; 6], [0.0; 2]);
    let visit = |visit: Visit<'_, f64>| {
        if let Visit::State { step, x, x_bar, .. } = visit {
            let weight = 1.0 + (step % 3) as f64;
            x_bar.iter_mut().zip(x).for_each(|(bar, x)| *bar += weight * x);
        }
        Ok(())
    };
    let (grid, kept) = (Grid::times(3, &times), Checkpoints::All);
    let bars = Bars::new(&mut bar).with_theta(&mut theta_bar);
    rollout.gradient(&RK4, &FIELD, grid, &start, kept, visit, bars).expect("back");
    assert_close(&theta_bar, &found.theta_bar, 1e-11, 1e-11);
    assert_close(&hnn_integrators::rows(&bar, 3, 2), &found.start_bar, 1e-11, 1e-11);
}

/// Most bytes allocated at a time, beyond those there before.
fn peak(run: impl FnOnce() -> Gradient<f64>) -> (u64, usize) {
    let mut kept = 0;
    let info = measure(|| kept = run().kept);
    (info.bytes_max, kept)
}

#[test]
fn peak_memory_grows_like_the_logarithm() {
    let x0 = starts(256);
    let state = 256 * 2 * 8;
    let run = |steps, checkpoints| {
        let adjoint = Adjoint::count(RK4, steps).with_checkpoints(checkpoints);
        peak(|| adjoint.run(&Pendulum, (0.0, 3.0), x0.view(), at_end(steps)).expect("run"))
    };
    let (hundred, kept) = run(100, Checkpoints::Logarithmic);
    assert!(kept == 3 + SEGMENT - 1 && hundred < 50 * state, "{hundred}");
    for (steps, starts) in [(1000, 4), (10_000, 6)] {
        let (bytes, kept) = run(steps, Checkpoints::Logarithmic);
        assert_eq!(kept, starts + SEGMENT - 1);
        let more = (starts as u64 - 3) * state;
        assert!(bytes - hundred < more + state / 2, "{steps}: {bytes} {hundred}");
    }
    let (bytes, kept) = run(1000, Checkpoints::All);
    assert!(kept == 1000 && bytes > 1000 * state);
    // 63 starts, the states of a segment and their cotangents.
    let (bytes, kept) = run(1000, Checkpoints::Segments(SEGMENT));
    assert!(kept == 62 + SEGMENT - 1 && bytes < (63 + 50) * state, "{kept} {bytes}");
}

/// Largest difference of two gradients, relative to the larger.
fn difference(a: &Gradient<f64>, b: &Gradient<f64>) -> f64 {
    let numbers = |g: &Gradient<f64>| -> Vec<f64> {
        g.start_bar.iter().chain(&g.theta_bar).copied().collect()
    };
    let (a, b) = (numbers(a), numbers(b));
    let size = b.iter().fold(0.0, |most: f64, b| most.max(b.abs()));
    a.iter().zip(&b).map(|(a, b)| (a - b).abs() / size).fold(0.0, f64::max)
}

fn check_reversible<F: DifferentiableSeparable<f64>>(field: &F, method: Splitting) {
    let (x0, adjoint) = (starts(5), Adjoint::count(method.clone(), 10_000));
    let kept = adjoint.run(field, (0.0, 100.0), x0.view(), weigh).expect("kept");
    let adjoint = adjoint.with_checkpoints(Checkpoints::Reversible);
    let undone = adjoint.run(field, (0.0, 100.0), x0.view(), weigh).expect("undone");
    assert_eq!((undone.kept, undone.advanced), (1, 10_000));
    assert_close(&undone.end, &kept.end, 1e-12, 1e-12);
    let off = difference(&undone, &kept);
    assert!(off < 1e-9, "{}: {off:e}", method.name());
}

#[test]
fn undoing_the_steps_gives_the_gradient_of_kept_states() {
    check_reversible(&Pendulum, SYMPLECTIC_EULER);
    check_reversible(&Pendulum, VELOCITY_VERLET);
    check_reversible(&Pendulum, YOSHIDA4);
    check_reversible(&Pendulum, KAHAN_LI8);
    // With parameters and a force that depends on time.
    let learned = Learned([1.3, 0.8]);
    check_reversible(&learned, VELOCITY_VERLET);
    check_reversible(&learned, RUTH3);
    check_reversible(&learned, PEFRL);
}

#[test]
fn undoing_takes_the_same_memory_for_any_number_of_steps() {
    let x0 = starts(64);
    let run = |steps| {
        let adjoint =
            Adjoint::count(VELOCITY_VERLET, steps).with_checkpoints(Checkpoints::Reversible);
        let loss = at_end(steps);
        peak(|| adjoint.run(&Pendulum, (0.0, 3.0), x0.view(), loss).expect("run")).0
    };
    assert_eq!(run(10), run(10_000));
}

#[test]
fn steps_that_cannot_be_undone_are_an_error() {
    let adjoint = Adjoint::count(RK4, 10).with_checkpoints(Checkpoints::Reversible);
    let run = adjoint.run(&FIELD, (0.0, 1.0), starts(2).view(), weigh);
    let error = run.expect_err("irreversible");
    assert!(matches!(error, SolveError::Field { source: FieldError::Irreversible, .. }), "{error}");
}

/// A formula's two halves have their vector-Jacobian products by dual numbers.
#[test]
fn separable_formulas_have_gradients() {
    let steps = 60;
    let value = |x0: &Array2<f64>| {
        let end = FixedStep::count(PEFRL, steps).run(&Pendulum, (0.0, 6.0), x0.view());
        end.expect("run").last().iter().map(|x| 0.5 * x * x).sum::<f64>()
    };
    let (x0, h) = (starts(20), 1e-5);
    let adjoint = Adjoint::count(PEFRL, steps);
    let found = adjoint.run(&Pendulum, (0.0, 6.0), x0.view(), at_end(steps)).expect("gradient");
    for (at, bar) in found.start_bar.indexed_iter() {
        let (mut up, mut down) = (x0.clone(), x0.clone());
        up[at] += h;
        down[at] -= h;
        assert_close(&[*bar], &[(value(&up) - value(&down)) / (2.0 * h)], 1e-7, 1e-7);
    }
}

#[test]
fn bad_input_is_an_error() {
    let good = array![[1.0, 0.5]];
    let go = |steps, interval, x0: &Array2<f64>| {
        let run = Adjoint::count(RK4, steps).run(&FIELD, interval, x0.view(), weigh);
        run.expect_err("bad input")
    };
    assert_eq!(go(0, (0.0, 1.0), &good), SolveError::NoSteps);
    assert_eq!(go(5, (0.0, 1.0), &Array2::zeros((0, 2))), SolveError::EmptyBatch);
    let wrong = SolveError::Dimension { given: 1, expected: 2 };
    assert_eq!(go(5, (0.0, 1.0), &array![[1.0]]), wrong);
    assert!(matches!(go(5, (0.0, 0.0), &good), SolveError::Times { .. }));
    assert!(matches!(go(5, (0.0, f64::NAN), &good), SolveError::Times { .. }));
    let infinite = go(5, (0.0, 1.0), &array![[1.0, 0.0], [f64::INFINITY, 0.0]]);
    assert!(matches!(infinite, SolveError::NonFiniteStart { trajectory: 1, .. }));
    // The second trajectory explodes: p' = 1e200 t p.
    let wild = Driven { theta: [0.0, -1e200], drive: 0.0 };
    let starts = array![[0.0, 0.0], [0.0, 1.0]];
    let error = Adjoint::count(RK4, 9).run(&wild, (0.0, 9.0), starts.view(), weigh);
    let SolveError::NonFinite { trajectory: 1, step, time } = error.expect_err("explodes") else {
        panic!("another error")
    };
    assert_eq!((step, time), (0, 0.0));
}

/// A state that is no number in the middle of a run is named by the last step before it.
#[test]
fn the_first_state_that_is_no_number_is_named() {
    // x' = x^2 from 2 reaches infinity at t = 1/2.
    let explosive = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = x[0] * x[0])
        .with_vjp(|_t: f64, x: &[f64], v: &[f64], x_bar: &mut [f64]| x_bar[0] = 2.0 * x[0] * v[0]);
    let x0 = array![[0.1], [2.0]];
    let forward =
        FixedStep::count(RK4, 50).with_save_every(1).run(&explosive, (0.0, 5.0), x0.view());
    let expected = forward.expect_err("explodes").error;
    for checkpoints in [Checkpoints::All, Checkpoints::Logarithmic, Checkpoints::Segments(4)] {
        let adjoint = Adjoint::count(RK4, 50).with_checkpoints(checkpoints);
        let error = adjoint.run(&explosive, (0.0, 5.0), x0.view(), weigh).expect_err("explodes");
        assert_eq!(error, expected, "{checkpoints:?}");
    }
}

/// A rollout of slices of the wrong lengths.
#[test]
fn wrong_lengths_are_errors() {
    let (mut rollout, see) = (Rollout::default(), |_: Visit<'_, f64>| Ok(()));
    let times = [0.0, 0.1, 0.2];
    for (batch, times, x0) in [
        (1, &times[..], &[1.0][..]),
        (0, &times, &[]),
        (2, &times, &[1.0; 4]),
        (1, &[], &[1.0, 0.5]),
    ] {
        let grid = Grid::times(batch, times);
        let error = rollout.states(&RK4, &FIELD, grid, x0).expect_err("wrong");
        assert!(matches!(error, FieldError::Length { .. }), "{error}");
        let error = rollout.walk(&RK4, &FIELD, grid, x0, |_, _| Ok(())).expect_err("wrong");
        assert!(matches!(error, FieldError::Length { .. }), "{error}");
        let (kept, mut bar) = (Checkpoints::All, x0.to_vec());
        let error = rollout.gradient(&RK4, &FIELD, grid, x0, kept, see, Bars::new(&mut bar));
        assert!(matches!(error, Err(FieldError::Length { .. })));
    }
    let (grid, x0, kept) = (Grid::times(1, &times), [1.0, 0.5], Checkpoints::All);
    for bars in [0, 1, 3] {
        let mut bar = vec![0.0; bars];
        let error = rollout.gradient(&RK4, &FIELD, grid, &x0, kept, see, Bars::new(&mut bar));
        assert!(matches!(error, Err(FieldError::Length { .. })));
    }
    let (mut bar, theta_bar) = ([0.0; 2], &mut [0.0; 3][..]);
    let bars = Bars::new(&mut bar).with_theta(theta_bar);
    let error = rollout.gradient(&RK4, &FIELD, grid, &x0, kept, see, bars);
    assert!(matches!(error, Err(FieldError::ParameterCount { given: 3, expected: 2 })));
}

/// A field that fails in the middle says where.
#[test]
fn the_fields_error_names_the_step() {
    struct Wall;
    impl VectorField<f64> for Wall {
        fn dim(&self) -> usize {
            1
        }
        fn eval(
            &self,
            At { t, .. }: At<'_, f64>,
            _x: &[f64],
            dx: &mut [f64],
            _workspace: &mut Workspace<f64>,
        ) -> Result<(), FieldError> {
            dx.fill(1.0);
            match t.iter().position(|t| *t > 2.0) {
                None => Ok(()),
                Some(row) => Err(FieldError::Undefined { row, reason: "t > 2".into() }),
            }
        }
    }
    let failure =
        FixedStep::count(RK4, 10).with_save_every(1).run(&Wall, (0.0, 10.0), array![[0.0]].view());
    let failure = failure.expect_err("a wall");
    assert!(matches!(failure.error, SolveError::Field { step: 2, .. }), "{}", failure.error);
    let partial = failure.partial.expect("partial");
    assert!((partial.states[[0, 2, 0]] - 2.0).abs() < 1e-15 && partial.states[[0, 3, 0]].is_nan());
}
