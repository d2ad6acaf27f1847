//! Starts and sampled data sets.

use std::f64::consts::PI;

use hnn_integrators::{Driven, FnField, Signal, Signals, Tolerances, VectorField, solve};
use hnn_systems::{
    Damped, DampedPendulum, Duffing, EnergyShell, FromEnergy, Hamiltonian, Pendulum, Sampling,
    Spring, Starts, SystemError,
};
use ndarray::{ArrayView1, array};

use hnn_testing::{assert_each_close as close, golden, matrix, numbers};

use crate::common::Plain;

#[test]
fn ring_is_uniform_in_radius() {
    let count = 4000;
    let starts = Starts::Ring { low: 1.3, high: 2.3 }.draw(count, 2, 7).expect("valid");
    let radii = Vec::from_iter(starts.outer_iter().map(|x| x.dot(&x).sqrt()));
    assert!(radii.iter().all(|r| (1.3 - 1e-12..=2.3 + 1e-12).contains(r)));
    let mean = radii.iter().sum::<f64>() / count as f64;
    // Standard error 1 / sqrt(12 * 4000) = 0.0046.
    assert!((mean - 1.8).abs() < 0.02, "{mean}");
    // Directions drawn from the box are denser along its diagonals: for the angle a within
    // [0, pi/4] the density is proportional to 1 / cos^2 a, so that half of them lie where
    // tan a < 1/2.
    let fold = |x: ArrayView1<'_, f64>| {
        let (a, b) = (x[0].abs(), x[1].abs());
        a.min(b) / a.max(b)
    };
    let near_axes = starts.outer_iter().filter(|x| fold(x.view()) < 0.5).count();
    assert!((near_axes as f64 / count as f64 - 0.5).abs() < 0.03);
}

#[test]
fn grey_has_sizes_and_signs() {
    let count = 4000;
    let starts = Starts::GREY.draw(count, 2, 3).expect("valid");
    assert!(starts.iter().all(|x| (0.2..=1.0).contains(&x.abs())));
    for column in starts.columns() {
        let positive = column.iter().filter(|x| **x > 0.0).count() as f64 / count as f64;
        assert!((positive - 0.5).abs() < 0.03, "{positive}");
        let size = column.mapv(f64::abs).sum() / count as f64;
        assert!((size - 0.6).abs() < 0.02, "{size}");
    }
}

#[test]
fn a_box_has_bounds_of_its_own() {
    let law = Starts::Box(vec![(-1.5, 1.5), (2.0, 2.0)]);
    let starts = law.draw(200, 2, 0).expect("valid");
    assert!(starts.column(0).iter().all(|x| x.abs() <= 1.5));
    assert!(
        starts.column(0).iter().any(|x| *x > 1.0) && starts.column(0).iter().any(|x| *x < -1.0)
    );
    assert!(starts.column(1).iter().all(|x| *x == 2.0));
}

#[test]
fn the_same_seed_gives_the_same_numbers() {
    let law = Starts::Ring { low: 0.1, high: 1.0 };
    let few = law.draw(3, 2, 5).expect("valid");
    let many = law.draw(10, 2, 5).expect("valid");
    assert_eq!(few, many.slice(ndarray::s![..3, ..]));
    assert_ne!(few, law.draw(3, 2, 6).expect("valid"));
    // The generator is fixed by name: these numbers must never change.
    let expected = include_str!("../data/starts_seed_5.txt").split_whitespace();
    assert_eq!(expected.clone().count(), few.len());
    for (x, text) in few.iter().zip(expected) {
        assert_eq!(format!("{x:.15e}"), text);
    }
}

#[test]
fn data_sets_follow_the_protocol() {
    let cases: [(&dyn Hamiltonian<f64>, Sampling, usize, f64, f64); 2] = [
        (&Plain(&Spring::default()), Sampling::spring(), 30, 0.1, 1.0),
        (&Plain(&Pendulum::default()), Sampling::pendulum(), 45, 1.3, 2.3),
    ];
    for (system, sampling, points, low, high) in cases {
        let data = sampling.sample(system, 0).expect("sampled");
        assert_eq!((data.num_trajectories(), data.len(), data.dim()), (50, 50 * points, 2));
        for one in data.iter() {
            assert_eq!((one.times[0], one.times[points - 1]), (0.0, 3.0));
            let radius = one.states.row(0).dot(&one.states.row(0)).sqrt();
            assert!((low - 1e-12..=high + 1e-12).contains(&radius));
            let energy = system.energy_rows(one.states).expect("energy");
            assert!(energy.iter().all(|e| (e - energy[0]).abs() < 1e-10));
        }
        let field = system.eval_rows(0.0, data.states()).expect("field");
        close(data.derivatives().iter().copied(), field, 1e-15);
        assert_eq!(data, sampling.sample(system, 0).expect("sampled"), "the same seed");
    }
}

#[test]
fn noise_is_on_the_states_only() {
    let system = DampedPendulum::default();
    let clean = Sampling::pendulum().sample(&system, 4).expect("sampled");
    let noisy =
        Sampling { noise: 0.1, ..Sampling::pendulum() }.sample(&system, 4).expect("sampled");
    assert_eq!(noisy.derivatives(), clean.derivatives());
    assert_eq!(noisy.times(), clean.times());
    let noise = &noisy.states() - &clean.states();
    let count = noise.len() as f64;
    let mean = noise.sum() / count;
    let deviation = (noise.mapv(|x| x * x).sum() / count - mean * mean).sqrt();
    // 4500 numbers: standard errors 0.0015 and 0.001.
    assert!(mean.abs() < 0.006, "{mean}");
    assert!((deviation - 0.1).abs() < 0.004, "{deviation}");
    let twice =
        Sampling { noise: 0.2, ..Sampling::pendulum() }.sample(&system, 4).expect("sampled");
    close(&twice.states() - &clean.states(), 2.0 * &noise, 1e-14);
}

#[test]
fn golden_trajectories() {
    let all = golden("damped_pendulum");
    for case in all["cases"].as_array().expect("cases") {
        let lambda = case["lambda"].as_f64().expect("lambda");
        let system = DampedPendulum::new(lambda, 6.0).expect("valid");
        let start = numbers(&case["x0"]);
        let starts = array![[start[0], start[1]]];
        let data = Sampling::pendulum().sample_from(&system, starts.view(), 0).expect("sampled");
        close(data.times().to_vec(), numbers(&case["t"]), 1e-15);
        close(data.states().iter().copied(), matrix(&case["states"]), 1e-10);
        close(data.derivatives().iter().copied(), matrix(&case["derivatives"]), 1e-10);

        let times = numbers(&case["t_long"]);
        let run = solve(&system, starts.row(0), &times, Tolerances::both(1e-12)).expect("solved");
        close(run.states.iter().copied(), matrix(&case["states_long"]), 1e-9);
        let energy = system.energy_rows(run.states.view()).expect("energy");
        close(energy, numbers(&case["energy_long"]), 1e-9);
    }
}

#[test]
fn bad_settings_are_named() {
    let sample = |sampling: Sampling| {
        let error = sampling.sample(&Spring::default(), 0).expect_err("bad setting");
        error.to_string()
    };
    let good = Sampling::spring;
    for noise in [-0.1, f64::NAN] {
        let error = sample(Sampling { noise, ..good() });
        assert_eq!(
            error,
            format!("sampling: noise = {noise}, but it must be finite and not negative")
        );
    }
    assert!(sample(Sampling { points: 1, ..good() }).contains("at least 2"));
    assert!(sample(Sampling { tolerance: 0.0, ..good() }).contains("tolerance = 0"));
    assert!(sample(Sampling { t_end: 0.0, ..good() }).contains("t_end - t_start"));
    assert!(sample(Sampling { t_end: -1.0, ..good() }).contains("t_end - t_start"));
    assert!(sample(Sampling { t_start: f64::NAN, ..good() }).contains("t_end - t_start"));
    assert_eq!(
        sample(Sampling { trajectories: 0, ..good() }),
        "no starting state: at least one is needed"
    );
    let ring = Starts::Ring { low: 1.0, high: 0.5 };
    assert!(sample(Sampling { starts: ring, ..good() }).contains("high = 0.5"));
    let three = Starts::Box(vec![(0.0, 1.0); 3]);
    assert!(
        sample(Sampling { starts: three, ..good() })
            .contains("law of the starts: dimension 3, but 2")
    );
    let wide = array![[1.0, 2.0, 3.0]];
    assert!(good().sample_from(&Spring::default(), wide.view(), 0).is_err());
}

/// Derivatives are those at each point's own time: with the force `cos t`, `p' = -1` at half a turn.
#[test]
fn a_driven_system_is_differentiated_at_each_time() {
    let driven = Duffing::new(1.0, 0.0).and_then(|system| system.with_forcing(1.0, 1.0));
    let driven = driven.expect("finite");
    let sampling = Sampling { points: 2, t_end: PI, ..Sampling::spring() };
    let data =
        sampling.sample_from(&Plain(&driven), array![[0.0, 0.0]].view(), 0).expect("sampled");
    // q = t sin(t) / 2 solves q'' = cos t - q from rest: q = 0 and p = -pi/2 at pi, p' = -1.
    close(data.states().row(1).to_vec(), [0.0, -PI / 2.0], 1e-10);
    close(data.derivatives().row(0).to_vec(), [0.0, 1.0], 1e-12);
    close(data.derivatives().row(1).to_vec(), [-PI / 2.0, -1.0], 1e-10);
    // The same of a data set that does not begin at 0, and of several trajectories.
    let later = Sampling { t_start: 1.0, ..sampling };
    let starts = array![[0.0, 0.0], [1.0, 0.5]];
    let data = later.sample_from(&Plain(&driven), starts.view(), 0).expect("sampled");
    for one in data.iter() {
        for ((t, x), dx) in one.times.iter().zip(one.states.rows()).zip(one.derivatives.rows()) {
            close(dx.to_vec(), [x[1], t.cos() - x[0]], 1e-12);
        }
    }
}

/// In any unit the same data.
#[test]
fn amplitudes_of_any_size() {
    let data = |amplitude: f64| {
        let starts = array![[amplitude, 0.0]];
        Sampling::spring().sample_from(&Plain(&Spring::default()), starts.view(), 0).expect("data")
    };
    let expected = data(1.0);
    for amplitude in [1e-15, 1e-12, 1e-9, 1e9] {
        let found = data(amplitude).states().mapv(|x| x / amplitude);
        close(found, expected.states().iter().copied(), 1e-10);
    }
}

/// Uniform laws between bounds whose distance overflows are refused, others drawn.
#[test]
fn extreme_bounds() {
    let (far, half) = (f64::MAX, 0.5 * f64::MAX);
    let message = |starts: Starts| starts.draw(3, 2, 0).map(drop).expect_err("refused").to_string();
    let error = message(Starts::Box(vec![(f64::MIN, far), (0.0, 1.0)]));
    assert!(error.contains("at a finite distance from it"), "{error}");
    assert!(
        message(Starts::Box(vec![(-0.6 * far, 0.6 * far), (0.0, 1.0)])).contains("upper bound")
    );
    assert!(message(Starts::Signed { low: 0.0, high: f64::INFINITY }).contains("high"));
    for law in [
        Starts::Box(vec![(-half, half), (f64::MAX, f64::MAX)]),
        Starts::Ring { low: 0.0, high: far },
        Starts::Signed { low: 0.0, high: far },
    ] {
        let starts = law.draw(1000, 2, 0).expect("finite bounds at a finite distance");
        assert!(starts.iter().all(|x| x.is_finite()), "{law:?}");
    }
    // Speeds of orbits too narrow for numbers.
    let tiny = Starts::TwoBodies { low: 1e-300, high: 1e-300, noise: 0.0 };
    assert!(tiny.draw(1, 8, 0).is_err());
    let shell = |positions, energies| {
        EnergyShell { positions: vec![positions], energies }.draw(
            &Plain(&Pendulum::default()),
            1,
            0,
        )
    };
    assert!(shell((f64::MIN, f64::MAX), (0.0, 1.0)).is_err());
    assert!(shell((-1.0, 1.0), (f64::MIN, f64::MAX)).is_err());
    assert!(shell((-1.0, 1.0), (0.5, 1.0)).is_ok());
}

/// Counts that no memory holds are refused at once.
#[test]
fn absurd_counts() {
    let ring = Starts::Ring { low: 0.5, high: 1.0 };
    let shell = EnergyShell { positions: vec![(-1.0, 1.0)], energies: (0.5, 1.0) };
    let (spring, good) = (Spring::default(), Sampling::spring());
    for count in [usize::MAX, usize::MAX / 2, 1 << 40] {
        let error = ring.draw(count, 2, 0).expect_err("too many").to_string();
        for part in [&format!("{count} points to draw"), "bytes", "draw fewer"] {
            assert!(error.contains(part), "{error}");
        }
        assert!(ring.draw(1, count, 0).is_err() && ring.draw(count, 0, 0).is_err());
        assert!(shell.draw(&Plain(&Pendulum::default()), count, 0).is_err());
        assert!(Sampling { trajectories: count, ..good.clone() }.sample(&spring, 0).is_err());
        let points = Sampling { points: count, ..good.clone() };
        assert!(points.sample(&spring, 0).is_err() && points.times().is_err());
        assert!(points.sample_from(&spring, array![[1.0, 0.0]].view(), 0).is_err());
    }
}

#[test]
fn a_field_that_blows_up_is_an_error() {
    // x' = x^2 from 1 ends at t = 1.
    let field = FnField::new(1, |_t, x: &[f64], dx: &mut [f64]| dx[0] = x[0] * x[0]);
    let error = Sampling::spring().sample_from(&field, array![[1.0]].view(), 0);
    assert!(matches!(error, Err(SystemError::Solve(_))));
}

#[test]
fn wrappers_are_the_systems_they_wrap() {
    let pendulum = Pendulum::default();
    let x = [0.7_f64, -1.1];
    let field = Plain(&pendulum).eval_state(0.0, &x).expect("field");
    assert_eq!(Plain(&FromEnergy(pendulum)).eval_state(0.0, &x).expect("field"), field);
    let frictionless = Damped::from_system(pendulum, 0.0).expect("valid");
    assert_eq!(Plain(&frictionless).eval_state(0.0, &x).expect("field"), field);
}

/// A system with inputs is sampled with their signals, a trajectory its own, and its data have them.
#[test]
fn driven_systems() {
    let field = FnField::with_inputs(2, 1, |_t: f64, x: &[f64], u: &[f64], dx: &mut [f64]| {
        dx[0] = x[1];
        dx[1] = u[0];
    });
    let times = [0.0, 1.0, 3.0];
    let signals = [array![[1.0], [3.0], [3.0]], array![[0.0], [-2.0], [0.0]]]
        .map(|force| Signal::held(&times, force.view()));
    let sampling = Sampling { points: 4, ..Sampling::spring() };
    let starts = array![[0.0, 0.0], [1.0, 0.5]];
    let driven = Driven::new(&field, Signals::Sampled(&signals));
    let data = sampling.sample_from(&driven, starts.view(), 0).expect("samples");
    let forces = [1.0, 3.0, 3.0, 3.0, 0.0, -2.0, -2.0, 0.0];
    assert_eq!(data.inputs().column(0).to_vec(), forces);
    assert_eq!(data.derivatives().column(1).to_vec(), forces);
    let speeds = [0.0, 1.0, 4.0, 7.0, 0.5, 0.5, -1.5, -3.5];
    close(data.states().column(1).to_vec(), speeds, 1e-10);
    let function = |trajectory: usize, t: f64, u: &mut [f64]| u[0] = t * (trajectory as f64 + 1.0);
    let driven = Driven::new(&field, Signals::Function(&function));
    let noisy = Sampling { noise: 0.1, ..sampling };
    let data = noisy.sample_from(&driven, starts.view(), 0).expect("samples");
    assert_eq!(data.inputs().column(0).to_vec(), [0.0, 1.0, 2.0, 3.0, 0.0, 2.0, 4.0, 6.0]);
}
