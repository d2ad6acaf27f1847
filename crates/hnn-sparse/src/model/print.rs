//! The formula as text, LaTeX and Rust. No term that acts is left out, however small.

use std::fmt;

use super::SparseHamiltonian;
use crate::SparseError;
use crate::ansatz::Role;
use crate::expression::{Atom, Expression, Names, Syntax, signed_sum, significant};

/// Significant digits of printed coefficients.
const DIGITS: usize = 6;

impl fmt::Display for SparseHamiltonian {
    /// As [`to_text`](SparseHamiltonian::to_text); `{:.3}` prints three significant digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.lines(Syntax::Text, f.precision().unwrap_or(DIGITS)).join("\n"))
    }
}

impl SparseHamiltonian {
    /// As text, six significant digits: `H = 0.5 p^2 - cos(q)`. Friction follows on lines of its
    /// own: `D = 0.1`, or `D[p1] = 0.1` where momenta differ; then forces: `F[p] = u - 0.1 p`.
    #[must_use]
    pub fn to_text(&self) -> String {
        self.to_string()
    }

    /// As LaTeX, six significant digits, a line each for `H`, the friction and the forces.
    #[must_use]
    pub fn to_latex(&self) -> String {
        self.lines(Syntax::Latex, DIGITS).join(" \\\\\n")
    }

    /// As Rust: the functions `energy` and `field`, with every digit of the coefficients; with inputs
    /// `field` takes them, too.
    ///
    /// # Errors
    /// If a custom function has no Rust form.
    pub fn to_rust(&self) -> Result<String, SparseError> {
        let dim = self.state_dim();
        let names = Names::<String> { coordinates: &[], inputs: &[] };
        let component = |i: usize| {
            Expression::sum(self.terms.iter().map(|t| (t.coefficient, t.column.field(i, dim))))
        };
        let components: Vec<Expression> = (0..dim).map(component).collect();
        let energy = self.hamiltonian();
        let atoms = energy.atoms().chain(components.iter().flat_map(Expression::atoms));
        for atom in atoms {
            if let Atom::Custom(custom, _) = atom
                && Syntax::Rust.atom(atom, names).is_empty()
            {
                return Err(SparseError::NoRustForm { name: custom.name().to_owned() });
            }
        }
        let print = |expression: &Expression| expression.print(Syntax::Rust, names);
        let rows: Vec<String> =
            components.iter().map(|c| format!("        {},\n", print(c))).collect();
        let order = self.coordinates.join(", ");
        let (mut with, mut argument) = (String::new(), String::new());
        if !self.inputs.is_empty() {
            with = format!(" with the inputs u = [{}]", self.inputs.join(", "));
            argument = format!(", u: &[f64; {}]", self.inputs.len());
        }
        Ok(format!(
            "/// The energy H of the state x = [{order}].\n\
             pub fn energy(x: &[f64; {dim}]) -> f64 {{\n    {}\n}}\n\n\
             /// The time derivative of the state x = [{order}]{with}.\n\
             pub fn field(x: &[f64; {dim}]{argument}) -> [f64; {dim}] {{\n    [\n{}    ]\n}}\n",
            print(&energy),
            rows.concat()
        ))
    }

    fn lines(&self, syntax: Syntax, digits: usize) -> Vec<String> {
        let n = self.state_dim() / 2;
        let momentum = |k: usize| syntax.name(&self.coordinates[n + k]);
        let sides = [(Role::Energy, "H".to_owned()), (Role::Friction, "D".to_owned())];
        let of = |letter: char, k: usize| match syntax {
            Syntax::Latex => format!("{letter}_{{{}}}", momentum(k)),
            _ => format!("{letter}[{}]", momentum(k)),
        };
        let own = (0..n).map(|k| (Role::FrictionOn(k), of('D', k)));
        let own = own.chain((0..n).map(|k| (Role::Force(k), of('F', k))));
        let mut lines = vec![];
        for (role, name) in sides.into_iter().chain(own) {
            let terms: Vec<_> = self.terms.iter().filter(|t| t.column.role == role).collect();
            if terms.is_empty() && role != Role::Energy {
                continue;
            }
            let printed = terms.iter().map(|term| {
                let number = significant(term.coefficient, digits);
                let feature = term.column.feature();
                let constant = Expression::constant(1.0);
                if *feature == constant {
                    return (number, String::new());
                }
                let text = feature.print(syntax, self.all_names());
                (number, if feature.terms.len() > 1 { format!("({text})") } else { text })
            });
            lines.push(format!("{name} = {}", signed_sum(syntax, printed)));
        }
        lines
    }
}
