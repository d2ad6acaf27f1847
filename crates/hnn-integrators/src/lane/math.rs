//! Elementary functions of SIMD lanes: no branches, no tables.

use super::{Aligned, Lane, Wide};
use crate::Scalar;
use crate::simd::{Isa, register};

impl<T: Scalar, const W: usize, I: Isa> Wide<T, W, I> {
    /// `c[0] + c[1] z + ... + c[n-1] z^(n-1)` by Horner's rule, all vectors in step.
    ///
    /// Estrin's scheme has shorter chains of dependent products, and more products; several registers
    /// in step hide the longer chains.
    #[inline(always)]
    fn polynomial(self, coefficients: &'static [T]) -> Self {
        let last = coefficients.len() - 1;
        let mut sum = Self::splat(coefficients[last]);
        for i in (0..last).rev() {
            sum = sum.mul_add(self, Self::splat(coefficients[i])).in_step();
        }
        sum
    }

    #[inline(always)]
    fn scaled_by_rounded(self, rounded: Self) -> Self {
        Self::new(register::scale_by_rounded::<T, I, W>(&self.0, &rounded.0))
    }

    #[inline(always)]
    fn sign_flipped_by_rounded(self, rounded: Self) -> Self {
        Self::new(register::flip_sign_by_rounded::<T, I, W>(&self.0, &rounded.0))
    }

    #[inline(always)]
    fn mantissa(self) -> Self {
        Self::new(register::mantissa::<T, I, W>(&self.0))
    }

    #[inline(always)]
    fn exponent(self) -> Self {
        Self::new(register::exponent::<T, I, W>(&self.0))
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
        let (low, high) = (Self::splat(low), Self::splat(high));
        let above = self.choose_le(low, low, self);
        high.choose_le(above, high, above)
    }

    #[inline(always)]
    pub(super) fn wide_exp(self) -> Self {
        let (rounded, exp_m1) = self.clamp_exp_argument().reduced_exp_m1();
        let one = Self::splat(T::ONE);
        let value = (one + exp_m1).scaled_by_rounded(rounded);
        let (low, high) = (Self::splat(T::EXP_RANGE.0), Self::splat(T::EXP_RANGE.1));
        let value = low.choose_le(self, value, Self::splat(T::ZERO));
        let value = self.choose_le(high, value, Self::splat(T::INFINITY));
        // NaN stays.
        self.choose_le(self, value, self)
    }

    /// `e^x - 1` within the range of `exp`.
    #[inline(always)]
    fn wide_exp_m1(self) -> Self {
        let (rounded, exp_m1) = self.clamp_exp_argument().reduced_exp_m1();
        let one = Self::splat(T::ONE);
        let power = one.scaled_by_rounded(rounded);
        power.mul_add(exp_m1, power - one)
    }

    /// `log2 x` within 1e-5, fast; for positive normal numbers only.
    #[inline(always)]
    pub(crate) fn rough_log2(self) -> Self {
        let t = self.mantissa() - Self::splat(T::ONE);
        let exponent = self.exponent();
        t.polynomial(T::ROUGH_LOG2).mul_add(t, exponent)
    }

    /// `2^x` within a relative 1e-6, fast; for `x` in the exponents of normal numbers.
    #[inline(always)]
    pub(crate) fn rough_exp2(self) -> Self {
        let rounded = self + Self::splat(T::ROUNDER);
        let fraction = self - (rounded - Self::splat(T::ROUNDER));
        fraction.polynomial(T::ROUGH_EXP2).scaled_by_rounded(rounded)
    }

    /// `tanh x = -m / (2 + m)` with `m = e^(-2|x|) - 1`: full precision near 0, no overflow.
    #[inline(always)]
    pub(super) fn wide_tanh(self) -> Self {
        let m = (Lane::abs(self) * Self::constant(-2.0)).wide_exp_m1();
        let size = m / (m + Self::constant(2.0));
        Self::splat(T::ZERO).choose_le(self, -size, size)
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
        let (m, exponent) = (self.mantissa(), self.exponent());
        let log_m = Self::twice_atanh((m - one) / (m + one));
        let (high, low) = T::LN2;
        let value = exponent.mul_add(Self::splat(high), exponent.mul_add(Self::splat(low), log_m));
        let (zero, infinity) = (Self::splat(T::ZERO), Self::splat(T::INFINITY));
        let value = infinity.choose_le(self, infinity, value);
        let value = self.choose_le(zero, -infinity, value);
        // Also where it is NaN.
        zero.choose_le(self, value, Self::splat(T::NAN))
    }

    /// For `x >= 0`: `ln(1 + x) = ln u + (x - (u - 1)) / u` with `u = 1 + x` rounded.
    #[inline(always)]
    pub(super) fn wide_ln_1p(self) -> Self {
        let one = Self::splat(T::ONE);
        let u = one + self;
        u.wide_ln() + (self - (u - one)) / u
    }

    /// `sin x = (-1)^n sin r` with `x = n pi + r`, `|r| <= pi/2`.
    ///
    /// Within 1.5 ulp of the value with fused multiply-add, 2.1 without; or, next to a multiple of
    /// `pi`, within `4e-33 |x|`. Exact at 0. The same holds of the cosine, and of both together.
    #[inline(always)]
    pub(super) fn wide_sin(self) -> Self {
        let rounder = Self::splat(T::ROUNDER);
        let rounded = self.mul_add(Self::constant(std::f64::consts::FRAC_1_PI), rounder);
        let r = self.minus_multiple(rounded - rounder, T::ONE + T::ONE);
        let sine = r.sin_of_reduced().sign_flipped_by_rounded(rounded);
        self.patched_beyond_reduction(rounded, sine, Lane::sin)
    }

    /// `cos x = -(-1)^n sin r` with `x = (n + 1/2) pi + r`, `|r| <= pi/2`.
    #[inline(always)]
    pub(super) fn wide_cos(self) -> Self {
        let (rounder, half) = (Self::splat(T::ROUNDER), Self::constant(0.5));
        let turns = self.mul_add(Self::constant(std::f64::consts::FRAC_1_PI), -half);
        let rounded = turns + rounder;
        let r = self.minus_multiple(rounded - rounder + half, T::ONE + T::ONE);
        let cosine = (-r.sin_of_reduced()).sign_flipped_by_rounded(rounded);
        self.patched_beyond_reduction(rounded, cosine, Lane::cos)
    }

    /// `sin r` for `|r| <= pi/2` by one polynomial, `r + r (c r^2 + r^4 P(r^2))`: little is
    /// rounded before the last two sums.
    #[inline(always)]
    fn sin_of_reduced(self) -> Self {
        let square = (self * self).in_step();
        let tail = square.polynomial(T::SIN_HALF_PERIOD);
        tail.mul_add(square, Self::constant(-1.0 / 6.0)).mul_add(square * self, self)
    }

    /// `x - n period` for a period of `pi/2` times a power of two, by Cody and Waite's reduction:
    /// the products with the first parts are exact, by fusing or by the parts' trailing zeros.
    #[inline(always)]
    fn minus_multiple(self, n: Self, half_pis: T) -> Self {
        if I::FMA {
            let (high, low) = T::HALF_PI_FUSED;
            let r = n.mul_add(Self::splat(-high * half_pis), self).in_step();
            return n.mul_add(Self::splat(-low * half_pis), r).in_step();
        }
        let (a, b, c) = T::HALF_PI;
        let r = n.mul_add(Self::splat(-a * half_pis), self);
        let r = n.mul_add(Self::splat(-b * half_pis), r);
        n.mul_add(Self::splat(-c * half_pis), r)
    }

    /// The standard library's value where the argument is too large for the reduction.
    #[inline(always)]
    fn patched_beyond_reduction(self, rounded: Self, value: Self, f: fn(T) -> T) -> Self {
        if !register::any_beyond_reduction::<T, I, W>(&rounded.0) {
            return value;
        }
        // Copies, so that the originals may stay in registers.
        let (x, rounded, mut y) = (Aligned(self), Aligned(rounded), Aligned(value));
        Self::patch(&x, &rounded, &mut y, f);
        y.0
    }

    #[cold]
    #[inline(never)]
    fn patch(x: &Aligned<Self>, rounded: &Aligned<Self>, y: &mut Aligned<Self>, f: fn(T) -> T) {
        for i in 0..W {
            if T::any_beyond_reduction(&[rounded.0.0[i]]) {
                y.0.0[i] = f(x.0.0[i]);
            }
        }
    }

    /// `(sin x, cos x)` with `x = n pi/2 + r`, `|r| <= pi/4`: a polynomial each.
    #[inline(always)]
    pub(super) fn wide_sin_cos(self) -> (Self, Self) {
        let rounder = Self::splat(T::ROUNDER);
        let rounded = self.mul_add(Self::constant(std::f64::consts::FRAC_2_PI), rounder);
        let r = self.minus_multiple(rounded - rounder, T::ONE);
        let square = (r * r).in_step();
        let sin = (square.polynomial(T::SIN) * square).mul_add(r, r);
        let cos = square.polynomial(T::COS).mul_add(square, Self::constant(-0.5));
        let cos = cos.mul_add(square, Self::splat(T::ONE));
        let rotated = (
            Self::new(register::sin_rotated::<T, I, W>(&rounded.0, &sin.0, &cos.0)),
            Self::new(register::cos_rotated::<T, I, W>(&rounded.0, &sin.0, &cos.0)),
        );
        (
            self.patched_beyond_reduction(rounded, rotated.0, Lane::sin),
            self.patched_beyond_reduction(rounded, rotated.1, Lane::cos),
        )
    }
}
