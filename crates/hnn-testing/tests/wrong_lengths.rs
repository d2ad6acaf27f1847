//! Slices of wrong lengths into the fields and steppers of `hnn-integrators` are errors.
#![allow(missing_docs)]

use hnn_integrators::{
    AdjointRun, AnalyticField, AnalyticSeparable, Clock, DifferentiableStepper, DualField,
    FieldError, FnField, HEUN, IMPLICIT_MIDPOINT, Lane, RK4, ReversibleStepper, Rollout,
    RolloutRun, VELOCITY_VERLET, Workspace,
};

use hnn_testing::lengths::{
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
        Rollout::default().forward(&RK4, &Pendulums, 2, &t, &x).map(drop)
    });
    assert_checked("pull_back", [24, 0], |[mut states_bar, mut theta_bar]| {
        let mut rollout = Rollout::default();
        rollout.forward(&RK4, &Pendulums, 2, &times, &[0.1; 8])?;
        let theta_bar = Some(&mut theta_bar[..]);
        rollout.pull_back(&RK4, &Pendulums, 2, &times, &mut states_bar, theta_bar)
    });
}

/// Steps of two pairs of pendulums.
fn stepper_is_checked<S: DifferentiableStepper<f64, Pendulums>>(stepper: &S) {
    let name = stepper.name().to_owned();
    assert_checked(&format!("{name}, step"), [2, 2, 8, 8], |[t, dt, x, mut out]| {
        stepper.step(&Pendulums, &t, &dt, &x, &mut out, &mut Workspace::default())
    });
    assert_checked(&format!("{name}, advance"), [2, 2, 8], |[t, dt, mut x]| {
        stepper.advance(&Pendulums, 3, &t, &dt, &mut x, &mut Workspace::default())
    });
    assert_checked(&format!("{name}, record"), [2, 2, 8, 8], |[t, dt, x, mut out]| {
        stepper.record(&Pendulums, &t, &dt, &x, &mut out, &mut S::Tape::default())
    });
    assert_checked(&format!("{name}, pull_back"), [8, 0], |[mut x_bar, mut theta_bar]| {
        let (mut tape, mut out) = (S::Tape::default(), [0.0; 8]);
        stepper.record(&Pendulums, &[0.0; 2], &[0.1; 2], &[0.1; 8], &mut out, &mut tape)?;
        stepper.pull_back(&Pendulums, &mut tape, &mut x_bar, Some(&mut theta_bar))
    });
}

#[test]
fn of_steppers() {
    stepper_is_checked(&RK4);
    stepper_is_checked(&HEUN);
    stepper_is_checked(&IMPLICIT_MIDPOINT);
    stepper_is_checked(&VELOCITY_VERLET);
    assert_checked("reverse", [2, 2, 8, 8, 0], |[t, dt, mut x, mut x_bar, mut theta_bar]| {
        let (theta_bar, mut tape) = (Some(&mut theta_bar[..]), Default::default());
        let (x, x_bar) = (&mut x[..], &mut x_bar[..]);
        VELOCITY_VERLET.reverse(&Pendulums, &t, &dt, x, x_bar, theta_bar, &mut tape)
    });
}

/// A kernel declines what does not go together, and touches nothing.
fn kernels_decline(stepper: &impl DifferentiableStepper<f64, Pendulums>) {
    let equal = Clock::Equal { start: 0.0, dt: 0.1 };
    let times = vec![0.5; 7];
    // Good ones first: three states of two rows.
    for (good, clock, batch, len) in [
        (true, equal, 2, 24),
        (true, Clock::Times(&times[..6]), 2, 24),
        (false, Clock::Times(&times), 2, 24),
        (false, equal, 2, 23),
        (false, equal, 2, 0),
        (false, equal, 0, 0),
    ] {
        let (mut states, mut states_bar) = (vec![0.5; len], vec![0.5; len]);
        let mut there = RolloutRun { clock, batch, states: &mut states };
        assert_eq!(stepper.fly(&Pendulums, &mut there), good, "{clock:?}, {batch}, {len}");
        assert_eq!(states.iter().all(|x| *x == 0.5), !good || clock != equal);
        for (enough, kept) in [(good, len), (good, len.min(16)), (false, len.min(15))] {
            let states = &states[..kept];
            let mut back = AdjointRun { clock, batch, states, states_bar: &mut states_bar };
            assert_eq!(stepper.pull_back_flight(&Pendulums, &mut back), enough, "{kept}");
        }
    }
}

#[test]
fn of_kernels() {
    kernels_decline(&RK4);
    kernels_decline(&HEUN);
    kernels_decline(&VELOCITY_VERLET);
}
