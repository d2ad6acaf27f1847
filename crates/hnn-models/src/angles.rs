//! Angles as cosines and sines.

use hnn_integrators::{FieldError, Parameters, Scalar, Workspace};

use crate::{
    DifferentiableEnergy, DifferentiableLagrangian, DifferentiableMap, EulerLagrange, JacobianMap,
    LagrangianBars, LagrangianTerms, ModelError,
};

/// A network that sees each angle as its cosine and sine, and so is periodic in it.
///
/// `N(phi(x))` with `phi(x)` the coordinates of the state in their order, each angle replaced by
/// the pair `cos, sin`. All derivatives are exact: with the network an energy, a map or a
/// Lagrangian, the wrapped one is too, and goes wherever the network goes.
///
/// ```
/// use hnn_models::{Angles, Architecture, Hnn, Initialisation, Mlp};
/// use hnn_systems::HamiltonianExt;
/// // A pendulum's state (q, p): the network sees (cos q, sin q, p).
/// let network = Mlp::<f64>::new(Architecture::new(&[3, 32, 1])?, Initialisation::Orthogonal, 1);
/// let model = Hnn::new(Angles::of_energy(network, &[true, false])?)?;
/// let turn = 2.0 * std::f64::consts::PI;
/// let (here, around) = (model.energy_state(&[0.3, 0.5])?, model.energy_state(&[0.3 + turn, 0.5])?);
/// assert!((here - around).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Angles<N> {
    network: N,
    angles: Vec<bool>,
}

/// What a wrapped network keeps for its pull-back.
#[derive(Debug, Default)]
pub struct AnglesResiduals<T, R> {
    network: R,
    batch: usize,
    features: Vec<T>,
    /// Derivatives by the features.
    gradient: Vec<T>,
    /// Directions and cotangents among the features.
    scratch: [Vec<T>; 4],
}

impl<N> Angles<N> {
    /// An energy whose state has `angles.len()` coordinates, of which those marked are angles.
    ///
    /// # Errors
    /// If the network has not one input a coordinate and one more an angle.
    pub fn of_energy<T: Scalar>(network: N, angles: &[bool]) -> Result<Self, ModelError>
    where
        N: DifferentiableEnergy<T>,
    {
        let inputs = network.dim();
        Self::new(network, inputs, angles)
    }

    /// A map, of which the inputs marked are angles.
    ///
    /// # Errors
    /// As [`of_energy`](Self::of_energy).
    pub fn of_map<T: Scalar>(network: N, angles: &[bool]) -> Result<Self, ModelError>
    where
        N: DifferentiableMap<T>,
    {
        let inputs = network.input_dim();
        Self::new(network, inputs, angles)
    }

    /// A Lagrangian whose state `[q, v]` has `angles.len()` coordinates, of which those marked,
    /// all among the q, are angles.
    ///
    /// # Errors
    /// As [`of_energy`](Self::of_energy).
    pub fn of_lagrangian<T: Scalar>(network: N, angles: &[bool]) -> Result<Self, ModelError>
    where
        N: DifferentiableLagrangian<T>,
    {
        let inputs = network.dim();
        Self::new(network, inputs, angles)
    }

    fn new(network: N, given: usize, angles: &[bool]) -> Result<Self, ModelError> {
        let expected = angles.len() + angles.iter().filter(|angle| **angle).count();
        if given != expected {
            return Err(ModelError::InputSize { role: "wrapped", given, expected });
        }
        Ok(Self { network, angles: angles.to_vec() })
    }

    /// The network.
    pub fn network(&self) -> &N {
        &self.network
    }

    /// Which coordinates are angles.
    #[must_use]
    pub fn angles(&self) -> &[bool] {
        &self.angles
    }

    /// Number of features of the first `coordinates` coordinates.
    fn count(&self, coordinates: usize) -> usize {
        coordinates + self.angles[..coordinates].iter().filter(|angle| **angle).count()
    }

    /// For each coordinate of a slice of `coordinates * B` numbers: its rows, its first feature's
    /// rows, and whether it is an angle.
    fn each(&self, batch: usize, coordinates: usize, mut visit: impl FnMut(usize, usize, bool)) {
        let mut feature = 0;
        for (i, angle) in self.angles[..coordinates].iter().enumerate() {
            visit(i * batch, feature * batch, *angle);
            feature += 1 + usize::from(*angle);
        }
    }

    /// `phi(x)`.
    fn features<T: Scalar>(&self, batch: usize, x: &[T], features: &mut [T]) {
        self.each(batch, x.len() / batch, |i, f, angle| {
            for row in 0..batch {
                if angle {
                    let (sin, cos) = x[i + row].sin_cos();
                    features[f + row] = cos;
                    features[f + batch + row] = sin;
                } else {
                    features[f + row] = x[i + row];
                }
            }
        });
    }

    /// `(dphi/dx) t`, for directions along the first coordinates.
    fn push<T: Scalar>(&self, batch: usize, features: &[T], t: &[T], out: &mut [T]) {
        self.each(batch, t.len() / batch, |i, f, angle| {
            for row in 0..batch {
                if angle {
                    out[f + row] = -features[f + batch + row] * t[i + row];
                    out[f + batch + row] = features[f + row] * t[i + row];
                } else {
                    out[f + row] = t[i + row];
                }
            }
        });
    }

    /// `(dphi/dx)^T g`, for the first coordinates.
    fn pull<T: Scalar>(&self, batch: usize, features: &[T], g: &[T], out: &mut [T]) {
        self.each(batch, out.len() / batch, |i, f, angle| {
            for row in 0..batch {
                out[i + row] = if angle {
                    features[f + row] * g[f + batch + row] - features[f + batch + row] * g[f + row]
                } else {
                    g[f + row]
                };
            }
        });
    }

    /// Adds the derivative of `g . (dphi/dx) t` by x, with g and t fixed: that of the map itself.
    fn add_curvature<T: Scalar>(
        &self,
        batch: usize,
        features: &[T],
        t: &[T],
        g: &[T],
        x_bar: &mut [T],
    ) {
        self.each(batch, t.len() / batch, |i, f, angle| {
            for row in (0..batch).filter(|_| angle) {
                let turned =
                    features[f + row] * g[f + row] + features[f + batch + row] * g[f + batch + row];
                x_bar[i + row] -= t[i + row] * turned;
            }
        });
    }
}

impl<T: Scalar, R> AnglesResiduals<T, R> {
    /// The features of the states, kept.
    fn record<N>(&mut self, angles: &Angles<N>, batch: usize, x: &[T]) {
        let len = angles.count(x.len() / batch) * batch;
        self.batch = batch;
        self.features.resize(len, T::ZERO);
        self.gradient.resize(len, T::ZERO);
        angles.features(batch, x, &mut self.features);
    }
}

/// `len` numbers.
fn sized<T: Scalar>(buffer: &mut Vec<T>, len: usize) -> &mut [T] {
    buffer.resize(len, T::ZERO);
    buffer
}

impl<T: Scalar, N: Parameters<T>> Parameters<T> for Angles<N> {
    fn num_params(&self) -> usize {
        self.network.num_params()
    }
    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        self.network.copy_params(out)
    }
    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        self.network.set_params(theta)
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T>> DifferentiableEnergy<T> for Angles<E> {
    type Residuals = AnglesResiduals<T, E::Residuals>;

    fn dim(&self) -> usize {
        self.angles.len()
    }

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
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
        residuals.record(self, batch, x);
        let AnglesResiduals { network, features, gradient: g, .. } = residuals;
        self.network.gradient_recorded(batch, features, g, network)?;
        self.pull(batch, features, g, gradient);
        Ok(())
    }

    fn gradient_vjp(
        &self,
        _x: &[T],
        residuals: &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let AnglesResiduals { network, batch, features, gradient, scratch: [t, bar, ..] } =
            residuals;
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
        residuals.record(self, batch, x);
        self.network.eval_recorded(batch, &residuals.features, y, &mut residuals.network)
    }

    fn vjp(
        &self,
        _x: &[T],
        residuals: &mut Self::Residuals,
        y_bar: &[T],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let AnglesResiduals { network, batch, features, gradient: bar, .. } = residuals;
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
        let rows = jacobian.len() / self.angles.len() / batch;
        let step = rows * batch;
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
        residuals.record(self, batch, x);
        let AnglesResiduals { network, features, gradient: by_features, .. } = residuals;
        by_features.resize(self.network.input_dim() * y.len(), T::ZERO);
        self.network.jacobian_recorded(batch, features, y, by_features, network)?;
        self.pull_jacobian(batch, features, by_features, jacobian);
        Ok(())
    }

    fn jacobian_vjp(
        &self,
        _x: &[T],
        residuals: &mut Self::JacobianResiduals,
        y_bar: &[T],
        tangents: &[(&[T], &[T])],
        x_bar: &mut [T],
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let AnglesResiduals { network, batch, features, gradient, scratch } = residuals;
        let (batch, len) = (*batch, features.len());
        let [pushed, bar, by_direction, _] = scratch;
        let pushed = sized(pushed, tangents.len() * len);
        for ((t, _), out) in tangents.iter().zip(pushed.chunks_exact_mut(len)) {
            self.push(batch, features, t, out);
        }
        let inner: Vec<_> =
            pushed.chunks_exact(len).zip(tangents).map(|(t, (_, y))| (t, *y)).collect();
        let bar = sized(bar, len);
        self.network.jacobian_vjp(features, network, y_bar, &inner, bar, theta_bar)?;
        self.pull(batch, features, bar, x_bar);
        let by_direction = sized(by_direction, len);
        for (t, y_dot_bar) in tangents {
            // The cotangent of the direction among the features: the Jacobian's transpose.
            for (input, out) in by_direction.chunks_exact_mut(batch).enumerate() {
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
        let len = self.network.dim() * batch;
        let rates = self.count(q_dot.len() / batch) * batch;
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
        residuals.record(self, batch, x);
        let AnglesResiduals { network, features, gradient, scratch: [pushed, ..], .. } = residuals;
        let pushed = sized(pushed, self.count(q_dot.len() / batch) * batch);
        self.push(batch, features, q_dot, pushed);
        let inner_terms =
            LagrangianTerms { gradient: &mut *gradient, mass: terms.mass, mixed: terms.mixed };
        self.network.terms_recorded(batch, features, pushed, inner_terms, network)?;
        self.pull(batch, features, gradient, terms.gradient);
        Ok(())
    }

    fn terms_vjp(
        &self,
        _x: &[T],
        residuals: &mut Self::Residuals,
        directions: &EulerLagrange<'_, T>,
        bars: LagrangianBars<'_, T>,
        theta_bar: Option<&mut [T]>,
    ) -> Result<(), FieldError> {
        let EulerLagrange { q_dot, q_ddot, eta, lambda } = *directions;
        let AnglesResiduals { network, batch, features, gradient, scratch } = residuals;
        let batch = *batch;
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
