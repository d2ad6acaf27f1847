//! The real numbers everything is generic over.

use std::fmt::{Debug, Display};
use std::iter::Sum;

use ndarray::{LinalgScalar, ScalarOperand};

use crate::adaptive::AdaptiveJob;
use crate::fixed_step::SegmentsJob;
use crate::kernel::Job;
use crate::linalg::Product;
use crate::simd::dispatch;
use crate::{AnalyticField, AnalyticSeparable, Lane, SolveFailure, Trajectories};

/// Something for each type of number, such as pointers to functions.
///
/// What is generic over a [`Scalar`] is compiled again in every crate that uses it. Where functions
/// of one type, not to be inlined, hand it out, it is compiled once, in the crate that has them.
#[doc(hidden)]
pub trait PerScalar {
    /// What it is.
    type Of<T: Scalar>;
    /// That of `f32`.
    fn f32() -> Self::Of<f32>;
    /// That of `f64`.
    fn f64() -> Self::Of<f64>;
}

/// What is generic over a scalar `T` alone, as a pointer to a function that is compiled in the crate that
/// says this, once for each type of number: `compiled_here!(T => fn(&[T]) -> T, sum)`.
#[doc(hidden)]
#[macro_export]
macro_rules! compiled_here {
    ($T:ident => $function:ty, $body:expr) => {{
        struct Here;
        impl $crate::PerScalar for Here {
            type Of<$T: $crate::Scalar> = $function;
            #[inline(never)]
            fn f32() -> Self::Of<f32> {
                $body
            }
            #[inline(never)]
            fn f64() -> Self::Of<f64> {
                $body
            }
        }
        <$T as $crate::Scalar>::pick::<Here>()
    }};
}

/// A real number: `f32` or `f64`. Sealed.
///
/// Elementary functions come from [`Lane`], so that a formula written for lanes is also a formula
/// for scalars.
pub trait Scalar:
    Lane<Scalar = Self>
    + LinalgScalar
    + ScalarOperand
    + PartialOrd
    + Debug
    + Display
    + Default
    + Sum
    + crate::lane::Element
{
    /// 0.
    const ZERO: Self;
    /// 1.
    const ONE: Self;
    /// Machine epsilon, the distance from 1 to the next number.
    const EPSILON: Self;
    /// Infinity.
    const INFINITY: Self;
    /// Not a number.
    const NAN: Self;
    /// Name of the type, as in file formats: `"f32"` or `"f64"`.
    const NAME: &'static str;

    /// The nearest number of this type.
    fn from_f64(value: f64) -> Self;
    /// The same number in `f64`.
    fn to_f64(self) -> f64;
    /// The nearest number of this type (exact for counts below 2^24).
    #[must_use]
    fn from_usize(value: usize) -> Self {
        Self::from_f64(value as f64)
    }
    /// Whether it is neither infinite nor NaN.
    fn is_finite(self) -> bool;
    /// The larger of two numbers; the other one if one is NaN.
    #[must_use]
    fn max(self, other: Self) -> Self;
    /// The smaller of two numbers; the other one if one is NaN.
    #[must_use]
    fn min(self, other: Self) -> Self;
    /// `self` raised to a real power.
    #[must_use]
    fn powf(self, exponent: Self) -> Self;

    /// The one for this type of number.
    #[doc(hidden)]
    fn pick<P: PerScalar>() -> P::Of<Self>;
    /// A formula's kernels for this type of number.
    #[doc(hidden)]
    fn formula_kernel<F: AnalyticField + ?Sized>(field: &F, job: &mut Job<'_, Self>) -> bool;
    /// A formula at a batch.
    #[doc(hidden)]
    fn formula_eval<F>(field: &F, t: &[Self], x: &[Self], dx: &mut [Self]) -> bool
    where
        F: AnalyticField + ?Sized;
    /// Its vector-Jacobian product.
    #[doc(hidden)]
    fn formula_pull_back<F>(
        field: &F,
        t: &[Self],
        x: &[Self],
        v: &[Self],
        x_bar: &mut [Self],
    ) -> bool
    where
        F: AnalyticField + ?Sized;
    /// Runs a block of trajectories adaptively: compiled once for each type of number, here.
    #[doc(hidden)]
    fn solve_block(job: AdaptiveJob<'_, '_, Self>);
    /// Takes all trajectories through segments of equal steps: likewise.
    #[doc(hidden)]
    fn march_segments(
        job: SegmentsJob<'_, Self>,
    ) -> Result<Trajectories<Self>, SolveFailure<Trajectories<Self>>>;
    /// A product of matrices: likewise.
    #[doc(hidden)]
    fn product(product: Product<'_, Self>);
    /// A separable formula's kernels for this type of number.
    #[doc(hidden)]
    fn splitting_kernel<F: AnalyticSeparable + ?Sized>(field: &F, job: &mut Job<'_, Self>) -> bool;
}

macro_rules! scalar {
    ($t:ident, $eval:ident, $pull_back:ident, $formula_kernel:ident, $splitting_kernel:ident) => {
        impl Scalar for $t {
            const ZERO: Self = 0.0;
            const ONE: Self = 1.0;
            const EPSILON: Self = $t::EPSILON;
            const INFINITY: Self = $t::INFINITY;
            const NAN: Self = $t::NAN;
            const NAME: &'static str = stringify!($t);

            #[inline(always)]
            fn from_f64(value: f64) -> Self {
                value as $t
            }
            #[inline(always)]
            fn to_f64(self) -> f64 {
                f64::from(self)
            }
            #[inline(always)]
            fn is_finite(self) -> bool {
                $t::is_finite(self)
            }
            #[inline(always)]
            fn max(self, other: Self) -> Self {
                $t::max(self, other)
            }
            #[inline(always)]
            fn min(self, other: Self) -> Self {
                $t::min(self, other)
            }
            #[inline(always)]
            fn powf(self, exponent: Self) -> Self {
                $t::powf(self, exponent)
            }
            fn pick<P: PerScalar>() -> P::Of<Self> {
                P::$t()
            }
            #[inline]
            fn formula_kernel<F: AnalyticField + ?Sized>(
                field: &F,
                job: &mut Job<'_, Self>,
            ) -> bool {
                field.$formula_kernel(job)
            }
            #[inline]
            fn formula_eval<F>(field: &F, t: &[Self], x: &[Self], dx: &mut [Self]) -> bool
            where
                F: AnalyticField + ?Sized,
            {
                field.$eval(t, x, dx)
            }
            #[inline]
            fn formula_pull_back<F>(
                field: &F,
                t: &[Self],
                x: &[Self],
                v: &[Self],
                x_bar: &mut [Self],
            ) -> bool
            where
                F: AnalyticField + ?Sized,
            {
                field.$pull_back(t, x, v, x_bar)
            }
            fn solve_block(job: AdaptiveJob<'_, '_, Self>) {
                job.run();
            }
            fn march_segments(
                job: SegmentsJob<'_, Self>,
            ) -> Result<Trajectories<Self>, SolveFailure<Trajectories<Self>>> {
                job.run()
            }
            fn product(product: Product<'_, Self>) {
                dispatch(product);
            }
            #[inline]
            fn splitting_kernel<F: AnalyticSeparable + ?Sized>(
                field: &F,
                job: &mut Job<'_, Self>,
            ) -> bool {
                field.$splitting_kernel(job)
            }
        }
    };
}

scalar!(f32, eval_f32, pull_back_f32, kernel_f32, splitting_kernel_f32);
scalar!(f64, eval_f64, pull_back_f64, kernel_f64, splitting_kernel_f64);
