//! Derivatives against central differences.

use hnn_integrators::{At, DifferentiableField, VectorField, Workspace, rows};
use ndarray::Array2;

/// `df/dh` at 0, by central differences of fourth order with steps of `h` and `2 h`.
///
/// ```
/// assert!((hnn_testing::slope(1e-3, |h: f64| (2.0 * h).sin()) - 2.0).abs() < 1e-11);
/// ```
pub fn slope(h: f64, mut f: impl FnMut(f64) -> f64) -> f64 {
    (8.0 * (f(h) - f(-h)) - (f(2.0 * h) - f(-2.0 * h))) / (12.0 * h)
}

/// Numbers in [-1, 1] without a pattern.
pub fn wave(phase: f64, len: usize) -> Vec<f64> {
    (0..len).map(|i| (phase + 1.7 * i as f64).sin()).collect()
}

/// The states that [`check_vjp`] takes, a row a state.
pub fn check_states(dim: usize, batch: usize, seed: u64) -> Array2<f64> {
    rows(&wave(0.3 + seed as f64, dim * batch), batch, dim)
}

/// The inputs of a batch.
fn inputs<F: VectorField<f64>>(field: &F, batch: usize) -> Vec<f64> {
    wave(0.2, field.inputs() * batch)
}

/// `sum of v * f(x, u)` at time 0.
fn projection<F: VectorField<f64>>(field: &F, x: &[f64], v: &[f64], batch: usize) -> f64 {
    let mut dx = vec![0.0; x.len()];
    let at = At { t: &vec![0.0; batch], u: &inputs(field, batch) };
    field.eval(at, x, &mut dx, &mut Workspace::default()).expect("evaluates");
    dx.iter().zip(v).map(|(f, v)| f * v).sum()
}

/// Compares a field's cotangents of state and parameters along directions without a pattern with
/// differences.
///
/// ```
/// use hnn_integrators::{DualField, Lane};
/// let mut pendulum = DualField::new([9.81], |_t, [q, v]: [_; 2], [a]| [v, -a * q.sin()]);
/// hnn_testing::check_vjp(&mut pendulum, 3, 0);
/// ```
#[track_caller]
pub fn check_vjp<F: DifferentiableField<f64>>(field: &mut F, batch: usize, seed: u64) {
    let wave = |phase: f64, len: usize| wave(phase + seed as f64, len);
    let len = field.dim() * batch;
    let (x, v, x_dot) = (wave(0.3, len), wave(1.1, len), wave(2.9, len));
    let mut theta = vec![0.0; field.num_params()];
    field.copy_params(&mut theta).expect("fits");
    let theta_dot = wave(0.7, theta.len());

    let mut residuals = F::Residuals::default();
    let mut dx = vec![0.0; len];
    let mut x_bar = vec![0.0; len];
    let mut theta_bar = vec![0.0; theta.len()];
    let at = At { t: &vec![0.0; batch], u: &inputs(field, batch) };
    field.eval_recorded(at, &x, &mut dx, &mut residuals).expect("evaluates");
    field.vjp(&x, &mut residuals, &v, &mut x_bar, Some(&mut theta_bar)).expect("pulls back");

    let dot = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
    let shifted = |a: &[f64], b: &[f64], h: f64| -> Vec<f64> {
        a.iter().zip(b).map(|(a, b)| a + h * b).collect()
    };
    let by_x = slope(1e-5, |h| projection(field, &shifted(&x, &x_dot, h), &v, batch));
    let by_theta = slope(1e-5, |h| {
        field.set_params(&shifted(&theta, &theta_dot, h)).expect("fits");
        projection(field, &x, &v, batch)
    });
    field.set_params(&theta).expect("fits");
    for (name, exact, difference) in
        [("x", dot(&x_bar, &x_dot), by_x), ("theta", dot(&theta_bar, &theta_dot), by_theta)]
    {
        let scale = 1.0 + difference.abs();
        assert!((exact - difference).abs() < 1e-6 * scale, "by {name}: {exact}, {difference}");
    }
}
