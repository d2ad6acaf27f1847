//! Derivatives against central differences.

use hnn_integrators::{
    At, Bars, DifferentiableStepper, FieldObject, Inputs, Interval, Kept, Motion, Parameters,
    VectorField, Workspace, rows,
};
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

/// `sum of v * f(x, u)` at time 0.
fn projection(field: &dyn FieldObject<f64>, x: &[f64], u: &[f64], v: &[f64]) -> f64 {
    let mut dx = vec![0.0; x.len()];
    let at = At { t: &vec![0.0; x.len() / field.dim()], u };
    field.eval(at, x, &mut dx, &mut Workspace::default()).expect("evaluates");
    dx.iter().zip(v).map(|(f, v)| f * v).sum()
}

/// `a + h b`.
fn shifted(a: &[f64], b: &[f64], h: f64) -> Vec<f64> {
    a.iter().zip(b).map(|(a, b)| a + h * b).collect()
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[track_caller]
fn agree(name: &str, exact: f64, difference: f64) {
    let scale = 1.0 + difference.abs();
    assert!((exact - difference).abs() < 1e-6 * scale, "by {name}: {exact}, {difference}");
}

/// Compares a field's cotangents of state, inputs and parameters along directions without a pattern
/// with differences; and the parameters' row by row ([`check_rows`](crate::check_rows)).
///
/// ```
/// use hnn_integrators::{DualField, Lane};
/// let mut pendulum = DualField::new([9.81], |_t, [q, v]: [_; 2], [a]| [v, -a * q.sin()]);
/// hnn_testing::check_vjp(&mut pendulum, 3, 0);
/// ```
#[track_caller]
pub fn check_vjp(field: &mut dyn FieldObject<f64>, batch: usize, seed: u64) {
    let wave = |phase: f64, len: usize| wave(phase + seed as f64, len);
    let len = field.dim() * batch;
    let (x, v, x_dot) = (wave(0.3, len), wave(1.1, len), wave(2.9, len));
    let (u, u_dot) = [0.2, 1.9].map(|phase| wave(phase, field.inputs() * batch)).into();
    let mut theta = vec![0.0; field.num_params()];
    field.copy_params(&mut theta).expect("fits");
    let theta_dot = wave(0.7, theta.len());

    let mut residuals = Kept::default();
    let mut dx = vec![0.0; len];
    let mut x_bar = vec![0.0; len];
    let (mut u_bar, mut theta_bar) = (vec![0.0; u.len()], vec![0.0; theta.len()]);
    let at = At { t: &vec![0.0; batch], u: &u };
    field.eval_kept(at, &x, &mut dx, &mut residuals).expect("evaluates");
    let bars = Bars::new(&mut x_bar).with_u(&mut u_bar[..]).with_theta(&mut theta_bar);
    field.vjp_kept(&x, &mut residuals, &v, bars).expect("pulls back");

    let by_x = slope(1e-5, |h| projection(field, &shifted(&x, &x_dot, h), &u, &v));
    agree("x", dot(&x_bar, &x_dot), by_x);
    let by_u = slope(1e-5, |h| projection(field, &x, &shifted(&u, &u_dot, h), &v));
    agree("u", dot(&u_bar, &u_dot), by_u);
    let by_theta = slope(1e-5, |h| {
        field.set_params(&shifted(&theta, &theta_dot, h)).expect("fits");
        projection(field, &x, &u, &v)
    });
    field.set_params(&theta).expect("fits");
    agree("theta", dot(&theta_bar, &theta_dot), by_theta);
    crate::check_rows(field, batch, seed);
}

/// Compares the cotangents of the inputs at the begin and at the end of a step with differences.
#[track_caller]
pub fn check_step_inputs<S, F>(stepper: &S, field: &F, batch: usize, seed: u64)
where
    S: DifferentiableStepper<f64, F>,
    F: VectorField<f64> + Parameters<f64>,
{
    step_inputs(stepper.name(), &(stepper, field), batch, seed);
}

#[track_caller]
fn step_inputs(name: &str, motion: &dyn Motion<f64>, batch: usize, seed: u64) {
    let wave = |phase: f64, len: usize| wave(phase + seed as f64, len);
    let (len, inputs) = (motion.dim() * batch, motion.inputs() * batch);
    let (t, dt) = (wave(0.9, batch), wave(0.4, batch).iter().map(|h| 0.2 * h).collect::<Vec<_>>());
    let (x, v) = (wave(0.3, len), wave(1.1, len));
    let (u, u_dot) = (wave(0.2, 2 * inputs), wave(1.9, 2 * inputs));
    fn over<'a>(t: &'a [f64], dt: &'a [f64], u: &'a [f64]) -> Interval<'a, f64> {
        let (begin, end) = u.split_at(u.len() / 2);
        Interval { t, dt, u: Inputs::Linear { begin, end } }
    }
    let mut out = vec![0.0; len];
    let by_u = slope(1e-5, |h| {
        let u = shifted(&u, &u_dot, h);
        let workspace = &mut Workspace::default();
        motion.step(over(&t, &dt, &u), &x, &mut out, workspace).expect("steps");
        dot(&out, &v)
    });
    let (mut tape, mut x_bar, mut u_bar) = (Kept::default(), v.clone(), vec![1.0; u.len()]);
    motion.record(over(&t, &dt, &u), &x, &mut out, &mut tape).expect("records");
    let bars = Bars::new(&mut x_bar).with_u(&mut u_bar[..]);
    motion.pull_back(&mut tape, bars).expect("pulls back");
    // It is added to what was there.
    agree(name, dot(&shifted(&u_bar, &vec![1.0; u.len()], -1.0), &u_dot), by_u);
}
