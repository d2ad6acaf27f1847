//! Whatever is handed over, the answer is a result, never a panic.

use std::ops::ControlFlow;

use hnn_integrators::{
    Adaptive, Adjoint, Bars, Checkpoints, Clock, Crossing, DOP853, DORMAND_PRINCE5, DualField,
    EmbeddedPair, Event, FieldError, FixedStep, Flow, FnField, GAUSS_LEGENDRE4, Grid, GridInputs,
    IMPLICIT_MIDPOINT, ImplicitTableau, Inputs, Interval, KAHAN_LI8, Lane, RK4, Rollout,
    SolveError, Splitting, Stepper, Tableau, Tolerances, VELOCITY_VERLET, VectorField, Visit,
    Workspace, rk4,
};
use ndarray::{Array2, ArrayView2, ArrayViewMut2, array};
use proptest::prelude::*;

use crate::common::*;

/// Ordinary numbers, and those that break things.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0,
        1 => prop::sample::select(vec![
            0.0, -0.0, 1e308, -1e308, 1e-320, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e17,
        ]),
    ]
}

fn numbers(most: usize) -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(number(), 0..most)
}

fn states() -> impl Strategy<Value = Array2<f64>> {
    (0..4_usize, 0..4_usize).prop_flat_map(|(rows, columns)| {
        prop::collection::vec(number(), rows * columns)
            .prop_map(move |x| Array2::from_shape_vec((rows, columns), x).expect("shape"))
    })
}

/// A field of the time, undefined in many places.
fn wild() -> impl VectorField<f64> {
    FnField::new(2, |t: f64, x: &[f64], dx: &mut [f64]| {
        dx[0] = x[1] / t;
        dx[1] = x[0].sqrt();
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn fixed_steps(
        x0 in states(), start in number(), end in number(), dt in number(), count in 0..50_usize,
        every in 0..5_usize, times in numbers(4),
    ) {
        let interval = (start, end);
        // A size that would take forever is no matter of panics.
        if ((end - start) / dt).is_nan() || (end - start).abs() / dt.abs() <= 1e4 {
            let _ = FixedStep::size(RK4, dt).run(&Pendulum, interval, x0.view());
        }
        let run = FixedStep::count(RK4, count).with_save_every(every);
        let _ = run.run(&Pendulum, interval, x0.view());
        let _ = run.run_at(&Pendulum, &times, x0.view());
        let _ = run.run(erased(&wild()), interval, x0.view());
        let stop = |t: f64, x: ArrayView2<'_, f64>| {
            if t + x[[0, 0]] > 1.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let _ = run.observe(&Pendulum, interval, x0.view(), stop);
        let _ = FixedStep::count(IMPLICIT_MIDPOINT, count).run(&Pendulum, interval, x0.view());
        let _ = FixedStep::count(KAHAN_LI8, count).run(&Pendulum, interval, x0.view());
        let _ = FixedStep::count(DOP853.propagated(), count).run(erased(&wild()), interval, x0.view());
        let _ = rk4(&Pendulum, start, dt, x0.view());
        let _ = Pendulum.eval_rows(start, x0.view());
    }

    #[test]
    fn adaptive_steps(
        x0 in states(), times in numbers(5), rtol in number(), atol in number(),
        first in number(), most in number(),
    ) {
        let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances { rtol, atol }).with_max_steps(200);
        let _ = solver.solve_batch(erased(&Pendulum), x0.view(), &times);
        let _ = solver.clone().with_first_step(first).with_max_step(most).solve_batch(erased(&Pendulum), x0.view(), &times);
        let _ = solver.solve_batch(erased(&wild()), x0.view(), &times);
        let _ = solver.solve_batch_at(erased(&wild()), x0.view(), &[&times]);
        let level = |_t: f64, x: &[f64]| x[0] * atol;
        let clock = |t: f64, _x: &[f64]| t - first;
        for (crossing, terminal) in
            [(Crossing::Rising, true), (Crossing::Falling, false), (Crossing::Either, true)]
        {
            let events = [
                Event { function: &level, crossing, terminal },
                Event { function: &clock, crossing, terminal: false },
            ];
            if x0.nrows() > 0 {
                let _ = solver.solve_events(erased(&Pendulum), x0.row(0), &times, &events);
                let _ = solver.solve_events(erased(&wild()), x0.row(0), &times, &events);
            }
        }
    }

    #[test]
    fn gradients(
        x0 in states(), start in number(), end in number(), count in 0..40_usize,
        kept in 0..5_usize, times in numbers(9), flat in numbers(9), batch in 0..4_usize,
        theta in prop::array::uniform2(number()),
    ) {
        let see = |_: usize, x: ArrayView2<'_, f64>, mut bar: ArrayViewMut2<'_, f64>| {
            bar.assign(&x);
        };
        let field = DualField::new(theta, |t, [q, p]: [_; 2], [a, c]| [p * t, -a * q.ln() - c * p]);
        let interval = (start, end);
        let rk4 = Adjoint::count(RK4, count).with_checkpoints(Checkpoints::Count(kept));
        let _ = rk4.run(&field, interval, x0.view(), see);
        let _ = Adjoint::count(GAUSS_LEGENDRE4, count).run(&field, interval, x0.view(), see);
        let verlet = Adjoint::count(VELOCITY_VERLET, count);
        let _ = verlet.run(&Pendulum, interval, x0.view(), see);
        let verlet = verlet.with_checkpoints(Checkpoints::Reversible);
        let _ = verlet.run(&Pendulum, interval, x0.view(), see);
        let mut rollout = Rollout::default();
        let times_grid = Grid::times(batch, &times);
        let _ = rollout.states(&RK4, &field, times_grid, &flat).map(<[f64]>::len);
        let equal = Grid::equal(batch, start, end, count);
        for grid in [times_grid, equal, equal.with_inputs(GridInputs::Linear(&times))] {
            let whole = vec![start; 2 * batch];
            let _ = rollout.walk(&RK4, &field, grid, &whole, |_, _| Ok(()));
            let (mut bar, mut theta_bar) = (whole.clone(), times.clone());
            let kept = Checkpoints::Segments(kept);
            let add = |visit: Visit<'_, f64>| {
                match visit {
                    Visit::State { x, x_bar, .. } => x_bar.copy_from_slice(x),
                    Visit::Slope { slope, .. } => slope.cotangent.copy_from_slice(slope.value),
                }
                Ok(())
            };
            let _ = rollout.gradient(&RK4, &field, grid, &whole, kept, add, Bars::new(&mut bar));
            let bars = Bars::new(&mut bar).with_theta(&mut theta_bar);
            let _ = rollout.gradient(&RK4, &field, grid, &whole, kept, add, bars);
        }
    }

    #[test]
    fn inputs(
        t in numbers(4), dt in numbers(4), x in numbers(7), begin in numbers(4), end in numbers(4),
        dim in 0..3_usize, count in 0..3_usize, steps in 0..4_usize,
    ) {
        let field = FnField::with_inputs(dim, count, |t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
            let sum = t + x.iter().chain(u).sum::<f64>();
            dx.fill(sum);
        });
        let function = |_row: usize, t: f64, u: &mut [f64]| u.fill(t);
        let linear = Inputs::Linear { begin: &begin, end: &end };
        for u in [Inputs::None, linear, Inputs::Function(&function)] {
            let over = Interval { t: &t, dt: &dt, u };
            let (mut x, mut out, mut workspace) = (x.clone(), x.clone(), Workspace::default());
            let _ = RK4.step(&field, over, &x, &mut out, &mut workspace);
            let _ = RK4.advance(&field, steps, over, &mut x, &mut workspace);
            let _ = IMPLICIT_MIDPOINT.advance(&field, steps, over, &mut x, &mut workspace);
        }
        let x0 = Array2::from_elem((2, dim), 0.5);
        let _ = FixedStep::count(RK4, steps).run(erased(&field), (0.0, 1.0), x0.view());
        let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances::default()).with_max_steps(100);
        let _ = solver.solve_batch(erased(&field), x0.view(), &[0.0, 1.0]);
    }

    #[test]
    fn tableaus(
        order in 0..12_usize, rows in prop::collection::vec(numbers(4), 0..5), b in numbers(5),
        c in numbers(5),
    ) {
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let _ = ImplicitTableau::new("any", order, &rows, &b, &c);
        let _ = Splitting::new("any", order, Flow::Drift, &b);
        if let Ok(tableau) = Tableau::new("any", order, &rows, &b, &c) {
            let _ = EmbeddedPair::new(tableau, &c, order, &[]);
        }
    }
}

/// States without a coordinate, runs without a step, and more steps than there is memory for.
#[test]
fn nothing_and_too_much() {
    let nothing = FnField::new(0, |_t: f64, _x: &[f64], _dx: &mut [f64]| {})
        .with_vjp(|_t: f64, _x: &[f64], _v: &[f64], _x_bar: &mut [f64]| {});
    let (mut rollout, see) = (Rollout::default(), |_: Visit<'_, f64>| Ok(()));
    let grid = Grid::equal(2, 0.0, 0.1, 40);
    let mut seen = 0;
    let look = |step: usize, x: &[f64]| {
        assert!(x.is_empty() && step == seen);
        seen += 1;
        Ok(())
    };
    rollout.walk(&RK4, &nothing, grid, &[], look).expect("walk");
    assert_eq!(seen, 41);
    for kept in [Checkpoints::All, Checkpoints::Count(1), Checkpoints::Logarithmic] {
        rollout
            .gradient(&RK4, &nothing, grid, &[], kept, see, Bars::new(&mut []))
            .expect("gradient");
    }
    let x0 = Array2::zeros((3, 0));
    FixedStep::count(GAUSS_LEGENDRE4, 3)
        .run(erased(&nothing), (0.0, 1.0), x0.view())
        .expect("fixed");
    let solver = Adaptive::new(DOP853, Tolerances::default());
    solver.solve_batch(erased(&nothing), x0.view(), &[0.0, 0.5, 1.0]).expect("adaptive");

    let field = DualField::new([1.0], |_t, [x]: [_; 1], [a]| [-a * x]);
    let (mut rollout, mut bar) = (Rollout::default(), [0.0]);
    let grid = Grid::equal(1, 0.0, 0.1, 0);
    for kept in [Checkpoints::All, Checkpoints::Count(0), Checkpoints::Segments(0)] {
        let set = |visit: Visit<'_, f64>| {
            if let Visit::State { step: 0, x_bar, .. } = visit {
                x_bar[0] = 7.0;
            }
            Ok(())
        };
        rollout
            .gradient(&RK4, &field, grid, &[1.0], kept, set, Bars::new(&mut bar))
            .expect("no step");
        assert_eq!((bar, rollout.end()), ([7.0], &[1.0][..]));
    }
    let fixed = |run: FixedStep<Tableau>| {
        let many = Array2::from_elem((1000, 2), 0.5);
        run.run(&Pendulum, (0.0, 1.0), many.view()).map_err(SolveError::from)
    };
    for (run, is_large) in [
        (FixedStep::size(RK4, 1e-14).with_save_every(1), true),
        (FixedStep::size(RK4, 1e-6).with_save_every(1), true),
        (FixedStep::size(RK4, 1e-16), false),
        (FixedStep::count(RK4, usize::MAX), false),
    ] {
        match fixed(run) {
            Err(SolveError::TooLarge(error)) => assert!(is_large && error.bytes > 1 << 30),
            Err(SolveError::StepSize { .. }) => assert!(!is_large),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(
        fixed(FixedStep::count(RK4, 3).with_save_every(usize::MAX)).expect("runs").times.len(),
        2
    );
    let endless = solver.clone().with_max_steps(usize::MAX);
    endless.solve_batch(&Pendulum, array![[1.0, 0.0]].view(), &[0.0, 1.0]).expect("soon done");
    let times: Vec<f64> = (0..20_000).map(f64::from).collect();
    let many = Array2::from_elem((10_000, 2), 0.5);
    let failure = solver.solve_batch(&Pendulum, many.view(), &times).expect_err("6 GB");
    assert!(matches!(failure.error, SolveError::TooLarge(_)), "{}", failure.error);
    for steps in [1 << 60, usize::MAX] {
        let clock = Clock::Equal { start: 0.0, dt: 0.1, steps };
        let grid = Grid { batch: 1, clock, inputs: GridInputs::None };
        let error = rollout.states(&RK4, &field, grid, &[1.0]).expect_err("no memory");
        assert!(matches!(error, FieldError::TooLarge(_)), "{error}");
        let kept = Checkpoints::Segments(steps);
        let error = rollout.gradient(&RK4, &field, grid, &[1.0], kept, see, Bars::new(&mut bar));
        assert!(matches!(error, Err(FieldError::TooLarge(_))));
        let inputs = grid.with_inputs(GridInputs::Held(&[1.0]));
        assert!(rollout.states(&RK4, &field, inputs, &[1.0]).is_err());
    }
}
