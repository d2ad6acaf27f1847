//! An energy in scaled units: `H = E N(z)`, `grad H = (E / s) grad N`.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use super::Scaled;
use super::scaled::{multiplied, multiply};
use crate::{DifferentiableEnergy, Keep, ModelError, Record};

impl<N> Scaled<N> {
    /// `E / s`.
    fn slopes(&self) -> impl Iterator<Item = f64> {
        self.size().iter().map(|size| self.energy_size() / size)
    }
}

impl<T: Scalar, N: DifferentiableEnergy<T>> DifferentiableEnergy<T> for Scaled<N> {
    /// The scaled states, and a direction among them.
    type Residuals = Record<T, N::Residuals>;

    fn check(&self) -> Result<(), ModelError> {
        self.check_scalar()?;
        self.network.check()
    }

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        let len = self.network.input_dim() * batch;
        FieldError::check_lengths(len, [("the states", x.len())])?;
        let (z, inner) = workspace.split(len);
        self.scale(batch, x, z);
        self.network.energy(z, energy, inner)?;
        let size = T::from_f64(self.energy_size());
        energy.iter_mut().for_each(|energy| *energy *= size);
        Ok(())
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let len = self.network.input_dim() * batch;
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(len, slices)?;
        let (numbers, parts) = keep.split(batch, 2 * len);
        let z = &mut numbers[..len];
        self.scale(batch, x, z);
        self.network.gradient(batch, z, gradient, parts)?;
        multiply(batch, self.slopes(), gradient);
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
        let batch = residuals.batch;
        let len = self.network.input_dim() * batch;
        FieldError::check_cotangents(len, [x, w, &*x_bar])?;
        let (numbers, network) = residuals.recorded(2 * len)?;
        let (z, direction) = numbers.split_at_mut(len);
        multiplied(batch, self.slopes(), w, direction);
        self.network.gradient_vjp(z, network, direction, x_bar, theta_bar)?;
        multiply(batch, self.size().iter().map(|size| size.recip()), x_bar);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
