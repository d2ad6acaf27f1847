//! A Lagrangian of any kind.

use hnn_integrators::{FieldError, Kept, Parameters, Scalar, ThetaBar, Workspace};

use super::AnyEnergy;
use super::part::{Part, any_network, any_part};
use crate::{
    Angles, Coordinate, DifferentiableLagrangian, EulerLagrange, Keep, KineticPrior,
    LagrangianTerms, MechanicalLagrangian, Mlp, ModelError, MotionBars, Network, PartReader,
    PartWriter, Persist, Scaled,
};

any_network!(AnyLagrangian: LagrangianObject, "Lagrangian", [
    Mlp<T>, Scaled<AnyLagrangian<T>>, Angles<AnyLagrangian<T>>, KineticPrior<AnyLagrangian<T>>,
    MechanicalLagrangian<Mlp<T>, AnyEnergy<T>>
]);

/// A [`DifferentiableLagrangian`] as an object.
trait LagrangianObject<T: Scalar>: Part<T> + Network<T> {
    fn check(&self, velocities: usize) -> Result<(), ModelError>;

    fn lagrangian(&self, x: &[T], out: &mut [T], w: &mut Workspace<T>) -> Result<(), FieldError>;

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError>;

    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;

    fn sizes(&self) -> Option<&[f64]>;

    fn block_len(&self) -> usize;
}

impl<T: Scalar, L: DifferentiableLagrangian<T> + Persist<T>> LagrangianObject<T> for L {
    fn check(&self, velocities: usize) -> Result<(), ModelError> {
        DifferentiableLagrangian::check(self, velocities)
    }

    fn lagrangian(&self, x: &[T], out: &mut [T], w: &mut Workspace<T>) -> Result<(), FieldError> {
        DifferentiableLagrangian::lagrangian(self, x, out, w)
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        mut keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        DifferentiableLagrangian::terms(self, batch, x, q_dot, terms, keep.part(Kept::of))
    }

    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        DifferentiableLagrangian::terms_vjp(self, x, residuals.of(), directions, bars, theta_bar)
    }

    fn sizes(&self) -> Option<&[f64]> {
        DifferentiableLagrangian::sizes(self)
    }

    fn block_len(&self) -> usize {
        DifferentiableLagrangian::block_len(self)
    }
}

impl<T: Scalar> DifferentiableLagrangian<T> for AnyLagrangian<T> {
    type Residuals = Kept;

    fn check(&self, velocities: usize) -> Result<(), ModelError> {
        self.0.check(velocities)
    }

    fn lagrangian(&self, x: &[T], out: &mut [T], w: &mut Workspace<T>) -> Result<(), FieldError> {
        self.0.lagrangian(x, out, w)
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        self.0.terms(batch, x, q_dot, terms, keep)
    }

    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        self.0.terms_vjp(x, residuals, directions, bars, theta_bar)
    }

    fn sizes(&self) -> Option<&[f64]> {
        self.0.sizes()
    }

    fn block_len(&self) -> usize {
        self.0.block_len()
    }
}
