//! Several numbers side by side.

use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::Lane;
use crate::Scalar;
use crate::simd::Isa;

/// `W` numbers side by side, computed with the instructions of `I`.
///
/// Plain arrays and loops of a fixed length: inside a [`Kernel`](crate::simd::Kernel) the
/// compiler turns each operation into vector instructions, with no intrinsics in sight.
///
/// (No `std::array::from_fn` here or in whatever lanes are made of: the compiler does not always
/// inline it, and what is not inlined is compiled for the baseline, 15 times slower.)
#[derive(Debug, Clone, Copy)]
pub struct Wide<T, const W: usize, I>(pub [T; W], PhantomData<I>);

/// A local variable on a boundary of cache lines.
///
/// A function that has one keeps its stack aligned, and the registers it spills there with it:
/// without, half of the spills may straddle two cache lines, and a kernel loses up to half of its
/// speed by the chance of where the stack begins.
#[derive(Debug, Clone, Copy)]
#[repr(align(64))]
pub(crate) struct Aligned<V>(pub(crate) V);

impl<T: Scalar, const W: usize, I: Isa> Wide<T, W, I> {
    /// From an array.
    #[inline(always)]
    pub fn new(values: [T; W]) -> Self {
        Self(values, PhantomData)
    }

    /// The first `W` numbers of a slice, which must have as many.
    #[inline(always)]
    pub fn load(slice: &[T]) -> Self {
        let mut values = [T::ZERO; W];
        values.copy_from_slice(&slice[..W]);
        Self::new(values)
    }

    /// Writes the lane to the first `W` places of a slice, which must have as many.
    #[inline(always)]
    pub fn store(&self, slice: &mut [T]) {
        slice[..W].copy_from_slice(&self.0);
    }

    /// As [`load`](Self::load); where the slice has fewer than `W` numbers (but at least one),
    /// the last is repeated.
    #[inline(always)]
    pub fn load_padded(slice: &[T]) -> Self {
        if slice.len() >= W {
            return Self::load(slice);
        }
        let mut values = [slice[slice.len() - 1]; W];
        values[..slice.len()].copy_from_slice(slice);
        Self::new(values)
    }

    /// As [`store`](Self::store); where the slice has fewer than `W` places, the rest is dropped.
    #[inline(always)]
    pub fn store_padded(&self, slice: &mut [T]) {
        let places = slice.len().min(W);
        slice[..places].copy_from_slice(&self.0[..places]);
    }

    /// In each place `a` where `self <= bound`, else (also for NaN) `b`.
    #[inline(always)]
    #[must_use]
    pub fn choose_le(self, bound: Self, a: Self, b: Self) -> Self {
        let mut chosen = b;
        for i in 0..W {
            chosen.0[i] = if self.0[i] <= bound.0[i] { a.0[i] } else { b.0[i] };
        }
        chosen
    }

    /// The same lane, its registers in step: see [`Isa::in_step`].
    #[inline(always)]
    #[must_use]
    pub(crate) fn in_step(self) -> Self {
        Self::new(I::in_step(self.0))
    }

    #[inline(always)]
    pub(crate) fn map(self, f: impl Fn(T) -> T) -> Self {
        let mut result = self;
        for i in 0..W {
            result.0[i] = f(self.0[i]);
        }
        result
    }

    #[inline(always)]
    pub(crate) fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        let mut result = self;
        for i in 0..W {
            result.0[i] = f(self.0[i], other.0[i]);
        }
        result
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $assign:ident, $assign_method:ident, $op:tt) => {
        impl<T: Scalar, const W: usize, I: Isa> $trait for Wide<T, W, I> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                self.zip(other, |a, b| a $op b)
            }
        }
        impl<T: Scalar, const W: usize, I: Isa> $assign for Wide<T, W, I> {
            #[inline(always)]
            fn $assign_method(&mut self, other: Self) {
                *self = *self $op other;
            }
        }
    };
}

operator!(Add, add, AddAssign, add_assign, +);
operator!(Sub, sub, SubAssign, sub_assign, -);
operator!(Mul, mul, MulAssign, mul_assign, *);
operator!(Div, div, DivAssign, div_assign, /);

impl<T: Scalar, const W: usize, I: Isa> Neg for Wide<T, W, I> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.map(|a| -a)
    }
}

impl<T: Scalar, const W: usize, I: Isa> Lane for Wide<T, W, I> {
    type Scalar = T;

    #[inline(always)]
    fn splat(value: T) -> Self {
        Self::new([value; W])
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        if I::FMA {
            let mut result = self;
            for i in 0..W {
                result.0[i] = self.0[i].fused_mul_add(a.0[i], b.0[i]);
            }
            result
        } else {
            self * a + b
        }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        self.map(Lane::abs)
    }
    #[inline(always)]
    fn signum(self) -> Self {
        self.map(Lane::signum)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        self.map(Lane::sqrt)
    }
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        self.wide_sin_cos()
    }
    #[inline(always)]
    fn sin(self) -> Self {
        self.wide_sin()
    }
    #[inline(always)]
    fn cos(self) -> Self {
        self.wide_cos()
    }
    #[inline(always)]
    fn exp(self) -> Self {
        self.wide_exp()
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.wide_ln()
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        self.wide_tanh()
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        self.wide_ln_1p()
    }
}
