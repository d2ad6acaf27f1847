//! What energies of many bodies write and read.

use hnn_integrators::Scalar;
use ndarray::Array2;

use super::{PartReader, PartWriter, Persist};
use crate::{
    DifferentiableEnergy, EnergySum, KineticEnergy, ModelError, OneBodyEnergy, PairEnergy,
    SeparableEnergy,
};

impl<T: Scalar> Persist<T> for KineticEnergy<T> {
    const KIND: &'static str = "kinetic";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("coordinates", crate::Network::<T>::input_dim(self))?;
        part.property("learned_masses", self.has_learned_masses())?;
        part.property("masses", self.log_masses().len())?;
        part.tensor("log_masses", &[self.log_masses().len()], self.log_masses())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let logarithms = part.tensor("log_masses", &[part.property("masses")?])?;
        let kinetic = Self::of_log_masses(logarithms, part.property("coordinates")?);
        let kinetic = kinetic.map_err(|e| part.fault(e))?;
        Ok(if part.property("learned_masses")? { kinetic.with_learned_masses() } else { kinetic })
    }
}

impl<T: Scalar, U: DifferentiableEnergy<T> + Persist<T>> Persist<T> for OneBodyEnergy<U> {
    const KIND: &'static str = "one_body";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("bodies", self.bodies())?;
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let network = part.inner::<T, U>("network")?;
        Self::new(network, part.property("bodies")?).map_err(|e| part.fault(e))
    }
}

/// Pairs are listed where they are not all of them.
impl<T: Scalar, V: DifferentiableEnergy<T> + Persist<T>> Persist<T> for PairEnergy<V> {
    const KIND: &'static str = "pair";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("separation", self.separation())?;
        part.property("shape", self.shape())?;
        if !self.has_all_pairs() {
            part.property("pairs", self.pairs())?;
            part.property("fixed", self.fixed().iter().collect::<Vec<_>>())?;
        }
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let network = part.inner::<T, V>("network")?;
        let separation = part.property("separation")?;
        let [axes, bodies] = part.property("shape")?;
        let energy = match part.property::<Option<Vec<(usize, usize)>>>("pairs")? {
            None => Self::new(network, separation, axes, bodies),
            Some(pairs) => {
                let fixed = part.property::<Vec<f64>>("fixed")?;
                let places = (fixed.len() / axes.max(1), axes);
                let fixed = Array2::from_shape_vec(places, fixed).map_err(|e| part.fault(e))?;
                Self::between(network, separation, axes, bodies, fixed.view(), &pairs)
            }
        };
        energy.map_err(|e| part.fault(e))
    }
}

impl<T, A, B> Persist<T> for EnergySum<A, B>
where
    T: Scalar,
    A: DifferentiableEnergy<T> + Persist<T>,
    B: DifferentiableEnergy<T> + Persist<T>,
{
    const KIND: &'static str = "energy_sum";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.child("first", self.first())?;
        part.child("second", self.second())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let (first, second) = (part.child::<T, A>("first")?, part.child::<T, B>("second")?);
        Self::new(first, second).map_err(|e| part.fault(e))
    }
}

impl<T, K, V> Persist<T> for SeparableEnergy<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T> + Persist<T>,
    V: DifferentiableEnergy<T> + Persist<T>,
{
    const KIND: &'static str = "separable";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.child("kinetic", self.kinetic())?;
        part.child("potential", self.potential())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let kinetic = part.child::<T, K>("kinetic")?;
        let potential = part.child::<T, V>("potential")?;
        Self::new(kinetic, potential).map_err(|e| part.fault(e))
    }
}
