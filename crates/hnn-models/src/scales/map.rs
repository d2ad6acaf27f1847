//! A map in scaled units: `y = c N(z)`.

use hnn_integrators::{FieldError, Scalar, ThetaBar};

use super::Scaled;
use super::scaled::{multiplied, multiply};
use crate::{DifferentiableMap, Keep, Record};

impl<T: Scalar, N: DifferentiableMap<T>> DifferentiableMap<T> for Scaled<N> {
    /// The scaled states, and the scaled cotangent of the outputs.
    type Residuals = Record<T, N::Residuals>;

    fn output_dim(&self) -> usize {
        self.outputs().len()
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        self.check_eval(batch, x, y)?;
        let (numbers, parts) = keep.split(batch, x.len() + y.len());
        let z = &mut numbers[..x.len()];
        self.scale(batch, x, z);
        self.network.eval(batch, z, y, parts)?;
        multiply(batch, self.outputs().iter().copied(), y);
        Ok(())
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        self.check_eval(batch, x, y_bar)?;
        FieldError::check_lengths(x.len(), [("the states' cotangents", x_bar.len())])?;
        let (numbers, network) = residuals.recorded(x.len() + y_bar.len())?;
        let (z, bar) = numbers.split_at_mut(x.len());
        multiplied(batch, self.outputs().iter().copied(), y_bar, bar);
        self.network.vjp(z, network, bar, x_bar, theta_bar)?;
        multiply(batch, self.size().iter().map(|size| size.recip()), x_bar);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
