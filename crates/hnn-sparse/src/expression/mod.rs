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

use crate::{SparseError, size};
pub use atom::Argument;
pub(crate) use atom::{Atom, Frequency};
pub use custom::CustomFunction;
pub(crate) use custom::{CustomAtom, Derivative};
pub(crate) use print::{Names, Syntax, signed_sum, significant};

/// Powers of atoms, sorted, no exponent 0. Empty: the constant 1.
pub(crate) type Monomial = Vec<(Atom, i32)>;

/// A function of the state: a sum of numbers times products of powers of elementary functions.
///
/// Always in canonical form: like terms are merged, terms with number 0 dropped.
///
/// What has no value here is the constant NaN: a negative power of a sum, a power of a sum that
/// is too long to write out, an exponent beyond `i32`. A [`Library`](crate::Library) refuses it.
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
#[serde(from = "Terms")]
pub struct Expression {
    pub(crate) terms: Vec<Term>,
}

/// An expression as a file has it, in canonical form or not.
#[derive(Deserialize)]
struct Terms {
    terms: Vec<Term>,
}

impl From<Terms> for Expression {
    fn from(Terms { terms }: Terms) -> Self {
        Self::from_terms(Self { terms }.pairs())
    }
}

/// The largest exponent of a feature, of either sign: a power as high overflows or vanishes at
/// every state that is not close to 1.
pub(crate) const LARGEST_EXPONENT: i32 = 1000;
/// The most products of terms that a power of a sum may take.
const MOST_PRODUCTS: u128 = 1_000_000;

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

    /// The input `u_k`: what acts from outside, as a motor's torque.
    #[must_use]
    pub fn input(k: usize) -> Self {
        Self::from_atom(Atom::Linear(Argument::Input(k)))
    }

    /// `tanh(k u)` of a coordinate, a difference or an input: with `k = 1 / w` a smooth sign of
    /// `u`, as wide as `w`.
    #[must_use]
    pub fn tanh_of(k: f64, u: Argument) -> Self {
        Self::from_atom(Atom::Tanh(Frequency(k.abs()), u)) * Self::constant(k.signum())
    }

    /// What friction is made of, as functions of a velocity or momentum `v = x_i`: viscous `v`, dry
    /// (Coulomb's) `tanh(v / width)` and quadratic `|v| v`. All are finite at rest, as their
    /// derivatives are.
    ///
    /// The width is where sticking begins: small against the speeds of the motion, but not below
    /// the noise of `v`, or its change from row to row. One that is not positive and finite is no
    /// feature: it is refused where it is used.
    ///
    /// ```
    /// use hnn_sparse::Expression;
    /// let names = Expression::friction(1, 0.1).map(|law| law.to_text(&["q", "v"]));
    /// assert_eq!(names, ["v", "tanh(10 v)", "v |v|"]);
    /// ```
    #[must_use]
    pub fn friction(i: usize, width: f64) -> [Self; 3] {
        let v = Argument::Coordinate(i);
        let slope = if width > 0.0 && width.is_finite() { 1.0 / width } else { f64::NAN };
        let speed = Self::distance(&[v]);
        [Self::coordinate(i), Self::tanh_of(slope, v), Self::coordinate(i) * speed]
    }

    /// The distance `r = sqrt(u_1^2 + u_2^2 + ...)`; of one argument, its absolute value.
    ///
    /// `|q_1 - q_2|^3` is `Expression::distance(&[Argument::Difference(0, 1)]).powi(3)`. Of no
    /// argument it is 0.
    #[must_use]
    pub fn distance(arguments: &[Argument]) -> Self {
        if arguments.is_empty() {
            return Self::constant(0.0);
        }
        Self::from_atom(Atom::Radius(sorted(arguments)))
    }

    /// The logarithm `ln r` of the [`distance`](Self::distance).
    #[must_use]
    pub fn log_distance(arguments: &[Argument]) -> Self {
        if arguments.is_empty() {
            return Self::constant(f64::NEG_INFINITY);
        }
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

    /// The integer power. A sum has no negative powers here, nor any that takes more than a
    /// million products of terms to write out; an exponent that is multiplied must stay within
    /// `i32`, and the power of a number must not vanish: otherwise the power is NaN.
    ///
    /// ```
    /// use hnn_sparse::Expression;
    /// let (q, p) = (Expression::coordinate(0), Expression::coordinate(1));
    /// assert_eq!(q.powi(100_000).value(&[1.0]), 1.0);
    /// assert!(q.powi(65_536).powi(65_536).value(&[1.0]).is_nan());
    /// assert!((q.clone() + p.clone()).powi(-1).value(&[1.0, 1.0]).is_nan());
    /// assert!((q + p).powi(100_000).value(&[1.0, 1.0]).is_nan());
    /// ```
    #[must_use]
    pub fn powi(&self, exponent: i32) -> Self {
        if let [term] = self.terms.as_slice() {
            let power = |(atom, k): &(Atom, i32)| Some((atom.clone(), k.checked_mul(exponent)?));
            let monomial: Option<Monomial> = term.monomial.iter().map(power).collect();
            // A number that vanishes would take the whole term with it.
            let number = Some(term.number.powi(exponent)).filter(|number| *number != 0.0);
            return monomial.zip(number).map_or_else(undefined, |(monomial, number)| {
                Self::from_terms([(number, monomial)])
            });
        }
        match (self.is_zero(), exponent) {
            (_, 0) => Self::constant(1.0),
            (true, 1..) => Self::constant(0.0),
            (true, _) => Self::constant(f64::INFINITY),
            (false, k) => u32::try_from(k)
                .ok()
                .filter(|&k| products_of_power(self.terms.len(), k) <= MOST_PRODUCTS)
                .map_or_else(undefined, |k| {
                    (0..k).fold(Self::constant(1.0), |product, _| product * self.clone())
                }),
        }
    }

    /// The derivative along coordinate `i`.
    #[must_use]
    pub fn derivative(&self, i: usize) -> Self {
        self.derivative_along(Argument::Coordinate(i))
    }

    /// The derivative along a coordinate or an input.
    pub(crate) fn derivative_along(&self, along: Argument) -> Self {
        let mut terms = vec![];
        for term in &self.terms {
            for (position, (atom, exponent)) in term.monomial.iter().enumerate() {
                for (number, factors) in atom.derivative(along) {
                    let mut monomial = term.monomial.clone();
                    monomial.push((monomial[position].0.clone(), -1));
                    monomial.extend(factors);
                    terms.push((term.number * f64::from(*exponent) * number, monomial));
                }
            }
        }
        Self::from_terms(terms)
    }

    /// Its value at the state `x`; NaN if `x` lacks a coordinate that it names, or it names an
    /// input.
    #[must_use]
    pub fn value(&self, x: &[f64]) -> f64 {
        self.value_with(x, &[])
    }

    /// Its value at the state `x` with the inputs `u`; NaN if one lacks what it names.
    ///
    /// ```
    /// use hnn_sparse::Expression;
    /// let power = Expression::coordinate(1) * Expression::input(0);
    /// assert_eq!(power.value_with(&[0.0, 2.0], &[3.0]), 6.0);
    /// ```
    #[must_use]
    pub fn value_with(&self, x: &[f64], u: &[f64]) -> f64 {
        let lacks = |last: Option<usize>, len: usize| last.is_some_and(|last| last >= len);
        if lacks(self.last_coordinate(), x.len()) || lacks(self.last_input(), u.len()) {
            return f64::NAN;
        }
        let factor = |(atom, exponent): &(Atom, i32)| atom.value(x, u).powi(*exponent);
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
        self.atoms().filter_map(Atom::last_coordinate).max()
    }

    /// The largest index of an input in it.
    pub(crate) fn last_input(&self) -> Option<usize> {
        self.atoms().filter_map(Atom::last_input).max()
    }

    /// As text, with these names of the coordinates; those without a name are `x[i]`, `i` from 0,
    /// and inputs are `u[k]`.
    #[must_use]
    pub fn to_text<S: AsRef<str>>(&self, names: &[S]) -> String {
        self.print(Syntax::Text, Names { coordinates: names, inputs: &[] })
    }

    /// As LaTeX, with these names of the coordinates (`q1` becomes `q_{1}`).
    #[must_use]
    pub fn to_latex<S: AsRef<str>>(&self, names: &[S]) -> String {
        self.print(Syntax::Latex, Names { coordinates: names, inputs: &[] })
    }

    pub(crate) fn atoms(&self) -> impl Iterator<Item = &Atom> {
        self.terms.iter().flat_map(|term| term.monomial.iter().map(|(atom, _)| atom))
    }

    pub(crate) fn atoms_mut(&mut self) -> impl Iterator<Item = &mut Atom> {
        self.terms.iter_mut().flat_map(|term| term.monomial.iter_mut().map(|(atom, _)| atom))
    }

    /// The product of powers of coordinates.
    pub(crate) fn monomial(powers: impl IntoIterator<Item = (usize, i32)>) -> Self {
        let atom = |(i, k)| (Atom::Linear(Argument::Coordinate(i)), k);
        Self::from_terms([(1.0, powers.into_iter().map(atom).collect())])
    }

    /// The sum of expressions with a number each.
    pub(crate) fn sum(parts: impl IntoIterator<Item = (f64, Self)>) -> Self {
        let scaled = |(number, part): (f64, Self)| part.pairs().map(move |(n, m)| (number * n, m));
        Self::from_terms(parts.into_iter().flat_map(scaled))
    }

    /// What tells it from every other expression.
    pub(crate) fn key(&self) -> Vec<(u64, Monomial)> {
        self.terms.iter().map(|term| (term.number.to_bits(), term.monomial.clone())).collect()
    }

    /// That it is a function of `dim` coordinates and so many inputs, with numbers and exponents that
    /// a computer can handle; `feature` is its place, for the error.
    pub(crate) fn check(
        &self,
        feature: usize,
        dim: usize,
        inputs: usize,
    ) -> Result<(), SparseError> {
        if let Some(input) = self.last_input().filter(|&last| last >= inputs) {
            return Err(SparseError::Input { feature, input, inputs });
        }
        if let Some(coordinate) = self.last_coordinate().filter(|&last| last >= dim) {
            return Err(SparseError::Coordinate { feature, coordinate, dim });
        }
        let finite = self.terms.iter().all(|term| term.number.is_finite());
        if !finite || !self.atoms().all(Atom::is_defined) {
            return Err(SparseError::UndefinedFeature { feature });
        }
        let exponents = self.terms.iter().flat_map(|term| term.monomial.iter().map(|(_, k)| *k));
        let too_high = |k: &i32| k.unsigned_abs() > LARGEST_EXPONENT.unsigned_abs();
        match exponents.into_iter().find(too_high) {
            Some(exponent) => Err(SparseError::Exponent { feature, exponent }),
            None => Ok(()),
        }
    }

    /// The memory that its derivatives along all coordinates take, of first or second order, about.
    ///
    /// Each factor of a product gives a term for every argument that it depends on, with all other
    /// factors in it.
    pub(crate) fn bytes_of_derivatives(&self, order: u32) -> u128 {
        const FACTOR: u128 = 128;
        let bytes = |term: &Term| {
            let factors = term.monomial.len() as u128 + 3;
            let slopes: u128 =
                term.monomial.iter().map(|(atom, _)| atom.num_slopes() as u128).sum();
            (slopes + 3).saturating_pow(order).saturating_mul(factors).saturating_mul(FACTOR)
        };
        self.terms.iter().map(bytes).fold(0, u128::saturating_add)
    }

    fn from_atom(atom: Atom) -> Self {
        Self::from_terms([(1.0, vec![(atom, 1)])])
    }

    /// The canonical form of a sum.
    fn from_terms(terms: impl IntoIterator<Item = (f64, Monomial)>) -> Self {
        let mut sum: BTreeMap<Monomial, f64> = BTreeMap::new();
        for (number, monomial) in terms {
            match canonical(monomial) {
                Some(monomial) => *sum.entry(monomial).or_default() += number,
                None => return undefined(),
            }
        }
        sum.retain(|_, number| *number != 0.0);
        let terms = sum.into_iter().map(|(monomial, number)| Term { number, monomial });
        Self { terms: terms.collect() }
    }

    fn pairs(self) -> impl Iterator<Item = (f64, Monomial)> {
        self.terms.into_iter().map(|term| (term.number, term.monomial))
    }
}

/// What has no value.
fn undefined() -> Expression {
    Expression::constant(f64::NAN)
}

/// Products of two terms that it takes to write out the power of a sum, one factor after the
/// other: each takes all the terms of the power before, of which there are
/// `binomial(terms + k - 1, k)` at most.
fn products_of_power(terms: usize, exponent: u32) -> u128 {
    let largest = size::binomial(terms as u128 + u128::from(exponent) - 1, u128::from(exponent));
    largest.saturating_mul(terms as u128).saturating_mul(u128::from(exponent))
}

/// Sorted, powers of one atom merged; none if an exponent leaves `i32`.
fn canonical(monomial: Monomial) -> Option<Monomial> {
    let mut powers: BTreeMap<Atom, i32> = BTreeMap::new();
    for (atom, exponent) in monomial {
        let power = powers.entry(atom).or_default();
        *power = power.checked_add(exponent)?;
    }
    merge_squares(&mut powers);
    powers.retain(|_, exponent| *exponent != 0);
    Some(powers.into_iter().collect())
}

/// `u^2 / |u|` is `|u|`, which has a value at 0.
fn merge_squares(powers: &mut BTreeMap<Atom, i32>) {
    let divisor = |(atom, k): (&Atom, &i32)| match atom {
        Atom::Radius(arguments) if *k < 0 && arguments.len() == 1 => Some(arguments[0]),
        _ => None,
    };
    for u in powers.iter().filter_map(divisor).collect::<Vec<_>>() {
        let (linear, radius) = (Atom::Linear(u), Atom::Radius(vec![u]));
        let [above, below] = [&linear, &radius].map(|atom| powers.get(atom).copied().unwrap_or(0));
        // As many as there are, or as it takes.
        let squares = (above / 2).min(1_i32.saturating_sub(below) / 2).max(0);
        powers.insert(linear, above - 2 * squares);
        powers.insert(radius, below + 2 * squares);
    }
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
