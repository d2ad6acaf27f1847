//! Fields, energies, steps and solutions against reference computations.

use hnn_integrators::{FixedStep, RK4, Scalar, Tolerances, VectorField, rk4, solve};
use hnn_systems::{DampedPendulum, DoublePendulum, Hamiltonian, HenonHeiles, Pendulum, Spring};
use ndarray::{ArrayView2, Axis, s};

use hnn_testing::{assert_each_close as close, golden, matrix, numbers};

use crate::common::Plain;

/// Checks a system at states given in `f64`, computing in `T`.
fn check<T: Scalar, S: Hamiltonian<T>>(
    system: &S,
    x: ArrayView2<'_, f64>,
    field: ArrayView2<'_, f64>,
    energy: &[f64],
    tolerance: f64,
) {
    let x = x.mapv(T::from_f64);
    let dx = system.eval_rows(T::ZERO, x.view()).expect("field");
    close(dx.mapv(T::to_f64), field.iter().copied(), tolerance);
    let h = system.energy_rows(x.view()).expect("energy");
    close(h.mapv(T::to_f64), energy.iter().copied(), tolerance);
}

fn check_rk4_states<S: Hamiltonian<f64> + Hamiltonian<f32>>(system: &S, name: &str) {
    let all = golden("rk4_systems");
    let case = &all[name];
    let (x, dx) = (matrix(&case["rk4_states"]), matrix(&case["field"]));
    let energy = numbers(&case["energy"]);
    check::<f64, _>(system, x.view(), dx.view(), &energy, 1e-13);
    check::<f32, _>(system, x.view(), dx.view(), &energy, 1e-5);
}

#[test]
fn spring() {
    check_rk4_states(&Plain(&Spring::default()), "spring");
}

#[test]
fn pendulum() {
    check_rk4_states(&Plain(&Pendulum::default()), "pendulum");
}

#[test]
fn damped_pendulum() {
    let system = DampedPendulum::new(0.3, 6.0).expect("valid");
    check_rk4_states(&system, "damped_pendulum");
}

#[test]
fn henon_heiles() {
    check_rk4_states(&Plain(&HenonHeiles::default()), "henon_heiles");
}

#[test]
fn double_pendulum() {
    let system = DoublePendulum::default();
    check_rk4_states(&system, "double_pendulum");
    check_rk4_states(&system, "double_pendulum_large");
    check_rk4_states(&Plain(&system.lagrangian()), "double_pendulum_velocity");
}

/// Steps of the classical method along the golden trajectory, and the increments of its states.
#[test]
fn rk4_reproduces_the_golden_trajectories() {
    let all = golden("rk4_systems");
    let (damped, double) =
        (DampedPendulum::new(0.3, 6.0).expect("valid"), DoublePendulum::default());
    // One with its kernels, the others without.
    let cases: [(&str, &dyn VectorField<f64>); 6] = [
        ("spring", &Plain(&Spring::default())),
        ("pendulum", &Plain(&Pendulum::default())),
        ("damped_pendulum", &damped),
        ("henon_heiles", &Plain(&HenonHeiles::default())),
        ("double_pendulum", &Plain(&double)),
        ("double_pendulum_large", &Plain(&double)),
    ];
    for (name, system) in cases {
        let states = matrix(&all[name]["rk4_states"]);
        let dt = all[name]["dt"].as_f64().expect("dt");
        let steps = states.nrows() - 1;
        let run = FixedStep::size(RK4, dt).with_save_every(1);
        let run = run.run(system, (0.0, dt * steps as f64), states.slice(s![..1, ..])).expect(name);
        close(run.states.iter().copied(), states.iter().copied(), 1e-11);
        let from = states.slice(s![..steps, ..]);
        let next = &from + &rk4(system, 0.0, dt, from).expect(name);
        close(next, states.slice_axis(Axis(0), (1..).into()).iter().copied(), 1e-11);
    }
}

/// The two coordinates' exact solutions are each other's conversions.
#[test]
fn double_pendulum_conversions() {
    let all = golden("rk4_systems");
    let truth = |name: &str| matrix(&all[name]["truth"]);
    let (canonical, lagrangian) = (truth("double_pendulum"), truth("double_pendulum_velocity"));
    let system = DoublePendulum::default();
    let momenta = system.to_canonical(lagrangian.view()).expect("4 columns");
    let velocities = system.to_lagrangian(canonical.view()).expect("4 columns");
    close(momenta, canonical, 1e-11);
    close(velocities, lagrangian, 1e-11);
}

/// Solved by the adaptive method, against the exact solutions at t = 0, 1, 2.
#[test]
fn exact_solutions() {
    let all = golden("rk4_systems");
    let double = DoublePendulum::default();
    let cases: [(&str, &dyn Hamiltonian<f64>); 7] = [
        ("spring", &Plain(&Spring::default())),
        ("pendulum", &Plain(&Pendulum::default())),
        ("damped_pendulum", &Plain(&DampedPendulum::new(0.3, 6.0).expect("valid"))),
        ("henon_heiles", &Plain(&HenonHeiles::default())),
        ("double_pendulum", &Plain(&double)),
        ("double_pendulum_large", &Plain(&double)),
        ("double_pendulum_velocity", &Plain(&double.lagrangian())),
    ];
    for (name, system) in cases {
        let truth = matrix(&all[name]["truth"]);
        let times = numbers(&all[name]["truth_t"]);
        let run = solve(system, truth.row(0), &times, Tolerances::both(1e-13)).expect(name);
        close(run.states, truth, 1e-9);
    }
}

#[test]
fn damped_pendulum_trajectories() {
    let all = golden("damped_pendulum");
    for case in all["cases"].as_array().expect("cases") {
        let lambda = case["lambda"].as_f64().expect("lambda");
        let system = DampedPendulum::new(lambda, 6.0).expect("valid");
        let energy = numbers(&case["energy"]);
        check::<f64, _>(
            &system,
            matrix(&case["states"]).view(),
            matrix(&case["derivatives"]).view(),
            &energy,
            1e-13,
        );
    }
}
