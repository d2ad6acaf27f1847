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

/// The array of `f(0)`, `f(1)`, ..: `std::array::from_fn` for lanes, with far less code to compile for
/// each type of lane.
#[inline(always)]
pub(crate) fn lanes<L: Lane, const N: usize>(f: impl Fn(usize) -> L) -> [L; N] {
    let mut lanes = [L::constant(0.0); N];
    for i in 0..N {
        lanes[i] = f(i);
    }
    lanes
}

/// A lane: a number, several numbers side by side (SIMD), or a dual number.
///
/// A formula written over `L: Lane` is compiled for the scalar path, for every instruction set
/// and for exact derivatives.
///
/// ```
/// use hnn_integrators::Lane;
/// use hnn_integrators::lane::gradient;
/// /// The energy of a pendulum, `p^2 / 2 + 1 - cos q`.
/// fn energy<L: Lane>(q: L, p: L) -> L {
///     L::constant(0.5) * p * p + L::constant(1.0) - q.cos()
/// }
/// assert_eq!(energy(0.0_f64, 2.0), 2.0);
/// let (value, slope) = gradient([0.0_f64, 2.0], |[q, p]| energy(q, p));
/// assert_eq!((value, slope), (2.0, [0.0, 2.0]));
/// ```
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
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(<f64 as Lane>::splat(0.5), 0.5);
    /// ```
    fn splat(value: Self::Scalar) -> Self;
    /// A constant.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(<f32 as Lane>::constant(0.5), 0.5);
    /// ```
    #[inline(always)]
    #[must_use]
    fn constant(value: f64) -> Self {
        Self::splat(Self::Scalar::from_f64(value))
    }
    /// `self * a + b`, fused where the processor fuses.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::mul_add(2.0_f64, 3.0, 4.0), 10.0);
    /// ```
    #[must_use]
    fn mul_add(self, a: Self, b: Self) -> Self;
    /// `|x|`.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::abs(-2.0_f64), 2.0);
    /// ```
    #[must_use]
    fn abs(self) -> Self;
    /// -1, 0 or 1, the sign of `x`; NaN for NaN.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!([-2.0_f64, 0.0, 3.0].map(Lane::signum), [-1.0, 0.0, 1.0]);
    /// ```
    #[must_use]
    fn signum(self) -> Self;
    /// Square root.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::sqrt(9.0_f64), 3.0);
    /// ```
    #[must_use]
    fn sqrt(self) -> Self;
    /// `(sin x, cos x)`.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::sin_cos(0.0_f64), (0.0, 1.0));
    /// ```
    #[must_use]
    fn sin_cos(self) -> (Self, Self);
    /// Sine.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::sin(0.0_f64), 0.0);
    /// ```
    #[inline(always)]
    #[must_use]
    fn sin(self) -> Self {
        self.sin_cos().0
    }
    /// Cosine.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::cos(0.0_f64), 1.0);
    /// ```
    #[inline(always)]
    #[must_use]
    fn cos(self) -> Self {
        self.sin_cos().1
    }
    /// `e^x`.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::exp(0.0_f64), 1.0);
    /// ```
    #[must_use]
    fn exp(self) -> Self;
    /// Natural logarithm.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::ln(1.0_f64), 0.0);
    /// ```
    #[must_use]
    fn ln(self) -> Self;
    /// Hyperbolic tangent.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::tanh(0.0_f64), 0.0);
    /// ```
    #[must_use]
    fn tanh(self) -> Self;
    /// `ln(1 + x)` for `x >= 0`.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!(Lane::ln_1p(1e-20_f64), 1e-20);
    /// ```
    #[must_use]
    fn ln_1p(self) -> Self;
    /// Integer power by repeated squaring.
    ///
    /// ```
    /// # use hnn_integrators::Lane;
    /// assert_eq!((Lane::powi(2.0_f64, 3), Lane::powi(2.0_f64, -1)), (8.0, 0.5));
    /// ```
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
