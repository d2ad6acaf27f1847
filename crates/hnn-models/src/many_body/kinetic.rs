//! The kinetic energy of masses.

use hnn_integrators::{FieldError, Parameters, Scalar, ThetaBar, Workspace};

use crate::{Coordinate, DifferentiableEnergy, Keep, ModelError, Network, Record};

/// The kinetic energy `T(p) = sum_k p_k^2 / (2 m_k)` of momenta, with masses known or learned.
///
/// Parameters: where they are learned, the logarithms of the masses.
///
/// ```
/// use hnn_integrators::Parameters;
/// use hnn_models::{DifferentiableEnergy, KineticEnergy};
/// // Two bodies in the plane, of masses 1 and 2; momenta axis by axis.
/// let kinetic = KineticEnergy::<f64>::new(&[1.0, 2.0], 4)?.with_learned_masses();
/// let mut energy = [0.0];
/// kinetic.energy(&[3.0, 4.0, 0.0, 2.0], &mut energy, &mut Default::default())?;
/// assert_eq!((energy[0], kinetic.num_params()), (4.5 + 4.0 + 1.0, 2));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct KineticEnergy<T> {
    log_masses: Vec<T>,
    inverse_masses: Vec<T>,
    learned: bool,
    coordinates: usize,
}

impl<T: Scalar> KineticEnergy<T> {
    /// Of so many momenta, and their masses: one for each, or fewer, which repeat. Of `N` bodies whose
    /// momenta stand axis by axis they are one for each body, or one for all.
    ///
    /// # Errors
    /// If a mass is not finite and positive, or the number of momenta is no multiple of that of the masses.
    pub fn new(masses: &[f64], coordinates: usize) -> Result<Self, ModelError> {
        if let Some(mass) = masses.iter().find(|mass| !(mass.is_finite() && **mass > 0.0)) {
            return Err(ModelError::Mass { mass: *mass });
        }
        let log_masses = masses.iter().map(|mass| T::from_f64(mass.ln())).collect();
        Self::of_log_masses(log_masses, coordinates)
    }

    /// Of the logarithms of masses.
    pub(crate) fn of_log_masses(
        log_masses: Vec<T>,
        coordinates: usize,
    ) -> Result<Self, ModelError> {
        if log_masses.is_empty() || !coordinates.is_multiple_of(log_masses.len()) {
            return Err(ModelError::Masses { given: log_masses.len(), coordinates });
        }
        let inverse_masses = inverse(&log_masses);
        Ok(Self { log_masses, inverse_masses, learned: false, coordinates })
    }

    /// The same with masses that are learned, from those given.
    #[must_use]
    pub fn with_learned_masses(mut self) -> Self {
        self.learned = true;
        self
    }

    /// Whether the masses are learned.
    #[must_use]
    pub fn has_learned_masses(&self) -> bool {
        self.learned
    }

    /// The masses, as they repeat.
    #[must_use]
    pub fn masses(&self) -> Vec<T> {
        self.log_masses.iter().map(|log| log.exp()).collect()
    }

    /// The logarithms of the masses.
    pub(crate) fn log_masses(&self) -> &[T] {
        &self.log_masses
    }

    /// Each lane of a batch, with the index of its mass.
    fn lanes<'a>(&self, batch: usize, p: &'a [T]) -> impl Iterator<Item = (usize, &'a [T])> {
        let masses = self.log_masses.len();
        p.chunks_exact(batch.max(1)).enumerate().map(move |(lane, p)| (lane % masses, p))
    }

    /// `p / m`.
    fn divide(&self, batch: usize, p: &[T], out: &mut [T]) {
        for (out, (mass, p)) in out.chunks_exact_mut(batch.max(1)).zip(self.lanes(batch, p)) {
            let inverse = self.inverse_masses[mass];
            out.iter_mut().zip(p).for_each(|(out, p)| *out = inverse * *p);
        }
    }
}

fn inverse<T: Scalar>(log_masses: &[T]) -> Vec<T> {
    log_masses.iter().map(|log| (-*log).exp()).collect()
}

impl<T: Scalar> Parameters<T> for KineticEnergy<T> {
    fn num_params(&self) -> usize {
        if self.learned { self.log_masses.len() } else { 0 }
    }

    fn copy_params(&self, out: &mut [T]) -> Result<(), FieldError> {
        FieldError::check_parameters(out.len(), self.num_params())?;
        out.copy_from_slice(&self.log_masses[..self.num_params()]);
        Ok(())
    }

    fn set_params(&mut self, theta: &[T]) -> Result<(), FieldError> {
        FieldError::check_parameters(theta.len(), self.num_params())?;
        if self.learned {
            self.log_masses.copy_from_slice(theta);
            self.inverse_masses = inverse(theta);
        }
        Ok(())
    }
}

impl<T: Scalar> Network<T> for KineticEnergy<T> {
    fn input_dim(&self) -> usize {
        self.coordinates
    }

    fn coordinate(&self, _index: usize) -> Coordinate {
        Coordinate::Velocity
    }
}

impl<T: Scalar> DifferentiableEnergy<T> for KineticEnergy<T> {
    /// The number of states.
    type Residuals = Record<T>;

    fn energy(
        &self,
        p: &[T],
        energy: &mut [T],
        _workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        let batch = energy.len();
        FieldError::check_lengths(self.coordinates * batch, [("the states", p.len())])?;
        energy.fill(T::ZERO);
        for (mass, p) in self.lanes(batch, p) {
            let half = T::from_f64(0.5) * self.inverse_masses[mass];
            energy.iter_mut().zip(p).for_each(|(energy, p)| *energy += half * *p * *p);
        }
        Ok(())
    }

    fn gradient(
        &self,
        batch: usize,
        p: &[T],
        gradient: &mut [T],
        keep: Keep<'_, T, Record<T>>,
    ) -> Result<(), FieldError> {
        let slices = [("the states", p.len()), ("the gradients", gradient.len())];
        FieldError::check_lengths(self.coordinates * batch, slices)?;
        keep.split(batch, 0);
        self.divide(batch, p, gradient);
        Ok(())
    }

    fn gradient_vjp(
        &self,
        p: &[T],
        residuals: &mut Record<T>,
        w: &[T],
        p_bar: &mut [T],
        mut theta_bar: ThetaBar<'_, T>,
    ) -> Result<(), FieldError> {
        let batch = residuals.batch;
        FieldError::check_cotangents(self.coordinates * batch, [p, w, &*p_bar])?;
        theta_bar.check(self.num_params(), batch)?;
        self.divide(batch, w, p_bar);
        if self.learned {
            // d ln m moves 1 / m by -1 / m.
            for ((mass, p), w_over_m) in self.lanes(batch, p).zip(p_bar.chunks_exact(batch.max(1)))
            {
                theta_bar.add_rows(mass, p.iter().zip(w_over_m).map(|(p, w)| -(*p * *w)));
            }
        }
        Ok(())
    }
}
