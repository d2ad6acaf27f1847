//! A small ring of functions closed under differentiation.
//!
//! An [`Expression`] is a sum of numbers times monomials; a monomial is a product of integer powers
//! of coordinates, differences of coordinates, sines, cosines, distances, their logarithms and
//! users' functions. Derivatives of expressions are expressions, so gradients and Hessians of
//! features are exact, and one evaluator serves libraries, models and their derivatives.

mod atom;
mod custom;
mod print;

use std::collections::BTreeMap;
use std::ops::{Add, Mul, Neg, Sub};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

pub use atom::Argument;
pub(crate) use atom::{Atom, Frequency};
pub use custom::CustomFunction;
pub(crate) use custom::{CustomAtom, Derivative};
pub(crate) use print::{Syntax, signed_sum};

/// Powers of atoms, sorted, no exponent 0. Empty: the constant 1.
pub(crate) type Monomial = Vec<(Atom, i32)>;

/// A function of the state: a sum of numbers times products of powers of elementary functions.
///
/// Always in canonical form: like terms are merged, terms with number 0 dropped.
///
/// ```
/// use hnn_sparse::Expression;
/// let (q, p) = (Expression::coordinate(0), Expression::coordinate(1));
/// let energy = 0.5 * p.powi(2) - Expression::cos(1.0, 0);
/// assert_eq!(energy.derivative(0), Expression::sin(1.0, 0));
/// assert_eq!(energy.to_text(&["q", "p"]), "0.5 p^2 - cos(q)");
/// assert_eq!((q.clone() + p.clone()) * (q.clone() - p.clone()), q.powi(2) - p.powi(2));
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Expression {
    pub(crate) terms: Vec<Term>,
}

/// A number times a monomial.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Term {
    pub(crate) number: f64,
    pub(crate) monomial: Monomial,
}

impl Expression {
    /// A constant.
    #[must_use]
    pub fn constant(number: f64) -> Self {
        Self::from_terms([(number, vec![])])
    }

    /// The coordinate `x_i`.
    #[must_use]
    pub fn coordinate(i: usize) -> Self {
        Self::from_atom(Atom::Linear(Argument::Coordinate(i)))
    }

    /// `x_i - x_j` as one factor.
    #[must_use]
    pub fn difference(i: usize, j: usize) -> Self {
        Self::from_atom(Atom::Linear(Argument::Difference(i, j)))
    }

    /// `sin(k x_i)`.
    #[must_use]
    pub fn sin(k: f64, i: usize) -> Self {
        Self::sin_of(k, Argument::Coordinate(i))
    }

    /// `cos(k x_i)`.
    #[must_use]
    pub fn cos(k: f64, i: usize) -> Self {
        Self::cos_of(k, Argument::Coordinate(i))
    }

    /// `sin(k u)` of a coordinate or a difference.
    #[must_use]
    pub fn sin_of(k: f64, u: Argument) -> Self {
        // The sign of k goes outside, so that sin(-k u) and sin(k u) are known as one function.
        Self::from_atom(Atom::Sin(Frequency(k.abs()), u)) * Self::constant(k.signum())
    }

    /// `cos(k u)` of a coordinate or a difference.
    #[must_use]
    pub fn cos_of(k: f64, u: Argument) -> Self {
        Self::from_atom(Atom::Cos(Frequency(k.abs()), u))
    }

    /// The distance `r = sqrt(u_1^2 + u_2^2 + ...)`; of one argument, its absolute value.
    ///
    /// `|q_1 - q_2|^3` is `Expression::distance(&[Argument::Difference(0, 1)]).powi(3)`.
    #[must_use]
    pub fn distance(arguments: &[Argument]) -> Self {
        Self::from_atom(Atom::Radius(sorted(arguments)))
    }

    /// The logarithm `ln r` of the [`distance`](Self::distance).
    #[must_use]
    pub fn log_distance(arguments: &[Argument]) -> Self {
        Self::from_atom(Atom::LogRadius(sorted(arguments)))
    }

    /// A user's function.
    #[must_use]
    pub fn custom(function: impl CustomFunction + 'static) -> Self {
        Self::custom_shared(Arc::new(function))
    }

    /// A user's function that is shared.
    #[must_use]
    pub fn custom_shared(function: Arc<dyn CustomFunction>) -> Self {
        Self::from_atom(Atom::Custom(CustomAtom::new(function), Derivative::Value))
    }

    /// The integer power. A sum has no negative powers here: they are NaN.
    #[must_use]
    pub fn powi(&self, exponent: i32) -> Self {
        if let [term] = self.terms.as_slice() {
            let monomial = term.monomial.iter().map(|(a, k)| (a.clone(), k * exponent)).collect();
            return Self::from_terms([(term.number.powi(exponent), monomial)]);
        }
        if exponent < 0 {
            return Self::constant(f64::NAN);
        }
        (0..exponent).fold(Self::constant(1.0), |product, _| product * self.clone())
    }

    /// The derivative along coordinate `i`.
    #[must_use]
    pub fn derivative(&self, i: usize) -> Self {
        let mut terms = vec![];
        for term in &self.terms {
            for (position, (atom, exponent)) in term.monomial.iter().enumerate() {
                for (number, factors) in atom.derivative(i) {
                    let mut monomial = term.monomial.clone();
                    monomial[position].1 -= 1;
                    monomial.extend(factors);
                    terms.push((term.number * f64::from(*exponent) * number, monomial));
                }
            }
        }
        Self::from_terms(terms)
    }

    /// Its value at the state `x`, which must have every coordinate that it names.
    #[must_use]
    pub fn value(&self, x: &[f64]) -> f64 {
        let factor = |(atom, exponent): &(Atom, i32)| atom.value(x).powi(*exponent);
        let term = |term: &Term| term.number * term.monomial.iter().map(factor).product::<f64>();
        self.terms.iter().map(term).sum()
    }

    /// Whether it is the constant 0.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether it changes with no coordinate.
    #[must_use]
    pub fn is_constant(&self) -> bool {
        self.terms.iter().all(|term| term.monomial.is_empty())
    }

    /// Whether it may change with coordinate `i`.
    #[must_use]
    pub fn depends_on(&self, i: usize) -> bool {
        self.atoms().any(|atom| atom.depends_on(i))
    }

    /// The largest index of a coordinate in it; `None` for a constant.
    #[must_use]
    pub fn last_coordinate(&self) -> Option<usize> {
        self.atoms().map(Atom::last_coordinate).max()
    }

    /// As text, with these names of the coordinates.
    #[must_use]
    pub fn to_text<S: AsRef<str>>(&self, names: &[S]) -> String {
        self.print(Syntax::Text, names)
    }

    /// As LaTeX, with these names of the coordinates (`q1` becomes `q_{1}`).
    #[must_use]
    pub fn to_latex<S: AsRef<str>>(&self, names: &[S]) -> String {
        self.print(Syntax::Latex, names)
    }

    pub(crate) fn atoms(&self) -> impl Iterator<Item = &Atom> {
        self.terms.iter().flat_map(|term| term.monomial.iter().map(|(atom, _)| atom))
    }

    pub(crate) fn atoms_mut(&mut self) -> impl Iterator<Item = &mut Atom> {
        self.terms.iter_mut().flat_map(|term| term.monomial.iter_mut().map(|(atom, _)| atom))
    }

    fn from_atom(atom: Atom) -> Self {
        Self::from_terms([(1.0, vec![(atom, 1)])])
    }

    /// The canonical form of a sum.
    fn from_terms(terms: impl IntoIterator<Item = (f64, Monomial)>) -> Self {
        let mut sum: BTreeMap<Monomial, f64> = BTreeMap::new();
        for (number, monomial) in terms {
            *sum.entry(canonical(monomial)).or_default() += number;
        }
        sum.retain(|_, number| *number != 0.0);
        let terms = sum.into_iter().map(|(monomial, number)| Term { number, monomial });
        Self { terms: terms.collect() }
    }

    fn pairs(self) -> impl Iterator<Item = (f64, Monomial)> {
        self.terms.into_iter().map(|term| (term.number, term.monomial))
    }
}

/// Sorted, powers of one atom merged.
fn canonical(monomial: Monomial) -> Monomial {
    let mut powers: BTreeMap<Atom, i32> = BTreeMap::new();
    for (atom, exponent) in monomial {
        *powers.entry(atom).or_default() += exponent;
    }
    powers.retain(|_, exponent| *exponent != 0);
    powers.into_iter().collect()
}

/// Arguments of an even, symmetric function: differences by rising index, all in order.
fn sorted(arguments: &[Argument]) -> Vec<Argument> {
    let mut arguments: Vec<_> = arguments
        .iter()
        .map(|&u| match u {
            Argument::Difference(a, b) => Argument::Difference(a.min(b), a.max(b)),
            coordinate => coordinate,
        })
        .collect();
    arguments.sort();
    arguments
}

impl Add for Expression {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self::from_terms(self.pairs().chain(other.pairs()))
    }
}

impl Sub for Expression {
    type Output = Self;
    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Neg for Expression {
    type Output = Self;
    fn neg(self) -> Self {
        -1.0 * self
    }
}

impl Mul for Expression {
    type Output = Self;
    fn mul(self, other: Self) -> Self {
        let product = |a: &Term, b: &Term| {
            let monomial = a.monomial.iter().chain(&b.monomial).cloned().collect();
            (a.number * b.number, monomial)
        };
        let pairs = self.terms.iter().flat_map(|a| other.terms.iter().map(move |b| product(a, b)));
        Self::from_terms(pairs)
    }
}

impl Mul<Expression> for f64 {
    type Output = Expression;
    fn mul(self, mut other: Expression) -> Expression {
        other.terms.iter_mut().for_each(|term| term.number *= self);
        other.terms.retain(|term| term.number != 0.0);
        other
    }
}
