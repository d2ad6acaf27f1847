//! Symplectic methods: orders, the literature's errors, energy, reversibility, adjoints.

use crate::common::*;
use hnn_integrators::{
    At, BLANES_MOAN_SRKN6, Bars, DifferentiableSeparable, DifferentiableStepper, FieldError,
    FixedStep, Flow, Interval, KAHAN_LI8, PEFRL, POSITION_VERLET, Parameters, RUTH3,
    SYMPLECTIC_EULER, Separable, Splitting, Stepper, ThetaBar, VELOCITY_VERLET, VectorField,
    Workspace, YOSHIDA4, YOSHIDA6, YOSHIDA8,
};
use ndarray::array;

fn check_order(method: &Splitting, coarsest: usize) {
    for flow in [Flow::Drift, Flow::Kick] {
        let offset = usize::from(flow != method.first());
        let sum: f64 = method.lengths().iter().skip(offset).step_by(2).sum();
        assert!((sum - 1.0).abs() < 1e-14, "{}: {flow:?} sums to {sum}", method.name());
    }
    check_pendulum_order(method, coarsest);
}

#[test]
fn methods_converge_with_their_order() {
    check_order(&SYMPLECTIC_EULER, 40_000);
    check_order(&VELOCITY_VERLET, 1000);
    check_order(&POSITION_VERLET, 1000);
    check_order(&RUTH3, 1000);
    check_order(&YOSHIDA4, 400);
    check_order(&PEFRL, 200);
    check_order(&BLANES_MOAN_SRKN6, 60);
    check_order(&YOSHIDA6, 150);
    check_order(&YOSHIDA8, 200);
    check_order(&KAHAN_LI8, 36);
}

#[test]
fn reversible_methods_return_to_the_start() {
    fn check(method: Splitting) {
        assert!(method.is_symmetric(), "{}", method.name());
        let x0 = array![[1.0_f64, 0.5]];
        let run = FixedStep::count(method, 100_000);
        let there = run.run(&Pendulum, (0.0, 1000.0), x0.view()).expect("there");
        let back = run.run(&Pendulum, (1000.0, 0.0), there.last()).expect("back");
        assert_close(back.last(), &x0, 0.0, 1e-10);
    }
    check(VELOCITY_VERLET);
    check(POSITION_VERLET);
    check(YOSHIDA4);
    check(PEFRL);
    check(BLANES_MOAN_SRKN6);
    check(YOSHIDA6);
    check(YOSHIDA8);
    check(KAHAN_LI8);
    assert!(!RUTH3.is_symmetric() && !SYMPLECTIC_EULER.is_symmetric());
}

/// `T = p^2 / (2 m)` with its gradient taken at a learned mass, `V = -a cos q - t q / 2`, over
/// slices: no fused kernel, parameters, a time-dependent force.
pub(crate) struct Learned(pub(crate) [f64; 2]);

impl VectorField<f64> for Learned {
    fn dim(&self) -> usize {
        2
    }
    fn eval(
        &self,
        at: At<'_, f64>,
        x: &[f64],
        dx: &mut [f64],
        workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        let (q, p) = x.split_at(at.batch());
        let (dq, dp) = dx.split_at_mut(at.batch());
        self.velocity(p, dq, workspace)?;
        self.force(at, q, dp, workspace)
    }
}

impl Separable<f64> for Learned {
    fn velocity(
        &self,
        p: &[f64],
        velocity: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        velocity.iter_mut().zip(p).for_each(|(v, p)| *v = p / self.0[0]);
        Ok(())
    }
    fn force(
        &self,
        At { t, .. }: At<'_, f64>,
        q: &[f64],
        force: &mut [f64],
        _workspace: &mut Workspace<f64>,
    ) -> Result<(), FieldError> {
        for (row, force) in force.iter_mut().enumerate() {
            *force = -self.0[1] * q[row].sin() + 0.5 * t[row];
        }
        Ok(())
    }
}

impl Parameters<f64> for Learned {
    fn num_params(&self) -> usize {
        2
    }
    fn copy_params(&self, out: &mut [f64]) -> Result<(), FieldError> {
        out.copy_from_slice(&self.0);
        Ok(())
    }
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        self.0.copy_from_slice(theta);
        Ok(())
    }
}

impl DifferentiableSeparable<f64> for Learned {
    type Residuals = ();
    fn velocity_recorded(
        &self,
        p: &[f64],
        velocity: &mut [f64],
        _residuals: &mut (),
    ) -> Result<(), FieldError> {
        self.velocity(p, velocity, &mut Workspace::default())
    }
    fn velocity_vjp(
        &self,
        p: &[f64],
        _residuals: &mut (),
        cotangent: &[f64],
        p_bar: &mut [f64],
        mut theta_bar: ThetaBar<'_, f64>,
    ) -> Result<(), FieldError> {
        for row in 0..p.len() {
            p_bar[row] = cotangent[row] / self.0[0];
            theta_bar.add(row, 0, -cotangent[row] * p[row] / (self.0[0] * self.0[0]));
        }
        Ok(())
    }
    fn force_recorded(
        &self,
        at: At<'_, f64>,
        q: &[f64],
        force: &mut [f64],
        _residuals: &mut (),
    ) -> Result<(), FieldError> {
        self.force(at, q, force, &mut Workspace::default())
    }
    fn force_vjp(
        &self,
        q: &[f64],
        _residuals: &mut (),
        cotangent: &[f64],
        mut bars: Bars<'_, f64>,
    ) -> Result<(), FieldError> {
        for row in 0..q.len() {
            bars.x[row] = -self.0[1] * q[row].cos() * cotangent[row];
            bars.theta.add(row, 1, -q[row].sin() * cotangent[row]);
        }
        Ok(())
    }
}

const STARTS: [f64; 6] = [0.4, -1.0, 2.0, 0.7, 0.1, -0.5];
const THREE_ROWS: Interval<'_, f64> = Interval::new(&[0.0, 0.5, 1.0], &[0.1, -0.2, 0.3]);

fn step_value<S: Stepper<f64, Learned>>(method: &S, theta: [f64; 2], x: &[f64]) -> f64 {
    let mut out = [0.0; 6];
    let mut workspace = Workspace::default();
    method.step(&Learned(theta), THREE_ROWS, x, &mut out, &mut workspace).expect("step");
    out.iter().enumerate().map(|(i, out)| (1.0 + 0.3 * i as f64) * out).sum()
}

fn check_adjoint<S: DifferentiableStepper<f64, Learned>>(method: &S) {
    let (theta, x) = ([1.3, 0.8], STARTS);
    let (mut tape, mut out) = (S::Tape::default(), [0.0; 6]);
    method.record(&Learned(theta), THREE_ROWS, &x, &mut out, &mut tape).expect("record");
    let value: f64 = out.iter().enumerate().map(|(i, out)| (1.0 + 0.3 * i as f64) * out).sum();
    assert!((value - step_value(method, theta, &x)).abs() < 1e-13);
    let mut x_bar: [f64; 6] = std::array::from_fn(|i| 1.0 + 0.3 * i as f64);
    let mut theta_bar = [0.0; 2];
    method
        .pull_back(&Learned(theta), &mut tape, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
        .expect("pull");
    let h = 1e-5;
    for i in 0..6 {
        let (mut up, mut down) = (x, x);
        up[i] += h;
        down[i] -= h;
        let slope = (step_value(method, theta, &up) - step_value(method, theta, &down)) / (2.0 * h);
        assert_close(&[x_bar[i]], &[slope], 1e-8, 1e-9);
    }
    for i in 0..2 {
        let (mut up, mut down) = (theta, theta);
        up[i] += h;
        down[i] -= h;
        let slope = (step_value(method, up, &x) - step_value(method, down, &x)) / (2.0 * h);
        assert_close(&[theta_bar[i]], &[slope], 1e-8, 1e-9);
    }
}

#[test]
fn adjoints_agree_with_finite_differences() {
    check_adjoint(&SYMPLECTIC_EULER);
    check_adjoint(&VELOCITY_VERLET);
    check_adjoint(&POSITION_VERLET);
    check_adjoint(&RUTH3);
    check_adjoint(&PEFRL);
    check_adjoint(&BLANES_MOAN_SRKN6);
    check_adjoint(&KAHAN_LI8);
}

/// Merged flows over many steps give what single steps give, with a fused kernel and without.
#[test]
fn many_steps_at_once_agree_with_single_steps() {
    fn check(method: Splitting) {
        let x0 = array![[1.0_f64, 0.5], [0.2, -1.0], [2.0, 0.1]];
        let at_once = FixedStep::count(method, 30);
        let single = at_once.clone().with_save_every(1);
        let a = at_once.run(&Pendulum, (0.0, 3.0), x0.view()).expect("run");
        let b = single.run(&Pendulum, (0.0, 3.0), x0.view()).expect("run");
        assert_close(a.last(), b.last(), 1e-12, 1e-12);
        let field = Learned([1.2, 0.9]);
        let a = at_once.run(&field, (0.0, 3.0), x0.view()).expect("run");
        let b = single.run(&field, (0.0, 3.0), x0.view()).expect("run");
        assert_close(a.last(), b.last(), 1e-12, 1e-12);
    }
    check(SYMPLECTIC_EULER);
    check(VELOCITY_VERLET);
    check(POSITION_VERLET);
    check(RUTH3);
    check(PEFRL);
    check(KAHAN_LI8);
}
