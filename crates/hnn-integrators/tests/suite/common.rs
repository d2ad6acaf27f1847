//! Systems and helpers that several tests share.
#![allow(dead_code, unreachable_pub)]

use hnn_integrators::kernel::{self, Job};
use hnn_integrators::{
    AnalyticField, AnalyticSeparable, At, Bars, Checkpoints, DifferentiableField,
    DifferentiableStepper, EmbeddedPair, FieldError, FixedStep, Grid, ImplicitTableau, Lane,
    LaneState, Parameters, Rollout, Scalar, Splitting, Stepper, Tableau, VectorField, Visit,
    Workspace,
};
use ndarray::array;

/// `H = q^2 + p^2`.
pub struct Spring;
impl AnalyticField for Spring {
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
        let two = L::constant(2.0);
        [two * *p, -two * *q]
    }
}

/// `dq/dt = 2 p`, `dp/dt = -3 sin q - lambda p`.
pub struct DampedPendulum(pub f64);
impl AnalyticField for DampedPendulum {
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
        [L::constant(2.0) * *p, -(L::constant(3.0) * q.sin() + L::constant(self.0) * *p)]
    }
}

/// `H = p^2/2 - cos q`, its vector-Jacobian product by hand; those of its two halves by dual numbers.
pub struct Pendulum;
impl AnalyticField for Pendulum {
    hnn_integrators::compile_kernels!();
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
        [*p, -q.sin()]
    }
    #[inline(always)]
    fn vjp_lanes<L: Lane>(&self, _t: L, [q, _p]: &[L; 2], [a, b]: &[L; 2]) -> [L; 2] {
        [-(q.cos() * *b), *a]
    }
}

impl AnalyticSeparable for Pendulum {
    type Half<L: Lane> = [L; 1];
    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &[L; 1]) -> [L; 1] {
        *p
    }
    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, [q]: &[L; 1]) -> [L; 1] {
        [-q.sin()]
    }
}

/// `H = (px^2 + py^2 + x^2 + y^2)/2 + x^2 y - y^3/3`.
pub struct HenonHeiles;
impl AnalyticField for HenonHeiles {
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [x, y, px, py]: &[L; 4]) -> [L; 4] {
        [*px, *py, -(*x + L::constant(2.0) * *x * *y), *y * *y - *y - *x * *x]
    }
}

/// The double pendulum, canonical, unit masses and lengths, g = 9.8.
pub struct DoublePendulum;
impl AnalyticField for DoublePendulum {
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [q1, q2, p1, p2]: &[L; 4]) -> [L; 4] {
        let (one, two, g) = (L::constant(1.0), L::constant(2.0), L::constant(9.8));
        let (s, c) = (*q1 - *q2).sin_cos();
        let inverse = one / (one + s * s);
        let v1 = (*p1 - c * *p2) * inverse;
        let v2 = (two * *p2 - c * *p1) * inverse;
        let coupling = v1 * v2 * s;
        [v1, v2, -(coupling + two * g * q1.sin()), coupling - g * q2.sin()]
    }
}

/// The restricted three-body problem of Earth and Moon (Hairer, Norsett, Wanner I, II.0).
pub struct Arenstorf;
impl AnalyticField for Arenstorf {
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, [x, y, vx, vy]: &[L; 4]) -> [L; 4] {
        let (mu, two) = (L::constant(0.012_277_471), L::constant(2.0));
        let rest = L::constant(1.0 - 0.012_277_471);
        let (a, b) = (*x + mu, *x - rest);
        let (d1, d2) = (a * a + *y * *y, b * b + *y * *y);
        let (w1, w2) = (rest / (d1 * d1.sqrt()), mu / (d2 * d2.sqrt()));
        [*vx, *vy, *x + two * *vy - w1 * a - w2 * b, *y - two * *vx - (w1 + w2) * *y]
    }
}

/// The equations of Lorenz, with a drive that ends: NaN from there on. Three coordinates: the
/// Jacobian's directions do not fill their group.
#[derive(Clone, Copy)]
pub struct Lorenz {
    pub end: f64,
}
impl AnalyticField for Lorenz {
    hnn_integrators::compile_kernels!();
    type State<L: Lane> = [L; 3];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, [x, y, z]: &[L; 3]) -> [L; 3] {
        let c = L::constant;
        let drive = (c(self.end) - t).sqrt();
        [c(10.0) * (*y - *x), *x * (c(28.0) - *z) - *y, *x * *y - c(8.0 / 3.0) * *z + drive]
    }
}

/// `H = p_1^2/2 + p_2^2/3 + p_2^4/40 + V(q, t)`: two coordinates, which pull at each other, and a drive
/// that hardens a spring, so that all derivatives matter. Polynomials, which compile quickly.
#[derive(Clone, Copy)]
pub struct Pair;
impl AnalyticField for Pair {
    hnn_integrators::compile_kernels!();
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, [q1, q2, p1, p2]: &[L; 4]) -> [L; 4] {
        let ([v1, v2], [f1, f2]) =
            (self.velocity_lanes(&[*p1, *p2]), self.force_lanes(t, &[*q1, *q2]));
        [v1, v2, f1, f2]
    }
}
impl AnalyticSeparable for Pair {
    type Half<L: Lane> = [L; 2];
    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, [p1, p2]: &[L; 2]) -> [L; 2] {
        [*p1, *p2 * (L::constant(2.0 / 3.0) + L::constant(0.1) * *p2 * *p2)]
    }
    #[inline(always)]
    fn force_lanes<L: Lane>(&self, t: L, [q1, q2]: &[L; 2]) -> [L; 2] {
        let apart = *q1 - *q2;
        let pull = apart * apart * apart;
        [L::constant(0.5) * t - pull, pull - (L::constant(1.0) + t) * *q2]
    }
}

/// A spring that hardens, `q' = p`, `p' = drive t - q - cubic q^3`, its vector-Jacobian product by
/// hand. For single precision.
pub struct ByHand {
    pub drive: f64,
    pub cubic: f64,
}
impl AnalyticField for ByHand {
    fn kernel_f32(&self, job: &mut Job<'_, f32>) -> bool {
        kernel::run(self, job)
    }
    type State<L: Lane> = [L; 2];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, [q, p]: &[L; 2]) -> [L; 2] {
        let stiffness = L::constant(1.0) + L::constant(self.cubic) * *q * *q;
        [*p, L::constant(self.drive) * t - stiffness * *q]
    }
    #[inline(always)]
    fn vjp_lanes<L: Lane>(&self, _t: L, [q, _p]: &[L; 2], [a, b]: &[L; 2]) -> [L; 2] {
        let stiffness = L::constant(1.0) + L::constant(3.0 * self.cubic) * *q * *q;
        [-(stiffness * *b), *a]
    }
}

/// A formula without its kernels, which take long to compile: row by row.
pub struct Plain<F>(pub F);

impl<F: AnalyticField> Plain<F> {
    /// Applies a function to each row's time, state and cotangent.
    fn rows(
        t: &[f64],
        [x, v]: [&[f64]; 2],
        out: &mut [f64],
        f: impl Fn(f64, &F::State<f64>, &F::State<f64>) -> F::State<f64>,
    ) {
        let batch = t.len();
        for (row, t) in t.iter().enumerate() {
            let of = |x: &[f64]| F::State::from_fn(|i| x[i * batch + row]);
            let result = f(*t, &of(x), &of(v));
            let result = result.as_ref().iter().enumerate();
            result.for_each(|(i, value)| out[i * batch + row] = *value);
        }
    }
}

impl<F: AnalyticField> VectorField<f64> for Plain<F> {
    fn dim(&self) -> usize {
        <F::State<f64> as LaneState<f64>>::DIM
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        Self::rows(at.t, [x, x], dx, |t, x, _| self.0.eval_lanes(t, x));
        Ok(())
    }
}

impl<F: AnalyticField> Parameters<f64> for Plain<F> {
    fn num_params(&self) -> usize {
        0
    }
    fn copy_params(&self, _out: &mut [f64]) -> Result<(), FieldError> {
        Ok(())
    }
    fn set_params(&mut self, _theta: &[f64]) -> Result<(), FieldError> {
        Ok(())
    }
}

impl<F: AnalyticField> DifferentiableField<f64> for Plain<F> {
    type Residuals = Vec<f64>;
    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        residuals: &mut Vec<f64>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.extend_from_slice(at.t);
        self.eval(at, x, dx, &mut Workspace::default())
    }
    fn vjp(
        &self,
        x: &[f64],
        residuals: &mut Vec<f64>,
        v: &[f64],
        bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        Self::rows(residuals, [x, v], bars.x, |t, x, v| self.0.vjp_lanes(t, x, v));
        Ok(())
    }
}

/// `q' = p`, `p' = -a sin q - c p + drive t`, with the parameters `(a, c)`: small, nonlinear,
/// time-dependent, and with a vector-Jacobian product written by hand.
pub struct Driven {
    pub theta: [f64; 2],
    pub drive: f64,
}

impl VectorField<f64> for Driven {
    fn dim(&self) -> usize {
        2
    }
    fn eval(
        &self,
        At { t, .. }: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let batch = t.len();
        for row in 0..batch {
            let (q, p) = (x[row], x[batch + row]);
            dx[row] = p;
            dx[batch + row] = -self.theta[0] * q.sin() - self.theta[1] * p + self.drive * t[row];
        }
        Ok(())
    }
}

impl Parameters<f64> for Driven {
    fn num_params(&self) -> usize {
        2
    }
    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        out.copy_from_slice(&self.theta);
        Ok(())
    }
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        self.theta.copy_from_slice(theta);
        Ok(())
    }
}

impl DifferentiableField<f64> for Driven {
    type Residuals = ();
    fn eval_recorded(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        _residuals: &mut (),
    ) -> Result<(), FieldError> {
        self.eval(at, x, dx, &mut Workspace::default())
    }
    fn vjp(
        &self,
        x: &[f64],
        _residuals: &mut (),
        v: &[f64],
        mut bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        let batch = x.len() / 2;
        for row in 0..batch {
            let (q, p, vq, vp) = (x[row], x[batch + row], v[row], v[batch + row]);
            bars.x[row] = -self.theta[0] * q.cos() * vp;
            bars.x[batch + row] = vq - self.theta[1] * vp;
            bars.theta.add(row, 0, -q.sin() * vp);
            bars.theta.add(row, 1, -p * vp);
        }
        Ok(())
    }
}

/// A field behind a pointer: what is generic over fields is compiled once for all of them.
pub fn erased<'a>(field: &'a (impl VectorField<f64> + 'a)) -> &'a dyn VectorField<f64> {
    field
}

/// Slope of `log error` against `log step` by least squares over the points above `floor`.
pub fn observed_order(points: &[(f64, f64)], floor: f64) -> f64 {
    let kept: Vec<(f64, f64)> =
        points.iter().filter(|(_, error)| *error > floor).map(|(h, e)| (h.ln(), e.ln())).collect();
    assert!(kept.len() >= 3, "too few points above the round-off plateau: {points:?}");
    let n = kept.len() as f64;
    let (mx, my) =
        (kept.iter().map(|p| p.0).sum::<f64>() / n, kept.iter().map(|p| p.1).sum::<f64>() / n);
    let (mut sxy, mut sxx) = (0.0, 0.0);
    for (x, y) in kept {
        sxy += (x - mx) * (y - my);
        sxx += (x - mx) * (x - mx);
    }
    sxy / sxx
}

/// The pendulum `H = p^2/2 - cos q` at t = 10 from (1, 0.5), to 20 digits.
pub const PENDULUM_AT_10: [f64; 2] = [-0.844_851_350_319_175_3, -0.705_039_225_791_428_8];

/// What methods of every kind have.
pub trait Method {
    fn called(&self) -> &str;
    fn order(&self) -> usize;
}
macro_rules! methods {
    ($($kind:ty),*) => {$(
        impl Method for $kind {
            fn called(&self) -> &str {
                self.name()
            }
            fn order(&self) -> usize {
                self.order()
            }
        }
    )*};
}
methods!(Tableau, Splitting, ImplicitTableau, EmbeddedPair);

/// Largest error at t = 10 after so many equal steps from (1, 0.5).
pub fn pendulum_error<S: Stepper<f64, Pendulum> + Clone>(method: &S, steps: usize) -> f64 {
    let x0 = array![[1.0_f64, 0.5]];
    let run = FixedStep::count(method.clone(), steps).run(&Pendulum, (0.0, 10.0), x0.view());
    let end = run.expect("run");
    let errors = (0..2).map(|i| (end.last()[[0, i]] - PENDULUM_AT_10[i]).abs());
    errors.fold(0.0, f64::max)
}

/// The order seen between `coarsest` and 3.7 times as many steps is the stated one within 0.1.
#[track_caller]
pub fn check_pendulum_order<S: Stepper<f64, Pendulum> + Method + Clone>(
    method: &S,
    coarsest: usize,
) {
    let points: Vec<(f64, f64)> = (0..6)
        .map(|k| (coarsest as f64 * 1.3_f64.powi(k)) as usize)
        .map(|steps| (10.0 / steps as f64, pendulum_error(method, steps)))
        .collect();
    assert_order(method, &points);
}

/// The order seen is the stated one within 0.1, rounding left out.
#[track_caller]
pub fn assert_order(method: &impl Method, points: &[(f64, f64)]) {
    let (order, stated) = (observed_order(points, 2e-13), method.order() as f64);
    assert!((order - stated).abs() < 0.1, "{}: order {order}, {points:?}", method.called());
}

/// All states of a run, and the derivative by the first one of half the square of the last one.
pub fn half_square_at_end<T, S, F>(
    stepper: &S,
    field: &F,
    grid: Grid<'_, T>,
    x0: &[T],
) -> (Vec<T>, Vec<T>)
where
    T: Scalar,
    S: DifferentiableStepper<T, F>,
    F: VectorField<T> + Parameters<T>,
{
    let (steps, mut bar) = (grid.steps(), vec![T::ZERO; x0.len()]);
    let mut rollout = Rollout::default();
    let states = rollout.states(stepper, field, grid, x0).expect("states").to_vec();
    let visit = |visit: Visit<'_, T>| {
        if let Visit::State { step, x, x_bar, .. } = visit
            && step == steps
        {
            x_bar.copy_from_slice(x);
        }
        Ok(())
    };
    let kept = Checkpoints::default();
    rollout.gradient(stepper, field, grid, x0, kept, visit, Bars::new(&mut bar)).expect("gradient");
    (states, bar)
}

/// Asserts `|a - b| <= absolute + relative |b|` number by number.
#[track_caller]
pub fn assert_close<'a>(
    a: impl IntoIterator<Item = &'a f64>,
    b: impl IntoIterator<Item = &'a f64>,
    relative: f64,
    absolute: f64,
) {
    let (a, b): (Vec<f64>, Vec<f64>) =
        (a.into_iter().copied().collect(), b.into_iter().copied().collect());
    assert_eq!(a.len(), b.len(), "lengths");
    for (index, (a, b)) in a.iter().zip(&b).enumerate() {
        let bound = absolute + relative * b.abs();
        assert!(
            (a - b).abs() <= bound,
            "number {index}: {a} against {b}, off by {:e}",
            (a - b).abs()
        );
    }
}
