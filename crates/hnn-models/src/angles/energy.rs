//! An energy of angles.

use hnn_integrators::{FieldError, Scalar, Workspace};

use super::{Angles, AnglesResiduals, sized};
use crate::{DifferentiableEnergy, ModelError};

impl<T: Scalar, E: DifferentiableEnergy<T>> DifferentiableEnergy<T> for Angles<E> {
    type Residuals = AnglesResiduals<T, E::Residuals>;

    fn dim(&self) -> usize {
        self.angles.len()
    }

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
        let (features, inner) = workspace.split(self.network.dim() * batch);
        self.features(batch, x, features);
        self.network.energy(features, energy, inner)
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.check_lengths(batch, [("the states", x.len()), ("the gradients", gradient.len())])?;
        let len = self.network.dim() * batch;
        let (buffer, inner) = workspace.split(2 * len);
        let (features, g) = buffer.split_at_mut(len);
        self.features(batch, x, features);
        self.network.gradient(batch, features, g, inner)?;
        self.pull(batch, features, g, gradient);
        Ok(())
    }

    fn gradient_recorded(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.check_lengths(batch, [("the states", x.len()), ("the gradients", gradient.len())])?;
        residuals.record(self, batch, x);
        let AnglesResiduals { network, features, gradient: g, .. } = residuals;
        self.network.gradient_recorded(batch, features, g, network)?;
        self.pull(batch, features, g, gradient);
        Ok(())
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let AnglesResiduals { network, batch, features, gradient, scratch: [t, bar, ..] } =
            residuals;
        let slices = [("the directions", w.len()), ("the states' cotangents", x_bar.len())];
        self.check_lengths(*batch, slices)?;
        self.check_lengths(*batch, [("the states", x.len())])?;
        let (t, bar) = (sized(t, features.len()), sized(bar, features.len()));
        self.push(*batch, features, w, t);
        self.network.gradient_vjp(features, network, t, bar, theta_bar)?;
        self.pull(*batch, features, bar, x_bar);
        self.add_curvature(*batch, features, w, gradient, x_bar);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
