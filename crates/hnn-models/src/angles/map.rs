//! A map of angles, and its Jacobian.

use hnn_integrators::{FieldError, Scalar, ThetaBar};

use super::Angles;
use crate::sections::sections;
use crate::{DifferentiableMap, JacobianMap, Keep, Record};

impl<T: Scalar, N: DifferentiableMap<T>> DifferentiableMap<T> for Angles<N> {
    /// The features, and their cotangent.
    type Residuals = Record<T, N::Residuals>;

    fn output_dim(&self) -> usize {
        self.network.output_dim()
    }

    fn eval(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        self.check_lengths(batch, [("the states", x.len())])?;
        let len = self.features_len(batch);
        let (numbers, parts) = keep.split(batch, 2 * len);
        let features = &mut numbers[..len];
        self.features(batch, x, features);
        self.network.eval(batch, features, y, parts)
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
        let slices = [("the states", x.len()), ("the states' cotangents", x_bar.len())];
        self.check_lengths(batch, slices)?;
        let len = self.features_len(batch);
        let (numbers, network) = residuals.recorded(2 * len)?;
        let (features, bar) = numbers.split_at_mut(len);
        self.network.vjp(features, network, y_bar, bar, theta_bar)?;
        self.pull(batch, features, bar, x_bar);
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
    /// The features, their cotangent, the cotangent of a direction among them, and the Jacobian by
    /// them.
    type JacobianResiduals = Record<T, N::JacobianResiduals>;

    fn jacobian(
        &self,
        batch: usize,
        x: &[T],
        y: &mut [T],
        jacobian: &mut [T],
        keep: Keep<'_, T, Self::JacobianResiduals>,
    ) -> Result<(), FieldError> {
        self.check_jacobian(batch, x, y, jacobian)?;
        let len = self.features_len(batch);
        let (numbers, parts) = keep.split(batch, len * (3 + self.output_dim()));
        let (vectors, by_features) = numbers.split_at_mut(3 * len);
        let features = &mut vectors[..len];
        self.features(batch, x, features);
        self.network.jacobian(batch, features, y, by_features, parts)?;
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
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let (batch, len) = (residuals.batch, self.features_len(residuals.batch));
        self.check_jacobian_vjp(batch, x, y_bar, tangents, x_bar)?;
        let (numbers, network) = residuals.recorded(len * (3 + self.output_dim()))?;
        let mut take = sections(numbers);
        let (features, bar, by_direction) = (take(len), take(len), take(len));
        let by_features = take(len * self.output_dim());
        let push = |(t, _): &(&[T], _)| {
            let mut pushed = vec![T::ZERO; len];
            self.push(batch, features, t, &mut pushed);
            pushed
        };
        let pushed: Vec<_> = tangents.iter().map(push).collect();
        let inner: Vec<_> = pushed.iter().zip(tangents).map(|(t, (_, y))| (&t[..], *y)).collect();
        self.network.jacobian_vjp(features, network, y_bar, &inner, bar, theta_bar)?;
        self.pull(batch, features, bar, x_bar);
        for (t, y_dot_bar) in tangents {
            // The cotangent of the direction among the features: the Jacobian's transpose.
            for (input, out) in by_direction.chunks_exact_mut(batch.max(1)).enumerate() {
                let column = &by_features[input * y_bar.len()..(input + 1) * y_bar.len()];
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
