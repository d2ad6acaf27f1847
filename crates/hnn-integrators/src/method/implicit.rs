//! Implicit Runge-Kutta methods of Gauss.

use std::borrow::Cow;

use super::{TableauError, conditions};

/// An implicit Runge-Kutta method of `S` stages, given by its full tableau:
/// `k_i = f(t + c_i h, x + h sum_j a_ij k_j)`, `x(t + h) = x + h sum_i b_i k_i`.
///
/// The stage equations are solved by fixed-point iteration to rounding, each row and each coordinate
/// in units of its own size. It converges where `|dt| |df/dx|` is well below 1, and a solve that does
/// not is an error with its residual. That is enough for symplectic steps, which have to resolve the
/// motion anyway. It is no cure for stiffness: a fast part that has died out, or a stiff spring, binds the
/// step as it does for explicit methods; what would step over it is Newton's iteration, which is not
/// here.
///
/// ```
/// use hnn_integrators::{FixedStep, FnField, IMPLICIT_MIDPOINT};
/// use ndarray::array;
/// // A rate of 1000: steps must stay below some 0.001.
/// let stiff = FnField::new(1, |t: f64, x: &[f64], dx: &mut [f64]| dx[0] = 1000.0 * (t.cos() - x[0]));
/// let run = |count| FixedStep::count(IMPLICIT_MIDPOINT, count).run(&stiff, (0.0, 1.0), array![[1.0]].view());
/// let error = run(100).expect_err("steps of 0.01").to_string();
/// assert!(error.contains("dt |df/dx|"), "{error}");
/// assert!((run(2000)?.last()[[0, 0]] - (1.0f64 - 0.001).cos()).abs() < 1e-5);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
///
/// [`GAUSS_LEGENDRE4`] and its sisters are constants; a method of one's own is made, and checked, by
/// [`new`](Self::new).
///
/// ```
/// use hnn_integrators::ImplicitTableau;
/// let trapezoid =
///     ImplicitTableau::new("trapezoid", 2, &[&[0.0, 0.0], &[0.5, 0.5]], &[0.5, 0.5], &[0.0, 1.0])?;
/// assert_eq!(trapezoid.order(), 2);
/// # Ok::<(), hnn_integrators::TableauError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(try_from = "super::Unchecked"))]
pub struct ImplicitTableau {
    name: Cow<'static, str>,
    order: usize,
    /// `a_ij`, row after row: `S^2` numbers.
    pub(crate) a: Cow<'static, [f64]>,
    pub(crate) b: Cow<'static, [f64]>,
    pub(crate) c: Cow<'static, [f64]>,
}

#[cfg(feature = "serde")]
impl TryFrom<super::Unchecked> for ImplicitTableau {
    type Error = TableauError;

    fn try_from(given: super::Unchecked) -> Result<Self, TableauError> {
        let rows = Vec::from_iter(given.a.chunks(given.b.len().max(1)));
        Self::new(&given.name, given.order, &rows, &given.b, &given.c)
    }
}

impl ImplicitTableau {
    /// From the rows of `a` (of `S` numbers each), the weights `b` and the nodes `c`.
    ///
    /// # Errors
    /// If lengths do not go together, `c` is not the row sums of `a`, `b` does not sum to 1, or a
    /// condition of the stated order fails (up to order 4).
    pub fn new(
        name: &str,
        order: usize,
        a: &[&[f64]],
        b: &[f64],
        c: &[f64],
    ) -> Result<Self, TableauError> {
        let stages = b.len();
        if stages == 0 {
            return Err(TableauError::NoStages);
        }
        let rows = a.iter().map(|row| ("a row of a", row.len()));
        for (what, given) in rows.chain([("a (in rows)", a.len()), ("c", c.len())]) {
            if given != stages {
                return Err(TableauError::Length { what, given, stages, expected: stages });
            }
        }
        conditions::check(order, a, b, c)?;
        let (name, a) = (name.to_owned().into(), a.concat().into());
        Ok(Self { name, order, a, b: b.to_vec().into(), c: c.to_vec().into() })
    }

    const fn fixed(
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

    /// Row `i` of `a`.
    pub(crate) fn row(&self, i: usize) -> &[f64] {
        let stages = self.stages();
        &self.a[i * stages..(i + 1) * stages]
    }
}

/// sqrt 3.
const R3: f64 = 1.732_050_807_568_877_2;
/// sqrt 15.
const R15: f64 = 3.872_983_346_207_417;

/// The implicit midpoint rule: order 2, one stage. Symplectic and symmetric for every Hamiltonian,
/// separable or not.
///
/// Hairer, Lubich, Wanner, *Geometric Numerical Integration*, II.1.3.
pub const IMPLICIT_MIDPOINT: ImplicitTableau =
    ImplicitTableau::fixed("implicit midpoint", 2, &[0.5], &[1.0], &[0.5]);

/// The Gauss-Legendre method of order 4: two stages. Symplectic and symmetric for every
/// Hamiltonian, separable or not.
///
/// Hammer and Hollingsworth (1955); Hairer, Lubich, Wanner, II.1.3.
pub const GAUSS_LEGENDRE4: ImplicitTableau = ImplicitTableau::fixed(
    "Gauss-Legendre 4",
    4,
    &[0.25, 0.25 - R3 / 6.0, 0.25 + R3 / 6.0, 0.25],
    &[0.5, 0.5],
    &[0.5 - R3 / 6.0, 0.5 + R3 / 6.0],
);

/// The Gauss-Legendre method of order 6: three stages. Symplectic and symmetric for every
/// Hamiltonian, separable or not.
///
/// Kuntzmann (1961); Hairer, Lubich, Wanner, II.1.3.
pub const GAUSS_LEGENDRE6: ImplicitTableau = ImplicitTableau::fixed(
    "Gauss-Legendre 6",
    6,
    &[
        5.0 / 36.0,
        2.0 / 9.0 - R15 / 15.0,
        5.0 / 36.0 - R15 / 30.0,
        5.0 / 36.0 + R15 / 24.0,
        2.0 / 9.0,
        5.0 / 36.0 - R15 / 24.0,
        5.0 / 36.0 + R15 / 30.0,
        2.0 / 9.0 + R15 / 15.0,
        5.0 / 36.0,
    ],
    &[5.0 / 18.0, 4.0 / 9.0, 5.0 / 18.0],
    &[0.5 - R15 / 10.0, 0.5, 0.5 + R15 / 10.0],
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn coefficients_are_consistent() {
        for method in [IMPLICIT_MIDPOINT, GAUSS_LEGENDRE4, GAUSS_LEGENDRE6] {
            let rows: Vec<&[f64]> = (0..method.stages()).map(|i| method.row(i)).collect();
            let again =
                ImplicitTableau::new(&method.name, method.order, &rows, &method.b, &method.c);
            assert_eq!(again, Ok(method));
        }
        let midpoint_of_order_3 = ImplicitTableau::new("too good", 3, &[&[0.5]], &[1.0], &[0.5]);
        assert!(matches!(midpoint_of_order_3, Err(TableauError::Order { stated: 3, .. })));
    }
}
