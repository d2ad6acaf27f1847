//! Implicit symplectic methods, and gradients of fields given by formulas.

mod common;

use common::*;
use hnn_integrators::{
    DifferentiableField, FieldError, FixedStep, GaussLegendre4, GaussLegendre6, ImplicitMidpoint,
    Rk4, Rollout, SolveError, Stepper, VectorField,
};
use ndarray::array;

fn error_at_10<S: Stepper<f64, Pendulum> + Copy>(method: S, steps: usize) -> f64 {
    let run = FixedStep::count(method, steps);
    let end = run.run(&Pendulum, (0.0, 10.0), array![[1.0, 0.5]].view()).expect("run");
    (0..2).map(|i| (end.last()[[0, i]] - PENDULUM_AT_10[i]).abs()).fold(0.0, f64::max)
}

#[test]
fn methods_converge_with_their_order() {
    fn check<S: Stepper<f64, Pendulum> + Copy>(method: S, coarsest: usize) {
        let points: Vec<(f64, f64)> = (0..5)
            .map(|k| coarsest << k)
            .map(|steps| (10.0 / steps as f64, error_at_10(method, steps)))
            .collect();
        let order = observed_order(&points, 3e-13);
        assert!((order - method.order() as f64).abs() < 0.1, "{}: {order}", method.name());
    }
    check(ImplicitMidpoint, 200);
    check(GaussLegendre4, 50);
    check(GaussLegendre6, 40);
    let literature = error_at_10(GaussLegendre4, 100) / 4.8e-7;
    assert!((literature - 1.0).abs() < 0.05, "{literature}");
}

/// Symplectic for a Hamiltonian that is not separable: the double pendulum keeps its energy.
#[test]
fn energy_of_the_double_pendulum_stays() {
    let energy = |x: &[f64]| {
        let d = x[0] - x[1];
        let kinetic = x[2] * x[2] + 2.0 * x[3] * x[3] - 2.0 * x[2] * x[3] * d.cos();
        kinetic / (2.0 * (1.0 + d.sin().powi(2))) - 19.6 * x[0].cos() - 9.8 * x[1].cos()
    };
    let run = FixedStep::count(GaussLegendre6, 2000).save_every(1);
    let run = run.run(&DoublePendulum, (0.0, 20.0), array![[1.0, 0.5, 0.0, 0.0]].view());
    let states = run.expect("run").states;
    let start = energy(&[1.0, 0.5, 0.0, 0.0]);
    for row in states.index_axis(ndarray::Axis(0), 0).rows() {
        assert!((energy(&row.to_vec()) - start).abs() < 1e-9);
    }
}

#[test]
fn a_solve_that_does_not_converge_is_an_error_with_its_residual() {
    let run = FixedStep::count(ImplicitMidpoint, 1);
    let failure = run.run(&Spring, (0.0, 10.0), array![[1.0, 0.0]].view()).expect_err("dt = 10");
    let SolveError::Field { source: FieldError::NotConverged { residual, .. }, .. } = failure.error
    else {
        panic!("{}", failure.error)
    };
    assert!(residual > 1.0);
}

#[test]
fn formulas_have_vector_jacobian_products() {
    let x: Vec<f64> = (0..4 * 5).map(|i| 0.3 * f64::from(i) - 2.0).collect();
    let v: Vec<f64> = (0..4 * 5).map(|i| 1.0 - 0.1 * f64::from(i)).collect();
    let t = [0.0; 5];
    let (mut residuals, mut dx, mut bar) = (Vec::new(), vec![0.0; 20], vec![0.0; 20]);
    DoublePendulum.eval_recorded(&t, &x, &mut dx, &mut residuals).expect("eval");
    DoublePendulum.vjp(&x, &mut residuals, &v, &mut bar, None).expect("vjp");
    let value = |x: &[f64]| {
        let mut dx = vec![0.0; 20];
        DoublePendulum.eval(&t, x, &mut dx, &mut Default::default()).expect("eval");
        dx.iter().zip(&v).map(|(dx, v)| dx * v).sum::<f64>()
    };
    for i in 0..20 {
        let (mut up, mut down) = (x.clone(), x.clone());
        up[i] += 1e-5;
        down[i] -= 1e-5;
        assert_close(&[bar[i]], &[(value(&up) - value(&down)) / 2e-5], 1e-8, 1e-8);
    }
}

#[test]
fn gradient_through_a_thousand_steps_of_a_formula() {
    let times: Vec<f64> = (0..=1000).map(|i| f64::from(i) * 0.01).collect();
    let mut rollout = Rollout::default();
    let states = rollout.forward(&Rk4, &Pendulum, 1, &times, &[1.0, 0.5]).expect("forward");
    let mut bar = vec![0.0; 2002];
    bar[2000..].copy_from_slice(&states[2000..]);
    rollout.pull_back(&Rk4, &Pendulum, 1, &times, &mut bar, None).expect("pull back");
    assert!((bar[0] - 0.836_866_991_237_068_4).abs() < 1e-12, "{}", bar[0]);
    assert!((bar[1] - 0.416_009_068_032_950_6).abs() < 1e-12, "{}", bar[1]);
}
