//! A Lagrangian in scaled units: `L = E N(z)`, its mass matrix `E / (s_i s_j)` times that of `N`.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use super::Scaled;
use super::scaled::{multiplied, multiply};
use crate::sections::sections;
use crate::{
    DifferentiableLagrangian, EulerLagrange, Keep, LagrangianTerms, ModelError, MotionBars, Record,
};

/// The quantities of a batch, all scaled.
struct Sections<'a, T> {
    z: &'a mut [T],
    q_dot: &'a mut [T],
    q_ddot: &'a mut [T],
    eta: &'a mut [T],
    lambda: &'a mut [T],
}

/// For `coordinates` and `velocities` numbers of all rows.
fn split<T>(coordinates: usize, velocities: usize, numbers: &mut [T]) -> Sections<'_, T> {
    let mut take = sections(numbers);
    Sections {
        z: take(coordinates + velocities),
        q_dot: take(coordinates),
        q_ddot: take(velocities),
        eta: take(coordinates),
        lambda: take(velocities),
    }
}

impl<T: Scalar, N: DifferentiableLagrangian<T>> DifferentiableLagrangian<T> for Scaled<N> {
    type Residuals = Record<T, N::Residuals>;

    fn check(&self, velocities: usize) -> Result<(), ModelError> {
        self.check_scalar()?;
        self.network.check(velocities)
    }

    fn lagrangian(
        &self,
        x: &[T],
        value: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = value.len();
        let len = self.network.input_dim() * batch;
        FieldError::check_lengths(len, [("the states", x.len())])?;
        let (z, inner) = workspace.split(len);
        self.scale(batch, x, z);
        self.network.lagrangian(z, value, inner)?;
        let size = T::from_f64(self.energy_size());
        value.iter_mut().for_each(|value| *value *= size);
        Ok(())
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        mut terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let n = terms.check(self.network.input_dim(), batch, x, q_dot)?;
        let (numbers, parts) = keep.split(batch, 3 * x.len());
        let Sections { z, q_dot: z_dot, .. } = split(q_dot.len(), n * batch, numbers);
        let (sizes, energy) = (self.size(), self.energy_size());
        let velocities = &sizes[sizes.len() - n..];
        self.scale(batch, x, z);
        multiplied(batch, sizes.iter().map(|s| s.recip()), q_dot, z_dot);
        self.network.terms(batch, z, z_dot, terms.reborrow(), parts)?;
        multiply(batch, sizes.iter().map(|s| energy / s), terms.gradient);
        multiply(batch, velocities.iter().map(|s| energy / s), terms.mixed);
        let pairs = velocities.iter().flat_map(|i| velocities.iter().map(move |j| (i, j)));
        multiply(batch, pairs.map(|(i, j)| energy / i / j), terms.mass);
        Ok(())
    }

    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        directions: &EulerLagrange<'_, T>,
        bars: MotionBars<'_, T>,
        theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        let n = directions.check(self.network.input_dim(), batch, x, &bars)?;
        let (numbers, network) = residuals.recorded(3 * x.len())?;
        let s = split(x.len() - n * batch, n * batch, numbers);
        let (sizes, energy) = (self.size(), self.energy_size());
        let (coordinates, velocities) = sizes.split_at(sizes.len() - n);
        let EulerLagrange { q_dot, q_ddot, eta, lambda } = *directions;
        multiplied(batch, coordinates.iter().map(|s| s.recip()), q_dot, s.q_dot);
        multiplied(batch, velocities.iter().map(|s| s.recip()), q_ddot, s.q_ddot);
        multiplied(batch, coordinates.iter().map(|s| energy / s), eta, s.eta);
        multiplied(batch, velocities.iter().map(|s| energy / s), lambda, s.lambda);
        let inner =
            EulerLagrange { q_dot: s.q_dot, q_ddot: s.q_ddot, eta: s.eta, lambda: s.lambda };
        let MotionBars { x: x_bar, q_dot: q_dot_bar } = bars;
        let inner_bars = MotionBars { x: &mut *x_bar, q_dot: &mut *q_dot_bar };
        self.network.terms_vjp(s.z, network, &inner, inner_bars, theta_bar)?;
        multiply(batch, sizes.iter().map(|s| s.recip()), x_bar);
        multiply(batch, coordinates.iter().map(|s| s.recip()), q_dot_bar);
        Ok(())
    }

    fn sizes(&self) -> Option<&[f64]> {
        Some(self.size())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
