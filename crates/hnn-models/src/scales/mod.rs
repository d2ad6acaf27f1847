//! The sizes of data, so that networks see numbers of order one whatever the units.

mod energy;
mod lagrangian;
mod map;
mod scaled;
mod sizes;

use std::ops::Range;

use hnn_integrators::Scalar;
use ndarray::ArrayView2;

pub use scaled::Scaled;

pub(crate) use self::sizes::{Sizes, check, refused, root_mean_square};
use crate::{
    Coordinate, DifferentiableEnergy, DifferentiableLagrangian, DifferentiableMap, Dissipative,
    FrictionLaw, FrictionTerm, ModelError, Network, StatePort,
};

/// The sizes of states and of their derivatives, taken from data once.
///
/// A network that is [`Scaled`] by them sees `(x - m) / s`, with the mean `m` and the standard
/// deviation `s` of each coordinate, and what it says is multiplied by the size of what it stands
/// for. Derivatives follow by the chain rule: the model takes and gives the user's units, and stays
/// canonical in them, and in what units the data are makes no difference to its training. The first
/// weights mean what they always do.
///
/// What a coordinate is to a network ([`Network::coordinate`]) is respected: an angle that it
/// sees as cosine and sine stays as it is, and a velocity whose zero is rest is not shifted (its size
/// is the root of its mean square).
///
/// | networks by | are multiplied by |
/// |---|---|
/// | [`energy`](Self::energy), [`kinetic`](Self::kinetic), [`potential`](Self::potential), [`lagrangian`](Self::lagrangian) | the size `E` of the energy |
/// | [`map`](Self::map), for a [`Baseline`](crate::Baseline) | the size of each derivative |
/// | [`friction`](Self::friction), for a [`FrictionForce`](crate::FrictionForce) | the size of each force |
/// | [`dissipative`](Self::dissipative), [`friction_law`](Self::friction_law) | the same over the size of each velocity |
/// | [`port`](Self::port), for a [`StatePort`] | the same over the size of each input |
///
/// *The energy* of states `(q, p)` has the size `E = mean of s_p |dq/dt|` over the degrees of
/// freedom, in root mean squares, and each force that of `dp/dt`. For the states `(q, v)` of a
/// Lagrangian ([`from_velocities`](Self::from_velocities)) the masses are near `E / s_v^2`: without known
/// forces a Lagrangian is known up to a factor only, and `E = mean of v^2`; with them
/// ([`from_forces`](Self::from_forces)) it is multiplied by the mean ratio of these forces to those that such
/// masses would need, so that the mass matrix starts at the data's.
///
/// Losses that weigh each coordinate by its own size
/// ([`derivative_weights`](Self::derivative_weights), [`state_weights`](Self::state_weights)) belong to
/// it.
///
/// ```
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp, Scales};
/// use hnn_systems::Hamiltonian;
/// use ndarray::array;
/// let network = || -> Result<_, hnn_models::ModelError> {
///     Ok(Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1))
/// };
/// // States (q, p) of a spring and their derivatives; the same with p and H in units of 1e-9.
/// let x = array![[1.0, 0.0], [0.0, 1.5], [-0.6, -0.8]];
/// let dx = array![[0.0, -1.0], [1.5, 0.0], [-0.8, 0.6]];
/// let nano = array![1.0, 1e9];
/// let model = Hnn::new(Scales::new(x.view(), dx.view())?.energy(network()?)?)?;
/// let scales = Scales::new((&x * &nano).view(), (&dx * &nano).view())?;
/// let in_nano = Hnn::new(scales.energy(network()?)?)?;
/// let (h, nano_h) = (model.energy_state(&[0.3, 0.5])?, in_nano.energy_state(&[0.3, 0.5e9])?);
/// assert!((nano_h * 1e-9 - h).abs() < 1e-12 * h.abs());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Scales {
    /// Of the states' coordinates, and of the inputs after them.
    state: Sizes,
    rate: Vec<f64>,
    energy: f64,
    force: Vec<f64>,
    /// The size of what friction acts on.
    velocity: Vec<f64>,
}

impl Scales {
    /// From states `(q, p)`, or any that a baseline is to learn, and their derivatives, both of shape
    /// (N, D).
    ///
    /// A coordinate that is constant has its absolute value for a size, or 1 where that is 0; one
    /// that never moves is taken to be as fast as the fastest of the others, relative to its size.
    ///
    /// # Errors
    /// If there is no row, the shapes differ, or a number is NaN or infinite.
    pub fn new<T: Scalar>(
        states: ArrayView2<'_, T>,
        derivatives: ArrayView2<'_, T>,
    ) -> Result<Self, ModelError> {
        check("states", states, states.nrows(), states.ncols())?;
        check("derivatives", derivatives, states.nrows(), states.ncols())?;
        let state = Sizes::of(states);
        let rate = state.rates(derivatives);
        let n = rate.len() / 2;
        let (velocity, force) = (rate[..n].to_vec(), rate[rate.len() - n..].to_vec());
        let energy =
            mean(state.deviation[rate.len() - n..].iter().zip(&velocity).map(|(p, v)| p * v));
        Ok(Self { state, rate, energy, force, velocity })
    }

    /// From the states `(q, v)` of a Lagrangian, and their derivatives.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn from_velocities<T: Scalar>(
        states: ArrayView2<'_, T>,
        derivatives: ArrayView2<'_, T>,
    ) -> Result<Self, ModelError> {
        let mut scales = Self::new(states, derivatives)?;
        scales.energy = mean(scales.speeds().map(|v| v * v));
        let forces = scales.speeds().zip(scales.accelerations());
        scales.force = forces.map(|(v, a)| scales.energy / v / v * a).collect();
        Ok(scales)
    }

    /// The same with the energy taken from known forces of shape (N, n), such as torques, 0 where a
    /// coordinate has none. The masses that follow are rather too large than too small: what holds
    /// against gravity counts as if it accelerated.
    ///
    /// # Errors
    /// As [`new`](Self::new), or if there are not as many rows of forces, or not as many forces as
    /// coordinates `q`, or all are 0.
    ///
    /// ```
    /// use hnn_models::{Architecture, Initialisation, KineticPrior, Lnn, Mlp, Scales};
    /// use ndarray::array;
    /// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Glorot, 1);
    /// // A motor of inertia 2e-6: torques, and the accelerations that they cause.
    /// let (x, dx) = (array![[0.1, 30.0], [0.4, -30.0]], array![[30.0, 900.0], [-30.0, -900.0]]);
    /// let torques = array![[1.8e-3], [-1.8e-3]];
    /// let scales = Scales::from_forces(x.view(), dx.view(), torques.view())?;
    /// let model = Lnn::new(scales.lagrangian(KineticPrior::new(network, 1.0)?)?)?;
    /// let mass = model.mass_matrices(x.view())?[[0, 0, 0]];
    /// assert!(mass > 1e-6 && mass < 4e-6);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn from_forces<T: Scalar>(
        states: ArrayView2<'_, T>,
        derivatives: ArrayView2<'_, T>,
        forces: ArrayView2<'_, T>,
    ) -> Result<Self, ModelError> {
        let scales = Self::from_velocities(states, derivatives)?;
        check("forces", forces, states.nrows(), scales.force.len())?;
        let known = forces.columns().into_iter().map(root_mean_square);
        let known: Vec<f64> = known.collect();
        // Known forces over those of the masses that were assumed.
        let ratios = known.iter().zip(&scales.force).map(|(known, assumed)| known / assumed);
        let ratios: Vec<f64> = ratios.filter(|ratio| *ratio > 0.0).collect();
        if ratios.is_empty() {
            let reason = "all are 0: leave them out, by `Scales::from_velocities`".to_owned();
            return Err(refused("forces", reason));
        }
        let factor = mean(ratios.into_iter());
        let force = scales.force.iter().map(|assumed| factor * assumed).collect();
        Ok(Self { energy: factor * scales.energy, force, ..scales })
    }

    /// The same for friction on the momenta, `F(q, p)` behind a
    /// [`FrictionForce`](crate::FrictionForce), in place of one on the velocities `dq/dt`:
    /// [`dissipative`](Self::dissipative) and [`friction_law`](Self::friction_law) take the size of
    /// the momenta.
    #[must_use]
    pub fn on_momenta(self) -> Self {
        Self { velocity: self.speeds().collect(), ..self }
    }

    /// The same with the inputs of a driven system, shape (N, K), for a [`map`](Self::map) that sees
    /// them after the state: [`Baseline::with_inputs`](crate::Baseline::with_inputs).
    ///
    /// # Errors
    /// If there is no row, or a number is NaN or infinite.
    pub fn with_inputs<T: Scalar>(mut self, inputs: ArrayView2<'_, T>) -> Result<Self, ModelError> {
        check("inputs", inputs, inputs.nrows(), inputs.ncols())?;
        self.state.keep(self.rate.len());
        self.state.append(Sizes::of(inputs));
        Ok(self)
    }

    /// The mean of each coordinate.
    #[must_use]
    pub fn mean(&self) -> &[f64] {
        &self.state.mean[..self.rate.len()]
    }

    /// The size of each coordinate: its standard deviation.
    #[must_use]
    pub fn size(&self) -> &[f64] {
        &self.state.deviation[..self.rate.len()]
    }

    /// The size of each coordinate's derivative: the root of its mean square.
    #[must_use]
    pub fn rate(&self) -> &[f64] {
        &self.rate
    }

    /// Weights for losses of derivatives, `1 / rate^2`: errors count relative to the size of the
    /// derivative of their coordinate.
    #[must_use]
    pub fn derivative_weights(&self) -> Vec<f64> {
        self.rate.iter().map(|rate| rate.powi(-2)).collect()
    }

    /// Weights for losses of states, `1 / size^2`: errors count relative to the size of their
    /// coordinate.
    #[must_use]
    pub fn state_weights(&self) -> Vec<f64> {
        self.size().iter().map(|size| size.powi(-2)).collect()
    }

    /// An energy `H = E N((x - m) / s)`.
    ///
    /// # Errors
    /// If the network has another number of inputs than the data have coordinates, or another
    /// number of outputs than one, or a scale is beyond the range of the scalar type.
    pub fn energy<T: Scalar, N: DifferentiableEnergy<T>>(
        &self,
        network: N,
    ) -> Result<Scaled<N>, ModelError> {
        network.check()?;
        self.scaled(network, 0..self.rate.len(), vec![self.energy])
    }

    /// A kinetic energy of the momenta, the second half of a state.
    ///
    /// # Errors
    /// As [`energy`](Self::energy).
    pub fn kinetic<T: Scalar, N: DifferentiableEnergy<T>>(
        &self,
        network: N,
    ) -> Result<Scaled<N>, ModelError> {
        network.check()?;
        self.scaled(network, self.rate.len() / 2..self.rate.len(), vec![self.energy])
    }

    /// A potential energy of the positions, the first half of a state.
    ///
    /// # Errors
    /// As [`energy`](Self::energy).
    pub fn potential<T: Scalar, N: DifferentiableEnergy<T>>(
        &self,
        network: N,
    ) -> Result<Scaled<N>, ModelError> {
        network.check()?;
        self.scaled(network, 0..self.rate.len() / 2, vec![self.energy])
    }

    /// A Lagrangian `L = E N((x - m) / s)`. A [`MechanicalLagrangian`](crate::MechanicalLagrangian),
    /// and a [`KineticPrior`](crate::KineticPrior) of mass 1, start with masses near `E / s_v^2`.
    ///
    /// # Errors
    /// As [`energy`](Self::energy).
    pub fn lagrangian<T: Scalar, N: DifferentiableLagrangian<T>>(
        &self,
        network: N,
    ) -> Result<Scaled<N>, ModelError> {
        network.check(self.force.len())?;
        self.scaled(network, 0..self.rate.len(), vec![self.energy])
    }

    /// A map to derivatives, for a [`Baseline`](crate::Baseline): of the states, or of the states and the
    /// [inputs](Self::with_inputs).
    ///
    /// # Errors
    /// If the network has another number of inputs or outputs than the data have coordinates, a
    /// scale is beyond the range of the scalar type, or the network is a [`Dissipative`] friction.
    pub fn map<T: Scalar, N: DifferentiableMap<T>>(
        &self,
        network: N,
    ) -> Result<Scaled<N>, ModelError> {
        self.scaled_map("baseline", network, &self.rate)
    }

    /// A map to frictions, for a [`FrictionForce`](crate::FrictionForce).
    ///
    /// # Errors
    /// If the network has another number of inputs than the data have coordinates, or not half as many
    /// outputs, a scale is beyond the range of the scalar type, or the network is a [`Dissipative`]
    /// friction, which is made of a network by [`dissipative`](Self::dissipative).
    pub fn friction<T: Scalar, N: DifferentiableMap<T>>(
        &self,
        network: N,
    ) -> Result<Scaled<N>, ModelError> {
        self.scaled_map("friction", network, &self.force)
    }

    /// A friction `R(x) v` that never feeds energy in, of the network that gives the factor of `R`:
    /// a force of its own with `v = dq/dt`; with [`on_momenta`](Self::on_momenta) for a
    /// [`FrictionForce`](crate::FrictionForce), with the momenta in place of `v`. On all of the state
    /// `R` is in units of the rates over those of `dH/dx`.
    ///
    /// # Errors
    /// As [`Dissipative::new`], or if the network has another number of inputs than the data have
    /// coordinates, or a scale is beyond the range of the scalar type.
    pub fn dissipative<T: Scalar, N: DifferentiableMap<T>>(
        &self,
        network: N,
    ) -> Result<Dissipative<Scaled<N>>, ModelError> {
        let outputs = vec![1.0; network.output_dim()];
        let friction = Dissipative::new(self.scaled(network, 0..self.rate.len(), outputs)?)?;
        let factors: Vec<f64> = if friction.factors().len() == self.rate.len() {
            let sizes = self.rate.iter().zip(self.size());
            sizes.map(|(rate, size)| (rate * size / self.energy).sqrt()).collect()
        } else {
            let sizes = self.force.iter().zip(&self.velocity);
            sizes.map(|(force, v)| (force / v).sqrt()).collect()
        };
        friction.with_factors(&factors)
    }

    /// A port `G(x) u` of the inputs that these scales were given
    /// ([`with_inputs`](Self::with_inputs)), of the network that gives `G`: `G_ik` is in units of
    /// force i, or of rate i where it acts on all of the state, over input k.
    ///
    /// # Errors
    /// As [`StatePort::new`], or if the network has another number of inputs than the data have
    /// coordinates, there are no inputs, or a scale is beyond the range of the scalar type.
    pub fn port<T: Scalar, N: DifferentiableMap<T>>(
        &self,
        network: N,
    ) -> Result<StatePort<Scaled<N>>, ModelError> {
        let inputs = &self.state.about_zero[self.rate.len()..];
        let on_state = network.output_dim() == inputs.len() * self.rate.len();
        let rows = if on_state { &self.rate } else { &self.force };
        let outputs = rows.iter().flat_map(|row| inputs.iter().map(move |input| row / input));
        let outputs = Vec::from_iter(outputs);
        let (given, expected) = (network.output_dim(), outputs.len());
        if given != expected || expected == 0 {
            return Err(ModelError::OutputSize { role: "input port", given, expected });
        }
        StatePort::new(self.scaled(network, 0..self.rate.len(), outputs)?, inputs.len())
    }

    /// A friction law, its constants measured in the sizes of the forces and velocities: a force of its
    /// own on `dq/dt`; with [`on_momenta`](Self::on_momenta) for a
    /// [`FrictionForce`](crate::FrictionForce).
    ///
    /// # Errors
    /// As [`FrictionLaw::new`], or if a unit is beyond the range of the scalar type.
    ///
    /// ```
    /// use hnn_models::{FrictionLaw, FrictionTerm, Scales};
    /// use ndarray::array;
    /// let (x, dx) = (array![[0.1, 3e-5], [0.3, 1e-5]], array![[3.0, -2e-4], [1.0, -6e-4]]);
    /// let scales = Scales::new(x.view(), dx.view())?;
    /// let terms = [FrictionTerm::Viscous, FrictionTerm::Coulomb { width: 0.1 }];
    /// let law: FrictionLaw<f64> = scales.friction_law(&terms)?;
    /// assert!((law.units()[1] - 4.5e-4).abs() < 1e-4);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn friction_law<T: Scalar>(
        &self,
        terms: &[FrictionTerm],
    ) -> Result<FrictionLaw<T>, ModelError> {
        let sizes = || self.force.iter().zip(&self.velocity);
        let units: Vec<f64> = terms
            .iter()
            .flat_map(|term| sizes().map(|(force, velocity)| term.unit(*force, *velocity)))
            .collect();
        let start = vec![T::ZERO; units.len()];
        FrictionLaw::from_parameters(terms, units, false, start)
    }

    fn scaled_map<T: Scalar, N: DifferentiableMap<T>>(
        &self,
        role: &'static str,
        network: N,
        outputs: &[f64],
    ) -> Result<Scaled<N>, ModelError> {
        let (given, expected) = (network.output_dim(), outputs.len());
        if given != expected {
            return Err(ModelError::OutputSize { role, given, expected });
        }
        if (0..network.input_dim()).any(|i| network.coordinate(i) == Coordinate::Velocity) {
            return Err(ModelError::ScaledFriction);
        }
        let coordinates = match network.input_dim() > self.rate.len() {
            true => 0..self.state.mean.len(),
            false => 0..self.rate.len(),
        };
        self.scaled(network, coordinates, outputs.to_vec())
    }

    fn scaled<T: Scalar, N: Network<T>>(
        &self,
        network: N,
        coordinates: Range<usize>,
        outputs: Vec<f64>,
    ) -> Result<Scaled<N>, ModelError> {
        let Sizes { mean, deviation, about_zero } = &self.state;
        let of = |(i, own): (usize, usize)| match network.coordinate(own) {
            Coordinate::Number => (mean[i], deviation[i]),
            Coordinate::Angle => (0.0, 1.0),
            Coordinate::Velocity => (0.0, about_zero[i]),
        };
        let (mean, size) = coordinates.zip(0..).map(of).unzip();
        Scaled::new(network, mean, size, outputs)
    }

    /// The sizes of the second half of the states, and of its derivatives.
    fn speeds(&self) -> impl ExactSizeIterator<Item = f64> {
        let n = self.rate.len();
        self.state.about_zero[n - self.force.len()..n].iter().copied()
    }

    fn accelerations(&self) -> impl ExactSizeIterator<Item = f64> {
        self.rate[self.rate.len() - self.force.len()..].iter().copied()
    }
}

/// The mean; 1 of nothing.
fn mean(sizes: impl ExactSizeIterator<Item = f64>) -> f64 {
    match sizes.len() {
        0 => 1.0,
        count => sizes.map(|size| size / count as f64).sum(),
    }
}
