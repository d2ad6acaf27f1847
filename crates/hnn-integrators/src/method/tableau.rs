//! Butcher tableaus of explicit methods.

use std::borrow::Cow;

use thiserror::Error;

use super::conditions;

/// An explicit Runge-Kutta method of `S` stages, given by its coefficients:
/// `X_i = x + h sum_j a_ij k_j`, `k_i = f(t + c_i h, X_i)`, `x(t + h) = x + h sum_i b_i k_i`
/// (Hairer, Norsett, Wanner, *Solving Ordinary Differential Equations I*, II.1).
///
/// It is a [`Stepper`](crate::Stepper) for every [`VectorField`](crate::VectorField), and a
/// [`DifferentiableStepper`](crate::DifferentiableStepper) for every
/// [`DifferentiableField`](crate::DifferentiableField). [`RK4`](crate::RK4) and its sisters are
/// constants; a method of one's own is made, and checked, by [`new`](Self::new).
///
/// ```
/// use hnn_integrators::{Adjoint, DualField, Interval, Stepper, Tableau, Workspace};
/// use ndarray::array;
/// // Ralston's second-order method.
/// let ralston = Tableau::new(
///     "Ralston 2", 2, &[&[], &[2.0 / 3.0]], &[0.25, 0.75], &[0.0, 2.0 / 3.0],
/// )?;
/// assert_eq!((ralston.name(), ralston.order()), ("Ralston 2", 2));
/// // dx/dt = -a x: a step, and the derivative of a run's end by a.
/// let decay = DualField::new([1.0], |_t, [x]: [_; 1], [a]| [-a * x]);
/// let (over, mut out) = (Interval::new(&[0.0], &[0.1]), [0.0_f64]);
/// ralston.step(&decay, over, &[1.0], &mut out, &mut Workspace::default())?;
/// assert!((out[0] - 0.905).abs() < 1e-15); // 1 - h + h^2/2
/// let (adjoint, x0) = (Adjoint::count(ralston, 100), array![[1.0]]);
/// let run = adjoint.run(&decay, (0.0, 1.0), x0.view(), |step, _x, mut x_bar| {
///     if step == 100 {
///         x_bar[[0, 0]] += 1.0;
///     }
/// })?;
/// assert!((run.end[[0, 0]] - (-1.0f64).exp()).abs() < 1e-5);
/// assert!((run.theta_bar[0] + (-1.0f64).exp()).abs() < 1e-4);
/// let wrong = Tableau::new("?", 3, &[&[], &[0.5]], &[0.0, 1.0], &[0.0, 0.5]);
/// assert!(wrong.is_err()); // the midpoint rule is no method of order 3
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "super::Unchecked"))]
pub struct Tableau {
    name: Cow<'static, str>,
    order: usize,
    a: Cow<'static, [f64]>,
    b: Cow<'static, [f64]>,
    c: Cow<'static, [f64]>,
}

/// The coefficients of a [`Tableau`], borrowed: what steps and kernels read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Coefficients<'a> {
    /// `a_ij`, `j < i`, row after row: `S (S - 1) / 2` numbers.
    a: &'a [f64],
    /// Weights `b_i`: `S` numbers.
    pub(crate) b: &'a [f64],
    /// Nodes `c_i`: `S` numbers, the first 0.
    pub(crate) c: &'a [f64],
}

impl<'a> Coefficients<'a> {
    /// Number of stages `S`.
    #[inline(always)]
    pub(crate) fn stages(&self) -> usize {
        self.b.len()
    }

    /// Row `i` of `a`: `i` numbers.
    #[inline(always)]
    pub(crate) fn row(&self, i: usize) -> &'a [f64] {
        let start = i * i.saturating_sub(1) / 2;
        &self.a[start..start + i]
    }
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
    /// The last stage of an embedded pair must be the end of the step.
    #[error(
        "the last stage is not the end of the step: the last row of a must equal the weights b, the last of which is 0"
    )]
    NotLast,
    /// The weights of an error estimate do not sum to 0.
    #[error("the weights of the error estimate sum to {sum}; they must sum to 0")]
    ErrorSum {
        /// The sum.
        sum: f64,
    },
    /// The interpolant does not end with the step.
    #[error(
        "the interpolant's coefficients of stage {stage} sum to {sum}, but its weight b is {weight}: the two must be equal"
    )]
    DenseSum {
        /// Stage, from 0.
        stage: usize,
        /// Sum of its coefficients.
        sum: f64,
        /// Its weight.
        weight: f64,
    },
    /// The lengths of the flows of one kind do not sum to 1.
    #[error(
        "the lengths of the {flow} flows sum to {sum}; those of each kind must sum to 1, or the method does not converge"
    )]
    FlowSum {
        /// Which flow.
        flow: &'static str,
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

#[cfg(feature = "serde")]
impl TryFrom<super::Unchecked> for Tableau {
    type Error = TableauError;

    fn try_from(given: super::Unchecked) -> Result<Self, TableauError> {
        let super::Unchecked { name, order, a, b, c } = given;
        let method = Self { name: name.into(), order, a: a.into(), b: b.into(), c: c.into() };
        method.check()?;
        Ok(method)
    }
}

impl Tableau {
    /// From the rows of `a` (row `i` has `i` numbers, those left of the diagonal), the weights
    /// `b` and the nodes `c`.
    ///
    /// # Errors
    /// If lengths do not go together, `c` is not the row sums of `a`, `b` does not sum to 1, or a
    /// condition of the stated order fails (up to order 4; Hairer, Norsett, Wanner I, table
    /// II.2.1).
    pub fn new(
        name: &str,
        order: usize,
        a: &[&[f64]],
        b: &[f64],
        c: &[f64],
    ) -> Result<Self, TableauError> {
        let stages = b.len();
        for (expected, given) in a.iter().map(|row| row.len()).enumerate() {
            if given != expected {
                return Err(TableauError::Length { what: "a row of a", given, stages, expected });
            }
        }
        let (name, a) = (name.to_owned().into(), a.concat().into());
        let method = Self { name, order, a, b: b.to_vec().into(), c: c.to_vec().into() };
        method.check()?;
        Ok(method)
    }

    /// A method of the literature.
    pub(crate) const fn fixed(
        name: &'static str,
        order: usize,
        a: &'static [f64],
        b: &'static [f64],
        c: &'static [f64],
    ) -> Self {
        let name = Cow::Borrowed(name);
        Self { name, order, a: Cow::Borrowed(a), b: Cow::Borrowed(b), c: Cow::Borrowed(c) }
    }

    /// The name the literature uses.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Order of convergence `p`: the error at a fixed time falls as `h^p`.
    #[must_use]
    pub fn order(&self) -> usize {
        self.order
    }

    /// Number of stages `S`.
    #[must_use]
    pub fn stages(&self) -> usize {
        self.b.len()
    }

    /// Row `i < S` of `a`: the `i` numbers left of the diagonal.
    #[must_use]
    pub fn row(&self, i: usize) -> &[f64] {
        if i < self.stages() { self.coefficients().row(i) } else { &[] }
    }

    /// The weights `b`.
    #[must_use]
    pub fn weights(&self) -> &[f64] {
        &self.b
    }

    /// The nodes `c`.
    #[must_use]
    pub fn nodes(&self) -> &[f64] {
        &self.c
    }

    pub(crate) fn coefficients(&self) -> Coefficients<'_> {
        Coefficients { a: &self.a, b: &self.b, c: &self.c }
    }

    /// The same method without its last `n` stages, which its weights do not use.
    pub(crate) fn without_last(&self, n: usize) -> Self {
        let stages = self.stages().saturating_sub(n);
        Self {
            name: self.name.clone(),
            order: self.order,
            a: self.a[..stages * stages.saturating_sub(1) / 2].to_vec().into(),
            b: self.b[..stages].to_vec().into(),
            c: self.c[..stages].to_vec().into(),
        }
    }

    fn check(&self) -> Result<(), TableauError> {
        self.check_lengths()?;
        if self.c[0] != 0.0 {
            return Err(TableauError::FirstNode { given: self.c[0] });
        }
        let rows: Vec<&[f64]> = (0..self.stages()).map(|i| self.row(i)).collect();
        conditions::check(self.order, &rows, &self.b, &self.c)
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
}
