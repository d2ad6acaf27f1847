//! Dual numbers: exact derivatives by evaluating.

use std::ops::{Add, AddAssign, Div, DivAssign, Mul, MulAssign, Neg, Sub, SubAssign};

use super::{Lane, lanes};

/// A value with `N` directional derivatives: `value + sum_k tangent[k] e_k`, `e_i e_j = 0`.
///
/// Evaluating a formula on dual numbers gives its exact derivatives. A dual number over a lane is
/// a lane, so that duals nest (second derivatives) and vectorise (SIMD lanes inside).
///
/// ```
/// use hnn_integrators::{lane::Dual, Lane};
/// let x = Dual { value: 2.0, tangent: [1.0] };
/// let y = x * x.sin();
/// assert!((y.tangent[0] - (2.0f64.sin() + 2.0 * 2.0f64.cos())).abs() < 1e-15);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Dual<L, const N: usize> {
    /// The value.
    pub value: L,
    /// Derivatives along `N` directions.
    pub tangent: [L; N],
}

impl<L: Lane, const N: usize> Dual<L, N> {
    /// A number that does not depend on the variables.
    #[inline(always)]
    pub fn fixed(value: L) -> Self {
        Self { value, tangent: [L::constant(0.0); N] }
    }

    /// Variable number `k` of the `N` that are differentiated by (none of them if `k >= N`).
    #[inline(always)]
    pub fn variable(value: L, k: usize) -> Self {
        let mut number = Self::fixed(value);
        if k < N {
            number.tangent[k] = L::constant(1.0);
        }
        number
    }

    /// A function of this number, from its value and its slope here.
    #[inline(always)]
    fn chain(self, value: L, slope: L) -> Self {
        self.with(value, |k| slope * self.tangent[k])
    }

    /// Another value with other tangents.
    #[inline(always)]
    fn with(mut self, value: L, tangent: impl Fn(usize) -> L) -> Self {
        self.value = value;
        match N {
            1 => self.tangent[0] = tangent(0),
            _ => {
                let mut k = 0;
                while k < N {
                    self.tangent[k] = tangent(k);
                    k += 1;
                }
            }
        }
        self
    }
}

impl<L: Lane, const N: usize> Add for Dual<L, N> {
    type Output = Self;
    #[inline(always)]
    fn add(self, b: Self) -> Self {
        self.with(self.value + b.value, |k| self.tangent[k] + b.tangent[k])
    }
}

impl<L: Lane, const N: usize> Sub for Dual<L, N> {
    type Output = Self;
    #[inline(always)]
    fn sub(self, b: Self) -> Self {
        self.with(self.value - b.value, |k| self.tangent[k] - b.tangent[k])
    }
}

impl<L: Lane, const N: usize> Mul for Dual<L, N> {
    type Output = Self;
    #[inline(always)]
    fn mul(self, b: Self) -> Self {
        let product = |k: usize| self.tangent[k].mul_add(b.value, self.value * b.tangent[k]);
        self.with(self.value * b.value, product)
    }
}

impl<L: Lane, const N: usize> Div for Dual<L, N> {
    type Output = Self;
    #[inline(always)]
    fn div(self, b: Self) -> Self {
        let inverse = L::constant(1.0) / b.value;
        let value = self.value / b.value;
        let quotient = |k: usize| (self.tangent[k] - value * b.tangent[k]) * inverse;
        self.with(value, quotient)
    }
}

impl<L: Lane, const N: usize> Neg for Dual<L, N> {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        self.with(-self.value, |k| -self.tangent[k])
    }
}

macro_rules! assign {
    ($trait:ident, $method:ident, $op:tt) => {
        impl<L: Lane, const N: usize> $trait for Dual<L, N> {
            #[inline(always)]
            fn $method(&mut self, b: Self) {
                *self = *self $op b;
            }
        }
    };
}

assign!(AddAssign, add_assign, +);
assign!(SubAssign, sub_assign, -);
assign!(MulAssign, mul_assign, *);
assign!(DivAssign, div_assign, /);

impl<L: Lane, const N: usize> Lane for Dual<L, N> {
    type Scalar = L::Scalar;

    #[inline(always)]
    fn splat(value: L::Scalar) -> Self {
        Self::fixed(L::splat(value))
    }
    #[inline(always)]
    fn mul_add(self, a: Self, b: Self) -> Self {
        self.with(self.value.mul_add(a.value, b.value), |k| {
            self.tangent[k].mul_add(a.value, self.value.mul_add(a.tangent[k], b.tangent[k]))
        })
    }
    /// The derivative at 0 is 0.
    #[inline(always)]
    fn abs(self) -> Self {
        let sign = self.value.signum();
        self.chain(self.value.abs(), sign)
    }
    #[inline(always)]
    fn signum(self) -> Self {
        Self::fixed(self.value.signum())
    }
    #[inline(always)]
    fn sqrt(self) -> Self {
        let root = self.value.sqrt();
        self.chain(root, L::constant(0.5) / root)
    }
    #[inline(always)]
    fn sin_cos(self) -> (Self, Self) {
        let (sin, cos) = self.value.sin_cos();
        (self.chain(sin, cos), self.chain(cos, -sin))
    }
    #[inline(always)]
    fn exp(self) -> Self {
        let value = self.value.exp();
        self.chain(value, value)
    }
    #[inline(always)]
    fn ln(self) -> Self {
        self.chain(self.value.ln(), L::constant(1.0) / self.value)
    }
    #[inline(always)]
    fn tanh(self) -> Self {
        let value = self.value.tanh();
        self.chain(value, (-value).mul_add(value, L::constant(1.0)))
    }
    #[inline(always)]
    fn ln_1p(self) -> Self {
        let slope = L::constant(1.0) / (L::constant(1.0) + self.value);
        self.chain(self.value.ln_1p(), slope)
    }
}

/// Value and gradient of a function of `N` variables.
///
/// ```
/// use hnn_integrators::{lane::gradient, Lane};
/// // H = p^2/2 - cos q
/// let (energy, [dq, dp]) = gradient([0.3, 2.0], |[q, p]| p * p / Lane::constant(2.0) - q.cos());
/// assert!((energy - (2.0 - 0.3f64.cos())).abs() < 1e-15);
/// assert!((dq - 0.3f64.sin()).abs() < 1e-15 && (dp - 2.0).abs() < 1e-15);
/// ```
#[inline(always)]
pub fn gradient<L: Lane, const N: usize>(
    x: [L; N],
    f: impl FnOnce([Dual<L, N>; N]) -> Dual<L, N>,
) -> (L, [L; N]) {
    let y = f(lanes(|i| Dual::variable(x[i], i)));
    (y.value, y.tangent)
}

/// Value, gradient and Hessian of a function of `N` variables, by nested dual numbers.
///
/// ```
/// use hnn_integrators::{lane::hessian, Lane};
/// let (_, _, h) = hessian([2.0, 3.0], |[x, y]| x * x * y);
/// assert_eq!(h, [[6.0, 4.0], [4.0, 0.0]]);
/// ```
#[inline(always)]
pub fn hessian<L: Lane, const N: usize>(
    x: [L; N],
    f: impl FnOnce([Dual<Dual<L, N>, N>; N]) -> Dual<Dual<L, N>, N>,
) -> (L, [L; N], [[L; N]; N]) {
    let inner = |i| Dual::variable(x[i], i);
    let y = f(lanes(|i| Dual::variable(inner(i), i)));
    (y.value.value, y.value.tangent, y.tangent.map(|t| t.tangent))
}
