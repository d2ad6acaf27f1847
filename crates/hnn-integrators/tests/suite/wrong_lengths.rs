//! Slices of wrong lengths into fields are errors.

use hnn_integrators::{
    AnalyticField, AnalyticSeparable, DualField, FieldError, FnField, Lane, Rk4, Rollout,
};

use crate::lengths::{
    assert_checked, differentiable_field_is_checked, field_is_checked, separable_field_is_checked,
};

/// Two uncoupled pendulums.
struct Pendulums;

impl AnalyticField for Pendulums {
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, [q, r, p, s]: &[L; 4]) -> [L; 4] {
        let ([a, b], [c, d]) = (self.velocity_lanes(&[*p, *s]), self.force_lanes(t, &[*q, *r]));
        [a, b, c, d]
    }
}

impl AnalyticSeparable for Pendulums {
    type Half<L: Lane> = [L; 2];
    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &[L; 2]) -> [L; 2] {
        *p
    }
    #[inline(always)]
    fn force_lanes<L: Lane>(&self, _t: L, [q, r]: &[L; 2]) -> [L; 2] {
        [-q.sin(), -r.sin()]
    }
}

#[test]
fn of_formulas() {
    differentiable_field_is_checked(&Pendulums);
    separable_field_is_checked(&Pendulums);
}

#[test]
fn of_closures() {
    let field = FnField::new(2, |_t: f64, x: &[f64], dx: &mut [f64]| {
        dx.copy_from_slice(&[x[1], -x[0]]);
    });
    field_is_checked(&field);
    differentiable_field_is_checked(&field.with_vjp(
        |_t: f64, _x: &[f64], v: &[f64], x_bar: &mut [f64]| {
            x_bar.copy_from_slice(&[-v[1], v[0]]);
        },
    ));
    differentiable_field_is_checked(&DualField::new([1.0, 0.1], |_t, [q, p]: [_; 2], [a, c]| {
        [p, -a * q.sin() - c * p]
    }));
}

#[test]
fn of_rollouts() {
    let times: Vec<f64> = vec![0.0, 0.0, 0.1, 0.1, 0.2, 0.2];
    assert_checked("forward", [6, 8], |[t, x]| {
        // Any times do that make whole states.
        FieldError::check_lengths(6, [("times", t.len())])?;
        Rollout::default().forward(&Rk4, &Pendulums, 2, &t, &x).map(drop)
    });
    assert_checked("pull_back", [24, 0], |[mut states_bar, mut theta_bar]| {
        let mut rollout = Rollout::default();
        rollout.forward(&Rk4, &Pendulums, 2, &times, &[0.1; 8])?;
        let theta_bar = Some(&mut theta_bar[..]);
        rollout.pull_back(&Rk4, &Pendulums, 2, &times, &mut states_bar, theta_bar)
    });
}
