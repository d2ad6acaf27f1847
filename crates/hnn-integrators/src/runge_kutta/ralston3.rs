//! Ralston's method of order 3.

use super::{Tableau, explicit_method};

explicit_method! {
    /// Ralston's method of order 3: three stages, the least error bound of its class.
    ///
    /// Ralston, *Math. Comp.* 16 (1962), 431-437.
    Ralston3,
    Tableau {
        name: "Ralston 3",
        order: 3,
        a: &[0.5, 0.0, 0.75],
        b: &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0],
        c: &[0.0, 0.5, 0.75],
    }
}
