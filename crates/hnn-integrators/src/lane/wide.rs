//! Several numbers side by side.

use std::marker::PhantomData;
use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::Lane;
use crate::Scalar;
use crate::simd::{Isa, register};

/// `W` numbers side by side, computed with the instructions of `I`.
///
/// Inside a [`Kernel`](crate::simd::Kernel) each operation is one of vector registers.
///
/// (No `std::array::from_fn` here or in whatever lanes are made of: the compiler does not always
/// inline it, and what is not inlined is compiled for the baseline.)
#[derive(Debug, Clone, Copy)]
pub struct Wide<T, const W: usize, I>(pub [T; W], PhantomData<I>);

/// A local variable on a boundary of cache lines.
///
/// A function that has one keeps its stack aligned, and the registers it spills there with it:
/// without, half of the spills may straddle two cache lines, by the chance of where the stack
/// begins.
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
        Self::new(*register::first(slice))
    }

    /// Writes the lane to the first `W` places of a slice, which must have as many.
    #[inline(always)]
    pub fn store(&self, slice: &mut [T]) {
        *register::first_mut(slice) = self.0;
    }

    /// As [`load`](Self::load); where the slice has fewer than `W` numbers (but at least one),
    /// the last is repeated.
    #[inline(always)]
    pub fn load_padded(slice: &[T]) -> Self {
        if slice.len() >= W {
            return Self::load(slice);
        }
        Self::load_short(slice).0
    }

    /// Apart, or the compiler makes one copy of unknown length of both cases: a call of the library.
    #[cold]
    #[inline(never)]
    fn load_short(slice: &[T]) -> Aligned<Self> {
        let mut values = [slice[slice.len() - 1]; W];
        values[..slice.len()].copy_from_slice(slice);
        Aligned(Self::new(values))
    }

    #[cold]
    #[inline(never)]
    fn store_short(lane: &Aligned<Self>, slice: &mut [T]) {
        slice.copy_from_slice(&lane.0.0[..slice.len()]);
    }

    /// As [`store`](Self::store); where the slice has fewer than `W` places, the rest is dropped.
    #[inline(always)]
    pub fn store_padded(&self, slice: &mut [T]) {
        if slice.len() >= W {
            return self.store(slice);
        }
        // A copy, so that the original may stay in registers.
        Self::store_short(&Aligned(*self), slice);
    }

    /// As [`load`](Self::load); where the slice has fewer than `W` numbers, or none, 0 follows. Quick where
    /// the lane is one register.
    #[inline(always)]
    pub fn load_first(slice: &[T]) -> Self {
        Self::new(register::load_first::<T, I, W>(slice))
    }

    /// As [`store`](Self::store); where the slice has fewer than `W` places, or none, the rest is dropped.
    /// Quick where the lane is one register.
    #[inline(always)]
    pub fn store_first(&self, slice: &mut [T]) {
        register::store_first::<T, I, W>(&self.0, slice);
    }

    /// The sum of the numbers of each lane, that of lane `i` in place `i`. Quick where a lane is one
    /// register.
    #[inline(always)]
    #[must_use]
    pub fn sums(lanes: [Self; W]) -> Self {
        let mut numbers = [[T::ZERO; W]; W];
        for i in 0..W {
            numbers[i] = lanes[i].0;
        }
        Self::new(register::sums::<T, I, W>(&numbers))
    }

    /// In each place `a` where `self <= bound`, else (also for NaN) `b`.
    #[inline(always)]
    #[must_use]
    pub fn choose_le(self, bound: Self, a: Self, b: Self) -> Self {
        Self::new(register::choose_le::<T, I, W>(&self.0, &bound.0, &a.0, &b.0))
    }

    /// Whether a place holds a positive number.
    #[inline(always)]
    pub(crate) fn any_positive(self) -> bool {
        match W {
            1 => self.0[0] > T::ZERO,
            _ => {
                let mut any = false;
                for i in 0..W {
                    any |= self.0[i] > T::ZERO;
                }
                any
            }
        }
    }

    /// The same lane, its registers in step: see [`Isa::in_step`].
    #[inline(always)]
    #[must_use]
    pub(crate) fn in_step(self) -> Self {
        Self::new(I::in_step(self.0))
    }
}

macro_rules! operator {
    ($trait:ident, $method:ident, $assign:ident, $assign_method:ident, $op:tt) => {
        impl<T: Scalar, const W: usize, I: Isa> $trait for Wide<T, W, I> {
            type Output = Self;
            #[inline(always)]
            fn $method(self, other: Self) -> Self {
                Self::new(register::$method::<T, I, W>(&self.0, &other.0))
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
        Self::new(register::neg::<T, I, W>(&self.0))
    }
}

impl<T: Scalar, const W: usize, I: Isa> Lane for Wide<T, W, I> {
    type Scalar = T;

    #[inline(always)]
    fn splat(value: T) -> Self {
        Self::new(register::splat::<T, I, W>(value))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        if I::FMA {
            Self::new(register::fused_mul_add::<T, I, W>(&self.0, &a.0, &b.0))
        } else {
            self * a + b
        }
    }
    #[inline(always)]
    fn abs(self) -> Self {
        Self::new(register::magnitude::<T, I, W>(&self.0))
    }
    #[inline(always)]
    fn signum(self) -> Self {
        let (zero, one) = (Self::splat(T::ZERO), Self::splat(T::ONE));
        // 0 and NaN stay.
        let positive = self.choose_le(zero, self, one);
        let signs = zero.choose_le(self, positive, -one);
        self.choose_le(self, signs, self)
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        Self::new(register::square_root::<T, I, W>(&self.0))
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
