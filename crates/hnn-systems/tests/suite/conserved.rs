//! Conserved quantities: known ones are found, others are not.

use hnn_integrators::lane::Dual;
use hnn_integrators::{FnField, Lane};
use hnn_systems::{
    Conservation, ConservationReport, DampedPendulum, EnergyShell, Features, Hamiltonian, Kepler,
    NBody, Quantity, Sampling, SystemError,
};
use ndarray::{Array2, array};

use crate::common::Plain;

fn orbits() -> Array2<f64> {
    let law = EnergyShell { positions: vec![(0.4, 1.5), (-0.7, 0.9)], energies: (-0.7, -0.2) };
    law.draw(&Plain(&Kepler::default()), 150, 3).expect("room")
}

fn formulas(report: &ConservationReport) -> Vec<String> {
    report.quantities.iter().map(ToString::to_string).collect()
}

/// Energy, angular momentum, and both components of the Runge-Lenz vector; nothing else.
#[test]
fn kepler() {
    let over_r = |i: usize| {
        move |x: &[Dual<f64, 1>]| {
            let r = (x[0] * x[0] + x[1] * x[1]).sqrt();
            if i < 2 { x[i] / r } else { Dual::fixed(1.0) / r }
        }
    };
    let library = Features::monomials(&["x", "y", "px", "py"], 3).expect("few");
    assert_eq!(library.len(), 34);
    let library = library.with("x/r", over_r(0)).with("y/r", over_r(1)).with("1/r", over_r(2));
    // An identity among features is no quantity: (x/r)^2 + (y/r)^2 = 1.
    let square = |i| move |x: &[_]| over_r(i)(x) * over_r(i)(x);
    let library = library.with("x^2/r^2", square(0)).with("y^2/r^2", square(1));
    let kepler = Kepler::default();
    let found =
        Conservation::default().find(&Plain(&kepler), orbits().view(), &library).expect("found");
    let names = |quantity: &Quantity| {
        let mut names = Vec::from_iter(quantity.terms.iter().map(|(_, name)| name.clone()));
        names.sort_unstable();
        names.join(", ")
    };
    let mut terms = Vec::from_iter(found.quantities.iter().map(names));
    terms.sort_unstable();
    let expected =
        ["1/r, px^2, py^2", "x px py, y px^2, y/r", "x py, y px", "x py^2, x/r, y px py"];
    assert_eq!(terms, expected, "{found}");
    for quantity in &found.quantities {
        assert!(quantity.conserved && quantity.drift < 1e-12, "{found}");
        assert!(quantity.along.expect("rollouts") < 1e-6, "{found}");
    }
    let energy = found.quantities.iter().find(|q| q.to_string().contains("1/r")).expect("energy");
    let coefficient =
        |name: &str| energy.terms.iter().find(|(_, own)| own == name).expect("a term").0;
    assert!((coefficient("px^2") / coefficient("1/r") + 0.5).abs() < 1e-9, "{energy}");
    assert!((coefficient("py^2") / coefficient("1/r") + 0.5).abs() < 1e-9, "{energy}");
}

#[test]
fn bodies() {
    let system = NBody::<3>::new([1.0, 2.0, 0.5], 1.0).expect("positive");
    let sampling = Sampling { trajectories: 6, points: 8, t_end: 1.0, ..Sampling::three_bodies() };
    let data = sampling.sample(&Plain(&system), 2).expect("samples");
    let settings = Conservation { rollouts: 2, duration: 2.0, ..Conservation::default() };
    let features = Features::momenta(2, 3).expect("few");
    // The momentum of one body is not conserved, nor is the sum of two.
    let features = features.with("px_1", |x| x[6]).with("px_1 + px_2", |x| x[6] + x[7]);
    let report = settings.test(&Plain(&system), data.states(), &features).expect("tested");
    let answers = Vec::from_iter(report.quantities.iter().map(|quantity| quantity.conserved));
    assert_eq!(answers, [true, true, true, false, false], "{report}");
    assert!(
        report.quantities[..3].iter().all(|q| q.along.is_some_and(|along| along < 1e-7)),
        "{report}"
    );
    assert!(report.quantities[3..].iter().all(|q| q.drift > 1e-3), "{report}");
    let text = report.to_string();
    assert!(text.contains("yes") && text.contains("angular momentum x py - y px"), "{text}");
    let found = settings
        .find(
            &Plain(&system),
            data.states(),
            &Features::monomials(
                &["x1", "x2", "x3", "y1", "y2", "y3", "px1", "px2", "px3", "py1", "py2", "py3"],
                1,
            )
            .expect("few"),
        )
        .expect("found");
    let mut formulas = formulas(&found);
    formulas.sort_unstable();
    assert_eq!(formulas, ["px1 + px2 + px3", "py1 + py2 + py3"], "{found}");
    let energy = settings.test_energy(&Plain(&system), data.states()).expect("tested");
    assert!(energy.quantities[0].conserved, "{energy}");
}

/// A damped pendulum conserves nothing, not even its energy, which is symmetric all the same: under turns of time, not of
/// space.
#[test]
fn a_damped_pendulum_conserves_nothing() {
    let pendulum = DampedPendulum::default();
    let states =
        Array2::from_shape_fn((80, 2), |(row, i)| (1.3 * row as f64 + 2.1 * i as f64).sin());
    let library = Features::monomials(&["q", "p"], 3).expect("few").with("cos q", |x| x[0].cos());
    let settings = Conservation::default();
    let found = settings.find(&Plain(&pendulum), states.view(), &library).expect("found");
    assert!(found.quantities.is_empty(), "{found}");
    assert!(found.to_string().ends_with("none"), "{found}");
    let energy = settings.test_energy(&Plain(&pendulum), states.view()).expect("tested");
    assert!(!energy.quantities[0].conserved && energy.quantities[0].drift > 1e-3, "{energy}");
    let own = Features::new(2)
        .with("energy", |x| x[1] * x[1] - Dual::fixed(3.0) * x[0].cos())
        .with("q", |x| x[0]);
    let symmetric = settings.symmetries(&Plain(&pendulum), states.view(), &own).expect("tested");
    let answers = Vec::from_iter(symmetric.quantities.iter().map(|quantity| quantity.conserved));
    assert_eq!(answers, [true, false], "{symmetric}");
}

#[test]
fn other_units_change_nothing() {
    let kepler = Kepler::default();
    let (length, speed) = (1e6, 1e-3);
    // The same orbits in other units: x' = length x, t' = t length / speed.
    let scaled = FnField::new(4, move |_t, x: &[f64], dx: &mut [f64]| {
        let own = [x[0] / length, x[1] / length, x[2] / speed, x[3] / speed];
        let slope: Vec<f64> = hnn_integrators::VectorField::eval_state(&Plain(&kepler), 0.0, &own)
            .expect("evaluates");
        for (i, dx) in dx.iter_mut().enumerate() {
            *dx = slope[i] * if i < 2 { speed } else { speed * speed / length };
        }
    });
    let unit = array![length, length, speed, speed];
    let library = Features::monomials(&["x", "y", "px", "py"], 2).expect("few");
    let settings = Conservation { rollouts: 0, ..Conservation::default() };
    let [first, second] = [
        settings.find(&Plain(&kepler), orbits().view(), &library),
        settings.find(&scaled, (&orbits() * &unit).view(), &library),
    ]
    .map(|found| found.expect("found"));
    assert_eq!(formulas(&first).len(), 1);
    assert_eq!(formulas(&first), formulas(&second));
    assert_eq!(first.quantities[0].along, None);
}

#[test]
fn bad_input() {
    let (kepler, settings) = (Kepler::default(), Conservation::default());
    let features = Features::momenta(2, 1).expect("one body");
    let test = |states: &Array2<f64>, settings: Conservation| {
        settings.test(&Plain(&kepler), states.view(), &features)
    };
    assert!(test(&orbits(), settings).is_ok());
    assert!(matches!(test(&Array2::zeros((5, 3)), settings), Err(SystemError::Dimension { .. })));
    assert!(matches!(test(&Array2::ones((1, 4)), settings), Err(SystemError::TooFew { .. })));
    let origin = test(&Array2::zeros((5, 4)), settings).expect_err("no field").to_string();
    assert!(origin.contains("NaN") || origin.contains("inf"), "{origin}");
    for bad in [0.0, f64::NAN] {
        assert!(test(&orbits(), Conservation { tolerance: bad, ..settings }).is_err());
        assert!(test(&orbits(), Conservation { duration: bad, ..settings }).is_err());
    }
    let still = FnField::new(2, |_t, _x: &[f64], dx: &mut [f64]| dx.fill(0.0));
    let states = array![[0.0, 1.0], [1.0, 2.0]];
    let error = settings.test(&still, states.view(), &Features::new(2).with("q", |x| x[0]));
    assert!(error.expect_err("nothing moves").to_string().contains("give states that move"));
    let huge = Features::new(4).with("1e308 x", |x| Dual::fixed(1e308) * x[0]);
    let error = settings.find(&Plain(&kepler), orbits().view(), &huge).expect_err("too large");
    assert!(error.to_string().contains("beyond all bounds"), "{error}");
    let few =
        settings.find(&still, states.view(), &Features::monomials(&["q", "p"], 3).expect("few"));
    assert!(matches!(few, Err(SystemError::TooFew { .. })));
    assert!(matches!(Features::monomials(&["q"; 100], 50), Err(SystemError::TooLarge(_))));
    assert!(matches!(Features::momenta(3, usize::MAX), Err(SystemError::TooLarge(_))));
    assert!(matches!(Features::momenta(0, 3), Err(SystemError::Empty { .. })));
    let odd = Features::new(3).with("x", |x| x[0]);
    assert!(settings.test(&Plain(&kepler), orbits().view(), &odd).is_err());
    let pole = Features::new(4).with("1/0", |x| Dual::fixed(1.0) / (x[0] - x[0]));
    let error = settings.test(&Plain(&kepler), orbits().view(), &pole).expect_err("a pole");
    assert!(error.to_string().contains("features"), "{error}");
    assert!(Plain(&kepler).energy_state(&[1.0, 0.0, 0.0, 1.0]).is_ok());
}
