//! Which terms are in the formula.
//!
//! Plain LASSO keeps too many: the columns of a monomial's gradient break the irrepresentable
//! condition (Zhao and Yu 2006), so no lambda gives the right support. Here its path, adaptive
//! paths, thresholded least squares and forward selection only *propose*; every proposal is pruned
//! backward, and the extended Bayesian information criterion (Chen and Chen 2008) chooses.

mod candidates;
mod criterion;
mod search;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

pub use criterion::Criterion;

use crate::diagnosis::Diagnosis;
use crate::equations::root_mean_square;
use crate::linalg::{LeastSquares, Triangle};
use crate::unknowns::Unknowns;
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "Unchecked"))]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
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
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(bound = ""))]
pub struct SparseFit<M = SparseHamiltonian> {
    /// The terms, in the order of the columns.
    pub terms: Vec<FoundTerm>,
    /// Number of equations.
    pub rows: usize,
    /// Root mean square of the residual, in the units of the data.
    pub residual: f64,
    /// The same over the root mean square of `y`. Where coordinates have different units, look at
    /// [`relative_residuals`](Self::relative_residuals).
    pub relative_residual: f64,
    /// The same for every component of the equations alone: a coordinate's derivative, or a torque.
    pub relative_residuals: Vec<f64>,
    /// Value of the criterion, and that of the best other set of terms that was looked at.
    pub score: f64,
    /// See [`score`](Self::score); infinite if no other set was looked at.
    pub next_score: f64,
    /// How many sets of terms were compared.
    pub compared: usize,
    /// What the data cannot tell, where it matters for these terms.
    pub warnings: Vec<String>,
    #[cfg_attr(feature = "serde", serde(skip))]
    components: Vec<String>,
    #[cfg_attr(feature = "serde", serde(skip))]
    model: M,
}

impl<M> SparseFit<M> {
    /// The formula.
    #[must_use]
    pub fn model(&self) -> &M {
        &self.model
    }

    /// The formula, by value.
    #[must_use]
    pub fn into_model(self) -> M {
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
        self.term(name).map_or(0.0, |term| term.coefficient)
    }

    /// The term with this name, if it is in the formula.
    #[must_use]
    pub fn term(&self, name: &str) -> Option<&FoundTerm> {
        self.terms.iter().find(|term| term.name == name)
    }
}

impl<M: fmt::Display> fmt::Display for SparseFit<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))?;
        writeln!(f, "{}", self.model)?;
        for term in &self.terms {
            let FoundTerm { name, coefficient, std_error, .. } = term;
            writeln!(f, "  {name}: {coefficient} +- {std_error:.2e} (t = {:.1})", term.t_value())?;
        }
        write!(f, "  residual {:.3e} of y", self.relative_residual)?;
        for (component, residual) in self.components.iter().zip(&self.relative_residuals) {
            write!(f, ", {residual:.1e} of {component}")?;
        }
        write!(f, ", {} equations", self.rows)
    }
}

/// What a text says.
#[cfg(feature = "serde")]
#[derive(serde::Deserialize)]
struct Unchecked {
    criterion: Criterion,
    required: Vec<String>,
    forbidden: Vec<String>,
    known: Vec<(String, f64)>,
}

#[cfg(feature = "serde")]
impl TryFrom<Unchecked> for Selection {
    type Error = SparseError;

    fn try_from(given: Unchecked) -> Result<Self, SparseError> {
        let Unchecked { criterion, required, forbidden, known } = given;
        let selection = Self::default().with_criterion(criterion)?;
        Ok(Self { required, forbidden, known, ..selection })
    }
}

impl Selection {
    /// Replaces the criterion.
    ///
    /// # Errors
    /// If its `gamma` is negative or not finite.
    pub fn with_criterion(mut self, criterion: Criterion) -> Result<Self, SparseError> {
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
    /// If the data are not finite, a name is unknown or used in two ways, a required term is 0 in
    /// every equation, a known coefficient or the equations' error is not finite, or no term is
    /// better than none.
    pub fn run<A: Unknowns>(
        &self,
        equations: &Equations<A>,
    ) -> Result<SparseFit<A::Model>, SparseError> {
        let masks = Masks::new(self, equations)?;
        let errors = equations.relative_errors()?;
        let parts = Triangle::by_component(equations)?;
        let weights = component_weights(&parts, errors);
        let mut triangle = Triangle::merged(&parts, &weights);
        // In units of its size, each component's rows are of order 1.
        let floors = parts.iter().zip(&weights).zip(errors);
        let floor: f64 = floors.map(|((p, w), e)| p.rows() as f64 * (w * e).powi(2)).sum();
        if let Some(&column) = masks.required.iter().find(|&&j| triangle.column_square(j) == 0.0) {
            let name = equations.names()[column].clone();
            return Err(SparseError::ZeroColumn { column, name });
        }
        let Masks { required, known, absent } = masks;
        known.iter().for_each(|&(column, coefficient)| triangle.subtract(column, coefficient));
        let rows = equations.independent_rows();
        let search =
            Search::new(&triangle, self.criterion, (floor, rows), required.clone(), &absent);
        let outcome = search.run(equations.names())?;
        if outcome.fit.len() + known.len() == 0 {
            let reason = "every set of terms has a worse criterion than the empty set".to_owned();
            return Err(SparseError::NothingFound { reason });
        }
        let mut terms = refit(&outcome.fit, rows, floor);
        let given = known.into_iter().map(|(column, coefficient)| (column, coefficient, 0.0));
        terms.extend(given.clone());
        terms.sort_by_key(|&(column, ..)| column);
        let support: Vec<usize> = terms.iter().map(|&(column, ..)| column).collect();
        let mut warnings = if outcome.fit_is_shaky {
            Diagnosis::of_triangle(&triangle, equations).warnings_for(A::ENERGY, &support)
        } else {
            vec![]
        };
        if let Some(rival) = outcome.rival.filter(|_| warnings.is_empty()) {
            let terms: Vec<_> = refit(&rival, rows, floor).into_iter().chain(given).collect();
            let other = equations.ansatz().model(&terms)?;
            let shares = [&rival, &outcome.fit]
                .map(|fit| (fit.residual_square / triangle.target_square()).sqrt());
            warnings.push(format!(
                "the data cannot identify {}: {other} leaves {:.1e} of y, this formula {:.1e}, and what \
                 they differ by shows no more than noise of the states would; add trajectories of \
                 other energies, or forbid terms",
                A::ENERGY, shares[0], shares[1],
            ));
        }
        let needed = EQUATIONS_A_TERM * outcome.fit.len() as f64;
        if outcome.fit.residual_square > floor && rows < needed {
            warnings.push(format!(
                "the noise of only {rows:.0} equations is independent, for {} terms: some may be noise; \
                 give longer or more trajectories",
                outcome.fit.len()
            ));
        }
        let lost = required.iter().filter(|j| !support.contains(j));
        warnings.extend(lost.map(|&j| {
            let name = &equations.names()[j];
            format!(
                "{name} is required, but the data cannot tell it from the other terms: left out"
            )
        }));
        warnings.splice(..0, equations.warnings().iter().cloned());
        let residuals = Residuals::new(&parts, equations.scales(), &terms);
        Ok(SparseFit {
            model: equations.ansatz().model(&terms)?,
            components: equations.ansatz().components(),
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
            residual: residuals.all,
            relative_residual: residuals.relative,
            relative_residuals: residuals.relatives,
            score: outcome.score,
            next_score: outcome.next_score,
            compared: outcome.compared,
            warnings,
        })
    }
}

/// With fewer independent equations a term, noise may look like a term.
const EQUATIONS_A_TERM: f64 = 5.0;

/// The columns that terms are required, known and forbidden in.
struct Masks {
    required: Vec<usize>,
    known: Vec<(usize, f64)>,
    /// Those that are not fitted: forbidden ones and known ones.
    absent: Vec<usize>,
}

impl Masks {
    fn new<A: Unknowns>(
        selection: &Selection,
        equations: &Equations<A>,
    ) -> Result<Self, SparseError> {
        let names = equations.names();
        let position = |name: &String| {
            names.iter().position(|known| known == name).ok_or_else(|| {
                SparseError::UnknownFeature { name: name.clone(), known: names.join(", ") }
            })
        };
        let positions = |names: &[String]| -> Result<BTreeSet<usize>, SparseError> {
            names.iter().map(position).collect()
        };
        let (required, forbidden) =
            (positions(&selection.required)?, positions(&selection.forbidden)?);
        let mut known = BTreeMap::new();
        let once = |free: bool, column: usize| {
            let expected = "required, forbidden or known, and known once";
            require(free, "the use of a term", format!("twofold for {}", names[column]), expected)
        };
        for (name, coefficient) in &selection.known {
            let expected = "finite";
            require(coefficient.is_finite(), "a known coefficient", coefficient, expected)?;
            let column = position(name)?;
            once(known.insert(column, *coefficient).is_none(), column)?;
        }
        for &column in required.union(&forbidden) {
            let uses = [required.contains(&column), forbidden.contains(&column)];
            let free = !(uses == [true; 2] || known.contains_key(&column));
            once(free, column)?;
        }
        let absent = forbidden.into_iter().chain(known.keys().copied()).collect();
        Ok(Self {
            required: required.into_iter().collect(),
            known: known.into_iter().collect(),
            absent,
        })
    }
}

/// What the terms leave of the equations.
struct Residuals {
    /// Root mean square, in the units of the data.
    all: f64,
    /// That over the root mean square of `y`.
    relative: f64,
    /// The same of each component of the field.
    relatives: Vec<f64>,
}

impl Residuals {
    /// From the rows of each component, in units of its `scales`.
    fn new(parts: &[Triangle], scales: &[f64], terms: &[(usize, f64, f64)]) -> Self {
        let mut w = vec![0.0; parts.first().map_or(0, Triangle::columns)];
        terms.iter().for_each(|&(column, coefficient, _)| w[column] = coefficient);
        let root_mean = |square: f64, part: &Triangle| (square / part.rows() as f64).sqrt();
        let relatives: Vec<f64> =
            parts.iter().map(|part| root_mean(part.residual_square(&w), part)).collect();
        let targets: Vec<f64> =
            parts.iter().map(|part| root_mean(part.target_square(), part)).collect();
        // In the units of the data.
        let size = |relative: &[f64]| {
            root_mean_square(relative.iter().zip(scales).map(|(share, scale)| share * scale))
        };
        let all = size(&relatives);
        Self { all, relative: all / size(&targets), relatives }
    }
}

/// Weights that make the noise of all components of the field equally large, from what no
/// combination of all features explains of each: without them a component that is noisy would
/// drown the others. All 1 where there are too few rows to tell.
fn component_weights(parts: &[Triangle], relative_errors: &[f64]) -> Vec<f64> {
    const LARGEST_RATIO: f64 = 1e4;
    let enough = parts.iter().all(|part| part.rows() >= 3 * part.active_columns() + 10);
    let deviation = |(part, error): (&Triangle, &f64)| {
        let freedom = (part.rows() - part.active_columns()) as f64;
        (part.rest() / freedom).sqrt().max(*error)
    };
    if !enough {
        return vec![1.0; parts.len()];
    }
    let deviations: Vec<f64> = parts.iter().zip(relative_errors).map(deviation).collect();
    let largest = deviations.iter().fold(0.0_f64, |a, &b| a.max(b));
    let weight = |deviation: &f64| (largest / deviation).min(LARGEST_RATIO);
    // 0 / 0: a field that is 0.
    deviations.iter().map(weight).map(|w| if w.is_nan() { 1.0 } else { w }).collect()
}

/// `(column, coefficient, standard error)` of a least-squares fit.
fn refit(fit: &LeastSquares, rows: f64, floor: f64) -> Vec<(usize, f64, f64)> {
    let freedom = (rows - fit.len() as f64).max(1.0);
    let variance = fit.residual_square.max(floor) / freedom;
    let pairs = fit.coefficients().into_iter().zip(fit.unit_variances());
    let terms = fit.columns.iter().zip(pairs);
    terms.map(|(&column, (w, unit))| (column, w, (variance * unit).sqrt())).collect()
}
