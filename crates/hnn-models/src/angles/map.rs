//! A map of angles, and its Jacobian.

use hnn_integrators::{FieldError, Scalar, Workspace};

use super::{Angles, AnglesResiduals, sized};
use crate::{DifferentiableMap, JacobianMap};

impl<T: Scalar, N: DifferentiableMap<T>> DifferentiableMap<T> for Angles<N> {
    type Residuals = AnglesResiduals<T, N::Residuals>;

    fn input_dim(&self) -> usize {
        self.angles.len()
    }

    fn output_dim(&self) -> usize {
        self.network.output_dim()
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.check_lengths(batch, [("the states", x.len())])?;
        let (features, inner) = workspace.split(self.network.input_dim() * batch);
        self.features(batch, x, features);
        self.network.eval(batch, features, y, inner)
    }

    fn eval_recorded(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        self.check_lengths(batch, [("the states", x.len())])?;
        residuals.record(self, batch, x);
        self.network.eval_recorded(batch, &residuals.features, y, &mut residuals.network)
    }

    fn vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let AnglesResiduals { network, batch, features, gradient: bar, .. } = residuals;
        let slices = [("the states", x.len()), ("the states' cotangents", x_bar.len())];
        self.check_lengths(*batch, slices)?;
        self.network.vjp(features, network, y_bar, bar, theta_bar)?;
        self.pull(*batch, features, bar, x_bar);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}

impl<N> Angles<N> {
    /// The Jacobian by the coordinates from that by the features, `rows` numbers an input.
    fn pull_jacobian<T: Scalar>(
        &self,
        batch: usize,
        features: &[T],
        by_features: &[T],
        jacobian: &mut [T],
    ) {
        let step = jacobian.len() / self.angles.len();
        self.each(1, self.angles.len(), |i, f, angle| {
            let out = &mut jacobian[i * step..(i + 1) * step];
            let first = &by_features[f * step..(f + 1) * step];
            if !angle {
                return out.copy_from_slice(first);
            }
            let (cos, sin) = features[f * batch..(f + 2) * batch].split_at(batch);
            let second = &by_features[(f + 1) * step..(f + 2) * step];
            for k in 0..step {
                out[k] = cos[k % batch] * second[k] - sin[k % batch] * first[k];
            }
        });
    }
}

impl<T: Scalar, N: JacobianMap<T>> JacobianMap<T> for Angles<N> {
    type JacobianResiduals = AnglesResiduals<T, N::JacobianResiduals>;

    fn jacobian(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.check_jacobian(batch, x, y, jacobian)?;
        let inputs = self.network.input_dim();
        let (buffer, inner) = workspace.split(inputs * (batch + y.len()));
        let (features, by_features) = buffer.split_at_mut(inputs * batch);
        self.features(batch, x, features);
        self.network.jacobian(batch, features, y, by_features, inner)?;
        self.pull_jacobian(batch, features, by_features, jacobian);
        Ok(())
    }

    fn jacobian_recorded(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        residuals: &mut Self::JacobianResiduals,
    ) -> Result<(), FieldError> {
        self.check_jacobian(batch, x, y, jacobian)?;
        residuals.record(self, batch, x);
        let AnglesResiduals { network, features, gradient: by_features, .. } = residuals;
        by_features.resize(self.network.input_dim() * y.len(), T::ZERO);
        self.network.jacobian_recorded(batch, features, y, by_features, network)?;
        self.pull_jacobian(batch, features, by_features, jacobian);
        Ok(())
    }

    fn jacobian_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::JacobianResiduals,
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let AnglesResiduals { network, batch, features, gradient, scratch } = residuals;
        let (batch, len) = (*batch, features.len());
        self.check_jacobian_vjp(batch, x, y_bar, tangents, x_bar)?;
        let [pushed, bar, by_direction, _] = scratch;
        let pushed = sized(pushed, tangents.len() * len);
        for ((t, _), out) in tangents.iter().zip(pushed.chunks_exact_mut(len.max(1))) {
            self.push(batch, features, t, out);
        }
        let inner: Vec<_> =
            pushed.chunks_exact(len.max(1)).zip(tangents).map(|(t, (_, y))| (t, *y)).collect();
        let bar = sized(bar, len);
        self.network.jacobian_vjp(features, network, y_bar, &inner, bar, theta_bar)?;
        self.pull(batch, features, bar, x_bar);
        let by_direction = sized(by_direction, len);
        for (t, y_dot_bar) in tangents {
            // The cotangent of the direction among the features: the Jacobian's transpose.
            for (input, out) in by_direction.chunks_exact_mut(batch.max(1)).enumerate() {
                let column = &gradient[input * y_bar.len()..(input + 1) * y_bar.len()];
                for (row, out) in out.iter_mut().enumerate() {
                    let entries = column[row..].iter().step_by(batch);
                    let cotangents = y_dot_bar[row..].iter().step_by(batch);
                    *out = entries.zip(cotangents).map(|(j, y)| *j * *y).sum();
                }
            }
            self.add_curvature(batch, features, t, by_direction, x_bar);
        }
        Ok(())
    }
}
