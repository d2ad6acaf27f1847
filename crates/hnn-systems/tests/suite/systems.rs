//! Properties that every system must have.

use std::f64::consts::PI;

use hnn_integrators::{AnalyticField, Lane, LaneState, VectorField, lane};
use hnn_systems::{
    AnalyticHamiltonian, CartForce, CartPole, Chain, Damped, DampedPendulum, DoublePendulum,
    Duffing, ElasticPendulum, Hamiltonian, HenonHeiles, Kepler, NBody, Pendulum, Spring,
    SystemError, dual_gradient,
};
use proptest::prelude::*;

use crate::common::Plain;

/// `grad H` by central differences of the energy.
fn differences<S: Hamiltonian<f64>>(system: &S, x: &[f64]) -> Vec<f64> {
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
    S: AnalyticHamiltonian + AnalyticField,
{
    let lanes = <S as AnalyticHamiltonian>::State::<f64>::from_fn(|i| x[i]);
    let (formula, dual) = (system.gradient_lanes(&lanes), dual_gradient(system, &lanes));
    for (f, d) in formula.as_ref().iter().zip(dual.as_ref()) {
        prop_assert!((f - d).abs() < 1e-13 * d.abs().max(1.0), "{f} instead of {d} at {x:?}");
    }
    for (g, d) in formula.as_ref().iter().zip(differences(&Plain(system), x)) {
        prop_assert!((g - d).abs() < 1e-7 * d.abs().max(1.0), "{g} instead of {d} at {x:?}");
    }
    Ok(())
}

/// `dH/dt` along the field.
fn power<S: AnalyticHamiltonian + AnalyticField>(system: &S, x: &[f64]) -> f64 {
    let system = Plain(system);
    let gradient = system.energy_gradient_state(x).expect("gradient");
    let dx = system.eval_state(0.0, x).expect("field");
    gradient.iter().zip(&dx).map(|(g, d)| g * d).sum()
}

/// The gradient is right, and the field keeps the energy and is canonical.
fn check_conservative<S>(system: &S, x: &[f64]) -> Result<(), TestCaseError>
where
    S: AnalyticHamiltonian + AnalyticField,
{
    check_gradient(system, x)?;
    let dx = Plain(system).eval_state(0.0, x).expect("field");
    let gradient = Plain(system).energy_gradient_state(x).expect("gradient");
    let (n, scale) = (x.len() / 2, gradient.iter().map(|g| g * g).sum::<f64>());
    prop_assert!(power(system, x).abs() < 1e-13 * scale.max(1.0));
    for i in 0..n {
        prop_assert_eq!((dx[i], dx[n + i]), (gradient[n + i], -gradient[i]));
    }
    Ok(())
}

/// No force on the bodies as a whole.
fn check_momentum(system: &NBody<3>, x: &[f64]) -> Result<(), TestCaseError> {
    let dx: Vec<f64> = Plain(system).eval_state(0.0, x).expect("field");
    for axis in dx[6..].chunks(3) {
        prop_assert!(axis.iter().sum::<f64>().abs() < 1e-13);
    }
    Ok(())
}

/// `L_vv a + L_vq v = L_q + Q` for `L = T - V`, where the energy is `T + V` and `T` vanishes with
/// the velocities.
fn check_euler_lagrange<S>(system: &S, x: [f64; 4], force: [f64; 2]) -> Result<(), TestCaseError>
where
    S: AnalyticField + AnalyticHamiltonian,
{
    let (_, gradient, hessian) = lane::hessian(x, |x| {
        let state = |x: [_; 4]| <S as AnalyticHamiltonian>::State::from_fn(|i| x[i]);
        let zero = Lane::constant(0.0);
        let potential = system.energy_lanes(&state([x[0], x[1], zero, zero]));
        system.energy_lanes(&state(x)) - potential - potential
    });
    let dx: Vec<f64> = Plain(system).eval_state(0.0, &x).expect("field");
    for i in 0..2 {
        let row = hessian[2 + i];
        let lhs = row[2] * dx[2] + row[3] * dx[3] + row[0] * x[2] + row[1] * x[3];
        let rhs = gradient[i] + force[i];
        prop_assert!((lhs - rhs).abs() < 1e-10 * rhs.abs().max(10.0), "{lhs} instead of {rhs}");
    }
    Ok(())
}

proptest! {
    #[test]
    fn small_systems(
        q in -6.0..6.0_f64, p in -3.0..3.0_f64, a in 0.1..3.0, b in 0.1..3.0, lambda in 0.0..2.0,
    ) {
        let spring = Spring::new(a, b).expect("valid");
        let pendulum = Pendulum::new(a, b).expect("valid");
        let damped = Damped::from_system(pendulum, lambda).expect("valid");
        check_gradient(&spring, &[q, p])?;
        check_gradient(&pendulum, &[q, p])?;
        check_gradient(&damped, &[q, p])?;
        prop_assert!(power(&spring, &[q, p]).abs() < 1e-13 * (1.0 + q * q + p * p) * 10.0);
        prop_assert!(power(&pendulum, &[q, p]).abs() < 1e-12);
        prop_assert!((power(&damped, &[q, p]) + lambda * p * p / a).abs() < 1e-12 * (1.0 + p * p / a));
    }

    #[test]
    fn conservative_systems(x in prop::collection::vec(-1.5..1.5_f64, 12), a in 0.2..3.0_f64) {
        check_conservative(&HenonHeiles::new(a).expect("valid"), &x[..4])?;
        check_conservative(&Duffing::new(-a, a * a).expect("valid"), &x[..2])?;
        check_conservative(&Chain::<1>::new(a, 2.0).expect("valid"), &x[..2])?;
        let chain = Chain::<6>::new(a, 2.0).and_then(|c| c.with_nonlinearity(-0.3, a));
        check_conservative(&chain.expect("valid"), &x)?;
        let double = DoublePendulum::new([a, 1.3], [0.7, a], 9.8).expect("valid");
        check_conservative(&double, &x[..4])?;
        check_gradient(&double.lagrangian(), &x[..4])?;
    }

    /// Systems with a singularity, kept away from it.
    #[test]
    fn singular_systems(
        x in prop::collection::vec(-1.5..1.5_f64, 12), r in 0.3..2.0_f64, a in 0.2..3.0_f64,
    ) {
        let kepler = Kepler::new(a, 2.0).expect("valid");
        check_conservative(&kepler, &[r * x[0].cos(), r * x[0].sin(), x[1], x[2]])?;
        let elastic = ElasticPendulum::new(a, 11.0, 0.8, 9.8).expect("valid");
        check_conservative(&elastic, &[r, x[0], x[1], x[2]])?;
        let masses = [a, 1.0, 0.4];
        let bodies = NBody::<3>::new(masses, 1.3).expect("valid");
        let soft = bodies.with_softening(0.3).expect("valid");
        check_conservative(&soft, &x)?;
        // The bodies 3 apart on the x axis, so that no two come near.
        let apart = [x[0], x[1] + 3.0, x[2] + 6.0];
        let apart = Vec::from_iter(apart.into_iter().chain(x[3..].iter().copied()));
        check_conservative(&bodies, &apart)?;
        check_momentum(&bodies, &apart)?;
        let space = NBody::<2, 3>::new([a, 2.0], 1.0).expect("valid");
        check_conservative(&space.with_softening(0.2).expect("valid"), &x)?;
    }

    /// q'' by the formula solves the Euler-Lagrange equations, derived from the energy by nested
    /// dual numbers.
    #[test]
    fn lagrangian_systems(
        x in prop::collection::vec(-2.0..2.0_f64, 4), a in 0.2..3.0_f64, u in -5.0..5.0_f64,
        b in 0.0..1.0_f64, c in 0.0..0.1_f64,
    ) {
        let x = [x[0], x[1], x[2], x[3]];
        let double = DoublePendulum::new([a, 1.3], [0.7, a], 9.8).expect("valid").lagrangian();
        check_euler_lagrange(&double, x, [0.0, 0.0])?;
        let cart = CartPole::new(1.1, 0.3, a, 9.8).and_then(|cart| cart.with_friction(b, c));
        let cart = cart.expect("valid").with_force(CartForce::Constant(u));
        check_euler_lagrange(&cart, x, [u - b * x[2], -c * x[3]])?;
        let expected = u * x[2] - b * x[2] * x[2] - c * x[3] * x[3];
        prop_assert!((power(&cart, &x) - expected).abs() < 1e-11 * (1.0 + a * a));
        check_gradient(&cart, &x)?;
    }

    #[test]
    fn conversions_are_inverse(x in prop::collection::vec(-3.0..3.0_f64, 4), a in 0.2..3.0_f64) {
        let system = DoublePendulum::new([a, 1.3], [0.7, a], 9.8).expect("valid");
        let x = ndarray::Array2::from_shape_vec((1, 4), x).expect("4 numbers");
        let canonical = system.to_canonical(x.view()).expect("4 columns");
        let back = system.to_lagrangian(canonical.view()).expect("4 columns");
        for (a, b) in back.iter().zip(&x) {
            prop_assert!((a - b).abs() < 1e-12);
        }
        // q' is the same in both, and so is the energy.
        let field = Plain(&system).eval_rows(0.0, canonical.view()).expect("field");
        prop_assert!((field[[0, 0]] - x[[0, 2]]).abs() < 1e-12);
        prop_assert!((field[[0, 1]] - x[[0, 3]]).abs() < 1e-12);
        let energy = Plain(&system).energy_rows(canonical.view()).expect("energy")[0];
        let same = Plain(&system.lagrangian()).energy_rows(x.view()).expect("energy")[0];
        prop_assert!((energy - same).abs() < 1e-12 * energy.abs().max(10.0));
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
    for bad in [-1.0, f64::NAN, f64::INFINITY] {
        assert!(DoublePendulum::new([bad, 1.0], [1.0, 1.0], 9.8).is_err());
        assert!(DoublePendulum::new([1.0, 1.0], [1.0, bad], 9.8).is_err());
        assert!(DoublePendulum::new([1.0, 1.0], [1.0, 1.0], bad).is_err());
        assert!(HenonHeiles::new(bad).is_err());
        assert!(Duffing::default().with_damping(bad).is_err());
        assert!(Kepler::new(bad, 1.0).is_err());
        assert!(Kepler::default().periapsis(bad, 0.0).is_err());
        assert!(Kepler::default().periapsis(1.0, bad).is_err());
        assert!(Chain::<3>::new(1.0, bad).is_err());
        assert!(Chain::<3>::default().with_nonlinearity(0.0, bad).is_err());
        assert!(NBody::<3>::new([1.0, bad, 1.0], 1.0).is_err());
        assert!(NBody::<3>::default().with_softening(bad).is_err());
        assert!(ElasticPendulum::new(1.0, bad, 1.0, 9.8).is_err());
        assert!(CartPole::new(1.0, bad, 0.5, 9.8).is_err());
        assert!(CartPole::default().with_friction(bad, 0.0).is_err());
    }
    assert!(Kepler::default().periapsis(1.0, 1.0).is_err());
    assert!(Duffing::new(f64::NAN, 1.0).is_err());
    assert!(Duffing::default().with_forcing(1.0, f64::INFINITY).is_err());
    let error = DoublePendulum::new([1.0, -2.0], [1.0, 1.0], 9.8).expect_err("negative mass");
    assert_eq!(
        message(error),
        "double pendulum: m2 = -2, but it must be finite and greater than 0"
    );
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
