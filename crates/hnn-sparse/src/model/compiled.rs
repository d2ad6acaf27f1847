//! Programs whose numbers are linear in the coefficients.

use crate::expression::Expression;
use crate::program::Program;

/// Outputs `sum_j c_j E_kj(x)`, with the coefficients `c` inside the program.
#[derive(Debug, Clone)]
pub(super) struct Compiled {
    pub(super) program: Program,
    /// Of each part of the program: its coefficient, and its number in units of it.
    sources: Vec<(usize, f64)>,
}

impl Compiled {
    /// `part(k, j)` is `E_kj`.
    pub(super) fn new(
        dim: usize,
        outputs: usize,
        coefficients: &[f64],
        part: &dyn Fn(usize, usize) -> Expression,
    ) -> Self {
        let mut sources = vec![];
        let sums: Vec<Expression> = (0..outputs)
            .map(|k| {
                // Like terms of different coefficients stay apart: each has a part of its own.
                let mut terms = vec![];
                for j in 0..coefficients.len() {
                    for term in part(k, j).terms {
                        sources.push((j, term.number));
                        terms.push(term);
                    }
                }
                Expression { terms }
            })
            .collect();
        let mut compiled = Self { program: Program::compile(dim, &sums), sources };
        compiled.set(coefficients);
        compiled
    }

    pub(super) fn set(&mut self, coefficients: &[f64]) {
        let numbers = self.sources.iter().map(|&(j, number)| coefficients[j] * number);
        self.program.set_numbers(numbers);
    }
}
