//! Elementary functions of SIMD lanes: no branches, no tables.

use super::{Element, Lane, Wide};
use crate::Scalar;
use crate::simd::Isa;

impl<T: Scalar, const W: usize, I: Isa> Wide<T, W, I> {
    /// `c[0] z^(n-1) + ... + c[n-1]` by Horner's rule.
    #[inline(always)]
    fn polynomial(self, coefficients: &'static [T]) -> Self {
        let mut sum = Self::splat(coefficients[0]);
        for &c in &coefficients[1..] {
            sum = sum.mul_add(self, Self::splat(c));
        }
        sum
    }

    /// `(rounded, r, e^r - 1)` with `x = n ln 2 + r`, `|r| <= ln 2 / 2`, `rounded = n + ROUNDER`.
    #[inline(always)]
    fn reduced_exp_m1(self) -> (Self, Self) {
        let (rounder, (high, low)) = (Self::splat(T::ROUNDER), T::LN2);
        let log2_e = Self::constant(std::f64::consts::LOG2_E);
        let rounded = self.mul_add(log2_e, rounder);
        let n = rounded - rounder;
        let r = n.mul_add(Self::splat(-low), n.mul_add(Self::splat(-high), self));
        let exp_m1 = r.polynomial(T::EXP).mul_add(r * r, r);
        (rounded, exp_m1)
    }

    /// Keeps NaN, which `min` and `max` would not.
    #[inline(always)]
    fn clamp_exp_argument(self) -> Self {
        let (low, high) = T::EXP_RANGE;
        self.map(|x| if x < low { low } else { x }).map(|x| if x > high { high } else { x })
    }

    #[inline(always)]
    pub(super) fn wide_exp(self) -> Self {
        let (rounded, exp_m1) = self.clamp_exp_argument().reduced_exp_m1();
        let one = Self::splat(T::ONE);
        let value = (one + exp_m1).zip(rounded, Element::scale_by_rounded);
        let (low, high) = T::EXP_RANGE;
        let value = self.zip(value, |x, y| if x < low { T::ZERO } else { y });
        self.zip(value, |x, y| if x > high { T::INFINITY } else { y })
    }

    /// `e^x - 1` within the range of `exp`.
    #[inline(always)]
    fn wide_exp_m1(self) -> Self {
        let (rounded, exp_m1) = self.clamp_exp_argument().reduced_exp_m1();
        let one = Self::splat(T::ONE);
        let power = one.zip(rounded, Element::scale_by_rounded);
        power.mul_add(exp_m1, power - one)
    }

    /// `tanh x = -m / (2 + m)` with `m = e^(-2|x|) - 1`: full precision near 0, no overflow.
    #[inline(always)]
    pub(super) fn wide_tanh(self) -> Self {
        let m = (Lane::abs(self) * Self::constant(-2.0)).wide_exp_m1();
        let size = m / (m + Self::constant(2.0));
        self.zip(size, |x, s| if x < T::ZERO { s } else { -s })
    }

    /// `ln m` for `m = (1 + s) / (1 - s)`: `2 atanh s`.
    #[inline(always)]
    fn twice_atanh(s: Self) -> Self {
        let square = s * s;
        let two_s = s + s;
        (square.polynomial(T::ATANH) * square).mul_add(two_s, two_s)
    }

    #[inline(always)]
    pub(super) fn wide_ln(self) -> Self {
        let one = Self::splat(T::ONE);
        let m = self.map(|x| x.split_exponent().0);
        let exponent = self.map(|x| x.split_exponent().1);
        let log_m = Self::twice_atanh((m - one) / (m + one));
        let (high, low) = T::LN2;
        let value = exponent.mul_add(Self::splat(high), exponent.mul_add(Self::splat(low), log_m));
        let infinity = T::INFINITY;
        // Selections in this order keep NaN.
        let value = self.zip(value, |x, y| if x == infinity { infinity } else { y });
        let value = self.zip(value, |x, y| if x == T::ZERO { -infinity } else { y });
        self.zip(value, |x, y| if x >= T::ZERO { y } else { T::NAN })
    }

    /// For `x >= 0`: `ln(1 + x) = ln u + (x - (u - 1)) / u` with `u = 1 + x` rounded.
    #[inline(always)]
    pub(super) fn wide_ln_1p(self) -> Self {
        let one = Self::splat(T::ONE);
        let u = one + self;
        u.wide_ln() + (self - (u - one)) / u
    }

    /// `sin x = (-1)^n sin r` with `x = n pi + r`, `|r| <= pi/2`: one polynomial, within three
    /// machine epsilons of the value (two with fused multiply-add).
    #[inline(always)]
    pub(super) fn wide_sin(self) -> Self {
        if self.any_beyond_reduction() {
            return self.map_cold(Lane::sin);
        }
        let rounder = Self::splat(T::ROUNDER);
        let rounded = self.mul_add(Self::constant(std::f64::consts::FRAC_1_PI), rounder);
        let r = self.minus_multiple_of_pi(rounded - rounder);
        r.sin_of_reduced().zip(rounded, Element::flip_sign_by_rounded)
    }

    /// `cos x = -(-1)^n sin r` with `x = (n + 1/2) pi + r`, `|r| <= pi/2`.
    #[inline(always)]
    pub(super) fn wide_cos(self) -> Self {
        if self.any_beyond_reduction() {
            return self.map_cold(Lane::cos);
        }
        let (rounder, half) = (Self::splat(T::ROUNDER), Self::constant(0.5));
        let turns = self.mul_add(Self::constant(std::f64::consts::FRAC_1_PI), -half);
        let rounded = turns + rounder;
        let r = self.minus_multiple_of_pi(rounded - rounder + half);
        (-r.sin_of_reduced()).zip(rounded, Element::flip_sign_by_rounded)
    }

    /// `sin r` for `|r| <= pi/2`.
    #[inline(always)]
    fn sin_of_reduced(self) -> Self {
        let square = self * self;
        (square.polynomial(T::SIN_HALF_PERIOD) * square).mul_add(self, self)
    }

    /// `x - n pi` by Cody and Waite's reduction in three parts.
    #[inline(always)]
    fn minus_multiple_of_pi(self, n: Self) -> Self {
        let (a, b, c) = T::HALF_PI;
        let r = n.mul_add(Self::splat(-(a + a)), self);
        let r = n.mul_add(Self::splat(-(b + b)), r);
        n.mul_add(Self::splat(-(c + c)), r)
    }

    /// Whether a number is too large for the reduction.
    #[inline(always)]
    fn any_beyond_reduction(self) -> bool {
        let limit = T::REDUCTION_LIMIT;
        self.0.iter().fold(false, |any, x| any | (Lane::abs(*x) > limit))
    }

    /// The standard library's function, for arguments out of the polynomials' range.
    #[cold]
    #[inline(never)]
    fn map_cold(self, f: fn(T) -> T) -> Self {
        self.map(f)
    }

    /// Cody-Waite reduction by multiples of `pi/2`: about an ulp.
    #[inline(always)]
    pub(super) fn wide_sin_cos(self) -> (Self, Self) {
        if self.any_beyond_reduction() {
            return (self.map_cold(Lane::sin), self.map_cold(Lane::cos));
        }
        let rounder = Self::splat(T::ROUNDER);
        let (a, b, c) = T::HALF_PI;
        let rounded = self.mul_add(Self::constant(std::f64::consts::FRAC_2_PI), rounder);
        let n = rounded - rounder;
        let r = n.mul_add(Self::splat(-a), self);
        let r = n.mul_add(Self::splat(-b), r);
        let r = n.mul_add(Self::splat(-c), r);
        let square = r * r;
        let sin = (square.polynomial(T::SIN) * square).mul_add(r, r);
        let half = Self::constant(0.5);
        let cos =
            square.polynomial(T::COS) * square * square + (Self::splat(T::ONE) - half * square);
        let mut rotated = (sin, cos);
        for i in 0..W {
            (rotated.0.0[i], rotated.1.0[i]) =
                T::rotate_by_rounded(rounded.0[i], sin.0[i], cos.0[i]);
        }
        rotated
    }
}
