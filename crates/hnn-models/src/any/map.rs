//! A map of any kind.

use hnn_integrators::{FieldError, Kept, Parameters, Scalar, ThetaBar};

use super::part::{Part, any_network, any_part};
use crate::{
    Angles, Coordinate, DifferentiableMap, Dissipative, FrictionLaw, Keep, Mlp, ModelError,
    Network, PartReader, PartWriter, Persist, Scaled,
};

any_network!(AnyMap: MapObject, "map", [
    Mlp<T>, Scaled<AnyMap<T>>, Angles<AnyMap<T>>, Dissipative<AnyMap<T>>, FrictionLaw<T>
]);

/// A [`DifferentiableMap`] as an object.
trait MapObject<T: Scalar>: Part<T> + Network<T> {
    fn output_dim(&self) -> usize;

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError>;

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError>;

    fn block_len(&self) -> usize;
}

impl<T: Scalar, N: DifferentiableMap<T> + Persist<T>> MapObject<T> for N {
    fn output_dim(&self) -> usize {
        DifferentiableMap::output_dim(self)
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        mut keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        DifferentiableMap::eval(self, batch, x, y, keep.part(Kept::of))
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        DifferentiableMap::vjp(self, x, residuals.of(), y_bar, x_bar, theta_bar)
    }

    fn block_len(&self) -> usize {
        DifferentiableMap::block_len(self)
    }
}

impl<T: Scalar> DifferentiableMap<T> for AnyMap<T> {
    type Residuals = Kept;

    fn output_dim(&self) -> usize {
        self.0.output_dim()
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, Kept>,
    ) -> Result<(), FieldError> {
        self.0.eval(batch, x, y, keep)
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Kept,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        self.0.vjp(x, residuals, y_bar, x_bar, theta_bar)
    }

    fn block_len(&self) -> usize {
        self.0.block_len()
    }
}
