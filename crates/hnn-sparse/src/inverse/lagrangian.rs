//! A Lagrangian that is a formula.

use std::fmt;

use hnn_integrators::TooLarge;

use super::TorqueTerm;
use crate::SparseError;
use crate::expression::{Expression, Names, Syntax, signed_sum, significant};
use crate::program::Program;
use crate::size::require_room_for_derivatives;

/// A Lagrangian that is a formula, `L = sum_j c_j phi_j(q, v)`, with a friction on each joint, as
/// an [`InverseDynamics`](crate::InverseDynamics) is found.
///
/// It is a [`VectorField`](hnn_integrators::VectorField) of states `[q, v]` with the torques as
/// inputs, so that it is integrated as [`Driven`](hnn_integrators::Driven):
///
/// ```text
/// dq/dt = v,   M dv/dt = tau - C v + dL/dq - friction,   M_ik = d2L/dv_i dv_k, C_ik = d2L/dv_i dq_k
/// ```
#[derive(Debug, Clone)]
pub struct SparseLagrangian {
    pub(super) coordinates: Vec<String>,
    pub(super) terms: Vec<LagrangianTerm>,
    /// The entries of `M` on and below the diagonal, row after row, then what is beside `M dv/dt`
    /// and `tau`, of each joint.
    pub(super) program: Program,
}

#[derive(Debug, Clone, PartialEq, serde::Serialize, serde::Deserialize)]
pub(super) struct LagrangianTerm {
    pub(super) term: TorqueTerm,
    pub(super) coefficient: f64,
    pub(super) std_error: f64,
}

impl SparseLagrangian {
    pub(super) fn of_terms(
        coordinates: Vec<String>,
        terms: Vec<LagrangianTerm>,
    ) -> Result<Self, SparseError> {
        let n = coordinates.len() / 2;
        let remedy = "take fewer joints or fewer terms";
        let entries = (n * n) as u128 * (terms.len() as u128 + 1);
        TooLarge::check("derivatives of a Lagrangian", entries, 64, remedy)?;
        require_room_for_derivatives(terms.iter().map(|t| &t.term.feature), 2)?;
        let mut model = Self { coordinates, terms, program: Program::compile(0, []) };
        let lagrangian = model.lagrangian();
        let momenta: Vec<_> = (0..n).map(|i| lagrangian.derivative(n + i)).collect();
        let mass = momenta.iter().enumerate();
        let mut outputs: Vec<_> =
            mass.flat_map(|(i, p)| (0..=i).map(move |k| p.derivative(n + k))).collect();
        // The torque on each joint without acceleration: Coriolis, potential, friction.
        outputs.extend(momenta.iter().enumerate().map(|(i, p)| {
            let along = |k: usize| (1.0, p.derivative(k) * Expression::coordinate(n + k));
            let rest = [(-1.0, lagrangian.derivative(i)), (1.0, model.friction(i))];
            Expression::sum((0..n).filter(|&k| p.depends_on(k)).map(along).chain(rest))
        }));
        model.program = Program::compile(2 * n, &outputs);
        Ok(model)
    }

    /// Number of joints `n`.
    #[must_use]
    pub fn joints(&self) -> usize {
        self.coordinates.len() / 2
    }

    /// Names of the coordinates `[q, v]`.
    #[must_use]
    pub fn coordinate_names(&self) -> &[String] {
        &self.coordinates
    }

    /// The coefficients with their standard errors, in the order of the terms.
    pub fn coefficients(&self) -> impl ExactSizeIterator<Item = (f64, f64)> {
        self.terms.iter().map(|term| (term.coefficient, term.std_error))
    }

    /// `L` as one expression of `[q, v]`.
    #[must_use]
    pub fn lagrangian(&self) -> Expression {
        self.sum(None)
    }

    /// The entry `M_ik = d2L/dv_i dv_k` of the mass matrix; 0 beyond the joints.
    ///
    /// ```
    /// use hnn_sparse::{Expression, InverseDynamics, Library, Samples, Selection};
    /// use ndarray::Array2;
    /// // A mass of 2 without a potential.
    /// let of = |f: fn(f64) -> f64| Array2::from_shape_fn((9, 1), |(k, _)| f(0.5 * k as f64));
    /// let beside = |a: Array2<f64>, b: Array2<f64>| ndarray::concatenate![ndarray::Axis(1), a, b];
    /// let samples = Samples::new(beside(of(f64::sin), of(f64::cos)), beside(of(f64::cos), of(|t| -t.sin())))?
    ///     .with_inputs(of(|t| -2.0 * t.sin()))?;
    /// let energy = Library::from_features(1, [0.5 * Expression::coordinate(1).powi(2)])?;
    /// let found = Selection::default().run(&samples.equations(&InverseDynamics::new(&energy)?)?)?;
    /// assert!((found.model().mass(0, 0).value(&[0.0, 0.0]) - 2.0).abs() < 1e-12);
    /// # Ok::<(), hnn_sparse::SparseError>(())
    /// ```
    #[must_use]
    pub fn mass(&self, i: usize, k: usize) -> Expression {
        let n = self.joints();
        if i >= n || k >= n {
            return Expression::constant(0.0);
        }
        self.lagrangian().derivative(n + i).derivative(n + k)
    }

    /// The potential `V(q)`: what `-L` has without velocities.
    #[must_use]
    pub fn potential(&self) -> Expression {
        let n = self.joints();
        let at_rest = |t: &&LagrangianTerm| {
            t.term.joint.is_none() && !(n..2 * n).any(|i| t.term.feature.depends_on(i))
        };
        let terms = self.terms.iter().filter(at_rest);
        Expression::sum(terms.map(|t| (-t.coefficient, t.term.feature.clone())))
    }

    /// The friction on a joint.
    #[must_use]
    pub fn friction(&self, joint: usize) -> Expression {
        self.sum(Some(joint))
    }

    fn sum(&self, joint: Option<usize>) -> Expression {
        let terms = self.terms.iter().filter(|t| t.term.joint == joint);
        Expression::sum(terms.map(|t| (t.coefficient, t.term.feature.clone())))
    }

    /// As text, six significant digits: `L = 0.5 v^2 + 2 cos(q)`, then the friction on each joint,
    /// `friction[q] = 0.3 v`.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    fn line(&self, joint: Option<usize>, digits: usize) -> String {
        let names = Names { coordinates: &self.coordinates[..], inputs: &[] };
        let sum = self.sum(joint);
        let terms = sum.terms.iter().map(|term| {
            let text = Syntax::Text.monomial(&term.monomial, names);
            (significant(term.number, digits), text)
        });
        signed_sum(Syntax::Text, terms)
    }
}

impl fmt::Display for SparseLagrangian {
    /// As [`to_text`](SparseLagrangian::to_text); `{:.3}` prints three significant digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let digits = f.precision().unwrap_or(6);
        write!(f, "L = {}", self.line(None, digits))?;
        for (joint, name) in self.coordinates[..self.joints()].iter().enumerate() {
            if self.terms.iter().any(|t| t.term.joint == Some(joint)) {
                write!(f, "\nfriction[{name}] = {}", self.line(Some(joint), digits))?;
            }
        }
        Ok(())
    }
}
