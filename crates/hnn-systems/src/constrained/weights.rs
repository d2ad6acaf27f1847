//! The potential of weights.

use hnn_integrators::Lane;

use crate::{AnalyticHamiltonian, Particles};

/// The potential energy `V = sum of w_j h_j` of `N` points in `D` dimensions, of weights `w = m g` in N
/// at heights `h` along the last axis.
///
/// ```
/// use hnn_systems::{AnalyticHamiltonian, Particles, Weights};
/// let weights = Weights::<2, 1>([9.81]);
/// assert_eq!(weights.energy_lanes(&Particles([[5.0], [-2.0]])), -19.62);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Weights<const D: usize, const N: usize>(
    /// The weights.
    pub [f64; N],
);

impl<const D: usize, const N: usize> AnalyticHamiltonian for Weights<D, N> {
    type State<L: Lane> = Particles<L, D, N>;

    #[inline(always)]
    fn energy_lanes<L: Lane>(&self, q: &Particles<L, D, N>) -> L {
        let mut energy = L::constant(0.0);
        for (weight, height) in self.0.iter().zip(&q.0[D - 1]) {
            energy += L::constant(*weight) * *height;
        }
        energy
    }

    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, _q: &Particles<L, D, N>) -> Particles<L, D, N> {
        let mut gradient = Particles([[L::constant(0.0); N]; D]);
        gradient.0[D - 1] = self.0.map(L::constant);
        gradient
    }
}
