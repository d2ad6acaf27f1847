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
#[derive(Debug, Clone, Copy)]
pub struct Wide<T, const W: usize, I>(pub [T; W], PhantomData<I>);

impl<T: Scalar, const W: usize, I: Isa> Wide<T, W, I> {
    /// From an array.
    #[inline(always)]
    pub fn new(values: [T; W]) -> Self {
        Self(values, PhantomData)
    }

    /// The first `W` numbers of a slice, which must have as many.
    #[inline(always)]
    pub fn load(slice: &[T]) -> Self {
        let slice = &slice[..W];
        Self::new(std::array::from_fn(|i| slice[i]))
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
        Self::new(std::array::from_fn(|i| slice[i.min(slice.len() - 1)]))
    }

    /// As [`store`](Self::store); where the slice has fewer than `W` places, the rest is dropped.
    #[inline(always)]
    pub fn store_padded(&self, slice: &mut [T]) {
        let places = slice.len().min(W);
        slice[..places].copy_from_slice(&self.0[..places]);
    }

    #[inline(always)]
    pub(super) fn map(self, f: impl Fn(T) -> T) -> Self {
        Self::new(std::array::from_fn(|i| f(self.0[i])))
    }

    #[inline(always)]
    pub(super) fn zip(self, other: Self, f: impl Fn(T, T) -> T) -> Self {
        Self::new(std::array::from_fn(|i| f(self.0[i], other.0[i])))
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
            Self::new(std::array::from_fn(|i| self.0[i].fused_mul_add(a.0[i], b.0[i])))
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
