//! Kutta's 3/8 rule.

use super::{Tableau, explicit_method};

explicit_method! {
    /// Kutta's 3/8 rule: order 4, four stages, a slightly smaller error than
    /// [`Rk4`](crate::Rk4) for one more product.
    ///
    /// Kutta, *Z. Math. Phys.* 46 (1901), 435-453.
    ThreeEighths,
    Tableau {
        name: "3/8 rule",
        order: 4,
        a: &[1.0 / 3.0, -1.0 / 3.0, 1.0, 1.0, -1.0, 1.0],
        b: &[0.125, 0.375, 0.375, 0.125],
        c: &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0],
    }
}
