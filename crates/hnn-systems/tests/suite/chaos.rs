//! Lyapunov exponents, growth of distances, starts over a range of energies.

use std::f64::consts::PI;

use hnn_data::DataSet;
use hnn_integrators::{Crossing, FnField, Tolerances, VectorField, solve};
use hnn_systems::{
    DoublePendulum, EnergyShell, Hamiltonian, HenonHeiles, Kepler, Lyapunov, NBody, Pendulum,
    PoincareSection, Sampling, Starts, distances, growth_rate,
};
use ndarray::{Array2, array};

use hnn_testing::assert_each_close as close;

use crate::common::Plain;

#[test]
fn lorenz() {
    // Sprott, Chaos and Time-Series Analysis (2003): 0.9056.
    let lorenz = FnField::new(3, |_t, x: &[f64], dx: &mut [f64]| {
        dx[0] = 10.0 * (x[1] - x[0]);
        dx[1] = x[0] * (28.0 - x[2]) - x[1];
        dx[2] = x[0] * x[1] - 8.0 / 3.0 * x[2];
    });
    let settings = Lyapunov { intervals: 400, tolerance: 1e-10, ..Lyapunov::default() };
    let found = settings.exponent(&lorenz, &[1.0, 1.0, 20.0]).expect("found");
    assert_eq!(found.rates.len(), 400);
    assert!(found.std_error < 0.1, "{}", found.std_error);
    assert!((found.exponent - 0.9056).abs() < 0.02, "{}", found.exponent);
}

#[test]
fn a_pendulum_is_regular() {
    // Distances grow linearly: the mean rate falls like ln(t) / t.
    let settings = Lyapunov { intervals: 300, ..Lyapunov::default() };
    let found = settings.exponent(&Plain(&Pendulum::default()), &[1.0, 0.0]).expect("found");
    assert!(found.exponent.abs() < 0.02, "{}", found.exponent);
}

#[test]
fn a_double_pendulum_is_chaotic_in_both_coordinates() {
    let system = DoublePendulum::default();
    let settings = Lyapunov { intervals: 150, ..Lyapunov::default() };
    let start = [2.0, 2.5, 0.0, 0.0];
    let canonical = settings.exponent(&Plain(&system), &start).expect("found");
    let lagrangian = settings.exponent(&Plain(&system.lagrangian()), &start).expect("found");
    let error = f64::hypot(canonical.std_error, lagrangian.std_error);
    assert!(canonical.exponent > 10.0 * canonical.std_error, "{}", canonical.exponent);
    assert!((canonical.exponent - lagrangian.exponent).abs() < 4.0 * error);

    // Two starts 1e-6 apart part at about that rate.
    let times = Vec::from_iter((0..=200).map(|k| f64::from(k) * 0.1));
    let run = |q1| {
        let start = array![q1, 2.5, 0.0, 0.0];
        solve(&Plain(&system), start.view(), &times, Tolerances::both(1e-12))
            .expect("solved")
            .states
    };
    let apart = distances(run(2.0).view(), run(2.0 + 1e-6).view()).expect("alike");
    let rate = growth_rate(&times, &apart, 0.1).expect("grows");
    assert!((0.3..3.0).contains(&(rate / canonical.exponent)), "{rate}");
}

#[test]
fn bad_settings() {
    let at_rest = [0.0, 0.0];
    let good = Lyapunov::default();
    for bad in [
        Lyapunov { distance: 0.0, ..good },
        Lyapunov { interval: -1.0, ..good },
        Lyapunov { tolerance: f64::NAN, ..good },
        Lyapunov { intervals: 1, ..good },
    ] {
        assert!(bad.exponent(&Plain(&Pendulum::default()), &at_rest).is_err());
    }
    assert!(good.exponent(&Plain(&Pendulum::default()), &[0.0]).is_err());
    let short = Lyapunov { interval: 5e-324, ..good };
    let error = short.exponent(&Plain(&Pendulum::default()), &[1.0, 0.0]).expect_err("no time");
    assert!(error.to_string().contains("in units of its length"), "{error}");
    assert!(growth_rate(&[0.0, 1.0], &[1.0], 2.0).is_err());
    assert!(growth_rate(&[0.0, 1.0], &[1.0, 3.0], 2.0).is_err());
    for absurd in [
        Lyapunov { intervals: usize::MAX, ..good },
        Lyapunov { transient: usize::MAX, ..good },
        Lyapunov { transient: 1 << 26, intervals: 1 << 27, ..good },
    ] {
        let error = absurd.exponent(&Plain(&Pendulum::default()), &at_rest).expect_err("too many");
        assert!(error.to_string().contains("bytes"), "{error}");
    }
    // Times that do not increase determine no rate.
    for times in [[1.0, 1.0, 1.0], [0.0, 1.0, 1.0], [0.0, 2.0, 1.0], [0.0, f64::NAN, 1.0]] {
        let error = growth_rate(&times, &[0.1, 0.2, 0.3], 1.0).expect_err("no order").to_string();
        assert!(error.contains("does not come after"), "{error}");
    }
    let error = growth_rate(&[0.0, 1.0, 2.0], &[0.1, f64::NAN, 0.3], 1.0).expect_err("NaN");
    assert!(error.to_string().contains("row 1: the distances hold NaN"), "{error}");
    let error = growth_rate(&[0.0, 1e-200, 2e-200], &[0.1, 0.2, 0.3], 1.0).expect_err("too close");
    assert!(error.to_string().contains("do not determine a rate of growth"), "{error}");
    let (two, three) = (Array2::zeros((2, 2)), Array2::zeros((3, 2)));
    assert!(distances(two.view(), three.view()).is_err());
    assert!(distances(two.view(), three.t()).is_err());
}

#[test]
fn an_energy_shell_is_uniform_in_energy() {
    let law = EnergyShell { positions: vec![(-PI, PI); 2], energies: (-20.0, 30.0) };
    let canonical = DoublePendulum::default();
    let count = 2000;
    let starts = law.draw(&Plain(&canonical), count, 1).expect("room");
    let energy = Plain(&canonical).energy_rows(starts.view()).expect("energy");
    let mean = energy.sum() / count as f64;
    // Standard error 50 / sqrt(12 * 2000) = 0.32.
    assert!((mean - 5.0).abs() < 1.3, "{mean}");
    assert!(energy.iter().all(|e| (-20.0 - 1e-9..=30.0 + 1e-9).contains(e)));
    assert!(starts.columns().into_iter().take(2).all(|q| q.iter().all(|q| q.abs() <= PI)));
    assert_eq!(starts.row(7), law.draw(&Plain(&canonical), 8, 1).expect("room").row(7));
    // Velocities work as well.
    let lagrangian = canonical.lagrangian();
    let starts = law.draw(&Plain(&lagrangian), 50, 1).expect("room");
    let same = Plain(&lagrangian).energy_rows(starts.view()).expect("energy");
    close(same, energy.slice(ndarray::s![..50]).iter().copied(), 1e-10);

    let too_low = EnergyShell { energies: (-40.0, -35.0), ..law.clone() };
    let error = too_low.draw(&Plain(&canonical), 1, 0).expect_err("below the minimum").to_string();
    assert!(error.starts_with("no state of energy -3"), "{error}");
    let one = EnergyShell { positions: vec![(-PI, PI)], ..law.clone() };
    assert!(one.draw(&Plain(&canonical), 1, 0).is_err());
    let reversed = EnergyShell { energies: (1.0, 0.0), ..law };
    assert!(reversed.draw(&Plain(&canonical), 1, 0).is_err());
}

#[test]
fn states_on_no_trajectory_have_exact_accelerations() {
    let system = DoublePendulum::default().lagrangian();
    let law = Starts::Box(vec![(0.0, 2.0 * PI), (0.0, 2.0 * PI), (-10.0, 10.0), (-10.0, 10.0)]);
    let states = law.draw(300, 4, 0).expect("valid");
    let data = DataSet::from_states(&Plain(&system), 0.0, states.clone()).expect("valid");
    assert_eq!((data.num_trajectories(), data.len()), (300, 300));
    assert!(data.pairs().row.is_empty());
    assert_eq!(data.states(), states);
    assert_eq!(data.derivatives(), Plain(&system).eval_rows(0.0, states.view()).expect("field"));
}

#[test]
fn the_double_pendulum_of_the_protocol() {
    let system = DoublePendulum::default();
    let sampling = Sampling { trajectories: 10, ..Sampling::double_pendulum() };
    let canonical = sampling.sample(&Plain(&system), 3).expect("sampled");
    let lagrangian = sampling.sample(&Plain(&system.lagrangian()), 3).expect("sampled");
    assert_eq!((canonical.num_trajectories(), canonical.len(), canonical.dim()), (10, 500, 4));
    let starts = canonical.starts();
    assert!(starts.outer_iter().all(|x| x[2] == 0.0 && x[3] == 0.0));
    assert!(starts.iter().all(|q| q.abs() <= PI / 2.0));
    assert_eq!(starts, lagrangian.starts());
    // The same trajectories in the other coordinates, up to the growth of the solvers' errors.
    let converted = system.to_lagrangian(canonical.states()).expect("4 columns");
    close(converted, lagrangian.states().iter().copied(), 1e-8);
    assert!(system.to_lagrangian(array![[1.0]].view()).is_err());
}

#[test]
fn nearly_circular_orbits() {
    let two = Sampling { trajectories: 4, ..Sampling::two_bodies() };
    let data = two.sample(&Plain(&NBody::<2>::default()), 0).expect("sampled");
    assert_eq!((data.num_trajectories(), data.len(), data.dim()), (4, 200, 8));
    for one in data.iter() {
        // About the common centre, and not far from a circle.
        let radius = |k: usize| f64::hypot(one.states[[k, 0]], one.states[[k, 2]]);
        for k in 0..50 {
            assert!((one.states[[k, 0]] + one.states[[k, 1]]).abs() < 1e-9);
            assert!((radius(k) / radius(0) - 1.0).abs() < 0.5);
        }
    }
    let exact = Starts::ThreeBodies { low: 1.0, high: 1.0, noise: 0.0 };
    let three = Sampling { starts: exact, trajectories: 3, ..Sampling::three_bodies() };
    let data = three.sample(&Plain(&NBody::<3>::default()), 0).expect("sampled");
    assert_eq!((data.len(), data.dim()), (60, 12));
    for x in data.states().outer_iter() {
        for body in 0..3 {
            assert!((f64::hypot(x[body], x[3 + body]) - 1.0).abs() < 1e-9);
        }
    }
    assert!(Sampling::two_bodies().sample(&Plain(&NBody::<3>::default()), 0).is_err());
}

/// A Kepler ellipse crosses its axis once a turn, a pendulum its vertical twice, and Hénon and Heiles's crossings lie on
/// their surface and at their energy.
#[test]
fn poincare_sections() {
    let kepler = Kepler::default();
    let upwards = PoincareSection::new(|x: &[f64]| x[1], Crossing::Rising);
    // Semi-axes 1 and 2: periods 2 pi a^1.5.
    let starts = array![[0.5, 0.0, 0.0, 3.0_f64.sqrt()], [1.0, 0.0, 0.0, 1.5_f64.sqrt()]];
    let found = upwards.crossings(&Plain(&kepler), starts.view(), 40.0).expect("integrates");
    for (crossings, (axis, start)) in found.iter().zip([(1.0_f64, 0), (2.0, 1)]) {
        let period = 2.0 * PI * axis.powf(1.5);
        assert_eq!(crossings.times.len(), (40.0 / period) as usize);
        for (k, (t, x)) in crossings.times.iter().zip(crossings.states.outer_iter()).enumerate() {
            assert!((t - (k + 1) as f64 * period).abs() < 1e-7, "{t}");
            close(x.to_vec(), starts.row(start).to_vec(), 1e-7);
        }
    }
    let vertical = PoincareSection::new(|x: &[f64]| x[0], Crossing::Either);
    let swing = array![[1.0, 0.0]];
    let found =
        vertical.crossings(&Plain(&Pendulum::default()), swing.view(), 10.0).expect("integrates");
    assert!(found[0].states.column(1).windows(2).into_iter().all(|p| p[0] * p[1] < 0.0));
    let system = HenonHeiles::default();
    let start = array![[0.0, 0.1, 0.4, 0.1]];
    let energy = system.energy_state(&start.row(0).to_vec()).expect("energy");
    let section = PoincareSection::new(|x: &[f64]| x[0], Crossing::Rising);
    let found = section.crossings(&Plain(&system), start.view(), 200.0).expect("integrates");
    assert!(found[0].times.len() > 20);
    for x in found[0].states.outer_iter() {
        assert!(x[0].abs() < 1e-12 && x[2] > 0.0, "{x}");
        let now = system.energy_state(&x.to_vec()).expect("energy");
        assert!((now - energy).abs() < 1e-8, "{now}");
    }
    let fails = |section: PoincareSection<fn(&[f64]) -> f64>, duration| {
        section.crossings(&Plain(&system), start.view(), duration).is_err()
    };
    let of = |surface: fn(&[f64]) -> f64| PoincareSection::new(surface, Crossing::Either);
    assert!(!fails(of(|x| x[0]), 1.0));
    assert!(fails(of(|x| x[0]), -1.0) && fails(of(|x| x[0]), f64::NAN));
    assert!(fails(of(|x| x[0]).with_tolerance(0.0), 1.0));
    assert!(fails(of(|_| f64::NAN), 1.0));
}
