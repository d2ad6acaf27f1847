//! Expressions as text, LaTeX and Rust.

use super::{Argument, Atom, Derivative, Expression, Monomial};

/// What an expression is printed as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Syntax {
    /// `0.5 p1^2 - cos(q1)`.
    Text,
    /// `0.5\,p_{1}^{2} - \cos\left(q_{1}\right)`.
    Latex,
    /// `0.5 * x[2].powi(2) - (x[0]).cos()`; names are those of variables.
    Rust,
}

/// Names of coordinates, and of inputs.
#[derive(Debug)]
pub(crate) struct Names<'a, S> {
    pub(crate) coordinates: &'a [S],
    pub(crate) inputs: &'a [S],
}

impl<S> Clone for Names<'_, S> {
    fn clone(&self) -> Self {
        *self
    }
}
impl<S> Copy for Names<'_, S> {}

impl<S: AsRef<str>> Names<'_, S> {
    /// The name of coordinate `i`; `x[i]` where it has none.
    fn coordinate(&self, i: usize) -> String {
        self.coordinates.get(i).map_or_else(|| format!("x[{i}]"), |name| name.as_ref().to_owned())
    }

    /// The name of input `k`; `u[k]` where it has none.
    fn input(&self, k: usize) -> String {
        self.inputs.get(k).map_or_else(|| format!("u[{k}]"), |name| name.as_ref().to_owned())
    }
}

impl Expression {
    pub(crate) fn print<S: AsRef<str>>(&self, syntax: Syntax, names: Names<'_, S>) -> String {
        let terms = self.terms.iter().map(|t| (t.number, syntax.monomial(&t.monomial, names)));
        signed_sum(syntax, terms)
    }
}

/// `a x - b y + ...`; a factor of 1 is left out where a product remains.
pub(crate) fn signed_sum(syntax: Syntax, terms: impl IntoIterator<Item = (f64, String)>) -> String {
    let mut sum = String::new();
    for (number, product) in terms {
        sum.push_str(match (sum.is_empty(), number < 0.0) {
            (true, false) => "",
            (true, true) => "-",
            (false, false) => " + ",
            (false, true) => " - ",
        });
        let size = number.abs();
        sum.push_str(&match (product.is_empty(), size == 1.0) {
            (true, _) => syntax.number(size),
            (false, true) => product,
            (false, false) => format!("{}{}{product}", syntax.number(size), syntax.times()),
        });
    }
    if sum.is_empty() { syntax.number(0.0) } else { sum }
}

impl Syntax {
    /// Every digit that it takes to read the same number back.
    pub(crate) fn number(self, number: f64) -> String {
        let text = format!("{number:?}");
        match self {
            Self::Rust if number.is_nan() => "f64::NAN".to_owned(),
            Self::Rust => format!("{text}_f64").replace("inf_f64", "f64::INFINITY"),
            Self::Text => text.strip_suffix(".0").map_or(text.clone(), str::to_owned),
            Self::Latex => match text.split_once('e') {
                Some((mantissa, exponent)) => format!("{mantissa} \\cdot 10^{{{exponent}}}"),
                None => text.strip_suffix(".0").map_or(text.clone(), str::to_owned),
            },
        }
    }

    fn times(self) -> &'static str {
        match self {
            Self::Text => " ",
            Self::Latex => "\\,",
            Self::Rust => " * ",
        }
    }

    pub(crate) fn monomial<S: AsRef<str>>(
        self,
        monomial: &Monomial,
        names: Names<'_, S>,
    ) -> String {
        let factors = monomial.iter().map(|(atom, k)| self.power(self.atom(atom, names), atom, *k));
        factors.collect::<Vec<_>>().join(self.times())
    }

    fn power(self, base: String, atom: &Atom, exponent: i32) -> String {
        let base = match (self, atom) {
            (Self::Rust, _)
            | (_, Atom::Linear(Argument::Coordinate(_) | Argument::Input(_)) | Atom::Radius(_)) => {
                base
            }
            (Self::Text, _) if exponent != 1 => format!("({base})"),
            (Self::Latex, _) if exponent != 1 => format!("\\left({base}\\right)"),
            (_, Atom::Linear(_)) => format!("({base})"),
            _ => base,
        };
        match self {
            _ if exponent == 1 => base,
            Self::Text => format!("{base}^{exponent}"),
            Self::Latex => format!("{base}^{{{exponent}}}"),
            Self::Rust => format!("{base}.powi({exponent})"),
        }
    }

    pub(crate) fn atom<S: AsRef<str>>(self, atom: &Atom, names: Names<'_, S>) -> String {
        match atom {
            Atom::Linear(u) if self == Self::Rust => self.grouped(*u, names),
            Atom::Linear(u) => self.argument(*u, names),
            Atom::Sin(k, u) => self.function("sin", k.0, *u, names),
            Atom::Cos(k, u) => self.function("cos", k.0, *u, names),
            Atom::Tanh(k, u) => self.function("tanh", k.0, *u, names),
            Atom::Radius(arguments) => self.radius(arguments, names),
            Atom::LogRadius(arguments) => {
                let radius = self.radius(arguments, names);
                match self {
                    Self::Text => format!("ln{radius}"),
                    Self::Latex => format!("\\ln{radius}"),
                    Self::Rust => format!("{radius}.ln()"),
                }
            }
            Atom::Custom(custom, derivative) => {
                let name = match (self, custom.function()) {
                    (Self::Latex, Some(f)) => f.latex(),
                    (Self::Rust, Some(f)) => {
                        let code = match derivative {
                            Derivative::Value => f.rust(),
                            Derivative::First(i) => f.rust_gradient(*i),
                            Derivative::Second(..) => None,
                        };
                        return code.map_or_else(String::new, |code| format!("({code})"));
                    }
                    _ => custom.name().to_owned(),
                };
                match derivative {
                    Derivative::Value => name,
                    Derivative::First(i) => format!("d[{name}]/d{}", names.coordinate(*i)),
                    Derivative::Second(i, j) => {
                        format!("d2[{name}]/d{}d{}", names.coordinate(*i), names.coordinate(*j))
                    }
                }
            }
        }
    }

    fn function<S: AsRef<str>>(
        self,
        name: &str,
        k: f64,
        u: Argument,
        names: Names<'_, S>,
    ) -> String {
        let inner = match (k == 1.0, self) {
            (true, Self::Rust) => self.grouped(u, names),
            (true, _) => self.argument(u, names),
            (false, _) => {
                format!("{}{}{}", self.number(k), self.times(), self.grouped(u, names))
            }
        };
        match self {
            Self::Text => format!("{name}({inner})"),
            Self::Latex => format!("\\{name}\\left({inner}\\right)"),
            Self::Rust if k == 1.0 => format!("{inner}.{name}()"),
            Self::Rust => format!("({inner}).{name}()"),
        }
    }

    fn radius<S: AsRef<str>>(self, arguments: &[Argument], names: Names<'_, S>) -> String {
        let each = |f: &dyn Fn(Argument) -> String, separator: &str| {
            arguments.iter().map(|&u| f(u)).collect::<Vec<_>>().join(separator)
        };
        match (self, arguments.len()) {
            (Self::Text, 1) => format!("|{}|", self.argument(arguments[0], names)),
            (Self::Text, _) => format!("|({})|", each(&|u| self.argument(u, names), ", ")),
            (Self::Latex, 1) => {
                format!("\\left|{}\\right|", self.argument(arguments[0], names))
            }
            (Self::Latex, _) => {
                format!("\\lVert({})\\rVert", each(&|u| self.argument(u, names), ",\\,"))
            }
            (Self::Rust, _) => {
                let squares = each(&|u| format!("{}.powi(2)", self.grouped(u, names)), " + ");
                format!("({squares}).sqrt()")
            }
        }
    }

    /// An argument that can be multiplied.
    fn grouped<S: AsRef<str>>(self, u: Argument, names: Names<'_, S>) -> String {
        match u {
            Argument::Coordinate(_) | Argument::Input(_) => self.argument(u, names),
            Argument::Difference(..) => format!("({})", self.argument(u, names)),
        }
    }

    fn argument<S: AsRef<str>>(self, u: Argument, names: Names<'_, S>) -> String {
        let name = |i: usize| self.name(&names.coordinate(i));
        match u {
            Argument::Coordinate(a) => name(a),
            Argument::Input(k) => self.name(&names.input(k)),
            Argument::Difference(a, b) => format!("{} - {}", name(a), name(b)),
        }
    }

    /// `q12` is `q_{12}` in LaTeX.
    pub(crate) fn name(self, name: &str) -> String {
        let letters = name.trim_end_matches(|c: char| c.is_ascii_digit());
        match self {
            Self::Latex if letters.len() < name.len() && !letters.is_empty() => {
                format!("{letters}_{{{}}}", &name[letters.len()..])
            }
            _ => name.to_owned(),
        }
    }
}

/// The number with so many significant digits.
pub(crate) fn significant(number: f64, digits: usize) -> f64 {
    format!("{number:.*e}", digits.max(1) - 1).parse().unwrap_or(number)
}
