//! Whatever is handed over, the answer is a result, never a panic.

mod common;

use common::*;
use hnn_integrators::{
    Adaptive, DormandPrince5, FixedStep, FnField, ImplicitMidpoint, Rk4, Tolerances,
};
use ndarray::Array2;
use proptest::prelude::*;

/// Ordinary numbers, and those that break things.
fn number() -> impl Strategy<Value = f64> {
    prop_oneof![
        4 => -10.0..10.0,
        1 => prop::sample::select(vec![
            0.0, -0.0, 1e308, -1e308, 1e-320, f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 1e17,
        ]),
    ]
}

fn states() -> impl Strategy<Value = Array2<f64>> {
    (0..4_usize, 0..4_usize).prop_flat_map(|(rows, columns)| {
        prop::collection::vec(number(), rows * columns)
            .prop_map(move |x| Array2::from_shape_vec((rows, columns), x).expect("shape"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn fixed_steps(
        x0 in states(), start in number(), end in number(), dt in number(), count in 0..50_usize,
        every in 0..5_usize, times in prop::collection::vec(number(), 0..4),
    ) {
        // A size that would take forever is no matter of panics.
        if ((end - start) / dt).is_nan() || (end - start).abs() / dt.abs() <= 1e4 {
            let _ = FixedStep::size(Rk4, dt).run(&Pendulum, (start, end), x0.view());
        }
        let run = FixedStep::count(Rk4, count).save_every(every);
        let _ = run.run(&Pendulum, (start, end), x0.view());
        let _ = run.run_at(&Pendulum, &times, x0.view());
        let _ = FixedStep::count(ImplicitMidpoint, count).run(&Pendulum, (start, end), x0.view());
    }

    #[test]
    fn adaptive_steps(
        x0 in states(), times in prop::collection::vec(number(), 0..5), rtol in number(),
        atol in number(), first in number(), most in number(),
    ) {
        let solver = Adaptive::new(DormandPrince5, Tolerances { rtol, atol }).max_steps(200);
        let _ = solver.solve_batch(&Pendulum, x0.view(), &times);
        let _ = solver.first_step(first).max_step(most).solve_batch(&Pendulum, x0.view(), &times);
        let closure = FnField::new(2, |t: f64, x: &[f64], dx: &mut [f64]| {
            dx[0] = x[1] / t;
            dx[1] = x[0].sqrt();
        });
        let _ = solver.solve_batch(&closure, x0.view(), &times);
        let _ = solver.solve_batch_at(&closure, x0.view(), &[&times]);
    }
}
