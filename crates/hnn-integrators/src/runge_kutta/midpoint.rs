//! The explicit midpoint rule.

use super::{Tableau, explicit_method};

explicit_method! {
    /// The explicit midpoint rule: order 2, two stages.
    ///
    /// `x(t + h) = x + h f(t + h/2, x + h/2 f(t, x))`. Runge, *Math. Ann.* 46 (1895).
    Midpoint,
    Tableau { name: "Midpoint", order: 2, a: &[0.5], b: &[0.0, 1.0], c: &[0.0, 0.5] }
}
