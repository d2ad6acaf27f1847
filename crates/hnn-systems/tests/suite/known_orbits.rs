//! Systems against orbits that are known by formula or from the literature.

use std::f64::consts::{FRAC_PI_2, TAU};

use hnn_integrators::{AnalyticField, FixedStep, Tolerances, VELOCITY_VERLET, VectorField, solve};
use hnn_systems::{
    CartForce, CartPole, Chain, Damped, DoublePendulum, Duffing, ElasticPendulum, Hamiltonian,
    HenonHeiles, Kepler, NBody, Pendulum, Spring,
};
use ndarray::{Array2, ArrayView1};

use hnn_testing::assert_each_close as close;

use crate::common::Plain;

fn run<S: AnalyticField>(system: &S, start: &[f64], times: &[f64]) -> Array2<f64> {
    let (x0, system): (_, &dyn VectorField<f64>) = (ArrayView1::from(start), &Plain(system));
    solve(system, x0, times, Tolerances::both(1e-13)).expect("solved").states
}

/// The state at time `t`.
fn at<S: AnalyticField>(system: &S, start: &[f64], t: f64) -> Vec<f64> {
    run(system, start, &[0.0, t]).row(1).to_vec()
}

fn check_period<S: AnalyticField>(system: &S, start: &[f64], period: f64, tolerance: f64) {
    close(at(system, start, period), start.iter().copied(), tolerance);
    // And it is no fixed point.
    let quarter = at(system, start, 0.27 * period);
    assert!(quarter.iter().zip(start).any(|(a, b)| (a - b).abs() > 1e3 * tolerance));
}

#[test]
fn every_system_keeps_its_energy() {
    let figure_eight = [-0.5, 0.5, 0.0, 0.1, -0.1, 1.0, 0.3, 0.2, -0.5, 0.4, -0.6, 0.2];
    let cases: [(&str, &dyn Hamiltonian<f64>, &[f64]); 11] = [
        ("spring", &Plain(&Spring::default()), &[1.0, 0.2]),
        ("pendulum", &Plain(&Pendulum::default()), &[2.5, 0.2]),
        ("Henon-Heiles", &Plain(&HenonHeiles::default()), &[0.1, 0.3, 0.3, 0.1]),
        ("double pendulum", &Plain(&DoublePendulum::default()), &[1.5, 2.0, 0.0, 0.1]),
        (
            "the same, Lagrangian",
            &Plain(&DoublePendulum::default().lagrangian()),
            &[1.5, 2.0, 0.0, 0.1],
        ),
        ("Duffing", &Plain(&Duffing::default()), &[0.5, 0.2]),
        ("Kepler", &Plain(&Kepler::default()), &[1.0, 0.0, 0.2, 0.9]),
        ("three bodies", &Plain(&NBody::<3>::default()), &figure_eight),
        ("chain", &Plain(&Chain::<4>::default()), &[0.1, 0.4, -0.2, 0.3, 0.0, 0.2, 0.1, -0.3]),
        ("elastic pendulum", &Plain(&ElasticPendulum::default()), &[1.2, 0.6, 0.1, 0.3]),
        (
            "cart-pole",
            &Plain(&CartPole::new(1.0, 0.1, 0.5, 9.8).expect("valid")),
            &[0.0, 0.5, 0.3, 0.1],
        ),
    ];
    for (name, system, start) in cases {
        let times = Vec::from_iter((0..=20).map(f64::from));
        let run = solve(system, start.into(), &times, Tolerances::both(1e-13)).expect(name);
        let energy = system.energy_rows(run.states.view()).expect("energy");
        let drift = energy.iter().map(|e| (e - energy[0]).abs()).fold(0.0, f64::max);
        let scale = energy[0].abs().max(1.0);
        assert!(drift < 1e-9 * scale, "{name}: {drift:e}");
    }
}

#[test]
fn spring_oscillates() {
    let spring = Spring::new(0.3, 2.1).expect("valid");
    check_period(&spring, &[0.7, -0.4], spring.period(), 1e-11);
}

#[test]
fn pendulum_periods() {
    // By the complete elliptic integral: amplitudes 1 and pi / 2, unit constants.
    let pendulum = Pendulum::new(1.0, 1.0).expect("valid");
    check_period(&pendulum, &[1.0, 0.0], 6.699_975_664_370_453, 1e-11);
    check_period(&pendulum, &[FRAC_PI_2, 0.0], 7.416_298_709_205_488, 1e-11);
}

#[test]
fn damped_oscillation() {
    // A damped spring: q = e^(-lambda t / 2) cos(w t), w^2 = k / m - lambda^2 / 4.
    let (lambda, t) = (0.4_f64, 3.0);
    let system = Damped::from_system(Spring::new(1.0, 2.0).expect("valid"), lambda).expect("valid");
    let w = (2.0 - lambda * lambda / 4.0).sqrt();
    let end = at(&system, &[1.0, -lambda / 2.0], t);
    assert!((end[0] - (-lambda * t / 2.0).exp() * (w * t).cos()).abs() < 1e-11);
}

#[test]
fn duffing_periods() {
    // q'' = -q^3 from q = 1: 4 K(1/2).
    let quartic = Duffing::new(0.0, 1.0).expect("valid");
    check_period(&quartic, &[1.0, 0.0], 7.416_298_709_205_488, 1e-11);
    // Linear, damped and forced: the steady state is A cos(w t - phi).
    let linear = Duffing::new(2.0, 0.0).and_then(|d| d.with_damping(0.5));
    let forced = linear.and_then(|d| d.with_forcing(0.7, 1.3)).expect("valid");
    let (stiffness, damping) = (2.0 - 1.3 * 1.3, 0.5 * 1.3);
    let size = 0.7 / f64::hypot(stiffness, damping);
    let phase = damping.atan2(stiffness);
    let start = [size * phase.cos(), 1.3 * size * phase.sin()];
    check_period(&forced, &start, TAU / 1.3, 1e-11);
}

#[test]
fn henon_heiles_on_its_symmetry_axis() {
    // x = px = 0 is invariant; y then has the energy py^2 / 2 + y^2 / 2 - y^3 / 3.
    let system = HenonHeiles::default();
    let end = at(&system, &[0.0, 0.3, 0.0, 0.2], 7.0);
    assert_eq!((end[0], end[2]), (0.0, 0.0));
    assert!((system.escape_energy() - 1.0 / 6.0).abs() < 1e-16);
}

#[test]
fn double_pendulum_normal_modes() {
    // Unit masses and lengths: w^2 = g (2 -+ sqrt 2), q2 = +- sqrt 2 q1.
    let (system, size) = (DoublePendulum::default().lagrangian(), 1e-4);
    for sign in [1.0, -1.0] {
        let root = sign * 2.0_f64.sqrt();
        let period = TAU / (9.8 * (2.0 - root)).sqrt();
        // Corrections of the period are of relative order size^2.
        check_period(&system, &[size, root * size, 0.0, 0.0], period, 1e-10);
    }
    // With a heavy first mass, that one swings as a simple pendulum.
    let heavy = DoublePendulum::new([1e9, 1.0], [1.0, 0.5], 1.0).expect("valid").lagrangian();
    let end = at(&heavy, &[1.0, 0.3, 0.0, 0.0], 6.699_975_664_370_453);
    assert!((end[0] - 1.0).abs() < 1e-7);
}

#[test]
fn kepler_ellipses() {
    let kepler = Kepler::new(0.5, 2.0).expect("valid");
    let start = kepler.periapsis(1.5, 0.6).expect("valid");
    check_period(&kepler, &start, kepler.period(1.5), 1e-10);
    // Kepler's equation: at eccentric anomaly u, t = (u - e sin u) T / (2 pi).
    let (u, e) = (2.0_f64, 0.6);
    let t = (u - e * u.sin()) * kepler.period(1.5) / TAU;
    let end = at(&kepler, &start, t);
    assert!((end[0] - 1.5 * (u.cos() - e)).abs() < 1e-10);
    assert!((end[1] - 1.5 * (1.0 - e * e).sqrt() * u.sin()).abs() < 1e-10);
}

#[test]
fn two_bodies_move_as_kepler_says() {
    // The relative motion is Kepler's with the reduced mass.
    let (m1, m2, g) = (1.0, 3.0, 0.8);
    let reduced = m1 * m2 / (m1 + m2);
    let kepler = Kepler::new(reduced, g * m1 * m2).expect("valid");
    let [x, _, _, p] = kepler.periapsis(1.0, 0.3).expect("valid");
    let (a, b) = (m2 / (m1 + m2), m1 / (m1 + m2));
    let start = [a * x, -b * x, 0.0, 0.0, 0.0, 0.0, p, -p];
    let bodies = NBody::<2>::new([m1, m2], g).expect("valid");
    check_period(&bodies, &start, kepler.period(1.0), 1e-10);
}

#[test]
fn three_bodies_on_a_figure_eight() {
    // Chenciner and Montgomery, Ann. Math. 152 (2000), with Simo's numbers.
    let ((x, y), (u, v)) =
        ((0.97000435669734, -0.24308753153583), (0.93240737144104, 0.86473146092102));
    let start = [x, -x, 0.0, y, -y, 0.0, u / 2.0, u / 2.0, -u, v / 2.0, v / 2.0, -v];
    check_period(&NBody::<3>::default(), &start, 6.32591398292621, 1e-9);
}

#[test]
fn lagrange_triangle_in_space() {
    // Three equal masses circling on a triangle, in the plane z = 0.
    let (r, h) = (1.0, 3.0_f64.sqrt() / 2.0);
    let speed = (r * 3.0_f64.sqrt()).recip().sqrt();
    let positions = [[r, 0.0], [-0.5 * r, h * r], [-0.5 * r, -h * r]];
    let x = positions.map(|q| q[0]);
    let y = positions.map(|q| q[1]);
    let (px, py) = (y.map(|y| -speed / r * y), x.map(|x| speed / r * x));
    let start = [x, y, [0.0; 3], px, py, [0.0; 3]].concat();
    check_period(&NBody::<3, 3>::default(), &start, TAU * r / speed, 1e-9);
}

#[test]
fn chain_modes() {
    let chain = Chain::<5>::new(0.5, 3.0).expect("valid");
    for mode in 1..=5 {
        let shape = chain.mode_shape(mode);
        assert!((shape.iter().map(|x| x * x).sum::<f64>() - 1.0).abs() < 1e-14);
        let start = Vec::from_iter(shape.into_iter().chain([0.0; 5]));
        check_period(&chain, &start, TAU / chain.mode_frequency(mode), 1e-11);
    }
}

#[test]
fn elastic_pendulum_bounces() {
    let pendulum = ElasticPendulum::new(0.7, 30.0, 0.9, 9.8).expect("valid");
    // Straight up and down: a spring about the hanging length.
    let start = [pendulum.hanging_length() + 0.2, 0.0, 0.0, 0.0];
    check_period(&pendulum, &start, TAU * (0.7_f64 / 30.0).sqrt(), 1e-11);
    // A spring so stiff that it is a rod.
    let rod = ElasticPendulum::new(1.0, 1e7, 1.0, 1.0).expect("valid");
    let end = at(&rod, &[1.0, 1.0, 0.0, 0.0], 6.699_975_664_370_453);
    assert!((end[1] - 1.0).abs() < 1e-5);
}

#[test]
fn cart_pole_swings_and_balances() {
    // Hanging, small: w^2 = a b g / (a c - b^2) with the mass matrix [a, b cos; b cos, c].
    let free = CartPole::new(1.0, 0.1, 0.5, 9.8).expect("valid");
    let (a, b, c) = (1.1_f64, 0.05, 4.0 / 3.0 * 0.025);
    let period = TAU / (a * b * 9.8 / (a * c - b * b)).sqrt();
    let start = [0.0, std::f64::consts::PI + 1e-4, 0.0, 0.0];
    check_period(&free, &start, period, 1e-11);
    // Upright it falls, with the controller it stands.
    let tilted = [0.0, 0.1, 0.0, 0.0];
    let fallen = at(&CartPole::default(), &tilted, 2.0);
    assert!(fallen[1].abs() > 1.0, "{fallen:?}");
    let control = CartForce::Feedback([-1.0, -28.0, -3.0, -7.0]);
    let balanced = at(&CartPole::default().with_force(control), &tilted, 30.0);
    assert!(balanced.iter().all(|x| x.abs() < 1e-3), "{balanced:?}");
    // Forces of time.
    let push = CartForce::Harmonic { amplitude: 2.0, omega: 3.0, phase: 0.5 };
    let pushed = CartPole::default().with_force(push);
    let (t, x) = (0.8, [0.1, 0.2, 0.3, 0.4]);
    let force = CartForce::Constant(2.0 * (3.0 * t + 0.5_f64).cos());
    let same = CartPole::default().with_force(force);
    let (one, other): (Vec<f64>, Vec<f64>) = (
        Plain(&pushed).eval_state(t, &x).expect("field"),
        Plain(&same).eval_state(0.0, &x).expect("field"),
    );
    close(one, other, 1e-14);
}

#[test]
fn separable_systems_step_symplectically() {
    // Energy errors of velocity Verlet stay bounded, and shrink with the square of the step.
    let system = HenonHeiles::default();
    let start = ndarray::array![[0.1, -0.2, 0.3, 0.25]];
    let energy = |x: ArrayView1<'_, f64>| Plain(&system).energy_state(&x.to_vec()).expect("energy");
    let worst = |dt: f64| {
        let run = FixedStep::size(VELOCITY_VERLET, dt).with_save_every(1);
        let run = run.run(&system, (0.0, 100.0), start.view()).expect("bounded");
        let states = run.states.index_axis(ndarray::Axis(0), 0);
        let errors = states.outer_iter().map(|x| (energy(x) - energy(start.row(0))).abs());
        errors.fold(0.0, f64::max)
    };
    let (coarse, fine) = (worst(0.1), worst(0.05));
    assert!(coarse < 1e-3, "{coarse:e}");
    assert!((3.0..5.0).contains(&(coarse / fine)), "{coarse:e} {fine:e}");
}
