//! Vector registers: what lanes are computed with.
//!
//! Arrays of numbers alone would do: the compiler turns loops over them into vector instructions.
//! But it takes them apart into single numbers first, and most of the time that it takes for a
//! kernel goes into putting them together again.
#![allow(unsafe_code)]

use std::marker::PhantomData;

use crate::Scalar;
use crate::lane::Element;
use crate::simd::Isa;

/// A vector register of numbers `T`, with the arithmetic that lanes need.
///
/// An implementation detail of [`Wide`](crate::Wide), which no other crate can name. The methods are safe to write, since they are
/// called only inside kernels that run where the processor has the register's instruction set
/// ([`dispatch`](crate::simd::dispatch)).
pub trait Register<T>: Copy {
    /// Numbers in a register.
    const LANES: usize;
    /// The same number in every place.
    fn splat(value: T) -> Self;
    /// `self + a`.
    fn add(self, a: Self) -> Self;
    /// `self - a`.
    fn sub(self, a: Self) -> Self;
    /// `self * a`.
    fn mul(self, a: Self) -> Self;
    /// `self / a`.
    fn div(self, a: Self) -> Self;
    /// `self * a + b` in one rounding.
    fn fused_mul_add(self, a: Self, b: Self) -> Self;
    /// `-self`.
    fn neg(self) -> Self;
    /// `|self|`.
    fn magnitude(self) -> Self;
    /// Square root.
    fn square_root(self) -> Self;
    /// `a` where `self <= bound`, else (also for NaN) `b`.
    fn choose_le(self, bound: Self, a: Self, b: Self) -> Self;
    /// `self * 2^n`, where `rounded = n + ROUNDER`; `self` and the result normal numbers.
    fn scale_by_rounded(self, rounded: Self) -> Self;
    /// `sin(r + n pi/2)` from the sine and cosine of `r`, where `rounded = n + ROUNDER`.
    fn sin_rotated(rounded: Self, sin: Self, cos: Self) -> Self;
    /// `cos(r + n pi/2)` likewise.
    fn cos_rotated(rounded: Self, sin: Self, cos: Self) -> Self;
    /// Not 0 where an `|n|`, `rounded = n + ROUNDER`, is too large for the reduction of an argument
    /// by `n` times a part of pi; NaN and infinity are.
    fn beyond_reduction(self) -> Self;
    /// Whether a bit is set in a place.
    fn any_bit(self) -> bool;
    /// The bits set in one or the other.
    fn or_bits(self, other: Self) -> Self;
    /// `self * (-1)^n`, where `rounded = n + ROUNDER`.
    fn flip_sign_by_rounded(self, rounded: Self) -> Self;
    /// Mantissa of positive normal numbers, in `[sqrt(1/2), sqrt 2)`.
    fn mantissa(self) -> Self;
    /// The exponent that goes with it.
    fn exponent(self) -> Self;
    /// The first numbers of a slice; 0 where it has too few.
    fn load_first(slice: &[T]) -> Self;
    /// Writes as many of the first numbers as a slice has places.
    fn store_first(self, slice: &mut [T]);
    /// A number of one and of the other in turn, from the first halves and from the second halves.
    fn interleave(self, other: Self) -> [Self; 2];
}

/// A single number is the register of the baseline.
macro_rules! single {
    ($t:ident) => {
        impl Register<$t> for $t {
            const LANES: usize = 1;
            #[inline(always)]
            fn splat(value: $t) -> Self {
                value
            }
            #[inline(always)]
            fn add(self, a: Self) -> Self {
                self + a
            }
            #[inline(always)]
            fn sub(self, a: Self) -> Self {
                self - a
            }
            #[inline(always)]
            fn mul(self, a: Self) -> Self {
                self * a
            }
            #[inline(always)]
            fn div(self, a: Self) -> Self {
                self / a
            }
            #[inline(always)]
            fn fused_mul_add(self, a: Self, b: Self) -> Self {
                Element::fused_mul_add(self, a, b)
            }
            #[inline(always)]
            fn neg(self) -> Self {
                -self
            }
            #[inline(always)]
            fn magnitude(self) -> Self {
                $t::abs(self)
            }
            #[inline(always)]
            fn square_root(self) -> Self {
                $t::sqrt(self)
            }
            #[inline(always)]
            fn choose_le(self, bound: Self, a: Self, b: Self) -> Self {
                if self <= bound { a } else { b }
            }
            #[inline(always)]
            fn scale_by_rounded(self, rounded: Self) -> Self {
                Element::scale_by_rounded(self, rounded)
            }
            #[inline(always)]
            fn sin_rotated(rounded: Self, sin: Self, cos: Self) -> Self {
                <$t as Element>::rotate_by_rounded(rounded, sin, cos).0
            }
            #[inline(always)]
            fn cos_rotated(rounded: Self, sin: Self, cos: Self) -> Self {
                <$t as Element>::rotate_by_rounded(rounded, sin, cos).1
            }
            #[inline(always)]
            fn beyond_reduction(self) -> Self {
                let beyond = <$t as Element>::any_beyond_reduction(&[self]);
                $t::from_bits(beyond.into())
            }
            #[inline(always)]
            fn any_bit(self) -> bool {
                self.to_bits() != 0
            }
            #[inline(always)]
            fn or_bits(self, other: Self) -> Self {
                $t::from_bits(self.to_bits() | other.to_bits())
            }
            #[inline(always)]
            fn flip_sign_by_rounded(self, rounded: Self) -> Self {
                Element::flip_sign_by_rounded(self, rounded)
            }
            #[inline(always)]
            fn mantissa(self) -> Self {
                Element::split_exponent(self).0
            }
            #[inline(always)]
            fn exponent(self) -> Self {
                Element::split_exponent(self).1
            }
            #[inline(always)]
            fn load_first(slice: &[$t]) -> Self {
                slice.first().copied().unwrap_or(0.0)
            }
            #[inline(always)]
            fn store_first(self, slice: &mut [$t]) {
                if let Some(first) = slice.first_mut() {
                    *first = self;
                }
            }
            #[inline(always)]
            fn interleave(self, other: Self) -> [Self; 2] {
                [self, other]
            }
        }
    };
}
single!(f32);
single!(f64);

/// How many registers lanes fill: 4, 2 or 1; [`ALONE`] where a lane is one number, or 0 where they are
/// taken number by number. A constant to `match` on as it is, so that the compiler leaves the other ways
/// out before it compiles them.
struct Filled<T, I, const W: usize>(PhantomData<(T, I)>);

impl<T: Scalar, I: Isa, const W: usize> Filled<T, I, W> {
    const REGISTERS: usize = {
        let width = <T::Vector<I> as Register<T>>::LANES;
        match W / width {
            count @ (4 | 2 | 1) if width > 1 && W.is_multiple_of(width) => count,
            _ if W == 1 && size_of::<T>() == size_of::<usize>() => ALONE,
            _ => 0,
        }
    };
}

/// One number, without a loop that would have to be taken apart wherever the operation stands. Not of
/// half a machine word: the compiler would keep two of them, a small state, in one integer.
const ALONE: usize = usize::MAX;

#[inline(always)]
fn load<T, R: Copy, const W: usize, const M: usize>(lanes: &[T; W]) -> [R; M] {
    debug_assert!(size_of::<[R; M]>() == size_of::<[T; W]>());
    // SAFETY: the lanes fill as many registers, of which any bits are numbers.
    unsafe { lanes.as_ptr().cast::<[R; M]>().read_unaligned() }
}

#[inline(always)]
fn store<T: Copy, R, const W: usize, const M: usize>(registers: [R; M], lanes: &mut [T; W]) {
    debug_assert!(size_of::<[R; M]>() == size_of::<[T; W]>());
    // SAFETY: as above.
    unsafe { lanes.as_mut_ptr().cast::<[R; M]>().write_unaligned(registers) };
}

/// Operations on lanes, register by register; number by number where they fill no registers.
macro_rules! lane_operation {
    ($name:ident($first:ident $(, $other:ident)*)) => {
        #[inline(always)]
        pub(crate) fn $name<T: Scalar, I: Isa, const W: usize>(
            $first: &[T; W]
            $(, $other: &[T; W])*
        ) -> [T; W] {
            let mut out = *$first;
            match Filled::<T, I, W>::REGISTERS {
                4 => {
                    let $first: [T::Vector<I>; 4] = load($first);
                    $(let $other: [T::Vector<I>; 4] = load($other);)*
                    let result = [
                        lane_operation!(@ 0, T::Vector<I>, $name, $first $(, $other)*),
                        lane_operation!(@ 1, T::Vector<I>, $name, $first $(, $other)*),
                        lane_operation!(@ 2, T::Vector<I>, $name, $first $(, $other)*),
                        lane_operation!(@ 3, T::Vector<I>, $name, $first $(, $other)*),
                    ];
                    store(result, &mut out);
                }
                2 => {
                    let $first: [T::Vector<I>; 2] = load($first);
                    $(let $other: [T::Vector<I>; 2] = load($other);)*
                    let result = [
                        lane_operation!(@ 0, T::Vector<I>, $name, $first $(, $other)*),
                        lane_operation!(@ 1, T::Vector<I>, $name, $first $(, $other)*),
                    ];
                    store(result, &mut out);
                }
                1 => {
                    let $first: [T::Vector<I>; 1] = load($first);
                    $(let $other: [T::Vector<I>; 1] = load($other);)*
                    store([lane_operation!(@ 0, T::Vector<I>, $name, $first $(, $other)*)], &mut out);
                }
                ALONE => out[0] = lane_operation!(@ 0, T, $name, $first $(, $other)*),
                _ => {
                    for i in 0..W {
                        out[i] = lane_operation!(@ i, T, $name, $first $(, $other)*);
                    }
                }
            }
            out
        }
    };
    (@ $i:expr, $register:ty, $name:ident, $($operand:ident),*) => {
        <$register as Register<T>>::$name($($operand[$i]),*)
    };
}

lane_operation!(add(a, b));
lane_operation!(sub(a, b));
lane_operation!(mul(a, b));
lane_operation!(div(a, b));
lane_operation!(neg(a));
lane_operation!(magnitude(a));
lane_operation!(square_root(a));
lane_operation!(fused_mul_add(a, b, c));
lane_operation!(choose_le(x, bound, a, b));
lane_operation!(scale_by_rounded(a, rounded));
lane_operation!(sin_rotated(rounded, sin, cos));
lane_operation!(cos_rotated(rounded, sin, cos));
lane_operation!(flip_sign_by_rounded(a, rounded));
lane_operation!(mantissa(a));
lane_operation!(exponent(a));

/// The same number in every place.
#[inline(always)]
pub(crate) fn splat<T: Scalar, I: Isa, const W: usize>(value: T) -> [T; W] {
    let mut out = [T::ZERO; W];
    match Filled::<T, I, W>::REGISTERS {
        4 => store([<T::Vector<I> as Register<T>>::splat(value); 4], &mut out),
        2 => store([<T::Vector<I> as Register<T>>::splat(value); 2], &mut out),
        1 => store([<T::Vector<I> as Register<T>>::splat(value); 1], &mut out),
        _ => out = [value; W],
    }
    out
}

/// Whether an `|n|`, `rounded = n + ROUNDER`, is too large for the reduction of an argument by `n`
/// times a part of pi; NaN and infinity are.
#[inline(always)]
pub(crate) fn any_beyond_reduction<T: Scalar, I: Isa, const W: usize>(rounded: &[T; W]) -> bool {
    match Filled::<T, I, W>::REGISTERS {
        4 => {
            let [a, b, c, d]: [T::Vector<I>; 4] = load(rounded);
            let (a, b) = (a.beyond_reduction(), b.beyond_reduction());
            let (c, d) = (c.beyond_reduction(), d.beyond_reduction());
            a.or_bits(b).or_bits(c.or_bits(d)).any_bit()
        }
        2 => {
            let [a, b]: [T::Vector<I>; 2] = load(rounded);
            a.beyond_reduction().or_bits(b.beyond_reduction()).any_bit()
        }
        1 => {
            let [a]: [T::Vector<I>; 1] = load(rounded);
            a.beyond_reduction().any_bit()
        }
        _ => T::any_beyond_reduction(rounded),
    }
}

/// The first `W` numbers of a slice, which must have as many. What copies an array is no call, as copying a
/// slice may be.
#[inline(always)]
pub(crate) fn first<T, const W: usize>(slice: &[T]) -> &[T; W] {
    match slice[..W].first_chunk() {
        Some(numbers) => numbers,
        None => unreachable!("there are `W` of them"),
    }
}

/// The same, to be changed.
#[inline(always)]
pub(crate) fn first_mut<T, const W: usize>(slice: &mut [T]) -> &mut [T; W] {
    match slice[..W].first_chunk_mut() {
        Some(numbers) => numbers,
        None => unreachable!("there are `W` of them"),
    }
}

/// The first numbers of a slice; 0 where it has too few.
#[inline(always)]
pub(crate) fn load_first<T: Scalar, I: Isa, const W: usize>(slice: &[T]) -> [T; W] {
    let mut out = [T::ZERO; W];
    if Filled::<T, I, W>::REGISTERS == 1 {
        store([<T::Vector<I> as Register<T>>::load_first(slice)], &mut out);
    } else if slice.len() >= W {
        out = *first(slice);
    } else {
        out[..slice.len()].copy_from_slice(slice);
    }
    out
}

/// Writes as many of the first numbers as a slice has places.
#[inline(always)]
pub(crate) fn store_first<T: Scalar, I: Isa, const W: usize>(lanes: &[T; W], slice: &mut [T]) {
    if slice.len() >= W {
        // Some processors take ten times as long to write by a mask.
        *first_mut(slice) = *lanes;
    } else if Filled::<T, I, W>::REGISTERS == 1 {
        let [register]: [T::Vector<I>; 1] = load(lanes);
        register.store_first(slice);
    } else {
        slice.copy_from_slice(&lanes[..slice.len()]);
    }
}

/// The transposed of a square of numbers.
#[inline(always)]
pub(crate) fn transposed<T: Scalar, I: Isa, const W: usize>(square: &[[T; W]; W]) -> [[T; W]; W] {
    let mut out = *square;
    if Filled::<T, I, W>::REGISTERS == 1 {
        // Row `i` interleaved with row `i + W/2`: the bits of a number's place, those of the row
        // before those of the column, turn by one; after as many rounds, row and column have changed
        // places.
        let mut round = 1;
        while round < W {
            let rows = out;
            for i in 0..W / 2 {
                let [a]: [T::Vector<I>; 1] = load(&rows[i]);
                let [b]: [T::Vector<I>; 1] = load(&rows[i + W / 2]);
                let [first, second] = a.interleave(b);
                store([first], &mut out[2 * i]);
                store([second], &mut out[2 * i + 1]);
            }
            round *= 2;
        }
    } else {
        for i in 0..W {
            for j in 0..W {
                out[i][j] = square[j][i];
            }
        }
    }
    out
}

/// The sum of each of `W` lanes, that of lane `i` in place `i`.
#[inline(always)]
pub(crate) fn sums<T: Scalar, I: Isa, const W: usize>(lanes: &[[T; W]; W]) -> [T; W] {
    let mut out = *lanes;
    if Filled::<T, I, W>::REGISTERS == 1 {
        // Of a lane and the one half of them further, the two halves are added, interleaved: one lane
        // is left of two, in which the sums of both alternate.
        let mut half = W / 2;
        while half > 0 {
            for i in 0..half {
                let [a]: [T::Vector<I>; 1] = load(&out[i]);
                let [b]: [T::Vector<I>; 1] = load(&out[i + half]);
                let [first, second] = a.interleave(b);
                store([first.add(second)], &mut out[i]);
            }
            half /= 2;
        }
        return out[0];
    }
    let mut sums = [T::ZERO; W];
    for i in 0..W {
        for j in 0..W {
            sums[i] += lanes[i][j];
        }
    }
    sums
}
