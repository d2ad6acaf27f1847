//! The functions that expressions are products of.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::custom::{CustomAtom, Derivative};

/// What a function is applied to: a coordinate `x_a`, a difference `x_a - x_b`, or an input `u_k`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Argument {
    /// `x_a`.
    Coordinate(usize),
    /// `x_a - x_b`.
    Difference(usize, usize),
    /// The input `u_k`.
    Input(usize),
}

impl Argument {
    /// Its value at the state `x` with the inputs `u`.
    fn value(self, x: &[f64], u: &[f64]) -> f64 {
        match self {
            Self::Coordinate(a) => x[a],
            Self::Difference(a, b) => x[a] - x[b],
            Self::Input(k) => u[k],
        }
    }

    /// Its derivative along a coordinate or an input: -1, 0 or 1.
    fn slope(self, along: Self) -> f64 {
        let is = |part: Self| f64::from(u8::from(part == along));
        match self {
            Self::Difference(a, b) => is(Self::Coordinate(a)) - is(Self::Coordinate(b)),
            part => is(part),
        }
    }

    fn last_coordinate(self) -> Option<usize> {
        match self {
            Self::Coordinate(a) => Some(a),
            Self::Difference(a, b) => Some(a.max(b)),
            Self::Input(_) => None,
        }
    }
}

/// An angular frequency: a positive number with the total order that canonical forms need.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
#[serde(transparent)]
pub(crate) struct Frequency(pub(crate) f64);

impl PartialEq for Frequency {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other) == Ordering::Equal
    }
}
impl Eq for Frequency {}
impl PartialOrd for Frequency {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Frequency {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}
impl Hash for Frequency {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.0.to_bits().hash(state);
    }
}

/// One factor of a monomial, without its exponent.
///
/// Closed under differentiation: the derivative of a power of an atom is a sum of products of
/// powers of atoms.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Atom {
    /// `u`.
    Linear(Argument),
    /// `sin(k u)`.
    Sin(Frequency, Argument),
    /// `cos(k u)`.
    Cos(Frequency, Argument),
    /// `tanh(k u)`.
    Tanh(Frequency, Argument),
    /// `r = sqrt(u_1^2 + u_2^2 + ...)`.
    Radius(Vec<Argument>),
    /// `ln r`.
    LogRadius(Vec<Argument>),
    /// A user's function, or a derivative of it.
    Custom(CustomAtom, Derivative),
}

impl Atom {
    /// Its value at the state `x` with the inputs `u`.
    pub(crate) fn value(&self, x: &[f64], u: &[f64]) -> f64 {
        let of = |argument: &Argument| argument.value(x, u);
        let radius =
            |arguments: &[Argument]| arguments.iter().map(|a| of(a).powi(2)).sum::<f64>().sqrt();
        match self {
            Self::Linear(a) => of(a),
            Self::Sin(k, a) => (k.0 * of(a)).sin(),
            Self::Cos(k, a) => (k.0 * of(a)).cos(),
            Self::Tanh(k, a) => (k.0 * of(a)).tanh(),
            Self::Radius(arguments) => radius(arguments),
            Self::LogRadius(arguments) => radius(arguments).ln(),
            Self::Custom(custom, derivative) => custom.value(*derivative, x),
        }
    }

    /// Its derivative along a coordinate or an input, as a sum of `(number, atoms with exponents)`.
    pub(crate) fn derivative(&self, along: Argument) -> Vec<(f64, Vec<(Atom, i32)>)> {
        // r dr/dx_i = sum of u du/dx_i.
        let radial = |arguments: &[Argument], exponent: i32| {
            let radius = Self::Radius(arguments.to_vec());
            arguments
                .iter()
                .map(|&u| (u.slope(along), vec![(Self::Linear(u), 1), (radius.clone(), exponent)]))
                .collect()
        };
        let mut terms: Vec<(f64, Vec<(Atom, i32)>)> = match self {
            Self::Linear(u) => vec![(u.slope(along), vec![])],
            Self::Sin(k, u) => vec![(k.0 * u.slope(along), vec![(Self::Cos(*k, *u), 1)])],
            Self::Cos(k, u) => vec![(-k.0 * u.slope(along), vec![(Self::Sin(*k, *u), 1)])],
            Self::Tanh(k, u) => {
                let slope = k.0 * u.slope(along);
                vec![(slope, vec![]), (-slope, vec![(self.clone(), 2)])]
            }
            Self::Radius(arguments) => radial(arguments, -1),
            Self::LogRadius(arguments) => radial(arguments, -2),
            Self::Custom(custom, derivative) => match along {
                Argument::Coordinate(i) if custom.depends_on(i) => {
                    vec![(1.0, vec![(Self::Custom(custom.clone(), derivative.along(i)), 1)])]
                }
                _ => vec![],
            },
        };
        terms.retain(|(number, _)| *number != 0.0);
        terms
    }

    /// What it is a function of; of a user's function not known.
    fn arguments(&self) -> &[Argument] {
        match self {
            Self::Linear(u) | Self::Sin(_, u) | Self::Cos(_, u) | Self::Tanh(_, u) => {
                std::slice::from_ref(u)
            }
            Self::Radius(arguments) | Self::LogRadius(arguments) => arguments,
            Self::Custom(..) => &[],
        }
    }

    /// The largest index of a coordinate in it.
    pub(crate) fn last_coordinate(&self) -> Option<usize> {
        match self {
            Self::Custom(custom, _) => Some(custom.dim().saturating_sub(1)),
            _ => self.arguments().iter().filter_map(|u| u.last_coordinate()).max(),
        }
    }

    /// The largest index of an input in it.
    pub(crate) fn last_input(&self) -> Option<usize> {
        let input = |u: &Argument| if let Argument::Input(k) = u { Some(*k) } else { None };
        self.arguments().iter().filter_map(input).max()
    }

    /// How many terms its derivatives along all coordinates have together.
    pub(crate) fn num_slopes(&self) -> usize {
        let count = |u: &Argument| match u {
            Argument::Coordinate(_) | Argument::Input(_) => 1,
            Argument::Difference(..) => 2,
        };
        match self {
            Self::Custom(custom, _) => custom.dim(),
            Self::Tanh(..) => 2,
            _ => self.arguments().iter().map(count).sum(),
        }
    }

    /// Whether it has a value at some state: finite frequencies, at least one argument.
    pub(crate) fn is_defined(&self) -> bool {
        match self {
            Self::Linear(_) => true,
            Self::Sin(k, _) | Self::Cos(k, _) | Self::Tanh(k, _) => k.0.is_finite(),
            Self::Radius(arguments) | Self::LogRadius(arguments) => !arguments.is_empty(),
            Self::Custom(custom, derivative) => custom.has(*derivative),
        }
    }

    /// Whether it may change with coordinate `i`.
    pub(crate) fn depends_on(&self, i: usize) -> bool {
        match self {
            Self::Custom(custom, _) => custom.depends_on(i),
            _ => self.arguments().iter().any(|u| u.slope(Argument::Coordinate(i)) != 0.0),
        }
    }
}
