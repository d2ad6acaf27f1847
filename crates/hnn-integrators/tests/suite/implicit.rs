//! Implicit symplectic methods, and gradients of fields given by formulas.

use crate::common::*;
use crate::explicit::check_adjoint;
use hnn_integrators::{
    Adjoint, At, Bars, DifferentiableField, FieldError, FixedStep, FnField, GAUSS_LEGENDRE4,
    GAUSS_LEGENDRE6, Grid, IMPLICIT_MIDPOINT, RK4, SolveError, VectorField,
};
use ndarray::{Array2, array};

#[test]
fn methods_converge_with_their_order() {
    check_pendulum_order(&IMPLICIT_MIDPOINT, 400);
    check_pendulum_order(&GAUSS_LEGENDRE4, 100);
    check_pendulum_order(&GAUSS_LEGENDRE6, 50);
}

#[test]
fn adjoints_agree_with_finite_differences() {
    check_adjoint(&IMPLICIT_MIDPOINT);
    check_adjoint(&GAUSS_LEGENDRE4);
    check_adjoint(&GAUSS_LEGENDRE6);
}

/// The adjoint of a symplectic method keeps the symplectic product of cotangents and tangents; so
/// the gradient forward and backward is the cotangent itself.
#[test]
fn gradients_return_with_the_states() {
    let adjoint = Adjoint::count(GAUSS_LEGENDRE4, 50);
    let start = array![[1.0, 0.5, -0.3, 0.2], [0.3, -0.4, 0.1, 0.9]];
    let there =
        adjoint.run(&Plain(DoublePendulum), (0.0, 1.0), start.view(), |step, _, mut bar| {
            if step == 50 {
                bar.fill(1.0)
            }
        });
    let there = there.expect("there");
    let back =
        adjoint.run(&Plain(DoublePendulum), (1.0, 0.0), there.end.view(), |step, _, mut bar| {
            if step == 50 {
                bar.assign(&there.start_bar)
            }
        });
    let back = back.expect("back");
    assert_close(&back.end, &start, 0.0, 1e-12);
    assert_close(&back.start_bar, &Array2::ones((2, 4)), 0.0, 1e-10);
}

/// Symplectic for a Hamiltonian that is not separable: the double pendulum keeps its energy.
#[test]
fn energy_of_the_double_pendulum_stays() {
    let energy = |x: &[f64]| {
        let d = x[0] - x[1];
        let kinetic = x[2] * x[2] + 2.0 * x[3] * x[3] - 2.0 * x[2] * x[3] * d.cos();
        kinetic / (2.0 * (1.0 + d.sin().powi(2))) - 19.6 * x[0].cos() - 9.8 * x[1].cos()
    };
    let run = FixedStep::count(GAUSS_LEGENDRE6, 2000).with_save_every(1);
    let run =
        run.run(erased(&Plain(DoublePendulum)), (0.0, 20.0), array![[1.0, 0.5, 0.0, 0.0]].view());
    let states = run.expect("run").states;
    let start = energy(&[1.0, 0.5, 0.0, 0.0]);
    for row in states.index_axis(ndarray::Axis(0), 0).rows() {
        assert!((energy(&row.to_vec()) - start).abs() < 1e-9);
    }
}

#[test]
fn a_solve_that_does_not_converge_is_an_error_with_its_residual() {
    let run = FixedStep::count(IMPLICIT_MIDPOINT, 1);
    let failure = run
        .run(erased(&Plain(Spring)), (0.0, 10.0), array![[1.0, 0.0]].view())
        .expect_err("dt = 10");
    let SolveError::Field { source: FieldError::NotConverged { residual, .. }, .. } = failure.error
    else {
        panic!("{}", failure.error)
    };
    assert!(residual > 1.0);
}

/// A slope that is not a number is not hidden by the slopes of other rows.
#[test]
fn one_row_that_fails_is_named() {
    let root = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = x[0].sqrt());
    let run = FixedStep::count(IMPLICIT_MIDPOINT, 1);
    let failure = run.run(erased(&root), (0.0, 0.1), array![[1.0], [-1.0], [2.0]].view());
    let error = failure.expect_err("a root of -1").error;
    let SolveError::Field { source: FieldError::NotConverged { row, residual, .. }, .. } = error
    else {
        panic!("{error}")
    };
    assert!(row == 1 && residual.is_nan());
}

/// Slow convergence, by a factor of about 0.85, is convergence.
#[test]
fn a_stiff_step_is_solved() {
    let decay = FnField::new(1, |_t: f64, x: &[f64], dx: &mut [f64]| dx[0] = -17.0 * x[0]);
    let run = FixedStep::count(IMPLICIT_MIDPOINT, 1);
    let end = run.run(erased(&decay), (0.0, 0.1), array![[1.0]].view()).expect("solves").states;
    let exact = (1.0 - 0.85) / (1.0 + 0.85);
    assert!((end[[0, end.dim().1 - 1, 0]] - exact).abs() < 1e-14);
}

/// Rest at the origin, where the slope is 0 too, gives no size to measure changes by.
#[test]
fn a_start_at_rest_is_no_failure() {
    let driven = FnField::new(2, |t: f64, x: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = t.sin() - 3.0 * x[0];
    });
    for method in [IMPLICIT_MIDPOINT, GAUSS_LEGENDRE4, GAUSS_LEGENDRE6] {
        let run = FixedStep::count(method, 400);
        let end = run.run(erased(&driven), (0.0, 4.0), array![[0.0, 0.0]].view()).expect("solves");
        // x'' = sin t - 3 x: x = sin(t) / 2 - sin(3^(1/2) t) / (2 3^(1/2)).
        let root = 3.0_f64.sqrt();
        let exact = 0.5 * 4.0_f64.sin() - 0.5 * (root * 4.0).sin() / root;
        assert!((end.last()[[0, 0]] - exact).abs() < 1e-4);
    }
}

/// Small and large oscillations alike, alone and beside others; these methods keep quadratic
/// energies to rounding.
#[test]
fn amplitudes_and_other_rows_change_nothing() {
    let oscillator = FnField::new(2, |_t: f64, x: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = -x[0];
    });
    let amplitudes = array![1.0, 1e-10, 1e-16, 1e-150, 1e10, 1e150];
    for method in [IMPLICIT_MIDPOINT, GAUSS_LEGENDRE4] {
        let end = |amplitudes: &[f64]| {
            let x0 = Array2::from_shape_fn((amplitudes.len(), 2), |(row, i)| {
                amplitudes[row] * [0.8, 0.6][i]
            });
            let run = FixedStep::count(method.clone(), 1000);
            let run = run.run(erased(&oscillator), (0.0, 100.0), x0.view()).expect("solves");
            let ends = run.last().to_owned();
            Array2::from_shape_fn(ends.dim(), |(row, i)| ends[[row, i]] / amplitudes[row])
        };
        let together = end(amplitudes.as_slice().expect("a row"));
        for (row, amplitude) in amplitudes.iter().enumerate() {
            let alone = end(&[*amplitude]);
            let energy = alone[[0, 0]].powi(2) + alone[[0, 1]].powi(2);
            assert!((energy - 1.0).abs() < 1e-12, "{amplitude:e}: {energy}");
            for i in 0..2 {
                assert_eq!(together[[row, i]], alone[[0, i]], "{amplitude:e}");
                assert!((together[[row, i]] - together[[0, i]]).abs() < 1e-12, "{amplitude:e}");
            }
        }
    }
}

#[test]
fn formulas_have_vector_jacobian_products() {
    let x: Vec<f64> = (0..4 * 5).map(|i| 0.3 * f64::from(i) - 2.0).collect();
    let v: Vec<f64> = (0..4 * 5).map(|i| 1.0 - 0.1 * f64::from(i)).collect();
    let at = At::time(&[0.0, 0.1, 0.2, 0.3, 0.4]);
    let (mut residuals, mut dx, mut bar) = (Vec::new(), vec![0.0; 20], vec![0.0; 20]);
    Pair.eval_recorded(at, &x, &mut dx, &mut residuals).expect("eval");
    Pair.vjp(&x, &mut residuals, &v, Bars::new(&mut bar)).expect("vjp");
    let value = |x: &[f64]| {
        let mut dx = vec![0.0; 20];
        Pair.eval(at, x, &mut dx, &mut Default::default()).expect("eval");
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
    let (_, bar) = half_square_at_end(&RK4, &Pendulum, Grid::times(1, &times), &[1.0, 0.5]);
    assert!((bar[0] - 0.836_866_991_237_068_4).abs() < 1e-12, "{}", bar[0]);
    assert!((bar[1] - 0.416_009_068_032_950_6).abs() < 1e-12, "{}", bar[1]);
}
