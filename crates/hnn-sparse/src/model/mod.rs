//! A formula that is a dynamics: prints, integrates, differentiates, and goes to a file.

mod compiled;
mod differentiable;
mod field;
pub(crate) mod json;
mod print;
mod separable;

use hnn_integrators::TooLarge;
use std::sync::Arc;

use crate::ansatz::{Ansatz, AnsatzColumn};
use crate::expression::{Expression, Names};
use crate::size::require_room_for_derivatives;
use crate::{SparseError, error::same_length};
use compiled::Compiled;
use differentiable::Derivatives;
pub use differentiable::SparseResiduals;
pub use separable::SeparableSparseHamiltonian;

/// A Hamiltonian that is a formula, `H = sum_j c_j phi_j(q, p)`, and maybe a friction
/// `-D(q, p) p` and forces `F_i(q, p, u)` with inputs `u`:
///
/// ```text
/// dq_i/dt = dH/dp_i,   dp_i/dt = -dH/dq_i - D p_i + F_i
/// ```
///
/// With inputs it is integrated as [`Driven`](hnn_integrators::Driven), by their signals.
///
/// It is a [`VectorField`](hnn_integrators::VectorField) that runs on SIMD lanes, a
/// [`Hamiltonian`](hnn_systems::Hamiltonian) (its energy is `H`), and a
/// [`DifferentiableField`](hnn_integrators::DifferentiableField) whose parameters are the
/// coefficients.
///
/// ```
/// use hnn_sparse::{Ansatz, Expression, Library, SparseHamiltonian};
/// use hnn_integrators::VectorField;
/// let q = Expression::coordinate(0);
/// let p = Expression::coordinate(1);
/// let library = Library::from_features(1, [p.powi(2), Expression::cos(1.0, 0)])?;
/// let pendulum = SparseHamiltonian::from_coefficients(&Ansatz::new(&library)?, &[0.5, -1.0])?;
/// assert_eq!(pendulum.to_text(), "H = 0.5 p^2 - cos(q)");
/// let dx: Vec<f64> = pendulum.eval_state(0.0, &[0.5, 2.0])?;
/// assert!((dx[0] - 2.0).abs() < 1e-15 && (dx[1] + 0.5_f64.sin()).abs() < 1e-15);
/// assert!(pendulum.is_separable());
/// # Ok::<(), hnn_sparse::SparseError>(())
/// ```
#[derive(Debug, Clone)]
pub struct SparseHamiltonian {
    coordinates: Vec<String>,
    inputs: Vec<String>,
    terms: Vec<ModelTerm>,
    field: Compiled,
    energy: Compiled,
    gradient: Compiled,
    derivatives: Arc<Derivatives>,
    jacobian: Compiled,
}

/// A term of the formula.
#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct ModelTerm {
    pub(crate) column: AnsatzColumn,
    pub(crate) coefficient: f64,
    pub(crate) std_error: f64,
}

impl ModelTerm {
    /// What the coefficient multiplies.
    #[must_use]
    pub fn column(&self) -> &AnsatzColumn {
        &self.column
    }

    /// The coefficient.
    #[must_use]
    pub fn coefficient(&self) -> f64 {
        self.coefficient
    }

    /// Standard error of the coefficient; 0 where none is known.
    #[must_use]
    pub fn std_error(&self) -> f64 {
        self.std_error
    }
}

impl SparseHamiltonian {
    /// With the coefficients of all columns of `ansatz`, as a [`Lasso`](crate::Lasso) gives them;
    /// those that are exactly 0 are left out, all others are terms.
    ///
    /// # Errors
    /// If there are not as many coefficients as columns, one is NaN or infinite, or the formula's
    /// Jacobian is too large.
    pub fn from_coefficients(ansatz: &Ansatz, coefficients: &[f64]) -> Result<Self, SparseError> {
        same_length("coefficients, one a column", coefficients.len(), ansatz.columns().len())?;
        check_finite(coefficients)?;
        let nonzero = coefficients.iter().enumerate().filter(|(_, c)| **c != 0.0);
        let terms: Vec<_> = nonzero.map(|(column, &c)| (column, c, 0.0)).collect();
        Self::new(ansatz, &terms)
    }

    /// With these terms: column, coefficient, standard error.
    pub(crate) fn new(ansatz: &Ansatz, terms: &[(usize, f64, f64)]) -> Result<Self, SparseError> {
        let term = |&(column, coefficient, std_error): &(usize, f64, f64)| ModelTerm {
            column: ansatz.columns()[column].clone(),
            coefficient,
            std_error,
        };
        let names = [ansatz.coordinate_names(), ansatz.input_names()].map(<[String]>::to_vec);
        Self::of_terms(names, terms.iter().map(term).collect())
    }

    /// Of these names of coordinates and inputs.
    fn of_terms(
        [coordinates, inputs]: [Vec<String>; 2],
        terms: Vec<ModelTerm>,
    ) -> Result<Self, SparseError> {
        let dim = coordinates.len();
        // Each entry of the Jacobian is looked at, term by term.
        let entries = dim as u128 * (dim + inputs.len()) as u128 * (terms.len() as u128 + 1);
        let remedy = "take a formula of fewer coordinates, or of fewer terms";
        TooLarge::check("derivatives of a formula", entries, 64, remedy)?;
        require_room_for_derivatives(terms.iter().map(|term| &term.column.feature), 2)?;
        let theta: Vec<f64> = terms.iter().map(|term| term.coefficient).collect();
        let fields: Vec<Vec<Expression>> = terms
            .iter()
            .map(|term| (0..dim).map(|i| term.column.field(i, dim)).collect())
            .collect();
        let energies: Vec<Expression> = terms
            .iter()
            .map(|term| match term.column.is_energy() {
                true => term.column.feature().clone(),
                false => Expression::constant(0.0),
            })
            .collect();
        let compile = |outputs: usize, part: &dyn Fn(usize, usize) -> Expression| {
            Compiled::new(dim, outputs, &theta, part)
        };
        let (derivatives, jacobian) = Derivatives::new(dim, 0, inputs.len(), &fields, &theta);
        Ok(Self {
            field: compile(dim, &|i, j| fields[j][i].clone()),
            energy: compile(1, &|_, j| energies[j].clone()),
            gradient: compile(dim, &|i, j| energies[j].derivative(i)),
            jacobian,
            derivatives: Arc::new(derivatives),
            coordinates,
            inputs,
            terms,
        })
    }

    /// Dimension `D = 2 n` of the state.
    #[must_use]
    pub fn state_dim(&self) -> usize {
        self.coordinates.len()
    }

    /// Names of the coordinates.
    #[must_use]
    pub fn coordinate_names(&self) -> &[String] {
        &self.coordinates
    }

    /// Names of the inputs.
    #[must_use]
    pub fn input_names(&self) -> &[String] {
        &self.inputs
    }

    fn all_names(&self) -> Names<'_, String> {
        Names { coordinates: &self.coordinates, inputs: &self.inputs }
    }

    /// The terms.
    #[must_use]
    pub fn terms(&self) -> &[ModelTerm] {
        &self.terms
    }

    /// The coefficients, in the order of the terms.
    #[must_use]
    pub fn coefficients(&self) -> Vec<f64> {
        self.terms.iter().map(|term| term.coefficient).collect()
    }

    /// Replaces the coefficients.
    ///
    /// # Errors
    /// If there are not as many as terms, or one is NaN or infinite; nothing is replaced then.
    pub fn set_coefficients(&mut self, coefficients: &[f64]) -> Result<(), SparseError> {
        same_length("coefficients, one a term", coefficients.len(), self.terms.len())?;
        check_finite(coefficients)?;
        self.assign(coefficients);
        Ok(())
    }

    /// With other standard errors.
    pub(crate) fn with_std_errors(mut self, errors: &[f64]) -> Self {
        self.terms.iter_mut().zip(errors).for_each(|(term, error)| term.std_error = *error);
        self
    }

    fn assign(&mut self, coefficients: &[f64]) {
        for (term, &coefficient) in self.terms.iter_mut().zip(coefficients) {
            term.coefficient = coefficient;
        }
        for compiled in [&mut self.field, &mut self.energy, &mut self.gradient, &mut self.jacobian]
        {
            compiled.set(coefficients);
        }
    }

    /// `H` as one expression.
    #[must_use]
    pub fn hamiltonian(&self) -> Expression {
        let terms = self.terms.iter().filter(|term| term.column.is_energy());
        Expression::sum(terms.map(|term| (term.coefficient, term.column.feature().clone())))
    }

    /// Whether there is a term of a friction or force.
    #[must_use]
    pub fn is_dissipative(&self) -> bool {
        self.terms.iter().any(|term| !term.column.is_energy())
    }

    /// Whether `H = T(p) + V(q)` without friction, so that explicit symplectic methods apply.
    #[must_use]
    pub fn is_separable(&self) -> bool {
        self.entangled_term().is_none()
    }

    /// The first term that is neither a function of `q` nor of `p` alone.
    pub(crate) fn entangled_term(&self) -> Option<String> {
        let n = self.state_dim() / 2;
        let entangled = |term: &&ModelTerm| {
            let feature = term.column.feature();
            let q = (0..n).any(|i| feature.depends_on(i));
            let p = (n..2 * n).any(|i| feature.depends_on(i));
            !term.column.is_energy() || (q && p)
        };
        self.terms.iter().find(entangled).map(|term| term.column.name(self.all_names()))
    }
}

fn check_finite(coefficients: &[f64]) -> Result<(), SparseError> {
    match coefficients.iter().position(|c| !c.is_finite()) {
        Some(row) => {
            Err(SparseError::NotFinite { what: "the list of coefficients", row, column: 0 })
        }
        None => Ok(()),
    }
}
