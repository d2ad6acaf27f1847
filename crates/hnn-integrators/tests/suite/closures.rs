//! Closures as fields: their gradients against finite differences, and each other.

use hnn_integrators::{
    Adjoint, At, Bars, DifferentiableField, DualField, FnField, Lane, Parameters, RK4, VectorField,
};
use ndarray::Array2;
use proptest::prelude::*;

use crate::common::*;

/// `q' = p`, `p' = -a sin q - c p + e^(-t) tanh(q p)`; more directions than one evaluation takes.
fn dual(theta: [f64; 3]) -> impl DifferentiableField<f64> {
    DualField::new(theta, |t, [q, p]: [_; 2], [a, c, b]| {
        [p, -a * q.sin() - c * p + (-(b * t)).exp() * (q * p).tanh()]
    })
}

fn check<F: DifferentiableField<f64>>(
    field: impl Fn([f64; 3]) -> F,
    theta: [f64; 3],
    x: &[f64],
    v: &[f64],
) -> Result<(), TestCaseError> {
    let at = At::time(&[0.1, 0.7, 2.0]);
    let value = |theta, x: &[f64]| {
        let mut dx = [0.0; 6];
        field(theta).eval(at, x, &mut dx, &mut Default::default()).expect("eval");
        dx.iter().zip(v).map(|(dx, v)| dx * v).sum::<f64>()
    };
    let (field, mut residuals) = (field(theta), F::Residuals::default());
    let (mut dx, mut x_bar) = ([0.0; 6], [0.0; 6]);
    // What is there before is added to.
    let mut theta_bar = vec![1.0; field.num_params()];
    field.eval_recorded(at, x, &mut dx, &mut residuals).expect("eval");
    field.vjp(x, &mut residuals, v, Bars::new(&mut x_bar).with_theta(&mut theta_bar)).expect("vjp");
    let same = dx.iter().zip(v).map(|(dx, v)| dx * v).sum::<f64>();
    prop_assert!((same - value(theta, x)).abs() < 1e-13);
    let h = 1e-5;
    for i in 0..6 {
        let (mut up, mut down) = (x.to_vec(), x.to_vec());
        up[i] += h;
        down[i] -= h;
        let slope = (value(theta, &up) - value(theta, &down)) / (2.0 * h);
        prop_assert!((x_bar[i] - slope).abs() < 1e-7, "{i}: {} {slope}", x_bar[i]);
    }
    for (k, bar) in theta_bar.iter().enumerate() {
        let (mut up, mut down) = (theta, theta);
        up[k] += h;
        down[k] -= h;
        let slope = 1.0 + (value(up, x) - value(down, x)) / (2.0 * h);
        prop_assert!((bar - slope).abs() < 1e-7, "parameter {k}: {bar} {slope}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn gradients_agree_with_finite_differences(
        theta in prop::array::uniform3(-2.0..2.0),
        x in prop::collection::vec(-2.0..2.0, 6),
        v in prop::collection::vec(-1.0..1.0, 6),
    ) {
        check(dual, theta, &x, &v)?;
        let by_hand = |[a, c, _]: [f64; 3]| {
            FnField::new(2, move |t: f64, x: &[f64], dx: &mut [f64]| {
                dx[0] = x[1];
                dx[1] = -a * x[0].sin() - c * x[1] + t;
            })
            .with_vjp(move |_t, x: &[f64], v: &[f64], x_bar: &mut [f64]| {
                x_bar[0] = -a * x[0].cos() * v[1];
                x_bar[1] = v[0] - c * v[1];
            })
        };
        check(by_hand, theta, &x, &v)?;
    }
}

/// Closures with inputs: over dual numbers and by hand, they are those that know their inputs.
#[test]
fn inputs_are_arguments() {
    let (x, v, u) = ([0.3, -0.8, 1.1, 0.4], [1.0, 0.2, -0.5, 2.0], [0.7, -0.3, 0.1, 0.9]);
    let at = At { t: &[0.1, 0.6], u: &u };
    let dual = DualField::with_inputs([1.3, 0.2], |t, [q, p]: [_; 2], [f, g]: [_; 2], [a, c]| {
        [p * g, -a * q.sin() - c * p + t * f * f]
    });
    let [mut dx, mut x_bar, mut u_bar, mut theta_bar] = [[0.5; 4], [0.5; 4], [0.5; 4], [0.5; 4]];
    let (mut residuals, theta) = (Default::default(), &mut theta_bar[..2]);
    dual.eval_recorded(at, &x, &mut dx, &mut residuals).expect("fits");
    let bars = Bars::new(&mut x_bar).with_u(&mut u_bar[..]).with_theta(theta);
    dual.vjp(&x, &mut residuals, &v, bars).expect("fits");

    let by_hand = FnField::with_inputs(2, 2, |t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx[0] = x[1] * u[1];
        dx[1] = -1.3 * x[0].sin() - 0.2 * x[1] + t * u[0] * u[0];
    })
    .with_vjp(|t, x: &[f64], u: &[f64], v: &[f64], x_bar: &mut [f64], u_bar: &mut [f64]| {
        x_bar[0] = -1.3 * x[0].cos() * v[1];
        x_bar[1] = v[0] * u[1] - 0.2 * v[1];
        u_bar[0] = 2.0 * t * u[0] * v[1];
        u_bar[1] = v[0] * x[1];
    });
    let [mut own, mut own_x, mut own_u] = [[0.5; 4], [0.5; 4], [0.5; 4]];
    let mut residuals = Default::default();
    by_hand.eval_recorded(at, &x, &mut own, &mut residuals).expect("fits");
    let bars = Bars::new(&mut own_x).with_u(&mut own_u[..]);
    by_hand.vjp(&x, &mut residuals, &v, bars).expect("fits");
    for (a, b) in [(dx, own), (x_bar, own_x), (u_bar, own_u)] {
        assert!(a.iter().zip(&b).all(|(a, b)| (a - b).abs() < 1e-14), "{a:?} {b:?}");
    }
    let by_a: f64 = 0.5 - (0..2).map(|row| v[2 + row] * x[row].sin()).sum::<f64>();
    let by_c: f64 = 0.5 - (0..2).map(|row| v[2 + row] * x[2 + row]).sum::<f64>();
    assert!((theta_bar[0] - by_a).abs() < 1e-14 && (theta_bar[1] - by_c).abs() < 1e-14);
    // Too few inputs are an error.
    let few = At { t: at.t, u: &u[..3] };
    assert!(dual.eval(few, &x, &mut dx, &mut Default::default()).is_err());
    assert!(by_hand.eval(few, &x, &mut dx, &mut Default::default()).is_err());
}

/// Through many steps, with parameters: the closure and the trait written by hand agree.
#[test]
fn a_closure_is_as_good_as_a_field_of_ones_own() {
    let x0 = Array2::from_shape_fn((4, 2), |(row, i)| 0.3 * row as f64 - 0.4 * i as f64);
    let closure = DualField::new([1.3, 0.2], |t, [q, p]: [_; 2], [a, c]| {
        [p, -a * q.sin() - c * p + t * Lane::constant(0.1)]
    });
    let adjoint = Adjoint::count(RK4, 300);
    let end = |step, x: ndarray::ArrayView2<'_, f64>, mut bar: ndarray::ArrayViewMut2<'_, f64>| {
        if step == 300 {
            bar.assign(&x);
        }
    };
    let a = adjoint.run(&closure, (0.0, 6.0), x0.view(), end).expect("closure");
    let own = Driven { theta: [1.3, 0.2], drive: 0.1 };
    let b = adjoint.run(&own, (0.0, 6.0), x0.view(), end).expect("own");
    assert_close(&a.start_bar, &b.start_bar, 1e-11, 1e-12);
    assert_close(&a.theta_bar, &b.theta_bar, 1e-11, 1e-12);
}

#[test]
fn parameters_come_and_go() {
    let mut field = DualField::new([1.0, 2.0], |_t, [x]: [_; 1], [a, b]| [a * x + b]);
    assert_eq!(Parameters::<f64>::num_params(&field), 2);
    field.set_params(&[3.0, 4.0]).expect("two");
    let mut theta = [0.0; 2];
    field.copy_params(&mut theta).expect("two");
    assert_eq!(theta, [3.0, 4.0]);
    assert!(field.set_params(&[1.0]).is_err() && field.copy_params(&mut [0.0; 3]).is_err());
    let mut dx = [0.0];
    field.eval(At::time(&[0.0]), &[2.0], &mut dx, &mut Default::default()).expect("eval");
    assert_eq!(dx, [10.0]);
}
