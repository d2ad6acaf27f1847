//! Which terms are in the formula.
//!
//! Plain LASSO keeps too many: the columns of a monomial's gradient break the irrepresentable
//! condition (Zhao and Yu 2006), so no lambda gives the right support. Here its path, adaptive
//! paths, thresholded least squares and forward selection only *propose*; every proposal is pruned
//! backward, and the extended Bayesian information criterion (Chen and Chen 2008) chooses.

mod candidates;
mod criterion;
mod search;

use std::fmt;

pub use criterion::Criterion;

use crate::diagnosis::Diagnosis;
use crate::linalg::{LeastSquares, Triangle};
use crate::{Equations, SparseError, SparseHamiltonian, error::require};
use search::Search;

/// Chooses the terms of the formula; the default way of this crate.
///
/// ```
/// use hnn_sparse::{Ansatz, Library, Samples, Selection};
/// # use ndarray::Array2;
/// # let x = Array2::from_shape_fn((60, 2), |(k, i)| ((7 * k + 3 * i) as f64).sin() * 1.5);
/// # let dx = Array2::from_shape_fn((60, 2), |(k, i)| if i == 0 { x[[k, 1]] } else { -x[[k, 0]].sin() });
/// let library = Library::monomials(1, 1..=4)?.union(&Library::trigonometric(1, &[1.0], 0)?)?;
/// let equations = Samples::new(x, dx)?.equations(&Ansatz::new(&library)?)?;
/// let found = Selection::default().run(&equations)?;
/// assert_eq!(found.model().to_text(), "H = 0.5 p^2 - cos(q)");
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Selection {
    criterion: Criterion,
    required: Vec<String>,
    forbidden: Vec<String>,
    known: Vec<(String, f64)>,
}

impl Default for Selection {
    /// EBIC with `gamma = 2`, no term required, forbidden or known.
    fn default() -> Self {
        Self {
            criterion: Criterion::Ebic { gamma: 2.0 },
            required: vec![],
            forbidden: vec![],
            known: vec![],
        }
    }
}

/// A term that was found.
#[derive(Debug, Clone, PartialEq)]
pub struct FoundTerm {
    /// Its column in the equations.
    pub column: usize,
    /// Its name.
    pub name: String,
    /// Its coefficient.
    pub coefficient: f64,
    /// Standard error of the coefficient, for independent noise on the equations (0 where the
    /// coefficient was given).
    pub std_error: f64,
}

impl FoundTerm {
    /// The coefficient over its standard error.
    #[must_use]
    pub fn t_value(&self) -> f64 {
        self.coefficient / self.std_error
    }
}

/// What a selection found.
#[derive(Debug, Clone)]
pub struct Identification {
    /// The terms, in the order of the columns.
    pub terms: Vec<FoundTerm>,
    /// Number of equations.
    pub rows: usize,
    /// Root mean square of the residual.
    pub residual: f64,
    /// The same over the root mean square of `y`.
    pub relative_residual: f64,
    /// Value of the criterion, and that of the best other set of terms that was looked at.
    pub score: f64,
    /// See [`score`](Self::score); infinite if no other set was looked at.
    pub next_score: f64,
    /// How many sets of terms were compared.
    pub compared: usize,
    /// What the data cannot tell, where it matters for these terms.
    pub warnings: Vec<String>,
    model: SparseHamiltonian,
}

impl Identification {
    /// The formula.
    #[must_use]
    pub fn model(&self) -> &SparseHamiltonian {
        &self.model
    }

    /// The formula, by value.
    #[must_use]
    pub fn into_model(self) -> SparseHamiltonian {
        self.model
    }

    /// Names of the terms.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.terms.iter().map(|term| term.name.clone()).collect()
    }

    /// The coefficient of the term with this name; 0 where it is not in the formula.
    #[must_use]
    pub fn coefficient(&self, name: &str) -> f64 {
        self.terms.iter().find(|term| term.name == name).map_or(0.0, |term| term.coefficient)
    }
}

impl fmt::Display for Identification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.model)?;
        for term in &self.terms {
            let FoundTerm { name, coefficient, std_error, .. } = term;
            writeln!(f, "  {name}: {coefficient} +- {std_error:.2e} (t = {:.1})", term.t_value())?;
        }
        write!(f, "  residual {:.3e} of y, {} equations", self.relative_residual, self.rows)?;
        self.warnings.iter().try_for_each(|warning| write!(f, "\n  warning: {warning}"))
    }
}

impl Selection {
    /// Replaces the criterion.
    ///
    /// # Errors
    /// If its `gamma` is negative or not finite.
    pub fn criterion(mut self, criterion: Criterion) -> Result<Self, SparseError> {
        if let Criterion::Ebic { gamma } = criterion {
            require(gamma >= 0.0 && gamma.is_finite(), "gamma", gamma, "finite, not negative")?;
        }
        self.criterion = criterion;
        Ok(self)
    }

    /// Terms that are there whatever the data say; their coefficients are fitted.
    #[must_use]
    pub fn require<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.required.extend(names.into_iter().map(Into::into));
        self
    }

    /// Terms that are not there.
    #[must_use]
    pub fn forbid<S: Into<String>>(mut self, names: impl IntoIterator<Item = S>) -> Self {
        self.forbidden.extend(names.into_iter().map(Into::into));
        self
    }

    /// A term with a known coefficient.
    #[must_use]
    pub fn know(mut self, name: impl Into<String>, coefficient: f64) -> Self {
        self.known.push((name.into(), coefficient));
        self
    }

    /// Finds the formula.
    ///
    /// # Errors
    /// If the data are not finite, a name is unknown, or no term is better than none.
    pub fn run(&self, equations: &Equations) -> Result<Identification, SparseError> {
        let parts = Triangle::by_component(equations)?;
        let weights = component_weights(&parts, equations.relative_error());
        self.run_on(equations, Triangle::merged(&parts, &weights))
    }

    fn run_on(
        &self,
        equations: &Equations,
        mut triangle: Triangle,
    ) -> Result<Identification, SparseError> {
        let position = |name: &String| {
            let names = equations.names();
            names.iter().position(|known| known == name).ok_or_else(|| {
                SparseError::UnknownFeature { name: name.clone(), known: names.join(", ") }
            })
        };
        let required = self.required.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        let mut absent = self.forbidden.iter().map(position).collect::<Result<Vec<_>, _>>()?;
        let full_square = triangle.target_square();
        let mut known = vec![];
        for (name, coefficient) in &self.known {
            let column = position(name)?;
            triangle.subtract(column, *coefficient);
            known.push((column, *coefficient));
            absent.push(column);
        }
        let floor = equations.relative_error().powi(2) * full_square;
        let search = Search::new(&triangle, self.criterion, floor, required, &absent);
        let outcome = search.run(equations.names())?;
        if outcome.fit.len() + known.len() == 0 {
            let reason = "every set of terms has a worse criterion than the empty set".to_owned();
            return Err(SparseError::NothingFound { reason });
        }
        let mut terms = refit(&outcome.fit, triangle.rows(), floor);
        terms.extend(known.into_iter().map(|(column, coefficient)| (column, coefficient, 0.0)));
        terms.sort_by_key(|&(column, ..)| column);
        let warnings = if outcome.fit_is_shaky {
            let support: Vec<usize> = terms.iter().map(|&(column, ..)| column).collect();
            Diagnosis::of_triangle(&triangle, equations).warnings_for(&support)
        } else {
            vec![]
        };
        let mean_square = outcome.fit.residual_square / triangle.rows() as f64;
        Ok(Identification {
            model: SparseHamiltonian::new(equations.ansatz(), &terms),
            terms: terms
                .into_iter()
                .map(|(column, coefficient, std_error)| FoundTerm {
                    name: equations.names()[column].clone(),
                    column,
                    coefficient,
                    std_error,
                })
                .collect(),
            rows: triangle.rows(),
            residual: mean_square.sqrt(),
            relative_residual: (outcome.fit.residual_square / full_square).sqrt(),
            score: outcome.score,
            next_score: outcome.next_score,
            compared: outcome.compared,
            warnings,
        })
    }
}

/// Weights that make the noise of all components of the field equally large, from what no
/// combination of all features explains of each: without them a component that is large, and so
/// noisy, would drown the others. All 1 where there are too few rows to tell.
fn component_weights(parts: &[Triangle], relative_error: f64) -> Vec<f64> {
    const LARGEST_RATIO: f64 = 1e4;
    let enough = parts.iter().all(|part| part.rows() >= 3 * part.active_columns() + 10);
    let deviation = |part: &Triangle| {
        let freedom = (part.rows() - part.active_columns()) as f64;
        let floor = relative_error.powi(2) * part.target_square() / part.rows() as f64;
        (part.rest() / freedom).max(floor).sqrt()
    };
    if !enough {
        return vec![1.0; parts.len()];
    }
    let deviations: Vec<f64> = parts.iter().map(deviation).collect();
    let largest = deviations.iter().fold(0.0_f64, |a, &b| a.max(b));
    let weight = |deviation: &f64| (largest / deviation).min(LARGEST_RATIO);
    // 0 / 0: a field that is 0.
    deviations.iter().map(weight).map(|w| if w.is_nan() { 1.0 } else { w }).collect()
}

/// `(column, coefficient, standard error)` of a least-squares fit.
fn refit(fit: &LeastSquares, rows: usize, floor: f64) -> Vec<(usize, f64, f64)> {
    let freedom = rows.saturating_sub(fit.len()).max(1) as f64;
    let variance = fit.residual_square.max(floor) / freedom;
    let pairs = fit.coefficients().into_iter().zip(fit.unit_variances());
    let terms = fit.columns.iter().zip(pairs);
    terms.map(|(&column, (w, unit))| (column, w, (variance * unit).sqrt())).collect()
}
