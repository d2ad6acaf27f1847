//! Formulas out of data in any units, and out of states that are known to some digits only.

use std::cell::RefCell;

use chacha20::ChaCha8Rng;
use hnn_integrators::{Tolerances, solve_batch};
use hnn_sparse::{
    Ansatz, CrossValidation, Differentiation, Distillation, Equations, Expression, Folds, Gram,
    IntegralForm, Lasso, Library, ModelTerm, Observations, Samples, Selection, Shooting,
    SparseHamiltonian, WeakForm,
};
use ndarray::Array2;
use rand::SeedableRng;

use crate::common::{normal, x};

/// Units of position, momentum and time, in those of the spring.
#[derive(Debug, Clone, Copy)]
struct Units {
    q: f64,
    p: f64,
    t: f64,
}

impl Units {
    const ONE: Self = Self { q: 1.0, p: 1.0, t: 1.0 };

    fn of(self, i: usize) -> f64 {
        [self.q, self.p][i]
    }

    /// That of the coefficient of a feature: H has the unit `q p / t`.
    fn of_coefficient(self, feature: &str) -> f64 {
        let power = |name: char| match feature.split(' ').find(|part| part.starts_with(name)) {
            None => 0,
            Some(part) => part.split_once('^').map_or(1, |(_, k)| k.parse().expect("a number")),
        };
        self.q.powi(1 - power('q')) * self.p.powi(1 - power('p')) / self.t
    }
}

/// Five orbits of q^2/2 + p^2/2, with noise as a share of the amplitudes.
fn orbits(noise: f64, units: Units) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let mut observations = Observations::new(2);
    for radius in [0.4, 0.7, 1.0, 1.3, 1.6] {
        let times: Vec<f64> = (0..201).map(|k| 0.05 * k as f64).collect();
        let states = Array2::from_shape_fn((201, 2), |(k, i)| {
            let (sin, cos) = (times[k] + radius).sin_cos();
            (radius * [cos, -sin][i] + noise * normal(&mut rng)) * units.of(i)
        });
        let times = times.iter().map(|t| t * units.t).collect();
        observations.push(times, states).expect("valid");
    }
    observations
}

/// The same with derivatives, which have the noise.
fn samples(noise: f64, units: Units) -> Samples {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let at = |k: usize, i: usize| {
        let (sin, cos) = (0.07 * k as f64).sin_cos();
        [0.4, 0.7, 1.0, 1.3, 1.6][k / 100] * [cos, -sin][i]
    };
    let states = Array2::from_shape_fn((500, 2), |(k, i)| at(k, i) * units.of(i));
    let slopes = Array2::from_shape_fn((500, 2), |(k, i)| {
        let exact = if i == 0 { at(k, 1) } else { -at(k, 0) };
        (exact + noise * normal(&mut rng)) * units.of(i) / units.t
    });
    Samples::new(states, slopes)
        .and_then(|s| s.with_trajectories((0..500).map(|k| k / 100).collect()))
        .expect("valid")
}

/// `a q^2 + b p^2`.
fn spring(a: f64, b: f64, units: Units) -> SparseHamiltonian {
    let library = Library::from_features(1, [x(0).powi(2), x(1).powi(2)]).expect("valid");
    let w = [a * units.of_coefficient("q^2"), b * units.of_coefficient("p^2")];
    Ansatz::new(&library)
        .and_then(|ansatz| SparseHamiltonian::from_coefficients(&ansatz, &w))
        .expect("valid")
}

/// Names, coefficients and standard errors.
type Found = Vec<(String, f64, f64)>;

fn selected(equations: &Equations) -> Found {
    let found = Selection::default().run(equations).expect("found");
    assert!(found.warnings.is_empty(), "{found}");
    found.terms.into_iter().map(|t| (t.name, t.coefficient, t.std_error)).collect()
}

fn nonzero(names: &[String], w: &[f64]) -> Found {
    let pairs = names.iter().zip(w).filter(|(_, w)| **w != 0.0);
    pairs.map(|(name, w)| (name.clone(), *w, 0.0)).collect()
}

fn terms_of(model: &SparseHamiltonian) -> Found {
    let name = |t: &ModelTerm| t.column().feature().to_text(&["q", "p"]);
    model.terms().iter().map(|t| (name(t), t.coefficient(), t.std_error())).collect()
}

/// What each road from data to a formula finds.
fn roads(noise: f64, units: Units) -> Vec<(&'static str, Found)> {
    let library = Library::monomials(1, 1..=4).expect("valid");
    let (ansatz, observations) = (Ansatz::new(&library).expect("valid"), orbits(noise, units));
    let weak = WeakForm::default().equations(&observations, &ansatz).expect("valid");
    let integral = IntegralForm::new(units.t)
        .and_then(|form| form.equations(&observations, &ansatz))
        .expect("valid");
    let differences = |kind: Differentiation| {
        kind.samples(&observations).and_then(|s| s.equations(&ansatz)).expect("valid")
    };
    let smoothing = differences(Differentiation::savitzky_golay(units.t));
    let given = samples(noise, units).equations(&ansatz).expect("valid");
    let validated = |equations: &Equations, folds: Folds| {
        let v = CrossValidation::run(equations, &Lasso::default(), folds, 40, 1e-4).expect("valid");
        nonzero(equations.names(), &v.one_std_error().coefficients)
    };
    let gram = Gram::from_equations(&weak).expect("finite");
    let path = Lasso::default().path(&gram, 20, 1e-3).expect("valid");
    let domain = [units.q, units.p].map(|unit| (-1.5 * unit, 1.5 * unit));
    let distilled = Distillation::new(&domain)
        .and_then(|d| d.run(&spring(0.5, 0.5, units), &library))
        .expect("found");
    assert!(distilled.relative_error < 1e-12, "{units:?}: {}", distilled.relative_error);
    let shot = Shooting::default().refine(&spring(0.48, 0.52, units), &observations);
    vec![
        ("weak form", selected(&weak)),
        ("integral form", selected(&integral)),
        ("central differences", selected(&differences(Differentiation::Central))),
        ("smoothing", selected(&smoothing)),
        ("derivatives", selected(&given)),
        ("cross-validation by trajectory", validated(&weak, Folds::ByTrajectory)),
        ("cross-validation by point", validated(&given, Folds::ByPoint { count: 5 })),
        ("LASSO", nonzero(weak.names(), &path[19].coefficients)),
        ("distillation", terms_of(distilled.found.model())),
        ("shooting", terms_of(&shot.expect("converges").model)),
    ]
}

#[test]
fn units_change_nothing() {
    let mut all: Vec<Units> =
        (-12..=12).map(|k| Units { p: 10.0_f64.powi(-k), ..Units::ONE }).collect();
    for [q, p, t] in
        [[1e-9, 1.0, 1.0], [1e7, 1.0, 1.0], [1.0, 1.0, 1e-9], [1.0, 1.0, 3.6e3], [1e-6, 1e4, 1e6]]
    {
        all.push(Units { q, p, t });
    }
    for noise in [0.0, 0.01] {
        let first = roads(noise, Units::ONE);
        for units in &all {
            for ((road, expected), (_, found)) in first.iter().zip(roads(noise, *units)) {
                let names = |found: &Found| found.iter().map(|t| t.0.clone()).collect::<Vec<_>>();
                assert_eq!(names(&found), names(expected), "{road}, {units:?}, noise {noise}");
                for ((name, c, error), (_, c0, error0)) in found.iter().zip(expected) {
                    let unit = units.of_coefficient(name);
                    let (c, error) = (c / unit, error / unit);
                    let what = format!("{name} by {road}, {units:?}, noise {noise}");
                    assert!((c - c0).abs() < 1e-6 * c0.abs(), "{what}: {c} {c0}");
                    let close = (error - error0).abs() <= 1e-2 * error0 + 1e-12;
                    assert!(close, "{what}: {error} {error0}");
                }
            }
        }
        for (road, found) in &first {
            // Clean data tell the truth to 1e-6 where the method is exact, noisy ones to three
            // standard errors; a LASSO is biased, and differences have an error of their own.
            let exact = ["weak form", "integral form", "derivatives", "distillation", "shooting"];
            let statistical = noise > 0.0 && found.iter().all(|(.., error)| *error > 0.0);
            for (name, c, error) in found.iter().filter(|_| statistical || exact.contains(road)) {
                let bound = if noise > 0.0 { 3.0 * error } else { 1e-6 };
                assert!((c - 0.5).abs() < bound, "{name} by {road}, noise {noise}: {c} +- {error}");
            }
        }
    }
}

/// A free particle: what rests has no size of its own but its rounding or noise.
#[test]
fn momenta_at_rest_change_nothing() {
    let library = Library::monomials(1, 1..=4).expect("valid");
    let ansatz = Ansatz::new(&library).expect("valid");
    for (noise, k) in [0.0, 0.01].into_iter().flat_map(|noise| [-12, 0, 12].map(|k| (noise, k))) {
        let units = Units { p: 10.0_f64.powi(k), ..Units::ONE };
        let mut rng = ChaCha8Rng::seed_from_u64(7);
        let mut observations = Observations::new(2);
        for p in [-1.5, -0.6, 0.3, 0.9, 1.6] {
            let times: Vec<f64> = (0..200).map(|k| 0.05 * k as f64).collect();
            let states = Array2::from_shape_fn((200, 2), |(k, i)| {
                ([0.3 + p * times[k], p][i] + noise * normal(&mut rng)) * units.of(i)
            });
            observations.push(times, states).expect("valid");
        }
        let smoothing = Differentiation::savitzky_golay(1.0).samples(&observations);
        for equations in [
            WeakForm::default().equations(&observations, &ansatz),
            IntegralForm::new(1.0).and_then(|form| form.equations(&observations, &ansatz)),
            smoothing.and_then(|s| s.equations(&ansatz)),
        ] {
            let found = Selection::default().run(&equations.expect("valid")).expect("found");
            assert_eq!(found.names(), ["p^2"], "{units:?}, noise {noise}: {found}");
            let c = found.coefficient("p^2") / units.of_coefficient("p^2");
            assert!((c - 0.5).abs() < 1e-6 + noise, "{units:?}, noise {noise}: {found}");
        }
    }
}

/// Whether the formula is q^2/2 + p^2/2, and whether it comes with a warning.
fn circle(points: usize, data: &str, blur: impl Fn(f64) -> f64) -> (bool, bool, String) {
    let ansatz = Library::monomials(1, 2..=4).and_then(|l| Ansatz::new(&l)).expect("valid");
    let times: Vec<f64> = (0..points).map(|k| 10.0 * k as f64 / points as f64).collect();
    let at = |k: usize, i: usize| if i == 0 { times[k].cos() } else { -times[k].sin() };
    let exact = Array2::from_shape_fn((points, 2), |(k, i)| at(k, i));
    let states = exact.mapv(&blur);
    let slopes = |x: &Array2<f64>| {
        Array2::from_shape_fn((points, 2), |(k, i)| if i == 0 { x[[k, 1]] } else { -x[[k, 0]] })
    };
    let mut observations = Observations::new(2);
    observations.push(times.clone(), states.clone()).expect("valid");
    let equations = match data {
        "exact derivatives" => {
            Samples::new(states, slopes(&exact)).and_then(|s| s.equations(&ansatz))
        }
        "blurred derivatives" => {
            Samples::new(states, slopes(&exact).mapv(&blur)).and_then(|s| s.equations(&ansatz))
        }
        "weak form" => WeakForm::default().equations(&observations, &ansatz),
        "integral form" => IntegralForm::new(1.0).and_then(|f| f.equations(&observations, &ansatz)),
        _ => Differentiation::savitzky_golay(1.0)
            .samples(&observations)
            .and_then(|s| s.equations(&ansatz)),
    };
    let found = Selection::default().run(&equations.expect("valid")).expect("found");
    let close = |name: &str| (found.coefficient(name) - 0.5).abs() < 0.01;
    let right = found.names() == ["q^2", "p^2"] && close("q^2") && close("p^2");
    (right, !found.warnings.is_empty(), found.to_string())
}

const DATA: [&str; 5] =
    ["exact derivatives", "blurred derivatives", "weak form", "integral form", "smoothing"];

#[test]
fn one_orbit_of_rounded_or_noisy_states_is_right_or_warned_of() {
    for points in [100, 300, 1000] {
        for data in DATA {
            for k in 3..=8 {
                let step = 10.0_f64.powi(-k);
                let rounded = |x: f64| (x / step).round() * step;
                let (right, warned, found) = circle(points, data, rounded);
                assert!(right || warned, "{data}, {points} points to {step:e}: {found}");
                let rng = RefCell::new(ChaCha8Rng::seed_from_u64(1));
                let noisy = |x: f64| x + step * normal(&mut *rng.borrow_mut());
                let (right, warned, found) = circle(points, data, noisy);
                assert!(right || warned, "{data}, {points} points, noise {step:e}: {found}");
            }
        }
    }
}

#[test]
fn the_default_weak_form_fits_one_short_trajectory() {
    // Of each kind of motion one trajectory, 150 points on [0, 10].
    let (q, p) = (x(0), x(1));
    let (sin, cos) = (|k| Expression::sin(k, 0), |k| Expression::cos(k, 0));
    let kinetic = || 0.5 * p.powi(2);
    let systems = [
        ("pendulum", kinetic() - cos(1.0), [2.0, 0.3]),
        ("stiff pendulum", p.powi(2) - 3.0 * cos(1.0), [2.2, 0.0]),
        ("turning pendulum", kinetic() - cos(1.0), [0.0, 2.3]),
        ("double well", kinetic() - 0.5 * q.powi(2) + 0.25 * q.powi(4), [0.1, 0.3]),
        ("hardening spring", kinetic() + 0.5 * q.powi(2) + 0.3 * q.powi(4), [1.2, 0.0]),
        ("softening spring", kinetic() + 0.5 * q.powi(2) - 0.1 * q.powi(4), [1.2, 0.0]),
        ("cubic well", kinetic() + 0.5 * q.powi(2) + 0.3 * q.powi(3), [0.5, 0.1]),
        ("quartic momentum", kinetic() + 0.1 * p.powi(4) + 0.5 * q.powi(2), [1.0, 0.5]),
        ("two waves", kinetic() - cos(1.0) + 0.4 * sin(2.0), [1.8, 0.2]),
    ];
    let library = Library::monomials(1, 1..=4)
        .and_then(|l| l.union(&Library::trigonometric(1, &[1.0, 2.0], 1)?))
        .expect("valid");
    let ansatz = Ansatz::new(&library).expect("valid");
    let times: Vec<f64> = (0..150).map(|k| 10.0 * k as f64 / 149.0).collect();
    for (name, h, start) in systems {
        let terms = h.clone();
        let own = Library::from_features(1, [terms]).and_then(|l| Ansatz::new(&l)).expect("valid");
        let truth = SparseHamiltonian::from_coefficients(&own, &[1.0]).expect("valid");
        let starts = ndarray::array![start];
        let run = solve_batch(&truth, starts.view(), &times, Tolerances::both(1e-12));
        let states = run.expect("solved").states.index_axis_move(ndarray::Axis(0), 0);
        let mut observations = Observations::new(2);
        observations.push(times.clone(), states).expect("valid");
        let equations = WeakForm::default().equations(&observations, &ansatz).expect("enough");
        let found = Selection::default().run(&equations).expect("found");
        // Nothing is left of what was found, and nothing was missed.
        let model = found.model();
        let energy = |x: [f64; 2]| model.hamiltonian().value(&x) - h.value(&x);
        let offset = energy([0.3, 0.2]);
        for state in [[0.9, -0.4], [-0.7, 0.8], [0.1, 1.1]] {
            assert!((energy(state) - offset).abs() < 1e-8, "{name}: {found}");
        }
        assert!(found.warnings.is_empty(), "{name}: {found}");
    }
    // What is too little says what to change.
    let mut short = Observations::new(2);
    let lane = |k: usize, i: usize| (0.1 * k as f64 + i as f64).sin();
    let times: Vec<f64> = (0..14).map(|k| 0.1 * k as f64).collect();
    short.push(times, Array2::from_shape_fn((14, 2), |(k, i)| lane(k, i))).expect("valid");
    let error = WeakForm::default().equations(&short, &ansatz).expect_err("too few").to_string();
    assert!(error.contains("`width`") && error.contains("`stride`"), "{error}");
}

#[test]
fn the_residual_is_in_the_units_of_the_data() {
    // No term of the library makes dp/dt = -sin q; a straight line leaves a fifth of it.
    let library = Library::from_features(1, [x(0).powi(2), x(1).powi(2)]).expect("valid");
    let ansatz = Ansatz::new(&library).expect("valid");
    for scale in [1.0, 1e-9] {
        let states = Array2::from_shape_fn((400, 2), |(k, i)| {
            let share = (if i == 0 { 0.618 } else { 0.414 } * k as f64).fract();
            if i == 0 { 4.4 * (share - 0.5) } else { 2.0 * (share - 0.5) * scale }
        });
        let slopes = Array2::from_shape_fn((400, 2), |(k, i)| {
            if i == 0 { states[[k, 1]] / scale } else { -states[[k, 0]].sin() * scale }
        });
        let samples = Samples::new(states, slopes.clone());
        let equations = samples.and_then(|s| s.equations(&ansatz)).expect("valid");
        let found = Selection::default().run(&equations).expect("found");
        let w = [found.coefficient("q^2"), found.coefficient("p^2")];
        let (columns, y) = equations.to_arrays().expect("finite");
        let rest = &y - &columns.dot(&ndarray::arr1(&w));
        let root_mean = |v: &ndarray::Array1<f64>| (v.dot(v) / v.len() as f64).sqrt();
        assert!((found.residual / root_mean(&rest) - 1.0).abs() < 1e-9, "{found}");
        let relative = root_mean(&rest) / root_mean(&y);
        assert!((found.relative_residual / relative - 1.0).abs() < 1e-9, "{found}");
        let [dq, dp] = found.relative_residuals[..] else { panic!("two coordinates") };
        assert!(dq < 1e-9 && (0.15..0.3).contains(&dp), "{found}");
    }
}

/// A coefficient is judged by its own size: 1e-20 is no 0.
#[test]
fn shooting_refines_small_and_large_coefficients_alike() {
    let shoot = |units: Units| {
        let shooting = Shooting::default().with_steps(20).expect("valid");
        let refined = shooting.refine(&spring(0.48, 0.52, units), &orbits(0.0, units));
        let refined = refined.expect("converges");
        let names = ["q^2", "p^2"].map(|name| units.of_coefficient(name));
        let coefficients = refined.model.coefficients().into_iter().zip(names);
        coefficients.map(|(c, unit)| c / unit).collect::<Vec<_>>()
    };
    for t in [1e-20, 1.0, 1e20] {
        let coefficients = shoot(Units { t, ..Units::ONE });
        assert!(coefficients.iter().all(|c| (c - 0.5).abs() < 1e-8), "{t:e}: {coefficients:?}");
    }
}
