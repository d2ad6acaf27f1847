//! Euler's method.

use super::{Tableau, explicit_method};

explicit_method! {
    /// Euler's method: order 1, one stage. For comparison only.
    ///
    /// `x(t + h) = x + h f(t, x)`. Euler, *Institutiones Calculi Integralis* (1768), section 650.
    Euler, Tableau { name: "Euler", order: 1, a: &[], b: &[1.0], c: &[0.0] }
}
