//! Properties that every system must have.

use std::f64::consts::PI;

use hnn_integrators::{LaneState, VectorFieldExt};
use hnn_systems::{
    AnalyticHamiltonian, Damped, DampedPendulum, Hamiltonian, HamiltonianExt, Pendulum, Spring,
    SystemError, dual_gradient,
};
use proptest::prelude::*;

/// `grad H` by central differences of the energy.
fn differences(system: &dyn Hamiltonian<f64>, x: &[f64]) -> Vec<f64> {
    let h = 1e-5;
    let energy = |i: usize, step: f64| {
        let mut x = x.to_vec();
        x[i] += step;
        system.energy_state(&x).expect("energy")
    };
    (0..x.len()).map(|i| (energy(i, h) - energy(i, -h)) / (2.0 * h)).collect()
}

/// The gradient against central differences and against dual numbers.
fn check_gradient<S>(system: &S, x: &[f64]) -> Result<(), TestCaseError>
where
    S: AnalyticHamiltonian + Hamiltonian<f64>,
{
    let lanes = S::State::<f64>::from_fn(|i| x[i]);
    let (formula, dual) = (system.gradient_lanes(&lanes), dual_gradient(system, &lanes));
    for (f, d) in formula.as_ref().iter().zip(dual.as_ref()) {
        prop_assert!((f - d).abs() < 1e-13 * d.abs().max(1.0), "{f} instead of {d} at {x:?}");
    }
    let gradient = system.energy_gradient_state(x).expect("gradient");
    for (g, d) in gradient.iter().zip(differences(system, x)) {
        prop_assert!((g - d).abs() < 1e-7 * d.abs().max(1.0), "{g} instead of {d} at {x:?}");
    }
    Ok(())
}

/// `dH/dt` along the field.
fn power(system: &dyn Hamiltonian<f64>, x: &[f64]) -> f64 {
    let gradient = system.energy_gradient_state(x).expect("gradient");
    let dx = system.eval_state(0.0, x).expect("field");
    gradient.iter().zip(&dx).map(|(g, d)| g * d).sum()
}

proptest! {
    #[test]
    fn small_systems(
        q in -6.0..6.0_f64, p in -3.0..3.0_f64, a in 0.1..3.0, b in 0.1..3.0, lambda in 0.0..2.0,
    ) {
        let spring = Spring::new(a, b).expect("valid");
        let pendulum = Pendulum::new(a, b).expect("valid");
        let damped = Damped::on(pendulum, lambda).expect("valid");
        check_gradient(&spring, &[q, p])?;
        check_gradient(&pendulum, &[q, p])?;
        check_gradient(&damped, &[q, p])?;
        prop_assert!(power(&spring, &[q, p]).abs() < 1e-13 * (1.0 + q * q + p * p) * 10.0);
        prop_assert!(power(&pendulum, &[q, p]).abs() < 1e-12);
        prop_assert!((power(&damped, &[q, p]) + lambda * p * p / a).abs() < 1e-12 * (1.0 + p * p / a));
    }

    /// theta'' + lambda theta' + omega^2 sin theta = 0.
    #[test]
    fn damped_pendulum_is_its_equation(
        theta in -6.0..6.0_f64, v in -3.0..3.0_f64, lambda in 0.0..2.0, omega2 in 0.1..9.0,
    ) {
        let system = DampedPendulum::new(lambda, omega2).expect("valid");
        let dx: Vec<f64> = system.eval_state(0.0, &[theta, v / 2.0]).expect("field");
        prop_assert!((dx[0] - v).abs() < 1e-14);
        let acceleration = 2.0 * dx[1];
        prop_assert!((acceleration + lambda * v + omega2 * theta.sin()).abs() < 1e-13);
    }
}

#[test]
fn a_batch_is_its_states() {
    // 35 rows: two blocks of lanes and three rows on their own.
    let system = DampedPendulum::default();
    let x = ndarray::Array2::from_shape_fn((35, 2), |(row, i)| {
        (row as f64 * 0.37 + i as f64).sin() * 2.0
    });
    let energy = system.energy_rows(x.view()).expect("energies");
    let gradient = system.energy_gradient_rows(x.view()).expect("gradients");
    for (row, state) in x.outer_iter().enumerate() {
        let state = state.to_vec();
        let one = system.energy_state(&state).expect("energy");
        assert!((energy[row] - one).abs() < 1e-14 * one.abs().max(1.0));
        let one = system.energy_gradient_state(&state).expect("gradient");
        assert!((gradient[[row, 0]] - one[0]).abs() < 1e-14);
        assert!((gradient[[row, 1]] - one[1]).abs() < 1e-14);
    }
}

#[test]
fn known_values() {
    assert!((Spring::default().period() - PI).abs() < 1e-15);
    assert_eq!(Pendulum::default().omega_squared(), 6.0);
    assert_eq!(Pendulum::default().separatrix_energy(), 6.0);
    assert_eq!(DampedPendulum::default().lambda(), 0.1);
    assert_eq!(*DampedPendulum::default().conservative(), Pendulum::default());
}

#[test]
fn constants_are_checked() {
    let message = |error: SystemError| error.to_string();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        assert!(Spring::new(bad, 1.0).is_err());
        assert!(Spring::new(1.0, bad).is_err());
        assert!(Pendulum::new(bad, 1.0).is_err());
        assert!(Pendulum::new(1.0, bad).is_err());
        assert!(DampedPendulum::new(0.1, bad).is_err());
    }
    assert!(DampedPendulum::new(0.0, 6.0).is_ok());
    let error = DampedPendulum::new(-0.1, 6.0).expect_err("negative friction");
    assert_eq!(
        message(error),
        "damped system: lambda = -0.1, but it must be finite and not negative"
    );
}

#[test]
fn dimensions_are_checked() {
    let error = Spring::default().energy_state(&[1.0_f64, 2.0, 3.0]).expect_err("3 coordinates");
    assert!(error.to_string().contains("dimension 3") && error.to_string().contains("dimension 2"));
    let x = ndarray::Array2::<f64>::zeros((4, 3));
    assert!(Spring::default().energy_rows(x.view()).is_err());
    assert!(Spring::default().energy_gradient_rows(x.view()).is_err());
    assert!(Spring::default().energy_gradient_state(&[1.0_f64]).is_err());
    // An empty batch is a batch.
    let none = ndarray::Array2::<f64>::zeros((0, 2));
    assert_eq!(Spring::default().energy_rows(none.view()).expect("no states").len(), 0);
}
