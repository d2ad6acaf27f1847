//! Entry points and registers of the x86-64 instruction sets.
//!
//! Of the three files with `unsafe` in this crate the one that buys the vector units; the benchmark
//! `rk4_throughput` compares it with the scalar loop.
#![allow(unsafe_code)]

use std::arch::asm;
use std::arch::x86_64::*;

use super::{Avx2Fma, Avx512, Kernel, Register};
use crate::lane::Element;

pub(super) enum Level {
    Avx512,
    Avx2Fma,
    Baseline,
}

/// Whether kernels are compiled for AVX-512: twice the code. A build with debug assertions is one
/// that is made often and measured never.
const AVX512: bool = !cfg!(any(debug_assertions, hnn_without_avx512));

/// The standard library caches the answers of CPUID: a call is a load and a test.
#[inline]
pub(super) fn level() -> Level {
    let avx2 = is_x86_feature_detected!("avx2") && is_x86_feature_detected!("fma");
    if AVX512
        && avx2
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512bw")
    {
        Level::Avx512
    } else if avx2 {
        Level::Avx2Fma
    } else {
        Level::Baseline
    }
}

/// [`Isa::in_step`](super::Isa::in_step) for lanes of two or four registers: an instruction
/// that is empty, but needs all of them.
macro_rules! in_step {
    ($name:ident, $features:literal, $register:ident, $class:ident) => {
        #[inline(always)]
        pub(super) fn $name<T: Copy, const W: usize>(mut lanes: [T; W]) -> [T; W] {
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn two(at: *mut $register) {
                // SAFETY: `at` has room for two registers; the instruction does nothing.
                unsafe {
                    let [mut a, mut b] = at.cast::<[$register; 2]>().read_unaligned();
                    asm!("/* {} {} */", inout($class) a, inout($class) b,
                        options(pure, nomem, nostack, preserves_flags));
                    at.cast::<[$register; 2]>().write_unaligned([a, b]);
                }
            }
            #[inline]
            #[target_feature(enable = $features)]
            unsafe fn four(at: *mut $register) {
                // SAFETY: `at` has room for four registers; the instruction does nothing.
                unsafe {
                    let [mut a, mut b, mut c, mut d] =
                        at.cast::<[$register; 4]>().read_unaligned();
                    asm!("/* {} {} {} {} */", inout($class) a, inout($class) b,
                        inout($class) c, inout($class) d,
                        options(pure, nomem, nostack, preserves_flags));
                    at.cast::<[$register; 4]>().write_unaligned([a, b, c, d]);
                }
            }
            let at = lanes.as_mut_ptr().cast::<$register>();
            let registers = size_of::<[T; W]>() / size_of::<$register>();
            let exact = size_of::<[T; W]>() % size_of::<$register>() == 0;
            // SAFETY: the lanes fill as many registers; any bits are a value of a register,
            // and the same bits come back; kernels run with these features only where the
            // processor has them (see `run_avx2` and `run_avx512`).
            match registers {
                2 if exact => unsafe { two(at) },
                4 if exact => unsafe { four(at) },
                _ => {}
            }
            lanes
        }
    };
}

in_step!(in_step_avx2, "avx2,fma", __m256d, ymm_reg);
in_step!(in_step_avx512, "avx512f", __m512d, zmm_reg);

/// Without [`AVX512`] there is no code for it, and [`level`] never asks for it.
#[inline]
pub(super) fn run_avx512<K: Kernel>(kernel: K) -> K::Output {
    if !AVX512 {
        return run_avx2(kernel);
    }
    #[target_feature(enable = "avx512f,avx512dq,avx512vl,avx512bw,avx2,fma")]
    fn entry<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx512>()
    }
    // SAFETY: called only at `Level::Avx512`, when the processor has all these features, or inside a
    // kernel that was.
    unsafe { entry(kernel) }
}

#[inline]
pub(super) fn run_avx2<K: Kernel>(kernel: K) -> K::Output {
    #[target_feature(enable = "avx2,fma")]
    fn entry<K: Kernel>(kernel: K) -> K::Output {
        kernel.run::<Avx2Fma>()
    }
    // SAFETY: called only at `Level::Avx2Fma` or above, when the processor has both features, or inside
    // a kernel that was.
    unsafe { entry(kernel) }
}

/// What mantissa and exponent share.
trait Shifted {
    fn shifted(self) -> Self;
}

/// The arithmetic of a register, by the names of its instructions.
macro_rules! register {
    ($register:ty, $t:ident, $lanes:literal, $bits:ident,
     set1: $set1:ident, add: $add:ident, sub: $sub:ident, mul: $mul:ident, div: $div:ident,
     fmadd: $fmadd:ident, sqrt: $sqrt:ident, xor: $xor:ident, andnot: $andnot:ident,
     or: $or:ident, and: $and:ident, to_bits: $to_bits:ident, from_bits: $from_bits:ident,
     set1_bits: $set1_bits:ident, add_bits: $add_bits:ident, sub_bits: $sub_bits:ident,
     shift_left: $shl:ident, shift_right: $shr:ident,
     mantissa: $mantissa:literal, bias: $bias:literal, top: $top:literal,
     reduction_bits: $reduction_bits:literal,
     le: |$x:ident, $bound:ident, $a:ident, $b:ident| $le:expr,
     any: |$any_bits:ident| $any:expr,
     first: |$count:ident| $mask:expr,
     load: |$from:ident, $load_mask:ident| $load:expr,
     store: |$to:ident, $store_mask:ident, $stored:ident| $store:expr,
     interleave: |$one:ident, $other:ident| $interleave:expr) => {
        impl Shifted for $register {
            /// The bits of the exponent, biased so that the mantissa falls into
            /// `[sqrt(1/2), sqrt 2)`.
            #[inline(always)]
            fn shifted(self) -> Self {
                let sqrt_half = (std::f64::consts::FRAC_1_SQRT_2 as $t).to_bits() as $bits;
                let low: $bits = (1 << $mantissa) - 1;
                // SAFETY: see below.
                unsafe {
                    let above = $sub_bits($to_bits(self), $set1_bits(sqrt_half));
                    $and($from_bits(above), $from_bits($set1_bits(!low)))
                }
            }
        }

        // SAFETY (of all blocks): registers are computed with only inside kernels, which run where
        // the processor has the instruction set (see `run_avx2` and `run_avx512`).
        impl Register<$t> for $register {
            const LANES: usize = $lanes;
            #[inline(always)]
            fn splat(value: $t) -> Self {
                unsafe { $set1(value) }
            }
            #[inline(always)]
            fn add(self, a: Self) -> Self {
                unsafe { $add(self, a) }
            }
            #[inline(always)]
            fn sub(self, a: Self) -> Self {
                unsafe { $sub(self, a) }
            }
            #[inline(always)]
            fn mul(self, a: Self) -> Self {
                unsafe { $mul(self, a) }
            }
            #[inline(always)]
            fn div(self, a: Self) -> Self {
                unsafe { $div(self, a) }
            }
            #[inline(always)]
            fn fused_mul_add(self, a: Self, b: Self) -> Self {
                unsafe { $fmadd(self, a, b) }
            }
            #[inline(always)]
            fn neg(self) -> Self {
                unsafe { $xor(self, $set1(-0.0)) }
            }
            #[inline(always)]
            fn magnitude(self) -> Self {
                unsafe { $andnot($set1(-0.0), self) }
            }
            #[inline(always)]
            fn square_root(self) -> Self {
                unsafe { $sqrt(self) }
            }
            #[inline(always)]
            fn choose_le(self, $bound: Self, $a: Self, $b: Self) -> Self {
                let $x = self;
                unsafe { $le }
            }
            #[inline(always)]
            fn scale_by_rounded(self, rounded: Self) -> Self {
                unsafe {
                    let exponent = $shl::<$mantissa>($to_bits(rounded));
                    $from_bits($add_bits($to_bits(self), exponent))
                }
            }
            #[inline(always)]
            fn sin_rotated(rounded: Self, sin: Self, cos: Self) -> Self {
                unsafe {
                    let quadrant = $to_bits(rounded);
                    // All bits of the quadrant's parity.
                    let parity = $shr::<$top>($shl::<$top>(quadrant));
                    let swap = $from_bits($sub_bits($set1_bits(0), parity));
                    let mixed = $and($xor(sin, cos), swap);
                    let sign = $from_bits($shl::<$top>($shr::<1>(quadrant)));
                    $xor($xor(sin, mixed), sign)
                }
            }
            #[inline(always)]
            fn cos_rotated(rounded: Self, sin: Self, cos: Self) -> Self {
                // cos x = sin(x + pi/2).
                unsafe {
                    let next = $from_bits($add_bits($to_bits(rounded), $set1_bits(1)));
                    Self::sin_rotated(next, sin, cos)
                }
            }
            #[inline(always)]
            fn beyond_reduction(self) -> Self {
                const LIMIT: $bits = 1 << $reduction_bits;
                unsafe {
                    // n + LIMIT is in 0..2 LIMIT where n is small enough: bits above are then 0.
                    let n = $sub_bits($to_bits(self), $to_bits($set1(<$t as Element>::ROUNDER)));
                    let sum = $from_bits($add_bits(n, $set1_bits(LIMIT)));
                    $and(sum, $from_bits($set1_bits(!(2 * LIMIT - 1))))
                }
            }
            #[inline(always)]
            fn any_bit(self) -> bool {
                unsafe {
                    let $any_bits = $to_bits(self);
                    $any
                }
            }
            #[inline(always)]
            fn or_bits(self, other: Self) -> Self {
                unsafe { $or(self, other) }
            }
            #[inline(always)]
            fn flip_sign_by_rounded(self, rounded: Self) -> Self {
                unsafe { $xor(self, $from_bits($shl::<$top>($to_bits(rounded)))) }
            }
            #[inline(always)]
            fn mantissa(self) -> Self {
                unsafe {
                    let bits = $to_bits(self);
                    $from_bits($sub_bits(bits, $to_bits(self.shifted())))
                }
            }
            #[inline(always)]
            fn exponent(self) -> Self {
                unsafe {
                    // A small integer added to ROUNDER's low bits (a plain conversion from integers
                    // has no vector instruction before AVX-512).
                    let rounder = $set1(<$t as Element>::ROUNDER);
                    let shifted = $shr::<$mantissa>($to_bits(self.shifted()));
                    let mask = $from_bits($set1_bits((2 * $bias) | 1));
                    let offset = $and($from_bits($add_bits(shifted, $set1_bits($bias))), mask);
                    let exponent = $from_bits($add_bits($to_bits(rounder), $to_bits(offset)));
                    $sub($sub(exponent, rounder), $set1($bias as $t))
                }
            }
            #[inline(always)]
            fn load_first(slice: &[$t]) -> Self {
                let ($count, $from) = (slice.len().min($lanes), slice.as_ptr());
                // SAFETY: and nothing is read beyond the slice's numbers.
                unsafe {
                    let $load_mask = $mask;
                    $load
                }
            }
            #[inline(always)]
            fn store_first(self, slice: &mut [$t]) {
                let ($count, $to) = (slice.len().min($lanes), slice.as_mut_ptr());
                let $stored = self;
                // SAFETY: and nothing is written beyond the slice's numbers.
                unsafe {
                    let $store_mask = $mask;
                    $store
                }
            }
            #[inline(always)]
            fn interleave(self, $other: Self) -> [Self; 2] {
                let $one = self;
                unsafe { $interleave }
            }
        }
    };
}

register! { __m512d, f64, 8, i64,
    set1: _mm512_set1_pd, add: _mm512_add_pd, sub: _mm512_sub_pd, mul: _mm512_mul_pd,
    div: _mm512_div_pd, fmadd: _mm512_fmadd_pd, sqrt: _mm512_sqrt_pd,
    xor: _mm512_xor_pd, andnot: _mm512_andnot_pd, or: _mm512_or_pd, and: _mm512_and_pd,
    to_bits: _mm512_castpd_si512, from_bits: _mm512_castsi512_pd,
    set1_bits: _mm512_set1_epi64, add_bits: _mm512_add_epi64, sub_bits: _mm512_sub_epi64,
    shift_left: _mm512_slli_epi64, shift_right: _mm512_srli_epi64,
    mantissa: 52, bias: 1023, top: 63, reduction_bits: 20,
    le: |x, bound, a, b| _mm512_mask_blend_pd(_mm512_cmp_pd_mask::<_CMP_LE_OQ>(x, bound), b, a),
    any: |bits| _mm512_test_epi64_mask(bits, bits) != 0,
    first: |count| ((1_u32 << count) - 1) as __mmask8,
    load: |from, mask| _mm512_maskz_loadu_pd(mask, from),
    store: |to, mask, x| _mm512_mask_storeu_pd(to, mask, x),
    interleave: |a, b| [
        _mm512_permutex2var_pd(a, _mm512_setr_epi64(0, 8, 1, 9, 2, 10, 3, 11), b),
        _mm512_permutex2var_pd(a, _mm512_setr_epi64(4, 12, 5, 13, 6, 14, 7, 15), b),
    ]
}

register! { __m512, f32, 16, i32,
    set1: _mm512_set1_ps, add: _mm512_add_ps, sub: _mm512_sub_ps, mul: _mm512_mul_ps,
    div: _mm512_div_ps, fmadd: _mm512_fmadd_ps, sqrt: _mm512_sqrt_ps,
    xor: _mm512_xor_ps, andnot: _mm512_andnot_ps, or: _mm512_or_ps, and: _mm512_and_ps,
    to_bits: _mm512_castps_si512, from_bits: _mm512_castsi512_ps,
    set1_bits: _mm512_set1_epi32, add_bits: _mm512_add_epi32, sub_bits: _mm512_sub_epi32,
    shift_left: _mm512_slli_epi32, shift_right: _mm512_srli_epi32,
    mantissa: 23, bias: 127, top: 31, reduction_bits: 12,
    le: |x, bound, a, b| _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_LE_OQ>(x, bound), b, a),
    any: |bits| _mm512_test_epi32_mask(bits, bits) != 0,
    first: |count| ((1_u32 << count) - 1) as __mmask16,
    load: |from, mask| _mm512_maskz_loadu_ps(mask, from),
    store: |to, mask, x| _mm512_mask_storeu_ps(to, mask, x),
    interleave: |a, b| {
        let low = _mm512_setr_epi32(0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        let high = _mm512_add_epi32(low, _mm512_set1_epi32(8));
        [_mm512_permutex2var_ps(a, low, b), _mm512_permutex2var_ps(a, high, b)]
    }
}

register! { __m256d, f64, 4, i64,
    set1: _mm256_set1_pd, add: _mm256_add_pd, sub: _mm256_sub_pd, mul: _mm256_mul_pd,
    div: _mm256_div_pd, fmadd: _mm256_fmadd_pd, sqrt: _mm256_sqrt_pd,
    xor: _mm256_xor_pd, andnot: _mm256_andnot_pd, or: _mm256_or_pd, and: _mm256_and_pd,
    to_bits: _mm256_castpd_si256, from_bits: _mm256_castsi256_pd,
    set1_bits: _mm256_set1_epi64x, add_bits: _mm256_add_epi64, sub_bits: _mm256_sub_epi64,
    shift_left: _mm256_slli_epi64, shift_right: _mm256_srli_epi64,
    mantissa: 52, bias: 1023, top: 63, reduction_bits: 20,
    le: |x, bound, a, b| _mm256_blendv_pd(b, a, _mm256_cmp_pd::<_CMP_LE_OQ>(x, bound)),
    any: |bits| _mm256_testz_si256(bits, bits) == 0,
    first: |count| _mm256_cmpgt_epi64(
        _mm256_set1_epi64x(count as i64), _mm256_setr_epi64x(0, 1, 2, 3)),
    load: |from, mask| _mm256_maskload_pd(from, mask),
    store: |to, mask, x| _mm256_maskstore_pd(to, mask, x),
    interleave: |a, b| {
        let (even, odd) = (_mm256_unpacklo_pd(a, b), _mm256_unpackhi_pd(a, b));
        [_mm256_permute2f128_pd::<0x20>(even, odd), _mm256_permute2f128_pd::<0x31>(even, odd)]
    }
}

register! { __m256, f32, 8, i32,
    set1: _mm256_set1_ps, add: _mm256_add_ps, sub: _mm256_sub_ps, mul: _mm256_mul_ps,
    div: _mm256_div_ps, fmadd: _mm256_fmadd_ps, sqrt: _mm256_sqrt_ps,
    xor: _mm256_xor_ps, andnot: _mm256_andnot_ps, or: _mm256_or_ps, and: _mm256_and_ps,
    to_bits: _mm256_castps_si256, from_bits: _mm256_castsi256_ps,
    set1_bits: _mm256_set1_epi32, add_bits: _mm256_add_epi32, sub_bits: _mm256_sub_epi32,
    shift_left: _mm256_slli_epi32, shift_right: _mm256_srli_epi32,
    mantissa: 23, bias: 127, top: 31, reduction_bits: 12,
    le: |x, bound, a, b| _mm256_blendv_ps(b, a, _mm256_cmp_ps::<_CMP_LE_OQ>(x, bound)),
    any: |bits| _mm256_testz_si256(bits, bits) == 0,
    first: |count| _mm256_cmpgt_epi32(
        _mm256_set1_epi32(count as i32), _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7)),
    load: |from, mask| _mm256_maskload_ps(from, mask),
    store: |to, mask, x| _mm256_maskstore_ps(to, mask, x),
    interleave: |a, b| {
        let (even, odd) = (_mm256_unpacklo_ps(a, b), _mm256_unpackhi_ps(a, b));
        [_mm256_permute2f128_ps::<0x20>(even, odd), _mm256_permute2f128_ps::<0x31>(even, odd)]
    }
}
