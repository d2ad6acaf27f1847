//! Formulas out of noisy states, no derivatives given.

#![allow(clippy::print_stdout)]

use chacha20::ChaCha8Rng;
use hnn_integrators::{Tolerances, solve_batch};
use hnn_losses::Window;
use hnn_sparse::{
    Ansatz, Differentiation, Equations, Expression, Friction, IntegralForm, Library, Observations,
    Selection, Shooting, SparseFit, SparseHamiltonian, WeakForm,
};
use ndarray::{Array2, Axis};
use rand::{RngExt, SeedableRng};

use crate::common::{Case, add_noise, coupled_oscillators, double_well, henon_heiles};

/// Trajectories from starts uniform in a box, with noise relative to each coordinate's deviation.
fn observe(
    field: &SparseHamiltonian,
    (count, half_width): (usize, f64),
    (points, dt): (usize, f64),
    noise: f64,
    seed: u64,
) -> Observations {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    let dim = field.state_dim();
    let starts =
        Array2::from_shape_simple_fn((count, dim), || rng.random_range(-half_width..half_width));
    let times: Vec<f64> = (0..points).map(|k| dt * k as f64).collect();
    let run = solve_batch(field, starts.view(), &times, Tolerances::both(1e-12)).expect("solved");
    let mut all: Array2<f64> = Array2::from_shape_fn((count * points, dim), |(row, i)| {
        run.states[[row / points, row % points, i]]
    });
    add_noise(&mut all, noise, &mut rng);
    let mut observations = Observations::new(dim);
    for states in all.axis_chunks_iter(Axis(0), points) {
        observations.push(times.clone(), states.to_owned()).expect("valid");
    }
    observations
}

/// The protocol of the bars: 10 trajectories, T = 20, dt = 0.1.
fn protocol(case: &Case, half_width: f64, noise: f64, seed: u64) -> Observations {
    observe(&case.truth, (10, half_width), (201, 0.1), noise, seed)
}

fn cases() -> [(Case, f64); 3] {
    [(henon_heiles(), 0.35), (double_well(), 1.2), (coupled_oscillators(), 1.2)]
}

fn weak(case: &Case, observations: &Observations) -> SparseFit {
    let ansatz = Ansatz::new(&case.library).expect("valid");
    let form = WeakForm::default().with_width(4.0).expect("positive");
    let equations = form.equations(observations, &ansatz).expect("valid");
    Selection::default().run(&equations).expect("found")
}

/// Exact supports out of `seeds` for each system; the mean of the largest errors of those.
fn weak_over(noise: f64, seeds: u64) -> (u64, f64) {
    let (mut exact_ones, mut errors) = (0, vec![]);
    for (case, half_width) in cases() {
        for seed in 0..seeds {
            let found = weak(&case, &protocol(&case, half_width, noise, seed));
            let (exact, error) = case.compare(found.model());
            println!("{} {noise} seed {seed}: {exact} {error:.1e} {}", case.name, found.model());
            if exact {
                exact_ones += 1;
                errors.push(error);
            }
        }
    }
    let largest = errors.iter().fold(0.0_f64, |a, &b| a.max(b));
    let mean = errors.iter().sum::<f64>() / errors.len() as f64;
    println!("noise {noise}: {exact_ones} exact, error {mean:.1e} (mean), {largest:.1e} (largest)");
    (exact_ones, mean)
}

#[test]
fn weak_form_without_noise() {
    let (exact, error) = weak_over(0.0, 1);
    assert_eq!(exact, 3);
    assert!(error <= 1e-7, "{error:e}");
}

#[test]
fn weak_form_with_noise() {
    for (noise, bound) in [(0.01, 1e-3), (0.05, 5e-3)] {
        let (exact, error) = weak_over(noise, 1);
        assert_eq!(exact, 3, "noise {noise}");
        assert!(error <= bound, "noise {noise}: {error:e}");
    }
}

/// The full bars: 15 cells.
#[test]
#[ignore = "half a minute"]
fn weak_form_over_many_seeds() {
    for (noise, bound) in [(0.01, 1e-3), (0.05, 5e-3), (0.1, 1.5e-2)] {
        let (exact, error) = weak_over(noise, 5);
        println!("noise {noise}: {exact} of 15, error {error:.1e}");
        assert!(exact >= 14, "noise {noise}: {exact} of 15");
        assert!(error <= bound, "noise {noise}: {error:e}");
    }
}

#[test]
fn other_forms_without_noise() {
    let form = |name: &str, observations: &Observations, ansatz: &Ansatz| -> Equations {
        let differences = |kind: Differentiation| {
            kind.samples(observations).and_then(|s| s.equations(ansatz)).expect("valid")
        };
        match name {
            "central" => differences(Differentiation::Central),
            "Savitzky-Golay" => differences(Differentiation::savitzky_golay(1.0)),
            _ => IntegralForm::new(1.0)
                .and_then(|f| f.equations(observations, ansatz))
                .expect("valid"),
        }
    };
    for (name, bound) in [("central", 2e-2), ("Savitzky-Golay", 2e-2), ("integral", 1e-4)] {
        for (case, half_width) in cases() {
            let observations = protocol(&case, half_width, 0.0, 3);
            let ansatz = Ansatz::new(&case.library).expect("valid");
            let equations = form(name, &observations, &ansatz);
            let found = Selection::default().run(&equations).expect("found");
            let (exact, error) = case.compare(found.model());
            println!(
                "{name}, {}: {exact} {error:.1e} floor {:.1e}",
                case.name,
                equations.relative_error()
            );
            assert!(exact, "{name}, {}: {found}", case.name);
            assert!(error < bound, "{name}, {}: {error:e}", case.name);
        }
    }
}

/// theta'' + 0.1 theta' + 6 sin theta = 0 with p = theta' / 2.
fn damped_pendulum() -> (Ansatz, SparseHamiltonian) {
    let library = Library::monomials(1, 1..=4)
        .and_then(|l| l.union(&Library::trigonometric(1, &[1.0, 2.0], 0)?))
        .expect("valid");
    let one = Expression::constant(1.0);
    let p = Expression::coordinate(1);
    let q = Expression::coordinate(0);
    let factor = Library::from_features(1, [one, q.powi(2), p.powi(2)]).expect("valid");
    let ansatz = Ansatz::new(&library)
        .and_then(|a| a.with_friction(&factor, Friction::Shared))
        .expect("valid");
    let coefficients: Vec<f64> = ansatz
        .names()
        .iter()
        .map(|name| match name.as_str() {
            "p^2" => 1.0,
            "cos(q)" => -3.0,
            "friction[1]" => 0.1,
            _ => 0.0,
        })
        .collect();
    let truth = SparseHamiltonian::from_coefficients(&ansatz, &coefficients).expect("valid");
    (ansatz, truth)
}

#[test]
fn damped_pendulum_with_its_friction() {
    let (ansatz, truth) = damped_pendulum();
    for seed in 0..4 {
        let observations = observe(&truth, (20, 1.8), (101, 0.05), 0.01, seed);
        let equations = WeakForm::default().equations(&observations, &ansatz).expect("valid");
        let found = Selection::default().run(&equations).expect("found");
        assert_eq!(found.names(), ["p^2", "cos(q)", "friction[1]"], "seed {seed}: {found}");
        assert!((found.coefficient("friction[1]") - 0.1).abs() < 5e-3, "{found}");
        assert!((found.coefficient("cos(q)") + 3.0).abs() < 0.03, "{found}");
        assert!(found.model().is_dissipative());
    }
}

#[test]
fn shooting_removes_the_bias_of_noise() {
    let (mut before, mut after, mut deviations) = (0.0, 0.0, vec![]);
    for (case, half_width) in cases() {
        for seed in 1..3 {
            let observations = protocol(&case, half_width, 0.1, seed);
            let found = weak(&case, &observations);
            let (exact, error) = case.compare(found.model());
            assert!(exact, "{found}");
            let refined =
                Shooting::default().refine(found.model(), &observations).expect("converges");
            let refined_error = case.compare(&refined.model).1;
            println!(
                "{}: {error:.1e}, refined {refined_error:.1e} in {}",
                case.name, refined.iterations
            );
            (before, after) = (before + error, after + refined_error);
            let truth: Vec<(String, f64)> = (case.truth.terms().iter())
                .map(|t| {
                    (t.column().feature().to_text(case.truth.coordinate_names()), t.coefficient())
                })
                .collect();
            for term in refined.model.terms() {
                let name = term.column().feature().to_text(case.truth.coordinate_names());
                let exact = truth.iter().find(|(known, _)| *known == name).expect("a true term").1;
                deviations.push((term.coefficient() - exact) / term.std_error());
            }
        }
    }
    assert!(after < 0.7 * before, "mean errors {before} to {after}, of 6");
    // No bias is left: the errors are as large as the fit says.
    let mean_square = deviations.iter().map(|d| d * d).sum::<f64>() / deviations.len() as f64;
    println!("errors in standard errors: {:.2} (root mean square)", mean_square.sqrt());
    assert!((0.5..2.0).contains(&mean_square), "{mean_square}");
}

#[test]
fn shooting_without_noise_is_exact() {
    let (case, half_width) = (henon_heiles(), 0.35);
    let observations = protocol(&case, half_width, 0.0, 2);
    let mut rough = case.truth.clone();
    let coefficients: Vec<f64> = rough.coefficients().iter().map(|c| 1.02 * c).collect();
    rough.set_coefficients(&coefficients).expect("as many");
    let refined = Shooting::default()
        .with_steps(20)
        .expect("valid")
        .refine(&rough, &observations)
        .expect("converges");
    let (_, error) = case.compare(&refined.model);
    assert!(error < 1e-8, "{error:e}");
}

/// A chaotic trajectory of many Lyapunov times: windows grow as far as they can be followed, and the
/// errors are what the fit says.
#[test]
fn shooting_follows_chaos_as_far_as_it_can() {
    let case = double_well();
    let start = ndarray::array![[0.3, 0.8, 0.4, 0.5]];
    let times: Vec<f64> = (0..801).map(|k| 0.25 * k as f64).collect();
    let run = solve_batch(&case.truth, start.view(), &times, Tolerances::both(1e-12));
    let mut states = run.expect("solved").states.index_axis_move(Axis(0), 0);
    add_noise(&mut states, 0.03, &mut ChaCha8Rng::seed_from_u64(1));
    let mut observations = Observations::new(4);
    observations.push(times, states).expect("valid");
    let mut rough = case.truth.clone();
    let coefficients: Vec<f64> = rough.coefficients().iter().map(|c| 1.02 * c).collect();
    rough.set_coefficients(&coefficients).expect("as many");
    let refined = Shooting::default().refine(&rough, &observations).expect("converges");
    assert!(matches!(refined.window, Window::Steps(160..=640)), "{:?}", refined.window);
    for (term, exact) in refined.model.terms().iter().zip(case.truth.coefficients()) {
        let (error, sigma) = (term.coefficient() - exact, term.std_error());
        assert!(error.abs() < 4.0 * sigma && sigma < 3e-3, "{error} of {sigma}");
    }
}
