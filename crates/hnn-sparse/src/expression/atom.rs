//! The functions that expressions are products of.

use std::cmp::Ordering;
use std::hash::{Hash, Hasher};

use serde::{Deserialize, Serialize};

use super::custom::{CustomAtom, Derivative};

/// What a function is applied to: a coordinate `x_a`, or a difference `x_a - x_b`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Argument {
    /// `x_a`.
    Coordinate(usize),
    /// `x_a - x_b`.
    Difference(usize, usize),
}

impl Argument {
    /// Its value at the state `x`.
    pub(crate) fn value(self, x: &[f64]) -> f64 {
        match self {
            Self::Coordinate(a) => x[a],
            Self::Difference(a, b) => x[a] - x[b],
        }
    }

    /// Its derivative along coordinate `i`: -1, 0 or 1.
    pub(crate) fn slope(self, i: usize) -> f64 {
        match self {
            Self::Coordinate(a) => f64::from(u8::from(a == i)),
            Self::Difference(a, b) => f64::from(u8::from(a == i)) - f64::from(u8::from(b == i)),
        }
    }

    fn last_coordinate(self) -> usize {
        match self {
            Self::Coordinate(a) => a,
            Self::Difference(a, b) => a.max(b),
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
    /// `r = sqrt(u_1^2 + u_2^2 + ...)`.
    Radius(Vec<Argument>),
    /// `ln r`.
    LogRadius(Vec<Argument>),
    /// A user's function, or a derivative of it.
    Custom(CustomAtom, Derivative),
}

impl Atom {
    /// Its value at the state `x`.
    pub(crate) fn value(&self, x: &[f64]) -> f64 {
        let radius = |arguments: &[Argument]| {
            arguments.iter().map(|u| u.value(x).powi(2)).sum::<f64>().sqrt()
        };
        match self {
            Self::Linear(u) => u.value(x),
            Self::Sin(k, u) => (k.0 * u.value(x)).sin(),
            Self::Cos(k, u) => (k.0 * u.value(x)).cos(),
            Self::Radius(arguments) => radius(arguments),
            Self::LogRadius(arguments) => radius(arguments).ln(),
            Self::Custom(custom, derivative) => custom.value(*derivative, x),
        }
    }

    /// Its derivative along coordinate `i`, as a sum of `(number, atoms with exponents)`.
    pub(crate) fn derivative(&self, i: usize) -> Vec<(f64, Vec<(Atom, i32)>)> {
        // r dr/dx_i = sum of u du/dx_i.
        let radial = |arguments: &[Argument], exponent: i32| {
            let radius = Self::Radius(arguments.to_vec());
            arguments
                .iter()
                .map(|&u| (u.slope(i), vec![(Self::Linear(u), 1), (radius.clone(), exponent)]))
                .collect()
        };
        let mut terms: Vec<(f64, Vec<(Atom, i32)>)> = match self {
            Self::Linear(u) => vec![(u.slope(i), vec![])],
            Self::Sin(k, u) => vec![(k.0 * u.slope(i), vec![(Self::Cos(*k, *u), 1)])],
            Self::Cos(k, u) => vec![(-k.0 * u.slope(i), vec![(Self::Sin(*k, *u), 1)])],
            Self::Radius(arguments) => radial(arguments, -1),
            Self::LogRadius(arguments) => radial(arguments, -2),
            Self::Custom(custom, derivative) if custom.depends_on(i) => {
                vec![(1.0, vec![(Self::Custom(custom.clone(), derivative.along(i)), 1)])]
            }
            Self::Custom(..) => vec![],
        };
        terms.retain(|(number, _)| *number != 0.0);
        terms
    }

    /// The largest index of a coordinate in it.
    pub(crate) fn last_coordinate(&self) -> usize {
        match self {
            Self::Linear(u) | Self::Sin(_, u) | Self::Cos(_, u) => u.last_coordinate(),
            Self::Radius(arguments) | Self::LogRadius(arguments) => {
                arguments.iter().map(|u| u.last_coordinate()).max().unwrap_or(0)
            }
            Self::Custom(custom, _) => custom.dim().saturating_sub(1),
        }
    }

    /// How many terms its derivatives along all coordinates have together.
    pub(crate) fn arguments(&self) -> usize {
        let count = |u: &Argument| match u {
            Argument::Coordinate(_) => 1,
            Argument::Difference(..) => 2,
        };
        match self {
            Self::Linear(u) | Self::Sin(_, u) | Self::Cos(_, u) => count(u),
            Self::Radius(arguments) | Self::LogRadius(arguments) => {
                arguments.iter().map(count).sum()
            }
            Self::Custom(custom, _) => custom.dim(),
        }
    }

    /// Whether it has a value at some state: finite frequencies, at least one argument.
    pub(crate) fn is_defined(&self) -> bool {
        match self {
            Self::Linear(_) => true,
            Self::Sin(k, _) | Self::Cos(k, _) => k.0.is_finite(),
            Self::Radius(arguments) | Self::LogRadius(arguments) => !arguments.is_empty(),
            Self::Custom(custom, derivative) => custom.has(*derivative),
        }
    }

    /// Whether it may change with coordinate `i`.
    pub(crate) fn depends_on(&self, i: usize) -> bool {
        match self {
            Self::Linear(u) | Self::Sin(_, u) | Self::Cos(_, u) => u.slope(i) != 0.0,
            Self::Radius(arguments) | Self::LogRadius(arguments) => {
                arguments.iter().any(|u| u.slope(i) != 0.0)
            }
            Self::Custom(custom, _) => custom.depends_on(i),
        }
    }
}
