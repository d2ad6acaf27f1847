//! Separable Hamiltonians given by formulas.

use super::{AnalyticField, LaneState};
use crate::Lane;
use crate::kernel::{self, Job};

/// A separable Hamiltonian given by formulas, written once for every lane type. It is then
/// [`Separable`](crate::Separable) for `f32` and `f64`.
///
/// ```
/// use hnn_integrators::{AnalyticField, AnalyticSeparable, FixedStep, Lane, VELOCITY_VERLET};
/// use ndarray::array;
/// /// `H = p^2/2 - cos q`.
/// struct Pendulum;
/// impl AnalyticField for Pendulum {
///     type State<L: Lane> = [L; 2];
///     #[inline(always)]
///     fn eval_lanes<L: Lane>(&self, t: L, [q, p]: &[L; 2]) -> [L; 2] {
///         [self.velocity_lanes(&[*p])[0], self.force_lanes(t, &[*q])[0]]
///     }
/// }
/// impl AnalyticSeparable for Pendulum {
///     type Half<L: Lane> = [L; 1];
///     #[inline(always)]
///     fn velocity_lanes<L: Lane>(&self, p: &[L; 1]) -> [L; 1] {
///         *p
///     }
///     #[inline(always)]
///     fn force_lanes<L: Lane>(&self, _t: L, [q]: &[L; 1]) -> [L; 1] {
///         [-q.sin()]
///     }
/// }
/// let energy = |q: f64, p: f64| 0.5 * p * p - q.cos();
/// let run = FixedStep::size(VELOCITY_VERLET, 0.01);
/// let end = run.run(&Pendulum, (0.0, 100.0), array![[1.0, 0.0]].view())?;
/// let [q, p] = [end.last()[[0, 0]], end.last()[[0, 1]]];
/// assert!((energy(q, p) - energy(1.0, 0.0)).abs() < 1.1e-5);
/// # Ok::<(), hnn_integrators::SolveError>(())
/// ```
pub trait AnalyticSeparable: AnalyticField {
    /// `[L; n]`, half of a state.
    type Half<L: Lane>: LaneState<L>;

    /// `grad T(p)`. Mark it `#[inline(always)]`: it is compiled for each instruction set.
    fn velocity_lanes<L: Lane>(&self, p: &Self::Half<L>) -> Self::Half<L>;

    /// `-grad V(q, t)`. Mark it `#[inline(always)]`.
    fn force_lanes<L: Lane>(&self, t: L, q: &Self::Half<L>) -> Self::Half<L>;

    /// Does a splitting method's job in one kernel; says whether it could. See
    /// [`compile_splitting_kernels`](crate::compile_splitting_kernels).
    #[doc(hidden)]
    fn splitting_kernel_f32(&self, job: &mut Job<'_, f32>) -> bool {
        kernel::run_splitting(self, job)
    }

    /// The same in `f64`.
    #[doc(hidden)]
    fn splitting_kernel_f64(&self, job: &mut Job<'_, f64>) -> bool {
        kernel::run_splitting(self, job)
    }
}

/// The velocity as a field over half states.
pub(crate) struct Velocity<'a, F: ?Sized>(pub(crate) &'a F);

impl<F: AnalyticSeparable + ?Sized> AnalyticField for Velocity<'_, F> {
    type State<L: Lane> = F::Half<L>;
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, p: &F::Half<L>) -> F::Half<L> {
        self.0.velocity_lanes(p)
    }
}

/// The force as a field over half states.
pub(crate) struct Force<'a, F: ?Sized>(pub(crate) &'a F);

impl<F: AnalyticSeparable + ?Sized> AnalyticField for Force<'_, F> {
    type State<L: Lane> = F::Half<L>;
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, q: &F::Half<L>) -> F::Half<L> {
        self.0.force_lanes(t, q)
    }
}
