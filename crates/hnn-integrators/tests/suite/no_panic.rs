//! Whatever is handed over, the answer is a result, never a panic.

use std::ops::ControlFlow;

use hnn_integrators::{
    Adaptive, Adjoint, Checkpoints, Crossing, DOP853, DORMAND_PRINCE5, DualField, Event, FixedStep,
    FnField, GAUSS_LEGENDRE4, IMPLICIT_MIDPOINT, KAHAN_LI8, Lane, RK4, Rollout, Tableau,
    Tolerances, VELOCITY_VERLET, VectorField, rk4,
};
use ndarray::{Array2, ArrayView2, ArrayViewMut2};
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
fn wild() -> FnField<impl Fn(f64, &[f64], &mut [f64]) + Send + Sync + Copy> {
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
        let run = FixedStep::count(RK4, count).save_every(every);
        let _ = run.run(&Pendulum, interval, x0.view());
        let _ = run.run_at(&Pendulum, &times, x0.view());
        let _ = run.run(&wild(), interval, x0.view());
        let stop = |t: f64, x: ArrayView2<'_, f64>| {
            if t + x[[0, 0]] > 1.0 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        };
        let _ = run.observe(&Pendulum, interval, x0.view(), stop);
        let _ = FixedStep::count(IMPLICIT_MIDPOINT, count).run(&Pendulum, interval, x0.view());
        let _ = FixedStep::count(KAHAN_LI8, count).run(&Pendulum, interval, x0.view());
        let _ = FixedStep::count(DOP853, count).run(&wild(), interval, x0.view());
        let _ = rk4(&Pendulum, start, dt, x0.view());
        let _ = Pendulum.eval_rows(start, x0.view());
    }

    #[test]
    fn adaptive_steps(
        x0 in states(), times in numbers(5), rtol in number(), atol in number(),
        first in number(), most in number(),
    ) {
        let solver = Adaptive::new(DORMAND_PRINCE5, Tolerances { rtol, atol }).max_steps(200);
        let _ = solver.solve_batch(&Pendulum, x0.view(), &times);
        let _ = solver.first_step(first).max_step(most).solve_batch(&Pendulum, x0.view(), &times);
        let _ = solver.solve_batch(&wild(), x0.view(), &times);
        let _ = solver.solve_batch_at(&wild(), x0.view(), &[&times]);
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
                let _ = solver.solve_events(&Pendulum, x0.row(0), &times, &events);
                let _ = solver.solve_events(&wild(), x0.row(0), &times, &events);
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
        let rk4 = Adjoint::count(RK4, count).checkpoints(Checkpoints::Count(kept));
        let _ = rk4.run(&field, interval, x0.view(), see);
        let _ = Adjoint::count(GAUSS_LEGENDRE4, count).run(&field, interval, x0.view(), see);
        let verlet = Adjoint::count(VELOCITY_VERLET, count);
        let _ = verlet.run(&Pendulum, interval, x0.view(), see);
        let _ = verlet.run_reversible(&Pendulum, interval, x0.view(), see);
        let mut rollout = Rollout::default();
        let states = rollout.forward(&RK4, &field, batch, &times, &flat).map(<[f64]>::to_vec);
        let mut bars = states.unwrap_or(flat);
        let mut theta_bar = times.clone();
        let _ = rollout.pull_back(&RK4, &field, batch, &times, &mut bars, Some(&mut theta_bar));
        let _ = rollout.pull_back(&RK4, &field, batch, &times, &mut bars, None);
    }

    #[test]
    fn tableaus(
        order in 0..12_usize, rows in prop::collection::vec(numbers(4), 0..5), b in numbers(5),
        c in numbers(5),
    ) {
        let rows: Vec<&[f64]> = rows.iter().map(Vec::as_slice).collect();
        let _ = Tableau::new("any", order, &rows, &b, &c);
    }
}
