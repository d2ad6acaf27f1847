//! Kernels over lanes of trajectories.

use std::marker::PhantomData;

use crate::Scalar;
use crate::simd::{Isa, Kernel, dispatch_alone, dispatch_alone_vectors, dispatch_vectors};

/// A computation with `W` trajectories side by side.
pub trait LaneKernel<T> {
    /// The computation; as [`Kernel::run`].
    fn run<I: Isa, const W: usize>(self);
}

/// Runs a kernel over so many trajectories with the best instruction set of this processor.
pub fn dispatch_lanes<T: Scalar, K: LaneKernel<T>>(trajectories: usize, kernel: K) {
    let side_by_side = SideBySide { kernel, scalar: PhantomData };
    let left = if trajectories == 1 { Err(side_by_side) } else { dispatch_vectors(side_by_side) };
    if let Err(SideBySide { kernel, scalar }) = left {
        dispatch_alone(Alone { kernel, scalar });
    }
}

/// As [`dispatch_lanes`], but on a processor with vectors worth the name only; says whether it is one.
///
/// For what can be done without a kernel: on others it is not worth the time that kernels take to
/// compile.
pub(super) fn try_lanes<T: Scalar, K: LaneKernel<T>>(trajectories: usize, kernel: K) -> bool {
    let scalar = PhantomData;
    if trajectories == 1 {
        dispatch_alone_vectors(Alone { kernel, scalar }).is_ok()
    } else {
        dispatch_vectors(SideBySide { kernel, scalar }).is_ok()
    }
}

struct Alone<T, K> {
    kernel: K,
    scalar: PhantomData<T>,
}

impl<T: Scalar, K: LaneKernel<T>> Kernel for Alone<T, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        self.kernel.run::<I, 1>();
    }
}

struct SideBySide<T, K> {
    kernel: K,
    scalar: PhantomData<T>,
}

impl<T: Scalar, K: LaneKernel<T>> Kernel for SideBySide<T, K> {
    type Output = ();

    #[inline(always)]
    fn run<I: Isa>(self) {
        match Lanes::<T, I>::COUNT {
            64 => self.kernel.run::<I, 64>(),
            32 => self.kernel.run::<I, 32>(),
            16 => self.kernel.run::<I, 16>(),
            8 => self.kernel.run::<I, 8>(),
            4 => self.kernel.run::<I, 4>(),
            _ => self.kernel.run::<I, 1>(),
        }
    }
}

/// How many trajectories go side by side.
struct Lanes<T, I>(PhantomData<(T, I)>);

impl<T: Scalar, I: Isa> Lanes<T, I> {
    /// Four vector registers a coordinate: their chains of dependent operations, in step, keep both
    /// multiply-add units busy. A constant to `match` on as it is, so that the compiler leaves the
    /// other widths out before it compiles them.
    ///
    /// x86-64 without AVX2 takes them one by one: no machine of the last ten years is worth the time
    /// that it takes to compile kernels for it.
    const COUNT: usize = 4 * I::VECTOR_BYTES / size_of::<T>();
}
