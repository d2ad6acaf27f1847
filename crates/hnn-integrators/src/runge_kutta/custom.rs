//! A Runge-Kutta method of the user's own.

use super::{ExplicitRungeKutta, Tableau, TableauError};

/// An explicit Runge-Kutta method of any tableau, checked for consistency.
///
/// ```
/// use hnn_integrators::{CustomRungeKutta, Method};
/// // Ralston's second-order method.
/// let ralston = CustomRungeKutta::new(
///     "Ralston 2", 2, &[&[], &[2.0 / 3.0]], &[0.25, 0.75], &[0.0, 2.0 / 3.0],
/// )?;
/// assert_eq!((ralston.name(), ralston.order()), ("Ralston 2", 2));
/// let wrong = CustomRungeKutta::new("?", 3, &[&[], &[0.5]], &[0.0, 1.0], &[0.0, 0.5]);
/// assert!(wrong.is_err()); // the midpoint rule is no method of order 3
/// # Ok::<(), hnn_integrators::TableauError>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct CustomRungeKutta {
    name: String,
    order: usize,
    a: Vec<f64>,
    b: Vec<f64>,
    c: Vec<f64>,
}

impl CustomRungeKutta {
    /// From the rows of `a` (row `i` has `i` numbers, those left of the diagonal), the weights
    /// `b` and the nodes `c`.
    ///
    /// # Errors
    /// If lengths do not go together, `c` is not the row sums of `a`, `b` does not sum to 1, or a
    /// condition of the stated order (up to 4) fails.
    pub fn new(
        name: &str,
        order: usize,
        a: &[&[f64]],
        b: &[f64],
        c: &[f64],
    ) -> Result<Self, TableauError> {
        let stages = b.len();
        for (row, given) in a.iter().map(|row| row.len()).enumerate() {
            if given != row {
                return Err(TableauError::Length {
                    what: "a row of a",
                    given,
                    stages,
                    expected: row,
                });
            }
        }
        let method = Self { name: name.into(), order, a: a.concat(), b: b.to_vec(), c: c.to_vec() };
        method.tableau().check()?;
        Ok(method)
    }
}

impl ExplicitRungeKutta for CustomRungeKutta {
    fn tableau(&self) -> Tableau<'_> {
        Tableau { name: &self.name, order: self.order, a: &self.a, b: &self.b, c: &self.c }
    }
}
