//! Energies given by a formula, written once for every lane type.

use hnn_integrators::kernel::{self, Job, LaneKernel, dispatch_lanes};
use hnn_integrators::lane::Dual;
use hnn_integrators::simd::Isa;
use hnn_integrators::{AnalyticField, FieldError, Lane, LaneState, Scalar, VectorField, Workspace};

use crate::{Damped, Hamiltonian};

/// An energy given by a formula, written once over a lane type.
///
/// With an [`AnalyticField`] beside it, such a system is a [`Hamiltonian`] for `f32` and `f64`.
pub trait AnalyticHamiltonian: Send + Sync {
    /// `[L; D]`, the same as the field's.
    type State<L: Lane>: LaneState<L>;

    /// `H(x)`. Mark it `#[inline(always)]`: it is compiled for each instruction set.
    fn energy_lanes<L: Lane>(&self, x: &Self::State<L>) -> L;

    /// `grad H(x)`; by dual numbers unless a system gives a formula, which is faster. Mark it
    /// `#[inline(always)]`.
    #[inline(always)]
    fn gradient_lanes<L: Lane>(&self, x: &Self::State<L>) -> Self::State<L> {
        dual_gradient(self, x)
    }

    /// The kernels of the system with friction: compiled where they are used, unless a system
    /// compiles them beside its own.
    #[doc(hidden)]
    fn damped_kernel_f32(damped: &Damped<Self>, job: &mut Job<'_, f32>) -> bool
    where
        Self: Sized,
    {
        kernel::run_essential(damped, job)
    }

    /// The same in `f64`.
    #[doc(hidden)]
    fn damped_kernel_f64(damped: &Damped<Self>, job: &mut Job<'_, f64>) -> bool
    where
        Self: Sized,
    {
        kernel::run_essential(damped, job)
    }
}

/// `grad H(x)` by dual numbers, whatever [`gradient_lanes`](AnalyticHamiltonian::gradient_lanes)
/// does: two derivatives a pass, few enough for the registers of 16 lanes.
#[inline(always)]
pub fn dual_gradient<L: Lane, H: AnalyticHamiltonian + ?Sized>(
    system: &H,
    x: &H::State<L>,
) -> H::State<L> {
    let mut gradient = *x;
    for (pass, pair) in gradient.as_mut().chunks_mut(2).enumerate() {
        let variable = |i: usize| Dual::variable(x.as_ref()[i], i.wrapping_sub(2 * pass));
        let energy: Dual<L, 2> = system.energy_lanes(&H::State::from_fn(variable));
        pair.copy_from_slice(&energy.tangent[..pair.len()]);
    }
    gradient
}

/// `J g` with `J = [[0, I], [-I, 0]]`: the canonical field `(dH/dp, -dH/dq)` of the gradient
/// `g = (dH/dq, dH/dp)`; states of odd dimension, which have none, do not compile.
///
/// ```
/// assert_eq!(hnn_systems::canonical(&[1.0, 2.0, 3.0, 4.0]), [3.0, 4.0, -1.0, -2.0]);
/// ```
#[inline(always)]
pub fn canonical<L: Lane, S: LaneState<L>>(gradient: &S) -> S {
    const { assert!(S::DIM % 2 == 0, "a canonical system has as many momenta as coordinates") };
    let (mut slope, g, n) = (*gradient, gradient.as_ref(), S::DIM / 2);
    for i in 0..n {
        slope.as_mut()[i] = g[i + n];
        slope.as_mut()[i + n] = -g[i];
    }
    slope
}

/// The vector-Jacobian product `(J H)^T v = H (J^T v)` of a canonical field, `H` the Hessian of the
/// energy: symmetric, so that it is the derivative of the gradient along one direction.
#[inline(always)]
pub(crate) fn canonical_vjp<L: Lane, H: AnalyticHamiltonian + ?Sized>(
    system: &H,
    x: &H::State<L>,
    v: &H::State<L>,
) -> H::State<L> {
    let (mut product, x, v) = (*x, x.as_ref(), v.as_ref());
    let (mut point, n) = (H::State::from_fn(|_| Dual::<L, 1>::constant(0.0)), v.len() / 2);
    for i in 0..n {
        point.as_mut()[i] = Dual { value: x[i], tangent: [-v[i + n]] };
        point.as_mut()[i + n] = Dual { value: x[i + n], tangent: [v[i]] };
    }
    let gradient = system.gradient_lanes(&point);
    for i in 0..v.len() {
        product.as_mut()[i] = gradient.as_ref()[i].tangent[0];
    }
    product
}

impl<T: Scalar, S: AnalyticHamiltonian + AnalyticField> Hamiltonian<T> for S {
    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let expected = VectorField::<T>::dim(self) * energy.len();
        FieldError::check_lengths(expected, [("the states", x.len())])?;
        dispatch_lanes(energy.len(), Energy { system: self, x, energy });
        Ok(())
    }

    fn energy_gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(VectorField::<T>::dim(self) * batch, slices)?;
        dispatch_lanes(batch, Gradient { system: self, x, gradient, batch });
        Ok(())
    }
}

struct Energy<'a, T, S> {
    system: &'a S,
    x: &'a [T],
    energy: &'a mut [T],
}

impl<T: Scalar, S: AnalyticHamiltonian> LaneKernel<T> for Energy<'_, T, S> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let (batch, mut row) = (self.energy.len(), 0);
        while row < batch {
            let x = kernel::load::<T, S::State<_>, I, W>(self.x, batch, row);
            self.system.energy_lanes(&x).store_padded(&mut self.energy[row..]);
            row += W;
        }
    }
}

struct Gradient<'a, T, S> {
    system: &'a S,
    x: &'a [T],
    gradient: &'a mut [T],
    batch: usize,
}

impl<T: Scalar, S: AnalyticHamiltonian> LaneKernel<T> for Gradient<'_, T, S> {
    #[inline(always)]
    fn run<I: Isa, const W: usize>(self) {
        let (batch, mut row) = (self.batch, 0);
        while row < batch {
            let x = kernel::load::<T, S::State<_>, I, W>(self.x, batch, row);
            let gradient = self.system.gradient_lanes(&x);
            kernel::store::<T, S::State<_>, I, W>(&gradient, self.gradient, batch, row);
            row += W;
        }
    }
}
