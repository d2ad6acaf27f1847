//! Rods between points: chains, joints and rigid bodies.

use hnn_integrators::{Constraint, Lane, LaneState};

use crate::error::Constants;
use crate::{Particles, SystemError};

/// `C` massless rods between `N` points in `D` dimensions: `Phi_k = (|d|^2 - l^2) / (2 l)`, `d` from one
/// end of the rod to the other.
///
/// A rigid body is points with rods between each two of them (up to `D (N - 1) - D (D - 1) / 2`
/// rods are independent), a joint of bodies a point that they share. Positions are
/// [`Particles`], axis by axis.
///
/// ```
/// use hnn_integrators::Constraint;
/// use hnn_systems::{End, Particles, Rod, Rods};
/// // One point, 2 m from the origin of the plane.
/// let rods = Rods::<2, 1, 1>::new([Rod { from: End::Fixed([0.0; 2]), to: 0, length: 2.0 }])?;
/// assert_eq!(rods.values_lanes(&Particles([[0.0], [-2.0]])), [0.0]);
/// # Ok::<(), hnn_systems::SystemError>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rods<const D: usize, const N: usize, const C: usize> {
    rods: [Rod<D>; C],
}

/// A massless rod.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Rod<const D: usize> {
    /// Where it begins.
    pub from: End<D>,
    /// The point that it ends at.
    pub to: usize,
    /// Its length, in m.
    pub length: f64,
}

/// Where a rod begins.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum End<const D: usize> {
    /// At a fixed place.
    Fixed([f64; D]),
    /// At a point.
    Point(usize),
}

impl<const D: usize, const N: usize, const C: usize> Rods<D, N, C> {
    /// From the rods.
    ///
    /// # Errors
    /// If a length is not positive, a number not finite, or a rod ends at a point that is not there
    /// or where it begins.
    pub fn new(rods: [Rod<D>; C]) -> Result<Self, SystemError> {
        let check = Constants("rods");
        for Rod { from, to, length } in &rods {
            check.positive("length", *length)?;
            check.index("the point at a rod's end", *to, N)?;
            match from {
                End::Fixed(place) => {
                    place.iter().try_for_each(|x| check.finite("a fixed place", *x).map(drop))?;
                }
                End::Point(from) => {
                    check.index("the point at a rod's begin", *from, N)?;
                    if from == to {
                        let (what, hint) = ("a rod", "it begins at the point that it ends at");
                        return Err(SystemError::Undetermined { what, hint });
                    }
                }
            }
        }
        Ok(Self { rods })
    }

    /// The rods.
    #[must_use]
    pub const fn rods(&self) -> &[Rod<D>; C] {
        &self.rods
    }

    /// Component `axis` of the vector along a rod.
    #[inline(always)]
    fn along<L: Lane>(q: &Particles<L, D, N>, rod: &Rod<D>, axis: usize) -> L {
        let begin = match rod.from {
            End::Fixed(place) => L::constant(place[axis]),
            End::Point(from) => q.0[axis][from],
        };
        q.0[axis][rod.to] - begin
    }
}

/// A chain of `N` rods, from the origin to the first point, and so on from point to point.
impl<const D: usize, const N: usize> Rods<D, N, N> {
    /// From the rods' lengths.
    ///
    /// # Errors
    /// If one is not finite and positive.
    pub fn chain(lengths: [f64; N]) -> Result<Self, SystemError> {
        let from = |k: usize| match k {
            0 => End::Fixed([0.0; D]),
            k => End::Point(k - 1),
        };
        Self::new(std::array::from_fn(|k| Rod { from: from(k), to: k, length: lengths[k] }))
    }
}

impl<const D: usize, const N: usize, const C: usize> Constraint for Rods<D, N, C> {
    type Position<L: Lane> = Particles<L, D, N>;
    type Values<E: Copy> = [E; C];

    #[inline(always)]
    fn values_lanes<L: Lane>(&self, q: &Particles<L, D, N>) -> [L; C] {
        LaneState::from_fn(|k| {
            let rod = &self.rods[k];
            let mut square = L::constant(-rod.length * rod.length);
            for axis in 0..D {
                let d = Self::along(q, rod, axis);
                square += d * d;
            }
            L::constant(0.5 / rod.length) * square
        })
    }

    /// The unit vectors along the rods.
    #[inline(always)]
    fn jacobian_lanes<L: Lane>(&self, q: &Particles<L, D, N>) -> [Particles<L, D, N>; C] {
        LaneState::from_fn(|k| {
            let rod = &self.rods[k];
            let mut row = Particles([[L::constant(0.0); N]; D]);
            for axis in 0..D {
                let unit = L::constant(1.0 / rod.length) * Self::along(q, rod, axis);
                row.0[axis][rod.to] = unit;
                if let End::Point(from) = rod.from {
                    row.0[axis][from] = -unit;
                }
            }
            row
        })
    }
}
