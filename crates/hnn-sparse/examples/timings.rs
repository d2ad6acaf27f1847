//! Times of a full selection over 69 features, and of rollouts of found Hamiltonians.
//!
//! `cargo run --release -p hnn-sparse --example timings`; medians, one thread.
#![allow(clippy::print_stdout)]

use std::error::Error;
use std::time::Instant;

use chacha20::ChaCha8Rng;
use hnn_integrators::{Interval, RK4, Stepper, VectorField, Workspace};
use hnn_sparse::{Ansatz, Expression, Library, Samples, Selection, SparseHamiltonian};
use ndarray::Array2;
use rand::{RngExt, SeedableRng};

fn median(mut runs: Vec<f64>) -> f64 {
    runs.sort_by(f64::total_cmp);
    runs[runs.len() / 2]
}

fn seconds(mut work: impl FnMut() -> Result<(), Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut runs = vec![];
    for _ in 0..15 {
        let start = Instant::now();
        work()?;
        runs.push(start.elapsed().as_secs_f64());
    }
    Ok(median(runs))
}

/// A formula of these terms.
fn formula(n: usize, terms: &[(f64, Expression)]) -> Result<SparseHamiltonian, Box<dyn Error>> {
    let library = Library::from_features(n, terms.iter().map(|(_, feature)| feature.clone()))?;
    let coefficients: Vec<f64> = terms.iter().map(|(c, _)| *c).collect();
    Ok(SparseHamiltonian::from_coefficients(&Ansatz::new(&library)?, &coefficients)?)
}

/// Millions of steps of all trajectories together a second, in blocks of 128.
fn rollout(field: &SparseHamiltonian) -> Result<f64, Box<dyn Error>> {
    const BATCH: usize = 128;
    const STEPS: usize = 1000;
    let dim = field.state_dim();
    let start: Vec<f64> = (0..dim * BATCH).map(|k| 0.3 * (k as f64).sin()).collect();
    let (t, dt) = (vec![0.0; BATCH], vec![0.01; BATCH]);
    let mut workspace = Workspace::default();
    let time = seconds(|| {
        let mut x = start.clone();
        let dynamics: &dyn VectorField<f64> = field;
        RK4.advance(dynamics, STEPS, Interval::new(&t, &dt), &mut x, &mut workspace)?;
        Ok(())
    })?;
    Ok((BATCH * STEPS) as f64 / time / 1e6)
}

fn main() -> Result<(), Box<dyn Error>> {
    let x = Expression::coordinate;
    let squares = |indices: std::ops::Range<usize>| indices.map(|i| (0.5, x(i).powi(2)));
    let mut terms: Vec<_> = squares(0..4).collect();
    terms.extend([(1.0, x(0).powi(2) * x(1)), (-1.0 / 3.0, x(1).powi(3))]);
    let henon_heiles = formula(2, &terms)?;
    let pendulum = formula(1, &[(1.0, x(1).powi(2)), (-3.0, Expression::cos(1.0, 0))])?;

    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let states = Array2::from_shape_simple_fn((500, 4), || rng.random_range(-1.0..1.0));
    let noise = Array2::from_shape_simple_fn((500, 4), || rng.random_range(-0.05..0.05));
    let dx = hnn_integrators::VectorField::eval_rows(&henon_heiles, 0.0, states.view())? + noise;
    let ansatz = Ansatz::new(&Library::monomials(2, 1..=4)?)?;
    let time = seconds(|| {
        let samples = Samples::new(states.clone(), dx.clone())?;
        let found = Selection::default().run(&samples.equations(&ansatz)?)?;
        assert_eq!(found.terms.len(), 6);
        Ok(())
    })?;
    println!("selection, 69 features, 2000 equations: {:.2} ms", 1e3 * time);
    for (name, field) in [("pendulum", &pendulum), ("Henon-Heiles", &henon_heiles)] {
        println!("RK4 of the {name} formula: {:.1} million steps/s", rollout(field)?);
    }
    Ok(())
}
