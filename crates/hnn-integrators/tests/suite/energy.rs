//! Energy of the pendulum `H = p^2/2 - cos q` from (1, 0) over a million steps.

use std::ops::ControlFlow;

use hnn_integrators::{
    BLANES_MOAN_SRKN6, FixedStep, GAUSS_LEGENDRE4, GAUSS_LEGENDRE6, IMPLICIT_MIDPOINT, KAHAN_LI8,
    PEFRL, POSITION_VERLET, RK4, RUTH3, SYMPLECTIC_EULER, Stepper, VELOCITY_VERLET, YOSHIDA4,
    YOSHIDA6, YOSHIDA8,
};
use ndarray::{Array2, ArrayView1, array};

use crate::common::*;

const STEPS: usize = 1_000_000;

/// `p^2/2 + 1 - cos q`, without cancellation.
fn energy(x: ArrayView1<'_, f64>) -> f64 {
    0.5 * x[1] * x[1] + 2.0 * (0.5 * x[0]).sin().powi(2)
}

/// The largest energy error up to each percent of a million steps of size `dt`.
fn running_maximum<S: Stepper<f64, Pendulum> + Clone>(method: &S, dt: f64) -> Vec<f64> {
    let x0 = array![[1.0, 0.0]];
    let start = energy(x0.row(0));
    let (mut largest, mut step, mut maxima) = (0.0_f64, 0, Vec::with_capacity(100));
    let run = FixedStep::count(method.clone(), STEPS).with_save_every(1);
    let seen = run.observe(&Pendulum, (0.0, dt * STEPS as f64), x0.view(), |_, x| {
        largest = largest.max((energy(x.row(0)) - start).abs());
        step += 1;
        if step % (STEPS / 100) == 0 {
            maxima.push(largest);
        }
        ControlFlow::Continue(())
    });
    seen.expect("run");
    maxima
}

/// Growth of the running maximum from a tenth of the way to the end, as a share of it.
fn drift(maxima: &[f64]) -> f64 {
    let (early, late) = (maxima[9], maxima[99]);
    (late - early) / late
}

fn check<S: Stepper<f64, Pendulum> + Method + Clone>(method: S, dt: f64, expected: f64) {
    let maxima = running_maximum(&method, dt);
    let (worst, drift) = (maxima[99], drift(&maxima));
    let name = method.name();
    assert!((worst / expected - 1.0).abs() < 0.05, "{name}, {dt}: {worst:e}, not {expected:e}");
    assert!(drift < 0.02, "{name}, {dt}: drifts by {drift} of {worst:e}");
}

/// Errors that the method makes, not rounding, with steps of 0.1.
#[test]
fn errors_are_those_of_the_literature_and_do_not_drift() {
    check(VELOCITY_VERLET, 0.1, 1.06e-3);
    check(YOSHIDA4, 0.1, 3.9e-6);
    check(BLANES_MOAN_SRKN6, 0.1, 4.5e-10);
}

#[test]
fn errors_fall_with_the_step() {
    check(VELOCITY_VERLET, 0.01, 1.06e-5);
    check(YOSHIDA4, 0.01, 3.9e-10);
}

/// The other symplectic methods; steps so long that rounding does not show.
#[test]
fn no_symplectic_method_drifts() {
    fn check<S: Stepper<f64, Pendulum> + Method + Clone>(method: S, dt: f64) {
        let maxima = running_maximum(&method, dt);
        let (drift, name) = (drift(&maxima), method.name());
        assert!(maxima[99] < 0.1 && drift < 0.02, "{name}: {drift} of {:e}", maxima[99]);
    }
    check(SYMPLECTIC_EULER, 0.05);
    check(POSITION_VERLET, 0.1);
    check(RUTH3, 0.1);
    check(PEFRL, 0.1);
    check(YOSHIDA6, 0.2);
    check(YOSHIDA8, 0.2);
    check(KAHAN_LI8, 0.5);
    check(IMPLICIT_MIDPOINT, 0.1);
    check(GAUSS_LEGENDRE6, 0.5);
}

#[test]
fn gauss_legendre_4_is_that_of_the_literature() {
    check(GAUSS_LEGENDRE4, 0.1, 3.8e-8);
    check(GAUSS_LEGENDRE4, 0.01, 3.8e-12);
}

/// Where only rounding is left the error walks at random, and differs by a factor of two between
/// neighbouring starts: the median of fifteen of them is what the literature's methods reach.
#[test]
fn rounding_stays_small() {
    fn check<S: Stepper<f64, Pendulum> + Method + Clone>(method: S, dt: f64, expected: f64) {
        let starts =
            Array2::from_shape_fn(
                (15, 2),
                |(row, i)| {
                    if i == 0 { 1.0 + 1e-9 * row as f64 } else { 0.0 }
                },
            );
        let zero: Vec<f64> = starts.outer_iter().map(energy).collect();
        let mut largest = vec![0.0_f64; starts.nrows()];
        let run = FixedStep::count(method.clone(), STEPS).with_save_every(10);
        let seen = run.observe(&Pendulum, (0.0, dt * STEPS as f64), starts.view(), |_, x| {
            for (row, x) in x.outer_iter().enumerate() {
                largest[row] = largest[row].max((energy(x) - zero[row]).abs());
            }
            ControlFlow::Continue(())
        });
        seen.expect("run");
        largest.sort_by(f64::total_cmp);
        let (median, name) = (largest[7], method.name());
        assert!(median < 1.5 * expected, "{name}, {dt}: {largest:?}");
    }
    check(KAHAN_LI8, 0.1, 1.5e-13);
    check(KAHAN_LI8, 0.01, 1.6e-13);
    check(BLANES_MOAN_SRKN6, 0.01, 1.0e-13);
}

/// RK4 is not symplectic: its energy error grows with every step.
#[test]
fn rk4_drifts_as_the_literature_says() {
    for (dt, expected) in [(0.1, 4.6e-3), (0.01, 4.6e-9)] {
        let maxima = running_maximum(&RK4, dt);
        assert!((maxima[99] / expected - 1.0).abs() < 0.05, "{dt}: {:e}", maxima[99]);
        assert!(drift(&maxima) > 0.85, "{dt}: {}", drift(&maxima));
    }
}
