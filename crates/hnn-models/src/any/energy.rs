//! An energy of any kind.

use hnn_integrators::{FieldError, Kept, Parameters, Scalar, ThetaBar, Workspace};

use super::part::{Part, any_network, any_part};
use crate::{
    Angles, Coordinate, DifferentiableEnergy, EnergySum, Keep, KineticEnergy, Mlp, ModelError,
    Network, OneBodyEnergy, PairEnergy, PartReader, PartWriter, Persist, Scaled, SeparableEnergy,
};

any_network!(AnyEnergy: EnergyObject, "energy", [
    Mlp<T>, Scaled<AnyEnergy<T>>, Angles<AnyEnergy<T>>, KineticEnergy<T>, OneBodyEnergy<AnyEnergy<T>>,
    PairEnergy<AnyEnergy<T>>, EnergySum<AnyEnergy<T>, AnyEnergy<T>>,
    SeparableEnergy<AnyEnergy<T>, AnyEnergy<T>>
]);

/// A [`DifferentiableEnergy`] as an object.
trait EnergyObject<T: Scalar>: Part<T> + Network<T> {
    fn check(&self) -> Result<(), ModelError>;

    fn energy(&self, x: &[T], out: &mut [T], w: &mut Workspace<T>) -> Result<(), FieldError>;

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError>;

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;

    fn block_len(&self) -> usize;
}

impl<T: Scalar, E: DifferentiableEnergy<T> + Persist<T>> EnergyObject<T> for E {
    fn check(&self) -> Result<(), ModelError> {
        DifferentiableEnergy::check(self)
    }

    fn energy(&self, x: &[T], out: &mut [T], w: &mut Workspace<T>) -> Result<(), FieldError> {
        DifferentiableEnergy::energy(self, x, out, w)
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        mut keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        DifferentiableEnergy::gradient(self, batch, x, gradient, keep.part(Kept::of))
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        DifferentiableEnergy::gradient_vjp(self, x, residuals.of(), w, x_bar, theta_bar)
    }

    fn block_len(&self) -> usize {
        DifferentiableEnergy::block_len(self)
    }
}

impl<T: Scalar> DifferentiableEnergy<T> for AnyEnergy<T> {
    type Residuals = Kept;

    fn check(&self) -> Result<(), ModelError> {
        self.0.check()
    }

    fn energy(&self, x: &[T], out: &mut [T], w: &mut Workspace<T>) -> Result<(), FieldError> {
        self.0.energy(x, out, w)
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        self.0.gradient(batch, x, gradient, keep)
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        self.0.gradient_vjp(x, residuals, w, x_bar, theta_bar)
    }

    fn block_len(&self) -> usize {
        self.0.block_len()
    }
}
