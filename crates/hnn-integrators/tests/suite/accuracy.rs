//! The pendulum `H = p^2/2 - cos q` from (1, 0.5): errors and values that the literature's methods
//! are known to have.

use hnn_integrators::{
    Adjoint, BLANES_MOAN_SRKN6, FixedStep, GAUSS_LEGENDRE4, GAUSS_LEGENDRE6, IMPLICIT_MIDPOINT,
    KAHAN_LI8, RK4, Stepper, VELOCITY_VERLET, YOSHIDA4,
};
use ndarray::array;

use crate::common::*;

/// Errors at t = 10 with steps of 0.1.
#[test]
fn errors_are_those_of_the_literature() {
    fn check<S: Stepper<f64, Pendulum> + Method + Clone>(method: S, expected: f64) {
        let error = pendulum_error(&method, 100);
        let ratio = error / expected;
        assert!((ratio - 1.0).abs() < 0.05, "{}: {error:e}, {expected:e}", method.name());
    }
    check(VELOCITY_VERLET, 2.64e-3);
    check(RK4, 3.98e-6);
    check(YOSHIDA4, 2.51e-5);
    check(BLANES_MOAN_SRKN6, 3.1e-9);
    check(GAUSS_LEGENDRE4, 4.8e-7);
    check(KAHAN_LI8, 1.3e-13);
}

/// What exact arithmetic gives after 1000 steps of 0.01.
#[test]
fn rk4_is_what_exact_arithmetic_gives() {
    let x0 = array![[1.0_f64, 0.5]];
    let run = FixedStep::count(RK4, 1000).run(&Pendulum, (0.0, 10.0), x0.view()).expect("run");
    assert!((run.last()[[0, 0]] + 0.844_851_349_935_460_1).abs() < 1e-13);
    assert!((run.last()[[0, 1]] + 0.705_039_226_184_670_2).abs() < 1e-13);
    let adjoint = Adjoint::count(RK4, 1000);
    let gradient = adjoint.run(&Pendulum, (0.0, 10.0), x0.view(), |step, x, mut x_bar| {
        if step == 1000 {
            x_bar.assign(&x);
        }
    });
    let start_bar = gradient.expect("gradient").start_bar;
    assert!((start_bar[[0, 0]] - 0.836_866_991_237_068_4).abs() < 1e-12);
    assert!((start_bar[[0, 1]] - 0.416_009_068_032_950_6).abs() < 1e-12);
}

/// Explicit symmetric methods are checked beside their adjoints; these solve equations.
#[test]
fn implicit_methods_return_to_the_start() {
    fn check<S: Stepper<f64, Pendulum> + Clone>(method: S) {
        let x0 = array![[1.0_f64, 0.5]];
        let run = FixedStep::count(method, 100_000);
        let there = run.run(&Pendulum, (0.0, 1000.0), x0.view()).expect("there");
        let back = run.run(&Pendulum, (1000.0, 0.0), there.last()).expect("back");
        assert_close(back.last(), &x0, 0.0, 1e-10);
    }
    check(IMPLICIT_MIDPOINT);
    check(GAUSS_LEGENDRE4);
    check(GAUSS_LEGENDRE6);
}
