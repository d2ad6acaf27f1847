//! Slices of wrong lengths into the fields and steppers of `hnn-integrators` are errors.
#![allow(missing_docs)]

use hnn_integrators::{
    AnalyticField, AnalyticSeparable, Bars, Checkpoints, DifferentiableStepper, DualField,
    FieldError, FnField, Grid, GridInputs, HEUN, IMPLICIT_MIDPOINT, Inputs, Interval, Lane, RK4,
    Rollout, Stepper, VELOCITY_VERLET, Visit, Workspace,
};

use hnn_testing::check_vjp;
use hnn_testing::lengths::{
    assert_checked, differentiable_field_is_checked, field_is_checked, separable_field_is_checked,
};

/// Two masses that pull at each other.
struct Pair;
impl AnalyticField for Pair {
    type State<L: Lane> = [L; 4];
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, [q1, q2, p1, p2]: &[L; 4]) -> [L; 4] {
        let [f1, f2] = self.force_lanes(t, &[*q1, *q2]);
        [*p1, *p2, f1, f2]
    }
}
impl AnalyticSeparable for Pair {
    type Half<L: Lane> = [L; 2];
    #[inline(always)]
    fn velocity_lanes<L: Lane>(&self, p: &[L; 2]) -> [L; 2] {
        *p
    }
    #[inline(always)]
    fn force_lanes<L: Lane>(&self, t: L, [q1, q2]: &[L; 2]) -> [L; 2] {
        [*q2 - *q1 + t, *q1 - *q2]
    }
}

#[test]
fn of_formulas() {
    differentiable_field_is_checked(&Pair);
    separable_field_is_checked(&Pair);
}

#[test]
fn of_closures() {
    let field = FnField::new(2, |_t: f64, x: &[f64], dx: &mut [f64]| {
        dx.copy_from_slice(&[x[1], -x[0]]);
    });
    field_is_checked(&field);
    let driven = FnField::with_inputs(2, 3, |t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx.copy_from_slice(&[x[1] + u[2], u[0] + u[1] - t * x[0]]);
    });
    field_is_checked(&driven);
    let mut driven = driven.with_vjp(
        |t: f64, _x: &[f64], _u: &[f64], v: &[f64], x_bar: &mut [f64], u_bar: &mut [f64]| {
            x_bar.copy_from_slice(&[-t * v[1], v[0]]);
            u_bar.copy_from_slice(&[v[1], v[1], v[0]]);
        },
    );
    differentiable_field_is_checked(&driven);
    check_vjp(&mut driven, 3, 0);
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
    let field = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx.copy_from_slice(&[x[1], u[0]]);
    });
    for batch in [1, 2] {
        let (times, x0) = (vec![0.5; 3 * batch], vec![0.1; 4 * batch]);
        assert_checked("times and states", [3 * batch, 4 * batch], |[t, x]| {
            // Any times do that make whole states.
            FieldError::check_lengths(3 * batch, [("times", t.len())])?;
            Rollout::default().states(&RK4, &Pair, Grid::times(batch, &t), &x).map(drop)
        });
        assert_checked("gradient", [4 * batch, 4 * batch, 0], |[x, mut bar, mut theta_bar]| {
            let bars = Bars::new(&mut bar).with_theta(&mut theta_bar);
            let (grid, kept) = (Grid::times(batch, &times), Checkpoints::All);
            let see = |_: Visit<'_, f64>| Ok(());
            Rollout::default().gradient(&RK4, &Pair, grid, &x, kept, see, bars)
        });
        // A field without inputs wants none.
        let grid = Grid::equal(batch, 0.0, 0.1, 2);
        for inputs in [GridInputs::Held(&x0), GridInputs::Linear(&x0)] {
            let run =
                Rollout::default().states(&RK4, &Pair, grid.with_inputs(inputs), &x0).map(drop);
            assert!(matches!(run, Err(FieldError::Length { what: "the inputs", .. })), "{run:?}");
        }
    }
    let whole = Grid::times(2, &[0.0; 5]);
    assert!(Rollout::default().states(&RK4, &Pair, whole, &[0.1; 8]).is_err());
    let (over, mut out) = (Interval::new(&[0.0; 2], &[0.1; 2]), [0.0; 4]);
    let step = RK4.step(&field, over, &[0.1; 4], &mut out, &mut Workspace::default());
    assert!(matches!(step, Err(FieldError::Length { given: 0, expected: 2, .. })), "{step:?}");
}

/// The inputs of a step, and of many at once.
#[test]
fn of_inputs() {
    let field = FnField::with_inputs(2, 3, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx.copy_from_slice(&[x[1] + u[2], u[0] + u[1]]);
    });
    fn over<'a>(begin: &'a [f64], end: &'a [f64]) -> Interval<'a, f64> {
        Interval { t: &[0.0; 2], dt: &[0.1; 2], u: Inputs::Linear { begin, end } }
    }
    fn check<S: Stepper<f64, F>, F>(method: &S, field: &F) {
        assert_checked("step", [6, 6], |[begin, end]| {
            let (over, mut out) = (over(&begin, &end), [0.0; 4]);
            method.step(field, over, &[0.1; 4], &mut out, &mut Workspace::default())
        });
        assert_checked("advance", [6, 6], |[begin, end]| {
            let (over, mut x) = (over(&begin, &end), [0.1; 4]);
            method.advance(field, 3, over, &mut x, &mut Workspace::default())
        });
    }
    check(&RK4, &field);
    check(&IMPLICIT_MIDPOINT, &field);
}

/// Steps of two pairs of pendulums.
fn stepper_is_checked<S: DifferentiableStepper<f64, Pair>>(name: &str, stepper: &S) {
    assert_checked(&format!("{name}, step"), [2, 2, 8, 8], |[t, dt, x, mut out]| {
        stepper.step(&Pair, Interval::new(&t, &dt), &x, &mut out, &mut Workspace::default())
    });
    assert_checked(&format!("{name}, advance"), [2, 2, 8], |[t, dt, mut x]| {
        stepper.advance(&Pair, 3, Interval::new(&t, &dt), &mut x, &mut Workspace::default())
    });
    assert_checked(&format!("{name}, record"), [2, 2, 8, 8], |[t, dt, x, mut out]| {
        stepper.record(&Pair, Interval::new(&t, &dt), &x, &mut out, &mut S::Tape::default())
    });
    assert_checked(&format!("{name}, pull_back"), [8, 0], |[mut x_bar, mut theta_bar]| {
        let (mut tape, mut out) = (S::Tape::default(), [0.0; 8]);
        stepper.record(
            &Pair,
            Interval::new(&[0.0; 2], &[0.1; 2]),
            &[0.1; 8],
            &mut out,
            &mut tape,
        )?;
        stepper.pull_back(&Pair, &mut tape, Bars::new(&mut x_bar).with_theta(&mut theta_bar))
    });
}

#[test]
fn of_steppers() {
    stepper_is_checked("RK4", &RK4);
    stepper_is_checked("HEUN", &HEUN);
    stepper_is_checked("IMPLICIT_MIDPOINT", &IMPLICIT_MIDPOINT);
    stepper_is_checked("VELOCITY_VERLET", &VELOCITY_VERLET);
    assert_checked("reverse", [2, 2, 8, 8, 0], |[t, dt, mut x, mut x_bar, mut theta_bar]| {
        let bars = Bars::new(&mut x_bar).with_theta(&mut theta_bar);
        let mut tape = Default::default();
        VELOCITY_VERLET.reverse(&Pair, Interval::new(&t, &dt), &mut x, bars, &mut tape)
    });
}
