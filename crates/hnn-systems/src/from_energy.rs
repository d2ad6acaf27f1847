//! A canonical system of nothing but its energy.

use hnn_integrators::{AnalyticField, Lane};

use crate::analytic::canonical_vjp;
use crate::{AnalyticHamiltonian, canonical};

/// The canonical system of an energy: `q' = dH/dp`, `p' = -dH/dq`, by dual numbers unless the
/// energy gives its gradient by a formula.
///
/// ```
/// use hnn_integrators::{Lane, VectorField};
/// use hnn_systems::{AnalyticHamiltonian, FromEnergy, Hamiltonian};
/// /// A double well.
/// struct DoubleWell;
/// impl AnalyticHamiltonian for DoubleWell {
///     type State<L: Lane> = [L; 2];
///     #[inline(always)]
///     fn energy_lanes<L: Lane>(&self, &[q, p]: &[L; 2]) -> L {
///         let well = q * q - L::constant(1.0);
///         L::constant(0.5) * p * p + L::constant(0.25) * well * well
///     }
/// }
/// let system = FromEnergy(DoubleWell);
/// assert_eq!(system.eval_state(0.0, &[2.0, 0.5])?, [0.5, -6.0]);
/// assert_eq!(system.energy_state(&[1.0, 0.0])?, 0.0);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
///
/// A state of odd dimension has no momentum for each coordinate, and no such system:
///
/// ```compile_fail
/// use hnn_integrators::{Lane, VectorField};
/// use hnn_systems::{AnalyticHamiltonian, FromEnergy};
/// struct Odd;
/// impl AnalyticHamiltonian for Odd {
///     type State<L: Lane> = [L; 3];
///     fn energy_lanes<L: Lane>(&self, &[x, y, z]: &[L; 3]) -> L {
///         x * x + y * y + z * z
///     }
/// }
/// let _ = FromEnergy(Odd).eval_state(0.0, &[1.0, 2.0, 3.0]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct FromEnergy<H>(pub H);

impl<H: AnalyticHamiltonian> AnalyticHamiltonian for FromEnergy<H> {
    type State<L: Lane> = H::State<L>;

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, x: &H::State<L>) -> L {
        self.0.energy_lanes(x)
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &H::State<L>) -> H::State<L> {
        self.0.gradient_lanes(x)
    }
}

impl<H: AnalyticHamiltonian> AnalyticField for FromEnergy<H> {
    type State<L: Lane> = H::State<L>;

    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, x: &H::State<L>) -> H::State<L> {
        canonical(&self.0.gradient_lanes(x))
    }

    #[inline(always)]
    fn vjp_lanes<L: Lane>(&self, _t: L, x: &H::State<L>, v: &H::State<L>) -> H::State<L> {
        canonical_vjp(&self.0, x, v)
    }
}
