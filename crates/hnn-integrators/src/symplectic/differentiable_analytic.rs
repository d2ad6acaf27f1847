//! Vector-Jacobian products of the two halves of a separable formula, by dual numbers.

use super::{AnalyticSeparable, DifferentiableSeparable, Separable, Splitting};
use crate::fused_adjoint::{self, Way};
use crate::{
    AdjointRun, AnalyticField, DifferentiableField, FieldError, Lane, LaneState, RolloutRun,
    Scalar, Workspace,
};

/// The velocity as a field over half states.
pub(crate) struct Velocity<'a, F>(pub(crate) &'a F);

impl<F: AnalyticSeparable> AnalyticField for Velocity<'_, F> {
    type State<L: Lane> = F::Half<L>;
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, _t: L, p: &F::Half<L>) -> F::Half<L> {
        self.0.velocity_lanes(p)
    }
}

/// The force as a field over half states.
pub(crate) struct Force<'a, F>(pub(crate) &'a F);

impl<F: AnalyticSeparable> AnalyticField for Force<'_, F> {
    type State<L: Lane> = F::Half<L>;
    #[inline(always)]
    fn eval_lanes<L: Lane>(&self, t: L, q: &F::Half<L>) -> F::Half<L> {
        self.0.force_lanes(t, q)
    }
}

/// The residuals are the times (zeros for the velocity, which knows no time).
impl<T: Scalar, F: AnalyticSeparable> DifferentiableSeparable<T> for F {
    type Residuals = Vec<T>;

    fn velocity_recorded(
        &self,
        p: &[T],
        velocity: &mut [T],
        residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.resize(p.len() / <F::Half<T> as LaneState<T>>::DIM.max(1), T::ZERO);
        self.velocity(p, velocity, &mut Workspace::default())
    }

    fn velocity_vjp(
        &self,
        p: &[T],
        residuals: &mut Vec<T>,
        cotangent: &[T],
        p_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        Velocity(self).vjp(p, residuals, cotangent, p_bar, theta_bar)
    }

    fn force_recorded(
        &self,
        t: &[T],
        q: &[T],
        force: &mut [T],
        residuals: &mut Vec<T>,
    ) -> Result<(), FieldError> {
        residuals.clear();
        residuals.extend_from_slice(t);
        self.force(t, q, force, &mut Workspace::default())
    }

    fn force_vjp(
        &self,
        q: &[T],
        residuals: &mut Vec<T>,
        cotangent: &[T],
        q_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        Force(self).vjp(q, residuals, cotangent, q_bar, theta_bar)
    }

    fn fly_splitting(&self, splitting: Splitting<'_>, run: &mut RolloutRun<'_, T>) -> bool {
        fused_adjoint::splitting(self, splitting, Way::There(run))
    }

    fn pull_back_splitting(&self, splitting: Splitting<'_>, run: &mut AdjointRun<'_, T>) -> bool {
        fused_adjoint::splitting(self, splitting, Way::Back(run))
    }
}
