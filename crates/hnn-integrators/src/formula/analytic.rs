//! Vector fields given by a formula, written once for every lane type.

use crate::Lane;
use crate::kernel::{self, Job, for_each_coordinate};
use crate::lane::Dual;

/// The state of a system of fixed dimension, a lane a coordinate: `[L; D]`.
pub trait LaneState<L>: Copy + AsRef<[L]> + AsMut<[L]> {
    /// Dimension `D`.
    const DIM: usize;
    /// The state whose coordinate `i` is `f(i)`.
    fn from_fn(f: impl FnMut(usize) -> L) -> Self;
}

impl<L: Copy, const D: usize> LaneState<L> for [L; D] {
    const DIM: usize = D;
    #[inline(always)]
    fn from_fn(mut f: impl FnMut(usize) -> L) -> Self {
        const { assert!(D > 0, "a state needs a coordinate") };
        let mut state = [f(0); D];
        for i in 1..D {
            state[i] = f(i);
        }
        state
    }
}

/// A vector field given by a formula, written once over a lane type: from the one definition come
/// the scalar path, the SIMD path and, with dual numbers, exact derivatives.
///
/// Every `AnalyticField` is a [`VectorField`](crate::VectorField) for `f32` and `f64`. Its kernels
/// are compiled in every crate that uses them: those of the field itself, of [`RK4`](crate::RK4) and
/// of adaptive methods. [`compile_kernels`](crate::compile_kernels) compiles them once, in the crate
/// that has the formula, and with them those of all other methods and of gradients, which step
/// through slices without.
///
/// ```
/// use hnn_integrators::{AnalyticField, Lane, VectorField};
/// /// theta'' = -sin theta, as (q, p).
/// struct Pendulum;
/// impl AnalyticField for Pendulum {
///     type State<L: Lane> = [L; 2];
///     #[inline(always)]
///     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
///         [*p, -q.sin()]
///     }
/// }
/// let dx: Vec<f64> = Pendulum.eval_state(0.0, &[0.5, 1.0])?;
/// assert_eq!(dx[0], 1.0);
/// assert!((dx[1] + 0.5f64.sin()).abs() < 1e-15);
/// # Ok::<(), hnn_integrators::FieldError>(())
/// ```
pub trait AnalyticField: Send + Sync {
    /// `[L; D]`.
    type State<L: Lane>: LaneState<L>;

    /// `f(t, x)`. Mark it `#[inline(always)]`: it is compiled for each instruction set.
    fn eval_lanes<L: Lane>(&self, t: L, x: &Self::State<L>) -> Self::State<L>;

    /// Steps in one kernel; says whether it could. These methods are apart so that only what a
    /// program calls is compiled; [`compile_kernels`](crate::compile_kernels) overrides them all.
    #[doc(hidden)]
    fn kernel_f32(&self, job: &mut Job<'_, f32>) -> bool {
        kernel::run_essential(self, job)
    }

    #[doc(hidden)]
    fn kernel_f64(&self, job: &mut Job<'_, f64>) -> bool {
        kernel::run_essential(self, job)
    }

    /// The field at a batch.
    #[doc(hidden)]
    fn eval_f32(&self, t: &[f32], x: &[f32], dx: &mut [f32]) -> bool {
        kernel::eval(self, t, x, dx)
    }

    #[doc(hidden)]
    fn eval_f64(&self, t: &[f64], x: &[f64], dx: &mut [f64]) -> bool {
        kernel::eval(self, t, x, dx)
    }

    /// The vector-Jacobian product at a batch.
    #[doc(hidden)]
    fn pull_back_f32(&self, t: &[f32], x: &[f32], v: &[f32], x_bar: &mut [f32]) -> bool {
        kernel::pull_back(self, t, x, v, x_bar)
    }

    #[doc(hidden)]
    fn pull_back_f64(&self, t: &[f64], x: &[f64], v: &[f64], x_bar: &mut [f64]) -> bool {
        kernel::pull_back(self, t, x, v, x_bar)
    }

    /// The vector-Jacobian product `(df/dx)^T v` at `(t, x)`. By dual numbers, up to four
    /// coordinates at a time, unless written by hand: gradients through long runs are then faster.
    ///
    /// ```
    /// use hnn_integrators::{AnalyticField, Lane};
    /// struct Pendulum;
    /// impl AnalyticField for Pendulum {
    ///     type State<L: Lane> = [L; 2];
    ///     #[inline(always)]
    ///     fn eval_lanes<L: Lane>(&self, _t: L, [q, p]: &[L; 2]) -> [L; 2] {
    ///         [*p, -q.sin()]
    ///     }
    ///     #[inline(always)]
    ///     fn vjp_lanes<L: Lane>(&self, _t: L, [q, _p]: &[L; 2], [a, b]: &[L; 2]) -> [L; 2] {
    ///         [-(q.cos() * *b), *a]
    ///     }
    /// }
    /// assert_eq!(Pendulum.vjp_lanes(0.0, &[0.0, 3.0], &[1.0, 2.0]), [-2.0, 1.0]);
    /// ```
    #[inline(always)]
    #[must_use]
    fn vjp_lanes<L: Lane>(&self, t: L, x: &Self::State<L>, v: &Self::State<L>) -> Self::State<L> {
        match <Self::State<L> as LaneState<L>>::DIM {
            1 => vjp_by_duals::<L, Self, 1>(self, t, x, v),
            2 => vjp_by_duals::<L, Self, 2>(self, t, x, v),
            3 => vjp_by_duals::<L, Self, 3>(self, t, x, v),
            _ => vjp_by_duals::<L, Self, 4>(self, t, x, v),
        }
    }
}

/// `(df/dx)^T v`, by the derivatives along `N` coordinates at a time.
#[inline(always)]
fn vjp_by_duals<L: Lane, F: AnalyticField + ?Sized, const N: usize>(
    field: &F,
    t: L,
    x: &F::State<L>,
    v: &F::State<L>,
) -> F::State<L> {
    let mut product = *v;
    match <F::State<L> as LaneState<L>>::DIM {
        // All at once, without a loop.
        dim if dim <= N => derivatives_from::<L, F, N>(field, t, x, v, 0, &mut product),
        dim => {
            let mut first = 0;
            while first < dim {
                derivatives_from::<L, F, N>(field, t, x, v, first, &mut product);
                first += N;
            }
        }
    }
    product
}

/// The coordinates from `first` on of `(df/dx)^T v`, up to `N` of them.
#[inline(always)]
fn derivatives_from<L: Lane, F: AnalyticField + ?Sized, const N: usize>(
    field: &F,
    t: L,
    x: &F::State<L>,
    v: &F::State<L>,
    first: usize,
    product: &mut F::State<L>,
) {
    let (x, v, product) = (x.as_ref(), v.as_ref(), product.as_mut());
    let mut point = F::State::<Dual<L, N>>::from_fn(|_| Dual::fixed(t));
    let numbers = point.as_mut();
    for_each_coordinate!(F::State<L>, i => {
        numbers[i] = Dual::variable(x[i], i.wrapping_sub(first));
    });
    let slopes = field.eval_lanes(Dual::fixed(t), &point);
    let slopes = slopes.as_ref();
    let mut k = first;
    while k < v.len().min(first + N) {
        let mut sum = slopes[0].tangent[k - first] * v[0];
        let mut i = 1;
        while i < v.len() {
            sum = slopes[i].tangent[k - first].mul_add(v[i], sum);
            i += 1;
        }
        product[k] = sum;
        k += 1;
    }
}
