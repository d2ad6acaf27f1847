//! Trajectory losses computed three ways: the discrete adjoint over the native engine, the
//! discrete adjoint over libtorch, and libtorch's own graph through all steps.

use hnn_integrators::{Bars, DifferentiableField, DifferentiableStepper, Interval, RK4};
use hnn_models::{Baseline, Hnn, Lnn};
use ndarray::Array3;

use crate::agreement::{energy, map};
use crate::random::{Case, TOLERANCE, assert_close};
use crate::tensors::{TensorField, TensorLagrangian};
use crate::trajectory;

/// Time between the states.
const DT: f64 = 0.1;
/// States of a trajectory.
const T: usize = 6;

/// Measured states of shape (M, T, D), M the case's batch.
fn measured(case: &Case) -> Array3<f64> {
    let numbers = case.numbers(5, case.batch * T * case.dim);
    Array3::from_shape_vec((case.batch, T, case.dim), numbers).expect("the lengths agree")
}

/// State `step` of every trajectory, coordinate-major.
fn column(x: &Array3<f64>, step: usize) -> Vec<f64> {
    x.index_axis(ndarray::Axis(1), step).t().iter().copied().collect()
}

/// Adds the squared distance of `now` to `target` to the loss, and its derivative to `bar`.
fn compare(now: &[f64], target: &[f64], weight: f64, bar: &mut [f64]) -> f64 {
    let mut loss = 0.0;
    for ((now, target), bar) in now.iter().zip(target).zip(bar) {
        loss += weight * (now - target).powi(2);
        *bar += 2.0 * weight * (now - target);
    }
    loss
}

/// The full-trajectory loss (`windows = 1`) or the one-step loss (`windows = T - 1`): `windows`
/// chains of steps that begin at measured states, by the discrete adjoint.
fn by_adjoint<F: DifferentiableField<f64>>(
    field: &F,
    x: &Array3<f64>,
    dt: f64,
    windows: usize,
    weight: f64,
) -> (f64, Vec<f64>) {
    let batch = x.shape()[0];
    let (t, dt) = (vec![0.0; batch], vec![dt; batch]);
    let mut gradient = vec![0.0; field.num_params()];
    let mut loss = 0.0;
    let steps = (T - 1) / windows;
    for window in 0..windows {
        let mut states = vec![column(x, window * steps)];
        let mut tapes = Vec::new();
        for _ in 0..steps {
            let mut out = vec![0.0; states[0].len()];
            let mut tape = Default::default();
            let state = states.last().expect("it begins with one");
            RK4.record(field, Interval::new(&t, &dt), state, &mut out, &mut tape)
                .expect("the field is defined");
            states.push(out);
            tapes.push(tape);
        }
        let mut bar = vec![0.0; states[0].len()];
        for step in (0..steps).rev() {
            let target = column(x, window * steps + step + 1);
            loss += compare(&states[step + 1], &target, weight, &mut bar);
            RK4.pull_back(field, &mut tapes[step], Bars::new(&mut bar).with_theta(&mut gradient))
                .expect("the step was recorded");
        }
    }
    (loss, gradient)
}

fn assert_three_ways<N, J>(case: &Case, what: &str, native: &N, judge: &J, x: &Array3<f64>, dt: f64)
where
    N: DifferentiableField<f64>,
    J: DifferentiableField<f64> + TensorField,
{
    let tensor = trajectory::states(x.view());
    let d = case.dim;
    for (name, windows, entries) in [
        ("full-trajectory loss", 1, case.batch * (T - 1) * d),
        ("one-step loss", T - 1, (case.batch * T - 1) * d),
    ] {
        let (loss, gradient) = trajectory::value_and_gradient(judge, |field| {
            if windows == 1 {
                trajectory::full_trajectory_loss(field, &tensor, dt)
            } else {
                trajectory::one_step_loss(field, &tensor, dt)
            }
        });
        let weight = 1.0 / entries as f64;
        for (engine, (value, adjoint)) in [
            ("native", by_adjoint(native, x, dt, windows, weight)),
            ("libtorch", by_adjoint(judge, x, dt, windows, weight)),
        ] {
            let what = format!("{}: {what}, {name}, {engine} engine", case.name);
            assert_close(&what, &[value], &[loss], TOLERANCE);
            assert_close(&format!("{what}, gradient"), &adjoint, &gradient, TOLERANCE);
        }
    }
}

#[test]
fn hamiltonian_networks_agree() {
    for case in Case::all() {
        let native = Hnn::new(case.network(1)).expect("D is even");
        let judge = Hnn::new(energy(native.energy_network())).expect("D is even");
        assert_three_ways(&case, "HNN", &native, &judge, &measured(&case), DT);
    }
}

#[test]
fn friction_networks_agree() {
    for case in Case::all() {
        let (h, f) = (case.network(1), case.network(case.dim / 2));
        let judge = Hnn::with_friction(energy(&h), map(&f)).expect("the shapes fit");
        let native = Hnn::with_friction(h, f).expect("the shapes fit");
        assert_three_ways(&case, "HNN with friction", &native, &judge, &measured(&case), DT);
    }
}

#[test]
fn baselines_agree() {
    for case in Case::all() {
        let native = Baseline::new(case.network(case.dim)).expect("D outputs");
        let judge = Baseline::new(map(native.network())).expect("D outputs");
        assert_three_ways(&case, "baseline", &native, &judge, &measured(&case), DT);
    }
}

#[test]
fn lagrangian_networks_agree() {
    // Of the later cases some pass near singular mass matrices on their way, where rounding grows
    // with the square of the condition number (case 18: to 2e-8 of the gradient).
    for case in Case::all().take(18) {
        let native = Lnn::new(case.network(1)).expect("D is even");
        let judge = TensorLagrangian(energy(native.lagrangian()));
        let states = case.regular_states(&native, case.batch * T);
        let x = states.into_shape_with_order((case.batch, T, case.dim)).expect("as many");
        // Short steps: a random Lagrangian's accelerations are large near singular mass matrices.
        assert_three_ways(&case, "LNN", &native, &judge, &x, 0.01);
    }
}
