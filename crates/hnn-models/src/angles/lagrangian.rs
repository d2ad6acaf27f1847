//! A Lagrangian of angles.

use hnn_integrators::{FieldError, Scalar, Workspace};

use super::{Angles, AnglesResiduals, sized};
use crate::{DifferentiableLagrangian, EulerLagrange, LagrangianBars, LagrangianTerms, ModelError};

impl<T: Scalar, L: DifferentiableLagrangian<T>> DifferentiableLagrangian<T> for Angles<L> {
    type Residuals = AnglesResiduals<T, L::Residuals>;

    fn dim(&self) -> usize {
        self.angles.len()
    }

    fn check(&self, velocities: usize) -> Result<(), ModelError> {
        let coordinates = self.angles.len().saturating_sub(velocities);
        if let Some(index) = self.angles.iter().skip(coordinates).position(|angle| *angle) {
            return Err(ModelError::VelocityAngle { index: coordinates + index, coordinates });
        }
        self.network.check(velocities)
    }

    fn lagrangian(
        &self,
        x: &[T],
        value: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = value.len();
        self.check_lengths(batch, [("the states", x.len())])?;
        let (features, inner) = workspace.split(self.network.dim() * batch);
        self.features(batch, x, features);
        self.network.lagrangian(features, value, inner)
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let n = terms.check(self.angles.len(), batch, x, q_dot)?;
        let len = self.network.dim() * batch;
        let rates = self.count(self.angles.len() - n) * batch;
        let (buffer, inner) = workspace.split(2 * len + rates);
        let (features, rest) = buffer.split_at_mut(len);
        let (g, pushed) = rest.split_at_mut(len);
        self.features(batch, x, features);
        self.push(batch, features, q_dot, pushed);
        let inner_terms =
            LagrangianTerms { gradient: &mut *g, mass: terms.mass, mixed: terms.mixed };
        self.network.terms(batch, features, pushed, inner_terms, inner)?;
        self.pull(batch, features, g, terms.gradient);
        Ok(())
    }

    fn terms_recorded(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        residuals: &mut Self::Residuals,
    ) -> Result<(), FieldError> {
        let n = terms.check(self.angles.len(), batch, x, q_dot)?;
        residuals.record(self, batch, x);
        let AnglesResiduals { network, features, gradient, scratch: [pushed, ..], .. } = residuals;
        let pushed = sized(pushed, self.count(self.angles.len() - n) * batch);
        self.push(batch, features, q_dot, pushed);
        let inner_terms =
            LagrangianTerms { gradient: &mut *gradient, mass: terms.mass, mixed: terms.mixed };
        self.network.terms_recorded(batch, features, pushed, inner_terms, network)?;
        self.pull(batch, features, gradient, terms.gradient);
        Ok(())
    }

    fn terms_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        directions: &EulerLagrange<'_, T>,
        bars: LagrangianBars<'_, T>,
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let EulerLagrange { q_dot, q_ddot, eta, lambda } = *directions;
        let AnglesResiduals { network, batch, features, gradient, scratch } = residuals;
        let batch = *batch;
        directions.check(self.angles.len(), batch, x, &bars)?;
        let [pushed, pushed_eta, bar, q_dot_bar] = scratch;
        let eta_features = sized(pushed_eta, pushed.len());
        self.push(batch, features, eta, eta_features);
        let inner = EulerLagrange { q_dot: pushed, q_ddot, eta: eta_features, lambda };
        let (bar, q_dot_bar) = (sized(bar, features.len()), sized(q_dot_bar, pushed.len()));
        let inner_bars = LagrangianBars { x: &mut *bar, q_dot: &mut *q_dot_bar };
        self.network.terms_vjp(features, network, &inner, inner_bars, theta_bar)?;
        self.pull(batch, features, bar, bars.x);
        self.pull(batch, features, q_dot_bar, bars.q_dot);
        self.add_curvature(batch, features, q_dot, q_dot_bar, bars.x);
        self.add_curvature(batch, features, eta, gradient, bars.x);
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
