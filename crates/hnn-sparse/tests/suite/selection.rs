//! Exact formulas out of derivatives, with and without noise.

#![allow(clippy::print_stdout)]

use hnn_sparse::{Ansatz, Gram, Lasso, Selection, SparseFit};

use crate::common::{Case, pendulum, polynomial_cases, two_body};

fn find(case: &Case, points: usize, noise: f64, seed: u64) -> SparseFit {
    let ansatz = Ansatz::new(&case.library).expect("valid");
    let equations = case.samples(points, noise, seed).equations(&ansatz).expect("valid");
    Selection::default().run(&equations).expect("found")
}

/// How many seeds give the exact support, and the largest error of a coefficient among those.
fn exact_of(case: &Case, points: usize, noise: f64, seeds: u64) -> (u64, f64) {
    let mut result = (0, 0.0_f64);
    for seed in 0..seeds {
        let found = find(case, points, noise, seed);
        let (exact, error) = case.compare(found.model());
        if exact {
            result = (result.0 + 1, result.1.max(error));
        } else {
            println!("{} at {noise}, seed {seed}: {found}", case.name);
        }
    }
    println!("{}, noise {noise}: {} of {seeds} exact, error {:.1e}", case.name, result.0, result.1);
    result
}

#[test]
fn without_noise_the_formula_is_exact() {
    for case in polynomial_cases().iter().chain([&pendulum(), &two_body()]) {
        let (exact, error) = exact_of(case, 500, 0.0, 3);
        assert_eq!(exact, 3, "{}", case.name);
        assert!(error <= 1e-10, "{}: {error:e}", case.name);
    }
}

#[test]
fn noise_on_derivatives() {
    for case in polynomial_cases() {
        for (noise, bound) in [(0.01, 1.5e-3), (0.05, 6e-3)] {
            let (exact, error) = exact_of(&case, 500, noise, 4);
            assert_eq!(exact, 4, "{} at {noise}", case.name);
            assert!(error <= bound, "{} at {noise}: {error:e}", case.name);
        }
    }
}

#[test]
fn noise_with_nearly_dependent_features() {
    for case in [pendulum(), two_body()] {
        assert_eq!(exact_of(&case, 500, 0.05, 3).0, 3, "{}", case.name);
    }
}

/// The full bars: 20 seeds, and 10 for the nearly dependent libraries.
#[test]
#[ignore = "a minute"]
fn over_many_seeds() {
    for case in polynomial_cases() {
        for (noise, bound) in [(0.01, 1.5e-3), (0.05, 6e-3)] {
            let (exact, error) = exact_of(&case, 500, noise, 20);
            assert!(exact >= 19, "{} at {noise}", case.name);
            assert!(error <= bound, "{} at {noise}: {error:e}", case.name);
        }
    }
    for case in [pendulum(), two_body()] {
        assert!(exact_of(&case, 500, 0.05, 10).0 >= 9, "{}", case.name);
    }
}

#[test]
fn plain_lasso_keeps_too_many_terms() {
    // At every lambda of its path: the true support is on none of them.
    for case in polynomial_cases() {
        let ansatz = Ansatz::new(&case.library).expect("valid");
        let equations = case.samples(500, 0.05, 1).equations(&ansatz).expect("valid");
        let gram = Gram::from_equations(&equations).expect("finite");
        let truth = Selection::default().run(&equations).expect("found").terms;
        let truth: Vec<usize> = truth.iter().map(|term| term.column).collect();
        for solution in Lasso::default().path(&gram, 100, 1e-4).expect("valid") {
            assert!(solution.converged);
            assert_ne!(solution.support(), truth, "{} at {}", case.name, solution.lambda);
        }
    }
}
