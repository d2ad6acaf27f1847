//! Systems under constraints against what is known of them in other coordinates.

use hnn_integrators::{
    Constrained, Constraint, DOP853, FixedStep, LaneState, Projected, RATTLE, Tolerances,
    VectorField, lane::gradient, solve_batch,
};
use hnn_systems::{
    ChainPendulum, DoublePendulum, End, Gyroscope, Hamiltonian, Particles, Pendulum, Rod, Rods,
    SphericalPendulum, SystemError,
};
use hnn_testing::{assert_close, check_vjp};
use ndarray::{Array1, Array2, array, s};

use crate::common::Plain;

const GRAVITY: f64 = 9.81;

/// The states at the times, after the first.
fn rollout(field: &dyn VectorField<f64>, start: &Array2<f64>, times: &[f64]) -> Array2<f64> {
    let solution = solve_batch(field, start.view(), times, Tolerances::both(1e-12));
    solution.expect("solves").states.slice(s![0, 1.., ..]).to_owned()
}

/// Angles are known up to turns.
fn assert_same_angles(a: &Array2<f64>, b: &Array2<f64>) {
    let n = a.ncols() / 2;
    for ((at, a), b) in a.indexed_iter().zip(b) {
        let off = if at.1 < n { (0.5 * (a - b)).sin() } else { a - b };
        assert!(off.abs() < 1e-8, "{at:?}: {a}, {b}");
    }
}

#[test]
fn chains_of_one_and_two_move_as_in_angles() {
    let times = [0.0, 0.5, 1.0, 3.0];
    let chain = ChainPendulum::<1, f64>::chain([1.3], [0.8], GRAVITY).expect("positive");
    let (inertia, torque) = (1.3 * 0.8 * 0.8, 1.3 * GRAVITY * 0.8);
    let pendulum = Pendulum::new(inertia, torque).expect("positive");
    let start = array![[2.1, -1.0]];
    let cartesian = rollout(&chain, &chain.from_angles(start.view()).expect("two"), &times);
    let mut angles = rollout(&Plain(&pendulum), &(&start * &array![1.0, inertia]), &times);
    angles.column_mut(1).mapv_inplace(|p| p / inertia);
    assert_same_angles(&chain.to_angles(cartesian.view()).expect("four"), &angles);

    let (masses, lengths) = ([1.1, 0.7], [0.9, 1.2]);
    let chain = ChainPendulum::<2, f64>::chain(masses, lengths, GRAVITY).expect("positive");
    let double = DoublePendulum::new(masses, lengths, GRAVITY).expect("positive").lagrangian();
    let start = array![[1.0, -0.7, 0.5, 2.0]];
    let angles = rollout(&Plain(&double), &start, &times);
    // The same in momenta and in velocities.
    for chain in [chain.clone(), chain.in_velocities()] {
        let from = chain.from_angles(start.view()).expect("four");
        assert_same_angles(&chain.to_angles(from.view()).expect("eight"), &start);
        let cartesian = rollout(&chain, &from, &times);
        assert_same_angles(&chain.to_angles(cartesian.view()).expect("eight"), &angles);
        let energy = |x: &Array2<f64>| chain.energy_rows(x.view()).expect("energies");
        assert!((energy(&cartesian) - energy(&from)[0]).iter().all(|e| e.abs() < 1e-9));
        let exact = double_energy(&double, &start);
        assert!((energy(&from)[0] - exact).abs() < 1e-12);
    }
}

fn double_energy(double: &hnn_systems::LagrangianDoublePendulum, start: &Array2<f64>) -> f64 {
    Plain(double).energy_state(&start.row(0).to_vec()).expect("an energy")
}

#[test]
fn a_long_chain_keeps_rods_and_energy() {
    let masses = [1.0, 0.8, 1.2, 0.6, 0.9];
    let chain = ChainPendulum::<5, f64>::chain(masses, [0.7, 1.0, 0.9, 1.1, 0.8], GRAVITY);
    let chain = chain.expect("positive");
    let start = array![[0.5, -0.3, 1.0, 0.2, -0.8, 0.0, 0.5, 0.0, -0.5, 1.0]];
    let start = chain.from_angles(start.view()).expect("ten");
    let energy = chain.energy_rows(start.view()).expect("an energy")[0];
    let run = FixedStep::size(RATTLE, 1e-3).with_save_every(100);
    let run = run.run(&chain, (0.0, 10.0), start.view()).expect("runs");
    let states = run.states.slice(s![0, .., ..]);
    let off = chain.violation_rows(states).expect("states");
    assert!(off.iter().all(|off| off.abs() < 1e-12), "{off}");
    let energies = chain.energy_rows(states).expect("energies") - energy;
    assert!(energies.iter().all(|e| e.abs() < 1e-2), "{energies}");
}

#[test]
fn a_conical_pendulum_goes_round() {
    let (length, tilt) = (1.5_f64, 0.6_f64);
    let pendulum = SphericalPendulum::<f64>::spherical(2.0, length, GRAVITY).expect("positive");
    let omega = (GRAVITY / (length * tilt.cos())).sqrt();
    let radius = length * tilt.sin();
    let at = |t: f64| {
        let (sin, cos) = (omega * t).sin_cos();
        let p = 2.0 * radius * omega;
        [radius * cos, radius * sin, -length * tilt.cos(), -p * sin, p * cos, 0.0]
    };
    let start = Array2::from_shape_vec((1, 6), at(0.0).to_vec()).expect("six");
    let run = FixedStep::size(Projected(DOP853.propagated()), 0.02);
    let run = run.run(&pendulum, (0.0, 2.0), start.view()).expect("runs");
    assert_close("the end", &run.last().row(0).to_vec(), &at(2.0), 1e-10);
}

/// `(J_3 w_3 - J_1 W cos theta) W = G` for a steady precession `W`, with `w_3` about the axis.
#[test]
fn a_top_precesses_steadily() {
    let ([j1, _, j3], tilt, precession, spin) = ([1.0, 1.0, 0.6], 1.0_f64, 0.7_f64, 12.0);
    let about_axis = spin + precession * tilt.cos();
    let torque = (j3 * about_axis - j1 * precession * tilt.cos()) * precession;
    let top = Gyroscope::<f64>::gyroscope([j1, j1, j3], torque).expect("a body");
    let start = Array1::from_vec(top.tilted(tilt, spin, precession)).insert_axis(ndarray::Axis(0));
    let end = rollout(&top, &start, &[0.0, 2.5]);
    let (sin, cos) = (2.5 * precession).sin_cos();
    let axis = [end[[0, 2]], end[[0, 5]], end[[0, 8]]];
    assert_close("the axis", &axis, &[tilt.sin() * cos, tilt.sin() * sin, tilt.cos()], 1e-8);
}

/// A free body that is not symmetric: RATTLE keeps the angular momentum to rounding.
#[test]
fn a_free_body_keeps_its_angular_momentum() {
    let body = Gyroscope::<f64>::gyroscope([1.0, 1.4, 0.8], 0.0).expect("a body");
    let start = Array1::from_vec(body.tilted(0.9, 2.0, 1.1)).insert_axis(ndarray::Axis(0));
    let run = FixedStep::size(RATTLE, 0.01).run(&body, (0.0, 20.0), start.view()).expect("runs");
    let momentum = |x: &[f64]| {
        let at = |axis: usize, point: usize| (x[3 * axis + point], x[9 + 3 * axis + point]);
        Vec::from_iter((0..3).map(|axis| {
            let (i, j) = ((axis + 1) % 3, (axis + 2) % 3);
            let terms = (0..3).map(|point| {
                let ((qi, pi), (qj, pj)) = (at(i, point), at(j, point));
                qi * pj - qj * pi
            });
            terms.sum::<f64>()
        }))
    };
    let (before, after) = (momentum(&start.row(0).to_vec()), momentum(&run.last().row(0).to_vec()));
    assert_close("angular momentum", &after, &before, 1e-11);
    let energy = |x: &[f64]| body.energy_state(x).expect("an energy");
    let off = energy(&run.last().row(0).to_vec()) - energy(&start.row(0).to_vec());
    assert!(off.abs() < 1e-3, "{off}");
}

#[test]
fn pull_backs_of_systems_are_exact() {
    let chain = ChainPendulum::<3, f64>::chain([1.0, 0.7, 1.3], [1.0, 0.9, 1.2], GRAVITY);
    check_vjp(&mut chain.expect("positive"), 3, 1);
    check_vjp(&mut SphericalPendulum::<f64>::spherical(2.0, 0.8, GRAVITY).expect("positive"), 2, 0);
}

/// The formula of the rods' Jacobian is the derivative of their values.
#[test]
fn the_rods_jacobian_is_their_derivative() {
    let rods = Rods::<2, 2, 2>::new([
        Rod { from: End::Fixed([0.3, -0.2]), to: 1, length: 0.7 },
        Rod { from: End::Point(1), to: 0, length: 1.3 },
    ])
    .expect("rods");
    let q = [0.4, -0.9, 1.3, 0.2];
    let jacobian = rods.jacobian_lanes(&Particles::from_fn(|i| q[i]));
    for k in 0..2 {
        let (_, row) = gradient(q, |q| rods.values_lanes(&Particles::from_fn(|i| q[i]))[k]);
        assert_close("a row", jacobian[k].as_ref(), &row, 1e-15);
    }
}

#[test]
fn single_precision_keeps_the_rods_too() {
    let chain = ChainPendulum::<2, f32>::chain([1.0; 2], [1.0; 2], GRAVITY).expect("positive");
    let start = chain.from_angles(array![[1.0_f32, 0.5, 0.0, 0.0]].view()).expect("four");
    let run = FixedStep::size(RATTLE, 0.01).run(&chain, (0.0, 5.0), start.view()).expect("runs");
    let off = chain.violation_rows(run.last()).expect("a state");
    assert!(off.iter().all(|off| off.abs() < 1e-5), "{off}");
}

#[test]
fn constants_that_make_no_system_are_errors() {
    assert!(ChainPendulum::<2, f64>::chain([1.0, 0.0], [1.0; 2], GRAVITY).is_err());
    assert!(ChainPendulum::<2, f64>::chain([1.0; 2], [1.0, -1.0], GRAVITY).is_err());
    assert!(ChainPendulum::<1, f64>::chain([1.0], [1.0], f64::NAN).is_err());
    assert!(SphericalPendulum::<f64>::spherical(1.0, 1.0, -1.0).is_err());
    // Flat, and impossible.
    assert!(Gyroscope::<f64>::gyroscope([1.0, 1.0, 2.0], 0.0).is_err());
    assert!(Gyroscope::<f64>::gyroscope([1.0, 1.0, 3.0], 0.0).is_err());
    let rod = |from, to| Rods::<2, 2, 1>::new([Rod { from, to, length: 1.0 }]);
    assert!(rod(End::Point(2), 0).is_err() && rod(End::Point(0), 2).is_err());
    assert!(rod(End::Fixed([f64::NAN, 0.0]), 0).is_err());
    let SystemError::Undetermined { .. } = rod(End::Point(1), 1).expect_err("no rod") else {
        panic!("another error")
    };
    let chain = ChainPendulum::<1, f64>::chain([1.0], [1.0], GRAVITY).expect("positive");
    assert!(chain.from_angles(array![[1.0]].view()).is_err());
    assert!(chain.to_angles(array![[1.0]].view()).is_err());
}
