//! Systems, libraries and noise that several tests share.

use chacha20::ChaCha8Rng;
use hnn_sparse::{Ansatz, Argument, Expression, Library, Samples, SparseHamiltonian};
use ndarray::{Array2, Axis};
use rand::{Rng, RngExt, SeedableRng};

use hnn_integrators::VectorField;

pub(crate) fn x(i: usize) -> Expression {
    Expression::coordinate(i)
}

/// A system with the library that it is to be found in.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    pub(crate) truth: SparseHamiltonian,
    pub(crate) library: Library,
    /// Half the width of the box that states are drawn from.
    pub(crate) half_width: f64,
}

impl Case {
    fn new(name: &'static str, terms: &[(f64, Expression)], library: Library, half: f64) -> Self {
        let features = terms.iter().map(|(_, feature)| feature.clone());
        let own = Library::from_features(library.dim() / 2, features).expect("valid");
        let coefficients: Vec<f64> = terms.iter().map(|(c, _)| *c).collect();
        let ansatz = Ansatz::new(&own).expect("valid");
        let truth = SparseHamiltonian::from_coefficients(&ansatz, &coefficients).expect("valid");
        Self { name, truth, library, half_width: half }
    }

    /// States with exact derivatives.
    pub(crate) fn exact(&self, x: &Array2<f64>) -> Array2<f64> {
        self.truth.eval_rows(0.0, x.view()).expect("defined")
    }

    /// States uniform in the box, noise on the derivatives relative to each one's deviation.
    pub(crate) fn samples(&self, count: usize, noise: f64, seed: u64) -> Samples {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let shape = (count, self.library.dim());
        let half = self.half_width;
        let states = Array2::from_shape_simple_fn(shape, || rng.random_range(-half..half));
        let mut dx = self.exact(&states);
        add_noise(&mut dx, noise, &mut rng);
        Samples::new(states, dx).expect("finite")
    }

    /// Whether the terms are exactly the true ones, and the largest error of a coefficient.
    pub(crate) fn compare(&self, found: &SparseHamiltonian) -> (bool, f64) {
        let known = |model: &SparseHamiltonian| -> Vec<(String, f64)> {
            let names = model.coordinate_names();
            let terms = model.terms().iter();
            let mut known: Vec<_> = terms
                .map(|t| {
                    (
                        format!(
                            "{} {}",
                            t.column().is_energy(),
                            t.column().feature().to_text(names)
                        ),
                        t.coefficient(),
                    )
                })
                .collect();
            known.sort_by(|a, b| a.0.cmp(&b.0));
            known
        };
        let (truth, found) = (known(&self.truth), known(found));
        let same = truth.iter().map(|t| &t.0).eq(found.iter().map(|t| &t.0));
        let error = truth.iter().zip(&found).map(|(a, b)| (a.1 - b.1).abs()).fold(0.0, f64::max);
        (same, error)
    }
}

/// Normal noise, relative to the standard deviation of each column.
pub(crate) fn add_noise(table: &mut Array2<f64>, noise: f64, rng: &mut ChaCha8Rng) {
    let deviations = table.std_axis(Axis(0), 0.0);
    for mut row in table.rows_mut() {
        for (value, deviation) in row.iter_mut().zip(&deviations) {
            *value += noise * deviation * normal(rng);
        }
    }
}

/// Box and Muller.
pub(crate) fn normal(rng: &mut impl Rng) -> f64 {
    let (u, v): (f64, f64) = (rng.random::<f64>().max(1e-300), rng.random());
    (-2.0 * u.ln()).sqrt() * (std::f64::consts::TAU * v).cos()
}

fn degree_four() -> Library {
    Library::monomials(2, 1..=4).expect("valid")
}

fn kinetic() -> Vec<(f64, Expression)> {
    vec![(0.5, x(2).powi(2)), (0.5, x(3).powi(2))]
}

pub(crate) fn henon_heiles() -> Case {
    let mut terms = kinetic();
    terms.extend([
        (0.5, x(0).powi(2)),
        (0.5, x(1).powi(2)),
        (1.0, x(0).powi(2) * x(1)),
        (-1.0 / 3.0, x(1).powi(3)),
    ]);
    Case::new("Henon-Heiles", &terms, degree_four(), 1.0)
}

pub(crate) fn double_well() -> Case {
    let mut terms = kinetic();
    terms.extend([
        (-0.5, x(0).powi(2)),
        (0.25, x(0).powi(4)),
        (0.5, x(1).powi(2)),
        (0.3, x(0) * x(1)),
    ]);
    Case::new("double well", &terms, degree_four(), 1.5)
}

pub(crate) fn coupled_oscillators() -> Case {
    let mut terms = kinetic();
    terms.extend([(0.75, x(0).powi(2)), (-0.5, x(0) * x(1)), (0.75, x(1).powi(2))]);
    Case::new("coupled oscillators", &terms, degree_four(), 1.5)
}

/// Polynomials and sines together: nearly dependent columns.
pub(crate) fn pendulum() -> Case {
    let library = Library::monomials(1, 1..=6)
        .and_then(|l| l.union(&Library::trigonometric(1, &[1.0, 2.0, 3.0], 2)?))
        .expect("valid");
    let terms = [(1.0, x(1).powi(2)), (-3.0, Expression::cos(1.0, 0))];
    Case::new("pendulum", &terms, library, 2.0)
}

/// Two bodies in a plane: states (q1, q2) of the first, (q3, q4) of the second.
pub(crate) fn two_body() -> Case {
    let r = vec![Argument::Difference(0, 2), Argument::Difference(1, 3)];
    let library = Library::monomials(4, 1..=2)
        .and_then(|l| {
            l.union(&Library::radial(4, std::slice::from_ref(&r), &[-3, -2, -1, 1, 3], true)?)
        })
        .expect("valid");
    let mut terms: Vec<_> = (4..8).map(|i| (0.5, x(i).powi(2))).collect();
    terms.push((-1.0, Expression::distance(&r).powi(-1)));
    Case::new("two-body", &terms, library, 1.5)
}

pub(crate) fn polynomial_cases() -> [Case; 3] {
    [henon_heiles(), double_well(), coupled_oscillators()]
}
