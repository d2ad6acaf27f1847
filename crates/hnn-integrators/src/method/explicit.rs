//! Explicit Runge-Kutta methods.

use super::Tableau;

/// Euler's method: order 1, one stage. For comparison only.
///
/// `x(t + h) = x + h f(t, x)`. Euler, *Institutiones Calculi Integralis* (1768), section 650.
pub const EULER: Tableau = Tableau::fixed("Euler", 1, &[], &[1.0], &[0.0]);

/// The explicit midpoint rule: order 2, two stages.
///
/// `x(t + h) = x + h f(t + h/2, x + h/2 f(t, x))`. Runge, *Math. Ann.* 46 (1895).
pub const MIDPOINT: Tableau = Tableau::fixed("Midpoint", 2, &[0.5], &[0.0, 1.0], &[0.0, 0.5]);

/// Heun's method of order 2, the explicit trapezoidal rule: two stages.
///
/// `x(t + h) = x + h/2 (f(t, x) + f(t + h, x + h f(t, x)))`. Not Heun's method of order 3, which
/// bears the same name (Heun, *Z. Math. Phys.* 45, 1900).
pub const HEUN: Tableau = Tableau::fixed("Heun 2", 2, &[1.0], &[0.5, 0.5], &[0.0, 1.0]);

/// Ralston's method of order 3: three stages, the least error bound of its class.
///
/// Ralston, *Math. Comp.* 16 (1962), 431-437.
pub const RALSTON3: Tableau = Tableau::fixed(
    "Ralston 3",
    3,
    &[0.5, 0.0, 0.75],
    &[2.0 / 9.0, 1.0 / 3.0, 4.0 / 9.0],
    &[0.0, 0.5, 0.75],
);

/// The classical Runge-Kutta method: order 4, four stages.
///
/// Kutta, *Z. Math. Phys.* 46 (1901), 435-453.
pub const RK4: Tableau = Tableau::fixed(
    "RK4",
    4,
    &[0.5, 0.0, 0.5, 0.0, 0.0, 1.0],
    &[1.0 / 6.0, 1.0 / 3.0, 1.0 / 3.0, 1.0 / 6.0],
    &[0.0, 0.5, 0.5, 1.0],
);

/// Kutta's 3/8 rule: order 4, four stages, a slightly smaller error than [`RK4`] for one more
/// product.
///
/// Kutta, *Z. Math. Phys.* 46 (1901), 435-453.
pub const THREE_EIGHTHS: Tableau = Tableau::fixed(
    "3/8 rule",
    4,
    &[1.0 / 3.0, -1.0 / 3.0, 1.0, 1.0, -1.0, 1.0],
    &[0.125, 0.375, 0.375, 0.125],
    &[0.0, 1.0 / 3.0, 2.0 / 3.0, 1.0],
);
