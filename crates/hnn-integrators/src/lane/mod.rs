//! Lane types: what a formula is written over.

mod dual;
mod element;
mod math;
mod wide;

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

pub use dual::{Dual, gradient, hessian};
pub(crate) use element::Element;
pub(crate) use wide::Aligned;
#[doc(hidden)]
pub use wide::Wide;

use crate::Scalar;

/// A lane: a number, several numbers side by side (SIMD), or a dual number.
///
/// A formula written over `L: Lane` is compiled for the scalar path, for every instruction set
/// and for exact derivatives.
pub trait Lane:
    Copy
    + Send
    + Sync
    + 'static
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
    + Neg<Output = Self>
    + AddAssign
    + SubAssign
    + MulAssign
    + DivAssign
{
    /// The real numbers the lane is made of.
    type Scalar: Scalar;

    /// The same number in every place.
    fn splat(value: Self::Scalar) -> Self;
    /// A constant.
    #[inline(always)]
    #[must_use]
    fn constant(value: f64) -> Self {
        Self::splat(Self::Scalar::from_f64(value))
    }
    /// `self * a + b`, fused where the processor fuses.
    #[must_use]
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// `|x|`.
    #[must_use]
    fn abs(self) -> Self;
    /// -1, 0 or 1, the sign of `x`; NaN for NaN.
    #[must_use]
    fn signum(self) -> Self;
    /// Square root.
    #[must_use]
    fn sqrt(self) -> Self;
    /// `(sin x, cos x)`.
    #[must_use]
    fn sin_cos(self) -> (Self, Self);
    /// Sine.
    #[inline(always)]
    #[must_use]
    fn sin(self) -> Self {
        self.sin_cos().0
    }
    /// Cosine.
    #[inline(always)]
    #[must_use]
    fn cos(self) -> Self {
        self.sin_cos().1
    }
    /// `e^x`.
    #[must_use]
    fn exp(self) -> Self;
    /// Natural logarithm.
    #[must_use]
    fn ln(self) -> Self;
    /// Hyperbolic tangent.
    #[must_use]
    fn tanh(self) -> Self;
    /// `ln(1 + x)` for `x >= 0`.
    #[must_use]
    fn ln_1p(self) -> Self;
    /// Integer power by repeated squaring.
    #[inline(always)]
    #[must_use]
    fn powi(self, exponent: i32) -> Self {
        let mut result = Self::constant(1.0);
        let mut square = self;
        let mut bits = exponent.unsigned_abs();
        while bits > 0 {
            if bits & 1 == 1 {
                result *= square;
            }
            square *= square;
            bits >>= 1;
        }
        if exponent < 0 { Self::constant(1.0) / result } else { result }
    }
}

macro_rules! scalar_lane {
    ($t:ident) => {
        impl Lane for $t {
            type Scalar = Self;
            #[inline(always)]
            fn splat(value: Self) -> Self {
                value
            }
            #[inline(always)]
            fn mul_add(self, a: Self, b: Self) -> Self {
                if cfg!(any(target_arch = "aarch64", target_feature = "fma")) {
                    $t::mul_add(self, a, b)
                } else {
                    self * a + b
                }
            }
            #[inline(always)]
            fn abs(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn signum(self) -> Self {
                if self > 0.0 {
                    1.0
                } else if self < 0.0 {
                    -1.0
                } else {
                    self
                }
            }
            #[inline(always)]
            fn sqrt(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn sin_cos(self) -> (Self, Self) {
                $t::sin_cos(self)
            }
            #[inline(always)]
            fn sin(self) -> Self {
                $t::sin(self)
            }
            #[inline(always)]
            fn cos(self) -> Self {
                $t::cos(self)
            }
            #[inline(always)]
            fn exp(self) -> Self {
                $t::exp(self)
            }
            #[inline(always)]
            fn ln(self) -> Self {
                $t::ln(self)
            }
            #[inline(always)]
            fn tanh(self) -> Self {
                $t::tanh(self)
            }
            #[inline(always)]
            fn ln_1p(self) -> Self {
                $t::ln_1p(self)
            }
        }
    };
}

scalar_lane!(f32);
scalar_lane!(f64);
