//! Dual numbers: derivatives against closed forms and finite differences.

use hnn_integrators::Lane;
use hnn_integrators::lane::{Dual, gradient, hessian};

/// Value, first and second derivative of a function of one variable.
fn derivatives(x: f64, f: fn(Dual<Dual<f64, 1>, 1>) -> Dual<Dual<f64, 1>, 1>) -> [f64; 3] {
    let (value, [slope], [[second]]) = hessian([x], |[x]| f(x));
    [value, slope, second]
}

#[test]
fn elementary_functions() {
    let x = 0.7_f64;
    let (s, c, t) = (x.sin(), x.cos(), x.tanh());
    let sech2 = 1.0 - t * t;
    let cases: [(&str, [f64; 3], [f64; 3]); 11] = [
        ("sin", derivatives(x, Lane::sin), [s, c, -s]),
        ("cos", derivatives(x, Lane::cos), [c, -s, -c]),
        ("exp", derivatives(x, Lane::exp), [x.exp(); 3]),
        ("ln", derivatives(x, Lane::ln), [x.ln(), 1.0 / x, -1.0 / (x * x)]),
        ("tanh", derivatives(x, Lane::tanh), [t, sech2, -2.0 * t * sech2]),
        (
            "ln_1p",
            derivatives(x, Lane::ln_1p),
            [x.ln_1p(), 1.0 / (1.0 + x), -1.0 / (1.0 + x).powi(2)],
        ),
        ("sqrt", derivatives(x, Lane::sqrt), [x.sqrt(), 0.5 / x.sqrt(), -0.25 * x.powf(-1.5)]),
        ("abs", derivatives(-x, Lane::abs), [x, -1.0, 0.0]),
        (
            "powi",
            derivatives(x, |x| x.powi(-3)),
            [x.powi(-3), -3.0 * x.powi(-4), 12.0 * x.powi(-5)],
        ),
        (
            "quotient",
            derivatives(x, |x| x.sin() / x),
            [s / x, (c * x - s) / (x * x), -s / x - 2.0 * c / (x * x) + 2.0 * s / x.powi(3)],
        ),
        (
            "mul_add",
            derivatives(x, |x| x.mul_add(x.exp(), x)),
            [x * x.exp() + x, (1.0 + x) * x.exp() + 1.0, (2.0 + x) * x.exp()],
        ),
    ];
    for (name, computed, exact) in cases {
        for (computed, exact) in computed.iter().zip(exact) {
            let error = (computed - exact).abs();
            assert!(error <= 1e-14 * exact.abs().max(1.0), "{name}: {computed} {exact}");
        }
    }
}

/// `H = p^2 / (2 (1 + sin^2 q)) - cos q`.
fn energy<L: Lane>([q, p]: [L; 2]) -> L {
    let (s, c) = q.sin_cos();
    p * p / (L::constant(2.0) * (L::constant(1.0) + s * s)) - c
}

#[test]
fn gradient_and_hessian_agree_with_finite_differences() {
    let x = [0.4, -1.3];
    let (value, slope, second) = hessian(x, energy);
    let (same, first) = gradient(x, energy);
    assert_eq!((value, slope), (same, first));
    assert_eq!(value, energy(x));
    let h = 1e-5;
    for i in 0..2 {
        let (mut up, mut down) = (x, x);
        up[i] += h;
        down[i] -= h;
        let difference = (energy(up) - energy(down)) / (2.0 * h);
        assert!((difference - slope[i]).abs() < 1e-9);
        let (up, down) = (gradient(up, energy).1, gradient(down, energy).1);
        for j in 0..2 {
            assert!(((up[j] - down[j]) / (2.0 * h) - second[i][j]).abs() < 1e-9);
        }
    }
    assert!((second[0][1] - second[1][0]).abs() < 1e-15);
}

#[test]
fn sign_of_zero_and_nan() {
    assert_eq!(Lane::signum(0.0), 0.0);
    assert!(Lane::signum(f64::NAN).is_nan());
    assert_eq!(Dual::<f64, 1>::variable(0.0, 0).abs().tangent, [0.0]);
}
