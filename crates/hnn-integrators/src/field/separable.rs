//! Separable Hamiltonians.

use crate::kernel::Job;
use crate::{At, Bars, FieldError, Parameters, Scalar, ThetaBar, VectorField, Workspace};

/// A field of a separable Hamiltonian `H = T(p) + V(q, t)`: the velocity depends on the momenta
/// alone, the force on the positions (and the time) alone. The state is `[q_1..q_n, p_1..p_n]`.
pub trait Separable<T: Scalar>: VectorField<T> {
    /// `velocity = grad T(p)`; both hold `n * B` numbers, coordinate-major.
    ///
    /// # Errors
    /// As [`VectorField::eval`].
    fn velocity(
        &self,
        p: &[T],
        velocity: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// `force = -grad V(q, t)` for the `B = at.batch()` states; `q` and `force` hold `n * B` numbers,
    /// coordinate-major.
    ///
    /// # Errors
    /// As [`VectorField::eval`].
    fn force(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError>;

    /// Does a splitting method's job in one kernel, where the field has one (every
    /// [`AnalyticSeparable`](crate::AnalyticSeparable) does); says whether it did. Otherwise nothing
    /// is touched.
    #[doc(hidden)]
    fn splitting_kernel(&self, _job: &mut Job<'_, T>) -> bool {
        false
    }
}

/// A separable field that trains: velocity and force have vector-Jacobian products.
///
/// The contract is that of [`DifferentiableField`](crate::DifferentiableField), for each of the
/// two halves.
pub trait DifferentiableSeparable<T: Scalar>: Separable<T> + Parameters<T> {
    /// What an evaluation of either half keeps for its vector-Jacobian product.
    type Residuals: Default + Send + 'static;

    /// [`Separable::velocity`], keeping the residuals.
    ///
    /// # Errors
    /// As [`Separable::velocity`].
    fn velocity_recorded(
        &self,
        p: &[T],
        velocity: &mut [T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
    ) -> Result<(), FieldError>;

    /// Overwrites `p_bar = (dv/dp)^T cotangent`; adds the parameters' cotangent to `theta_bar`.
    ///
    /// # Errors
    /// If the engine fails.
    fn velocity_vjp(
        &self,
        p: &[T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
        cotangent: &[T],
        p_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;

    /// [`Separable::force`], keeping the residuals.
    ///
    /// # Errors
    /// As [`Separable::force`].
    fn force_recorded(
        &self,
        at: At<'_, T>,
        q: &[T],
        force: &mut [T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
    ) -> Result<(), FieldError>;

    /// Overwrites `bars.x = (df/dq)^T cotangent`; adds the inputs' and the parameters' cotangents to
    /// `bars.u` and `bars.theta`.
    ///
    /// # Errors
    /// If the engine fails.
    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut <Self as DifferentiableSeparable<T>>::Residuals,
        cotangent: &[T],
        bars: Bars<'_, T>,
    ) -> Result<(), FieldError>;
}
