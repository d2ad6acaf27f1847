//! What the elementary functions of SIMD lanes need of `f32` and `f64`.

use crate::simd::{Isa, Register};

/// Bit-level operations and polynomial coefficients of one element of a SIMD lane.
///
/// An implementation detail of [`Wide`](super::Wide), which no other crate can name: that seals
/// [`Scalar`](crate::Scalar).
pub trait Element: Copy + Register<Self> + 'static {
    /// A vector register of such numbers.
    type Vector<I: Isa>: Register<Self>;

    /// `self * a + b` in one rounding.
    fn fused_mul_add(self, a: Self, b: Self) -> Self;

    /// Adding and subtracting this number rounds to the nearest integer, and leaves that integer
    /// in the low bits of the sum.
    const ROUNDER: Self;
    /// Largest and smallest argument of `exp` that give normal numbers.
    const EXP_RANGE: (Self, Self);
    /// `ln 2` in two parts, the first with trailing zeros.
    const LN2: (Self, Self);
    /// `1/k!` from `1/2!` on: coefficients of `(e^r - 1 - r) / r^2`.
    const EXP: &'static [Self];
    /// `pi/2` in three parts, the first two with trailing zeros.
    const HALF_PI: (Self, Self, Self);
    /// `pi/2` in two full parts, for reductions that fuse.
    const HALF_PI_FUSED: (Self, Self);
    /// Coefficients of `(sin r - r + r^3/6) / r^5` in `r^2` for `|r| <= pi/2`, low powers first.
    const SIN_HALF_PERIOD: &'static [Self];
    /// Coefficients of `(sin r - r) / r^3` in `r^2` for `|r| <= pi/4`, low powers first.
    const SIN: &'static [Self];
    /// Coefficients of `(cos r - 1 + r^2/2) / r^4` in `r^2`, low powers first.
    const COS: &'static [Self];
    /// `1/(2k+1)` from `1/3` on: coefficients of `(atanh s - s) / s^3` in `s^2`.
    const ATANH: &'static [Self];
    /// Coefficients of `log2(1 + t) / t` for `1 + t` in `[sqrt(1/2), sqrt 2)`, low powers first;
    /// rough (2e-6), by Remez' algorithm.
    const ROUGH_LOG2: &'static [Self];
    /// Coefficients of `2^t` for `|t| <= 1/2`, low powers first; rough (8e-8), likewise.
    const ROUGH_EXP2: &'static [Self];

    /// `self * 2^n`, where `rounded = n + ROUNDER`; `self` and the result normal numbers.
    fn scale_by_rounded(self, rounded: Self) -> Self;
    /// `(sin, cos)` of `r + n pi/2` from those of `r`, where `rounded = n + ROUNDER`.
    fn rotate_by_rounded(rounded: Self, sin: Self, cos: Self) -> (Self, Self);
    /// Whether an `|n|`, `rounded = n + ROUNDER`, is too large for the reduction of an argument by
    /// `n` times a part of pi; NaN and infinity are.
    fn any_beyond_reduction<const W: usize>(rounded: &[Self; W]) -> bool;
    /// `self * (-1)^n`, where `rounded = n + ROUNDER`.
    fn flip_sign_by_rounded(self, rounded: Self) -> Self;
    /// Mantissa in `[sqrt(1/2), sqrt 2)` and exponent of a positive normal number.
    fn split_exponent(self) -> (Self, Self);
}

macro_rules! element {
    ($t:ident, $bits:ident, $vector:ident, mantissa: $mantissa:literal, bias: $bias:literal,
     exp_range: $range:expr, reduction_bits: $reduction_bits:literal, sin_half_period: $half:expr, ln2: $ln2:expr, half_pi: $half_pi:expr, half_pi_fused: $half_pi_fused:expr,
     exp: $exp:expr, sin: $sin:expr, cos: $cos:expr, atanh: $atanh:expr) => {
        impl Element for $t {
            type Vector<I: Isa> = I::$vector;
            #[inline(always)]
            fn fused_mul_add(self, a: Self, b: Self) -> Self {
                $t::mul_add(self, a, b)
            }
            // 1.5 * 2^mantissa: the unit in the last place is 1.
            const ROUNDER: Self = 1.5 * ((1_u64 << $mantissa) as $t);
            const EXP_RANGE: (Self, Self) = $range;
            const LN2: (Self, Self) = $ln2;
            const EXP: &'static [Self] = $exp;
            const HALF_PI: (Self, Self, Self) = $half_pi;
            const HALF_PI_FUSED: (Self, Self) = $half_pi_fused;
            const SIN_HALF_PERIOD: &'static [Self] = $half;
            const SIN: &'static [Self] = $sin;
            const COS: &'static [Self] = $cos;
            const ATANH: &'static [Self] = $atanh;
            const ROUGH_LOG2: &'static [Self] =
                &[1.442_712_4, -0.721_139_5, 0.479_379_1, -0.367_372_75, 0.321_932_4, -0.206_845_7];
            const ROUGH_EXP2: &'static [Self] = &[
                1.000_000_1,
                0.693_146_97,
                0.240_221_2,
                0.055_507_13,
                0.009_675_542,
                0.001_327_649,
            ];

            #[inline(always)]
            fn scale_by_rounded(self, rounded: Self) -> Self {
                $t::from_bits(self.to_bits().wrapping_add(rounded.to_bits() << $mantissa))
            }
            #[inline(always)]
            fn rotate_by_rounded(rounded: Self, sin: Self, cos: Self) -> (Self, Self) {
                let quadrant = rounded.to_bits();
                let swap = (quadrant & 1).wrapping_neg();
                let (s, c) = (sin.to_bits(), cos.to_bits());
                let mixed = (s ^ c) & swap;
                let top = $bits::BITS - 1;
                let sin_sign = (quadrant >> 1) << top;
                let cos_sign = ((quadrant.wrapping_add(1)) >> 1) << top;
                ($t::from_bits(s ^ mixed ^ sin_sign), $t::from_bits(c ^ mixed ^ cos_sign))
            }
            #[inline(always)]
            fn any_beyond_reduction<const W: usize>(rounded: &[Self; W]) -> bool {
                const LIMIT: $bits = 1 << $reduction_bits;
                // n + LIMIT is in 0..2 LIMIT where n is small enough: bits above are then 0.
                let (mut bits, mut i) = (0, 0);
                while i < W {
                    let n = rounded[i].to_bits().wrapping_sub(Self::ROUNDER.to_bits());
                    bits |= n.wrapping_add(LIMIT) & !(2 * LIMIT - 1);
                    i += 1;
                }
                bits != 0
            }
            #[inline(always)]
            fn flip_sign_by_rounded(self, rounded: Self) -> Self {
                let sign = rounded.to_bits() << ($bits::BITS - 1);
                $t::from_bits(self.to_bits() ^ sign)
            }
            #[inline(always)]
            fn split_exponent(self) -> (Self, Self) {
                // Biased so that the mantissa falls into [sqrt(1/2), sqrt 2).
                let sqrt_half = std::f64::consts::FRAC_1_SQRT_2 as $t;
                let bits = self.to_bits();
                let shifted = bits.wrapping_sub(sqrt_half.to_bits()) & !((1 << $mantissa) - 1);
                let m = $t::from_bits(bits.wrapping_sub(shifted));
                // The exponent as a small integer added to ROUNDER's low bits (a plain conversion
                // from integers has no vector instruction before AVX-512).
                let rounder = Self::ROUNDER;
                let offset = (shifted >> $mantissa).wrapping_add($bias) & ((2 * $bias) | 1);
                let exponent = $t::from_bits(rounder.to_bits().wrapping_add(offset));
                (m, exponent - rounder - ($bias as $t))
            }
        }
    };
}

element!(f64, u64, F64, mantissa: 52, bias: 1023,
exp_range: (-708.0, 709.0),
// Without fused multiply-add the products with the parts of pi/2 must be exact.
reduction_bits: 20,
// Minimax for the relative error of the sine (2.9e-19), by Remez' algorithm.
sin_half_period: &[
    8.333_333_333_333_207e-3, -1.984_126_984_121_290_2e-4, 2.755_731_921_165_936_5e-6,
    -2.505_210_691_382_645e-8, 1.605_894_152_082_153e-10, -7.643_033_829_833_771e-13,
    2.721_580_236_370_535e-15,
],
ln2: (6.931_471_803_691_238e-1, 1.908_214_929_270_587_7e-10),
// fdlibm's splitting: 33 bits a part.
half_pi: (1.570_796_326_734_125_6, 6.077_100_506_303_966e-11, 2.022_266_248_795_950_6e-21),
half_pi_fused: (std::f64::consts::FRAC_PI_2, 6.123_233_995_736_766e-17),
exp: &[
    0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5_040.0, 1.0 / 40_320.0,
    1.0 / 362_880.0, 1.0 / 3_628_800.0, 1.0 / 39_916_800.0, 1.0 / 479_001_600.0,
    1.0 / 6_227_020_800.0,
],
// fdlibm's minimax polynomials (k_sin.c, k_cos.c).
sin: &[
    -1.666_666_666_666_663_2e-1, 8.333_333_333_322_49e-3, -1.984_126_982_985_795e-4,
    2.755_731_370_707_007e-6, -2.505_076_025_340_686_3e-8, 1.589_690_995_211_55e-10,
],
cos: &[
    4.166_666_666_666_66e-2, -1.388_888_888_887_411e-3, 2.480_158_728_947_673e-5,
    -2.755_731_435_139_066e-7, 2.087_572_321_298_175e-9, -1.135_964_755_778_819_5e-11,
],
atanh: &[
    1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0, 1.0 / 13.0, 1.0 / 15.0,
    1.0 / 17.0, 1.0 / 19.0, 1.0 / 21.0, 1.0 / 23.0,
]);

element!(f32, u32, F32, mantissa: 23, bias: 127,
    exp_range: (-87.0, 88.0),
    reduction_bits: 12,
    // Minimax for the relative error of the sine (1.2e-8), by Remez' algorithm.
    sin_half_period: &[8.333_223e-3, -1.981_939_3e-4, 2.624_845_8e-6],
    ln2: (0.693_359_4, -2.121_944_4e-4),
    // Cephes' splitting.
    half_pi: (1.570_312_5, 4.837_513e-4, 7.549_79e-8),
    half_pi_fused: (std::f32::consts::FRAC_PI_2, -4.371_139e-8),
    exp: &[0.5, 1.0 / 6.0, 1.0 / 24.0, 1.0 / 120.0, 1.0 / 720.0, 1.0 / 5_040.0],
    // Cephes' minimax polynomials (sinf.c).
    sin: &[-1.666_665_5e-1, 8.332_161e-3, -1.951_529_6e-4],
    cos: &[4.166_664_6e-2, -1.388_731_6e-3, 2.443_315_7e-5],
    atanh: &[1.0 / 3.0, 1.0 / 5.0, 1.0 / 7.0, 1.0 / 9.0, 1.0 / 11.0]);
