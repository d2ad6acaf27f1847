//! Butcher tableaus of explicit methods.

use thiserror::Error;

/// The coefficients of an explicit Runge-Kutta method with `S` stages.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Tableau<'a> {
    /// Name of the method.
    pub name: &'a str,
    /// Order of convergence.
    pub order: usize,
    /// `a_ij`, `j < i`, row after row: `S (S - 1) / 2` numbers.
    pub a: &'a [f64],
    /// Weights `b_i`: `S` numbers.
    pub b: &'a [f64],
    /// Nodes `c_i`: `S` numbers, the first 0.
    pub c: &'a [f64],
}

/// Why numbers are no tableau of an explicit Runge-Kutta method.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum TableauError {
    /// No stage at all.
    #[error("a Runge-Kutta method needs at least one stage: pass at least one weight b")]
    NoStages,
    /// Lengths that do not go together.
    #[error("{what} has {given} numbers, but {stages} weights b need {expected}")]
    Length {
        /// Which coefficients.
        what: &'static str,
        /// How many were given.
        given: usize,
        /// Number of stages.
        stages: usize,
        /// How many are needed.
        expected: usize,
    },
    /// The first node of an explicit method is 0.
    #[error("the first node c is {given}; in an explicit method the first stage is at time 0")]
    FirstNode {
        /// The node given.
        given: f64,
    },
    /// `c_i` is not the sum of row `i`.
    #[error("row {row} of a sums to {sum}, but its node c is {node}: the two must be equal")]
    RowSum {
        /// Row, from 0.
        row: usize,
        /// Sum of its coefficients.
        sum: f64,
        /// The node given.
        node: f64,
    },
    /// The weights do not sum to 1.
    #[error("the weights b sum to {sum}; they must sum to 1, or the method does not converge")]
    WeightSum {
        /// The sum.
        sum: f64,
    },
    /// The stated order is contradicted by the order conditions.
    #[error(
        "order {stated} was stated, but the condition {condition} of that order is off by {residual:e}"
    )]
    Order {
        /// The order stated.
        stated: usize,
        /// The condition that fails.
        condition: &'static str,
        /// By how much.
        residual: f64,
    },
}

/// Sums of exact decimals and fractions are off by rounding only.
const TOLERANCE: f64 = 1e-12;

impl Tableau<'_> {
    /// Number of stages `S`.
    #[inline(always)]
    #[must_use]
    pub const fn stages(&self) -> usize {
        self.b.len()
    }

    /// Row `i` of `a`: `i` numbers.
    #[inline(always)]
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        let start = i * i.saturating_sub(1) / 2;
        &self.a[start..start + i]
    }

    /// Checks lengths, row sums, the sum of the weights, and the conditions of the stated order
    /// (up to order 4; Hairer, Norsett, Wanner I, table II.2.1).
    ///
    /// # Errors
    /// The first inconsistency found.
    pub fn check(&self) -> Result<(), TableauError> {
        self.check_lengths()?;
        if self.c[0] != 0.0 {
            return Err(TableauError::FirstNode { given: self.c[0] });
        }
        for (row, &node) in self.c.iter().enumerate() {
            let sum: f64 = self.row(row).iter().sum();
            if differ(sum, node) {
                return Err(TableauError::RowSum { row, sum, node });
            }
        }
        let sum: f64 = self.b.iter().sum();
        if differ(sum, 1.0) {
            return Err(TableauError::WeightSum { sum });
        }
        self.check_order()
    }

    fn check_lengths(&self) -> Result<(), TableauError> {
        let stages = self.stages();
        if stages == 0 {
            return Err(TableauError::NoStages);
        }
        for (what, given, expected) in
            [("c", self.c.len(), stages), ("a", self.a.len(), stages * (stages - 1) / 2)]
        {
            if given != expected {
                return Err(TableauError::Length { what, given, stages, expected });
            }
        }
        Ok(())
    }

    fn check_order(&self) -> Result<(), TableauError> {
        let c = |power: i32| -> Vec<f64> { self.c.iter().map(|c| c.powi(power)).collect() };
        let (c1, c2, c3) = (c(1), c(2), c(3));
        let (ac, ac2) = (self.times_a(&c1), self.times_a(&c2));
        let aac = self.times_a(&ac);
        let c_ac: Vec<f64> = c1.iter().zip(&ac).map(|(c, ac)| c * ac).collect();
        for (order, condition, stage_values, value) in [
            (2, "sum b c = 1/2", &c1, 1.0 / 2.0),
            (3, "sum b c^2 = 1/3", &c2, 1.0 / 3.0),
            (3, "sum b a c = 1/6", &ac, 1.0 / 6.0),
            (4, "sum b c^3 = 1/4", &c3, 1.0 / 4.0),
            (4, "sum b c a c = 1/8", &c_ac, 1.0 / 8.0),
            (4, "sum b a c^2 = 1/12", &ac2, 1.0 / 12.0),
            (4, "sum b a a c = 1/24", &aac, 1.0 / 24.0),
        ] {
            let sum: f64 = self.b.iter().zip(stage_values).map(|(b, v)| b * v).sum();
            if order <= self.order && differ(sum, value) {
                let residual = sum - value;
                return Err(TableauError::Order { stated: self.order, condition, residual });
            }
        }
        Ok(())
    }

    /// `a v`.
    fn times_a(&self, v: &[f64]) -> Vec<f64> {
        let row = |i| self.row(i).iter().zip(v).map(|(a, v)| a * v).sum();
        (0..self.stages()).map(row).collect()
    }
}

/// Also true where either is NaN.
fn differ(a: f64, b: f64) -> bool {
    !((a - b).abs() <= TOLERANCE)
}
