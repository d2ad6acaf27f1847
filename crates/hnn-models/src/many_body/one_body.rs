//! An energy of each body.

use hnn_integrators::{FieldError, Scalar, ThetaBar, Workspace};

use super::coordinates;
use crate::parameters::parameters;
use crate::sections::sections;
use crate::{DifferentiableEnergy, Keep, ModelError, Network, Record};

/// An energy `sum_i U(z_i)` with one network `U` of the `D` coordinates of a body for all `N` bodies: an external
/// potential of positions, or a kinetic energy of momenta, of bodies that are alike.
///
/// Coordinates go axis by axis, as of a [`PairEnergy`](crate::PairEnergy), with which it is added up by an
/// [`EnergySum`](crate::EnergySum).
///
/// Parameters: those of `U`.
///
/// ```
/// use hnn_models::{Architecture, DifferentiableEnergy, Initialisation, Mlp, OneBodyEnergy};
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 8, 1])?, Initialisation::Orthogonal, 1);
/// let trap = OneBodyEnergy::new(network, 3)?;
/// // Two states of three bodies in the plane: bodies change places, and the energy stays.
/// let mut energy = [0.0; 2];
/// let x = [0.1, 0.3, 0.2, 0.1, 0.3, 0.2, 4.0, 6.0, 5.0, 4.0, 6.0, 5.0];
/// trap.energy(&x, &mut energy, &mut Default::default())?;
/// assert!((energy[0] - energy[1]).abs() < 1e-15);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct OneBodyEnergy<U> {
    network: U,
    bodies: usize,
    coordinates: usize,
}

impl<U> OneBodyEnergy<U> {
    /// Of so many bodies, each with as many coordinates as the network has inputs.
    ///
    /// # Errors
    /// If the network has another number of outputs than one, there is no body, or there are more than a call may take
    /// memory for.
    pub fn new<T: Scalar>(network: U, bodies: usize) -> Result<Self, ModelError>
    where
        U: DifferentiableEnergy<T>,
    {
        network.check()?;
        let coordinates = coordinates(network.input_dim(), bodies)?;
        Ok(Self { network, bodies, coordinates })
    }

    /// The network `U`.
    pub fn network(&self) -> &U {
        &self.network
    }

    /// Number of bodies.
    #[must_use]
    pub fn bodies(&self) -> usize {
        self.bodies
    }

    /// The lanes of one body in a batch.
    fn lanes(&self, batch: usize, body: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
        let lanes = (body..self.coordinates).step_by(self.bodies);
        lanes.map(move |lane| lane * batch..(lane + 1) * batch)
    }

    fn gather<T: Scalar>(&self, batch: usize, body: usize, x: &[T], own: &mut [T]) {
        for (lane, own) in self.lanes(batch, body).zip(own.chunks_exact_mut(batch.max(1))) {
            own.copy_from_slice(&x[lane]);
        }
    }

    fn scatter<T: Scalar>(&self, batch: usize, body: usize, own: &[T], x: &mut [T]) {
        for (lane, own) in self.lanes(batch, body).zip(own.chunks_exact(batch.max(1))) {
            x[lane].copy_from_slice(own);
        }
    }
}

parameters!(OneBodyEnergy<U>: network);

impl<T: Scalar, U: DifferentiableEnergy<T>> Network<T> for OneBodyEnergy<U> {
    fn input_dim(&self) -> usize {
        self.coordinates
    }

    fn coordinate(&self, index: usize) -> crate::Coordinate {
        self.network.coordinate(index / self.bodies)
    }
}

/// Coordinates axis by axis are a batch of `N B` bodies as they lie.
impl<T: Scalar, U: DifferentiableEnergy<T>> DifferentiableEnergy<T> for OneBodyEnergy<U> {
    /// The coordinates body by body, and what two of a body are for; of the network those of each body, as of a
    /// [`PairEnergy`](crate::PairEnergy).
    type Residuals = Record<T, Vec<U::Residuals>>;

    fn energy(
        &self,
        x: &[T],
        energy: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        FieldError::check_lengths(self.coordinates * batch, [("the states", x.len())])?;
        let (values, inner) = workspace.split(self.bodies * batch);
        self.network.energy(x, values, inner)?;
        energy.fill(T::ZERO);
        for values in values.chunks_exact(batch.max(1)) {
            energy.iter_mut().zip(values).for_each(|(sum, value)| *sum += *value);
        }
        Ok(())
    }

    fn gradient(
        &self,
        batch: usize,
        x: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Self::Residuals>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", x.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(self.coordinates * batch, slices)?;
        let record = match keep {
            Keep::Nothing(workspace) => {
                let rows = self.bodies * batch;
                return self.network.gradient(rows, x, gradient, Keep::Nothing(workspace));
            }
            Keep::Residuals(record) => record,
        };
        let len = self.network.input_dim() * batch;
        let (numbers, kept) = record.begin(batch, x.len() + 2 * len);
        let (own, rest) = numbers.split_at_mut(x.len());
        let slope = &mut rest[..len];
        kept.resize_with(self.bodies, Default::default);
        for (body, kept) in kept.iter_mut().enumerate() {
            let z = &mut own[body * len..(body + 1) * len];
            self.gather(batch, body, x, z);
            self.network.gradient(batch, z, slope, Keep::Residuals(kept))?;
            self.scatter(batch, body, slope, gradient);
        }
        Ok(())
    }

    fn gradient_vjp(
        &self,
        x: &[T],
        residuals: &mut Self::Residuals,
        w: &[T],
        x_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        FieldError::check_cotangents(self.coordinates * batch, [x, w, &*x_bar])?;
        theta_bar.check(self.network.num_params(), batch)?;
        let len = self.network.input_dim() * batch;
        let (numbers, kept) = residuals.recorded(x.len() + 2 * len)?;
        let mut take = sections(numbers);
        let (own, t, bar) = (take(x.len()), take(len), take(len));
        for (body, kept) in kept.iter_mut().enumerate() {
            self.gather(batch, body, w, t);
            let z = &own[body * len..(body + 1) * len];
            self.network.gradient_vjp(z, kept, t, bar, theta_bar.reborrow())?;
            self.scatter(batch, body, bar, x_bar);
        }
        Ok(())
    }

    fn block_len(&self) -> usize {
        self.network.block_len()
    }
}
