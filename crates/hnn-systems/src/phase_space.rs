//! States of many particles.

use hnn_integrators::{Lane, LaneState};

/// Positions and momenta of `N` particles in `D` dimensions, axis by axis: `[x_1..x_N, y_1..y_N,
/// ...]`, then the momenta in the same order.
///
/// The order is that of the many-body data of the HNN paper's code. As a slice it is the canonical
/// state `[q, p]` of dimension `2 D N`.
///
/// ```
/// use hnn_systems::PhaseSpace;
/// // Two particles in the plane.
/// let x = PhaseSpace::new([[0.0, 1.0], [0.0, 2.0]], [[0.1, 0.2], [0.3, 0.4]]);
/// assert_eq!(x.as_ref(), [0.0, 1.0, 0.0, 2.0, 0.1, 0.2, 0.3, 0.4]);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PhaseSpace<L, const D: usize, const N: usize> {
    /// Positions, then momenta; axes; particles.
    blocks: [[[L; N]; D]; 2],
}

impl<L, const D: usize, const N: usize> PhaseSpace<L, D, N> {
    /// From positions and momenta, both `[axis][particle]`.
    #[inline(always)]
    pub const fn new(positions: [[L; N]; D], momenta: [[L; N]; D]) -> Self {
        Self { blocks: [positions, momenta] }
    }

    /// Positions, `[axis][particle]`.
    #[inline(always)]
    pub const fn positions(&self) -> &[[L; N]; D] {
        &self.blocks[0]
    }

    /// Momenta, `[axis][particle]`.
    #[inline(always)]
    pub const fn momenta(&self) -> &[[L; N]; D] {
        &self.blocks[1]
    }
}

impl<L, const D: usize, const N: usize> AsRef<[L]> for PhaseSpace<L, D, N> {
    #[inline(always)]
    fn as_ref(&self) -> &[L] {
        self.blocks.as_flattened().as_flattened()
    }
}

impl<L, const D: usize, const N: usize> AsMut<[L]> for PhaseSpace<L, D, N> {
    #[inline(always)]
    fn as_mut(&mut self) -> &mut [L] {
        self.blocks.as_flattened_mut().as_flattened_mut()
    }
}

impl<L: Copy, const D: usize, const N: usize> LaneState<L> for PhaseSpace<L, D, N> {
    const DIM: usize = 2 * D * N;

    #[inline(always)]
    fn from_fn(mut f: impl FnMut(usize) -> L) -> Self {
        let mut block = |half| {
            <[[L; N]; D]>::from_fn(|axis| <[L; N]>::from_fn(|k| f((half * D + axis) * N + k)))
        };
        Self { blocks: [block(0), block(1)] }
    }
}

/// Positions, momenta, velocities or forces of `N` particles in `D` dimensions, axis by axis: half
/// of a [`PhaseSpace`].
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Particles<L, const D: usize, const N: usize>(
    /// `[axis][particle]`.
    pub [[L; N]; D],
);

impl<L, const D: usize, const N: usize> AsRef<[L]> for Particles<L, D, N> {
    #[inline(always)]
    fn as_ref(&self) -> &[L] {
        self.0.as_flattened()
    }
}

impl<L, const D: usize, const N: usize> AsMut<[L]> for Particles<L, D, N> {
    #[inline(always)]
    fn as_mut(&mut self) -> &mut [L] {
        self.0.as_flattened_mut()
    }
}

impl<L: Copy, const D: usize, const N: usize> LaneState<L> for Particles<L, D, N> {
    const DIM: usize = D * N;

    #[inline(always)]
    fn from_fn(mut f: impl FnMut(usize) -> L) -> Self {
        Self(<[[L; N]; D]>::from_fn(|axis| <[L; N]>::from_fn(|k| f(axis * N + k))))
    }
}

/// `sum of x^2` over an axis-by-axis block, each square times the particle's weight.
#[inline(always)]
pub(crate) fn weighted_squares<L: Lane, const D: usize, const N: usize>(
    block: &[[L; N]; D],
    weights: &[f64; N],
) -> L {
    let mut sum = L::constant(0.0);
    for axis in block {
        for (&x, &weight) in axis.iter().zip(weights) {
            sum += L::constant(weight) * x * x;
        }
    }
    sum
}
