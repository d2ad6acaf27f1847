//! An energy of angles.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use super::Angles;
use crate::sections::sections;
use crate::{DifferentiableEnergy, Keep, ModelError, Record};

impl<T: Scalar, E: DifferentiableEnergy<T>> DifferentiableEnergy<T> for Angles<E> {
    /// The features, the gradient by them, a direction among them, and their cotangent.
    type Residuals = Record<T, E::Residuals>;

    fn check(&self) -> Result<(), ModelError> {
        self.network.check()
    }

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        self.check_lengths(batch, [("the states", x.len())])?;
        let (features, inner) = workspace.split(self.network.input_dim() * batch);
        self.features(batch, x, features);
        self.network.energy(features, energy, inner)
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        self.check_lengths(batch, [("the states", x.len()), ("the gradients", gradient.len())])?;
        let len = self.features_len(batch);
        let (numbers, parts) = keep.split(batch, 4 * len);
        let (features, g) = numbers[..2 * len].split_at_mut(len);
        self.features(batch, x, features);
        self.network.gradient(batch, features, g, parts)?;
        self.pull(batch, features, g, gradient);
        Ok(())
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let (batch, len) = (residuals.batch, self.features_len(residuals.batch));
        let slices = [("the directions", w.len()), ("the states' cotangents", x_bar.len())];
        self.check_lengths(batch, slices)?;
        self.check_lengths(batch, [("the states", x.len())])?;
        let (numbers, network) = residuals.recorded(4 * len)?;
        let mut take = sections(numbers);
        let (features, gradient, t, bar) = (take(len), take(len), take(len), take(len));
        self.push(batch, features, w, t);
        self.network.gradient_vjp(features, network, t, bar, theta_bar)?;
        self.pull(batch, features, bar, x_bar);
        self.add_curvature(batch, features, w, gradient, x_bar);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
