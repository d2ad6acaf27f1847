//! A user's own functions inside expressions.

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

/// A function of the state that a user adds to a library: value, gradient and Hessian.
///
/// Functions with the same name are taken to be the same function.
///
/// ```
/// use hnn_sparse::{CustomFunction, Expression};
/// /// exp(-q), the soft half of a Toda spring.
/// struct Exponential;
/// impl CustomFunction for Exponential {
///     fn name(&self) -> &str { "exp(-q)" }
///     fn dim(&self) -> usize { 2 }
///     fn value(&self, x: &[f64]) -> f64 { (-x[0]).exp() }
///     fn gradient(&self, x: &[f64], i: usize) -> f64 { if i == 0 { -(-x[0]).exp() } else { 0.0 } }
///     fn hessian(&self, x: &[f64], i: usize, j: usize) -> f64 {
///         if (i, j) == (0, 0) { (-x[0]).exp() } else { 0.0 }
///     }
///     fn depends_on(&self, i: usize) -> bool { i == 0 }
/// }
/// let feature = Expression::custom(Exponential) * Expression::coordinate(1);
/// assert_eq!(feature.value(&[0.0, 3.0]), 3.0);
/// assert_eq!(feature.derivative(0).value(&[0.0, 3.0]), -3.0);
/// ```
pub trait CustomFunction: Send + Sync {
    /// Its name in formulas, unique within a library.
    fn name(&self) -> &str;
    /// Number of coordinates `D` of the states it takes.
    fn dim(&self) -> usize;
    /// `f(x)`.
    fn value(&self, x: &[f64]) -> f64;
    /// `df/dx_i`.
    fn gradient(&self, x: &[f64], i: usize) -> f64;
    /// `d2f/dx_i dx_j`, symmetric.
    fn hessian(&self, x: &[f64], i: usize, j: usize) -> f64;
    /// Whether it may change with coordinate `i`.
    fn depends_on(&self, i: usize) -> bool {
        i < self.dim()
    }
    /// Its name in LaTeX.
    fn latex(&self) -> String {
        format!("\\mathrm{{{}}}", self.name())
    }
    /// A Rust expression of its value, the state being `x: [f64; D]`; `None` where a formula that
    /// has it cannot be printed as Rust.
    fn rust(&self) -> Option<String> {
        None
    }
    /// A Rust expression of its derivative along coordinate `i`, as [`rust`](Self::rust).
    fn rust_gradient(&self, i: usize) -> Option<String> {
        let _ = i;
        None
    }
}

/// Which derivative of a custom function an atom stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum Derivative {
    /// The function.
    Value,
    /// Its first derivative.
    First(usize),
    /// Its second derivative, indices in order.
    Second(usize, usize),
}

impl Derivative {
    /// The derivative of this derivative along `i`.
    ///
    /// The crate differentiates a feature at most twice (field, then its Jacobian), so a third
    /// derivative is never asked for; it would be NaN, not a wrong number.
    pub(crate) fn along(self, i: usize) -> Self {
        match self {
            Self::Value => Self::First(i),
            Self::First(j) => Self::Second(i.min(j), i.max(j)),
            Self::Second(..) => Self::Second(usize::MAX, usize::MAX),
        }
    }
}

/// A custom function by name; read from a file it has no function until one is given.
#[derive(Clone, Serialize, Deserialize)]
pub(crate) struct CustomAtom {
    name: String,
    #[serde(skip)]
    function: Option<Arc<dyn CustomFunction>>,
}

impl CustomAtom {
    pub(crate) fn new(function: Arc<dyn CustomFunction>) -> Self {
        Self { name: function.name().to_owned(), function: Some(function) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn function(&self) -> Option<&dyn CustomFunction> {
        self.function.as_deref()
    }

    /// Takes its function out of those given, by name.
    pub(crate) fn resolve(&mut self, functions: &[Arc<dyn CustomFunction>]) -> bool {
        let found = functions.iter().find(|f| f.name() == self.name);
        self.function = found.cloned().or_else(|| self.function.take());
        self.function.is_some()
    }

    pub(crate) fn value(&self, derivative: Derivative, x: &[f64]) -> f64 {
        match (self.function(), derivative) {
            (Some(f), Derivative::Value) => f.value(x),
            (Some(f), Derivative::First(i)) => f.gradient(x, i),
            (Some(f), Derivative::Second(i, j)) if i < usize::MAX => f.hessian(x, i, j),
            _ => f64::NAN,
        }
    }

    /// Whether its function has this derivative.
    pub(crate) fn has(&self, derivative: Derivative) -> bool {
        let inside = |i: usize| i < self.dim();
        match derivative {
            Derivative::Value => true,
            Derivative::First(i) => inside(i),
            Derivative::Second(i, j) => inside(i) && inside(j),
        }
    }

    pub(crate) fn dim(&self) -> usize {
        self.function().map_or(0, CustomFunction::dim)
    }

    pub(crate) fn depends_on(&self, i: usize) -> bool {
        self.function().is_none_or(|f| f.depends_on(i))
    }
}

impl fmt::Debug for CustomAtom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("CustomAtom").field(&self.name).finish()
    }
}
impl PartialEq for CustomAtom {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}
impl Eq for CustomAtom {}
impl PartialOrd for CustomAtom {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for CustomAtom {
    fn cmp(&self, other: &Self) -> Ordering {
        self.name.cmp(&other.name)
    }
}
impl Hash for CustomAtom {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.name.hash(state);
    }
}
