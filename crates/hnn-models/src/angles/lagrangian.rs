//! A Lagrangian of angles.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use super::Angles;
use crate::sections::sections;
use crate::{
    DifferentiableLagrangian, EulerLagrange, Keep, LagrangianTerms, ModelError, MotionBars, Record,
};

/// The quantities of a batch.
struct Sections<'a, T> {
    features: &'a mut [T],
    /// `dL/dphi`.
    gradient: &'a mut [T],
    /// The rates of the features, and eta among them.
    pushed: &'a mut [T],
    eta: &'a mut [T],
    /// Cotangents of the features and of their rates.
    bar: &'a mut [T],
    q_dot_bar: &'a mut [T],
}

/// For `len` features, of which `rates` have a rate.
fn split<T>(len: usize, rates: usize, numbers: &mut [T]) -> Sections<'_, T> {
    let mut take = sections(numbers);
    Sections {
        features: take(len),
        gradient: take(len),
        pushed: take(rates),
        eta: take(rates),
        bar: take(len),
        q_dot_bar: take(rates),
    }
}

impl<T: Scalar, L: DifferentiableLagrangian<T>> DifferentiableLagrangian<T> for Angles<L> {
    type Residuals = Record<T, L::Residuals>;

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
        let (features, inner) = workspace.split(self.network.input_dim() * batch);
        self.features(batch, x, features);
        self.network.lagrangian(features, value, inner)
    }

    fn terms(
        &self,
        batch: usize,
        x: &[T],
        q_dot: &[T],
        terms: LagrangianTerms<'_, T>,
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let n = terms.check(self.angles.len(), batch, x, q_dot)?;
        let (len, rates) = (self.features_len(batch), self.count(self.angles.len() - n) * batch);
        let (numbers, parts) = keep.split(batch, 3 * (len + rates));
        let Sections { features, gradient, pushed, .. } = split(len, rates, numbers);
        self.features(batch, x, features);
        self.push(batch, features, q_dot, pushed);
        let inner =
            LagrangianTerms { gradient: &mut *gradient, mass: terms.mass, mixed: terms.mixed };
        self.network.terms(batch, features, pushed, inner, parts)?;
        self.pull(batch, features, gradient, terms.gradient);
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
        let EulerLagrange { q_dot, q_ddot, eta, lambda } = *directions;
        let batch = residuals.batch;
        let n = directions.check(self.angles.len(), batch, x, &bars)?;
        let (len, rates) = (self.features_len(batch), self.count(self.angles.len() - n) * batch);
        let (numbers, network) = residuals.recorded(3 * (len + rates))?;
        let s = split(len, rates, numbers);
        self.push(batch, s.features, eta, s.eta);
        let inner = EulerLagrange { q_dot: s.pushed, q_ddot, eta: s.eta, lambda };
        let inner_bars = MotionBars { x: &mut *s.bar, q_dot: &mut *s.q_dot_bar };
        self.network.terms_vjp(s.features, network, &inner, inner_bars, theta_bar)?;
        self.pull(batch, s.features, s.bar, bars.x);
        self.pull(batch, s.features, s.q_dot_bar, bars.q_dot);
        self.add_curvature(batch, s.features, q_dot, s.q_dot_bar, bars.x);
        self.add_curvature(batch, s.features, eta, s.gradient, bars.x);
        Ok(())
    }

    fn sizes(&self) -> Option<&[f64]> {
        self.network.sizes()
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
