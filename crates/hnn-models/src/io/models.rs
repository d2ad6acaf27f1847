//! What each model writes and reads.

use hnn_integrators::{Constrained, Constraint, Scalar, StateForm, VectorField, compiled_here};
use hnn_systems::{End, Rod, Rods};
use ndarray::Array2;

use super::{PartReader, PartWriter, Persist};
use crate::any::AnyForce;
use crate::mlp::{Architecture, Mlp};
use crate::{
    Angles, Baseline, ConstrainedHnn, DifferentiableEnergy, DifferentiableLagrangian,
    DifferentiableMap, Dissipative, ExternalForce, FrictionForce, FrictionLaw, FrictionTerm,
    GeneralisedForce, Hnn, InputPort, JacobianMap, KineticPrior, Lnn, MechanicalLagrangian,
    ModelError, Network, Scaled, SeparableHnn, StatePort, Sum, Unforced,
};

/// PyTorch's names of a layer's tensors.
fn names(index: usize) -> (String, String) {
    (format!("linear{}.weight", index + 1), format!("linear{}.bias", index + 1))
}

impl<T: Scalar> Persist<T> for Mlp<T> {
    const KIND: &'static str = "mlp";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        type Write<T> = fn(&Mlp<T>, &mut PartWriter<'_>) -> Result<(), ModelError>;
        compiled_here!(T => Write<T>, Mlp::write_to)(self, part)
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        compiled_here!(T => fn(&PartReader<'_>) -> Result<Mlp<T>, ModelError>, Mlp::read_from)(part)
    }
}

impl<T: Scalar> Mlp<T> {
    fn write_to(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        let architecture = self.architecture();
        part.property("sizes", architecture.sizes())?;
        part.property("activation", architecture.activation())?;
        part.property("output_bias", architecture.output_bias())?;
        for (index, layer) in architecture.layers().iter().enumerate() {
            let (weight, bias) = names(index);
            let theta = self.params();
            part.tensor(&weight, &[layer.rows, layer.cols], &theta[layer.start..layer.bias()])?;
            if layer.has_bias {
                part.tensor(&bias, &[layer.rows], &theta[layer.bias()..layer.end()])?;
            }
        }
        Ok(())
    }

    fn read_from(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let architecture = Architecture::new(&part.property::<Vec<usize>>("sizes")?)
            .map_err(|e| part.fault(e))?
            .with_activation(part.property("activation")?)
            .with_output_bias(part.property("output_bias")?);
        let theta = super::state_dict::flat(&architecture, |index, shape, is_bias| {
            let (weight, bias) = names(index);
            part.tensor(if is_bias { &bias } else { &weight }, shape)
        })?;
        Self::from_params(architecture, theta).map_err(|e| part.fault(e))
    }
}

impl<T: Scalar, N: DifferentiableMap<T> + Persist<T>> Persist<T> for Dissipative<N> {
    const KIND: &'static str = "dissipative";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        if self.factors().iter().any(|factor| *factor != 1.0) {
            part.property("factors", self.factors())?;
        }
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let friction = Self::new(part.inner::<T, N>("network")?).map_err(|e| part.fault(e))?;
        match part.property::<Option<Vec<f64>>>("factors")? {
            Some(factors) => friction.with_factors(&factors).map_err(|e| part.fault(e)),
            None => Ok(friction),
        }
    }
}

impl<T: Scalar, N: DifferentiableMap<T> + Persist<T>> Persist<T> for Baseline<N> {
    const KIND: &'static str = "baseline";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        match VectorField::<T>::inputs(self) {
            0 => {}
            inputs => part.property("inputs", inputs)?,
        }
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let inputs = part.property::<Option<usize>>("inputs")?.unwrap_or(0);
        Self::with_inputs(part.inner::<T, N>("network")?, inputs).map_err(|e| part.fault(e))
    }
}

impl<T: Scalar, E: DifferentiableEnergy<T> + Persist<T>> Persist<T> for Hnn<E> {
    const KIND: &'static str = "hnn";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.inner("hamiltonian", self.energy_network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        Self::new(part.inner::<T, E>("hamiltonian")?).map_err(|e| part.fault(e))
    }
}

impl<T, E, F> Persist<T> for Hnn<E, FrictionForce<F>>
where
    T: Scalar,
    E: DifferentiableEnergy<T> + Persist<T>,
    F: DifferentiableMap<T> + Persist<T>,
{
    const KIND: &'static str = "hnn_friction";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        write_reach(part, self)?;
        part.child("hamiltonian", self.energy_network())?;
        part.child("friction", self.force().friction())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let hamiltonian = part.child::<T, E>("hamiltonian")?;
        let friction = FrictionForce::new(part.child::<T, F>("friction")?);
        Self::acting(hamiltonian, friction, read_reach(part)?).map_err(|e| part.fault(e))
    }
}

/// Whether a force acts on all of the state.
fn write_reach<E, Q>(part: &mut PartWriter<'_>, model: &Hnn<E, Q>) -> Result<(), ModelError> {
    if model.acts_on_state() { part.property("on_state", true) } else { Ok(()) }
}

fn read_reach(part: &PartReader<'_>) -> Result<bool, ModelError> {
    Ok(part.property::<Option<bool>>("on_state")?.unwrap_or_default())
}

/// An HNN with any other force.
macro_rules! forced_hnn {
    ($force:ty $(, $part:ident)*) => {
        impl<T, E $(, $part)*> Persist<T> for Hnn<E, $force>
        where
            T: Scalar,
            E: DifferentiableEnergy<T> + Persist<T>,
            $force: GeneralisedForce<T> + Persist<T>,
        {
            const KIND: &'static str = "hnn_forced";

            fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
                write_reach(part, self)?;
                part.child("hamiltonian", self.energy_network())?;
                part.child("force", self.force())
            }

            fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
                let hamiltonian = part.child::<T, E>("hamiltonian")?;
                let force = part.child::<T, $force>("force")?;
                Self::acting(hamiltonian, force, read_reach(part)?).map_err(|e| part.fault(e))
            }
        }
    };
}

forced_hnn!(Dissipative<N>, N);
forced_hnn!(FrictionLaw<T>);
forced_hnn!(InputPort);
forced_hnn!(StatePort<N>, N);
forced_hnn!(ExternalForce<P>, P);
forced_hnn!(Sum<A, B>, A, B);
forced_hnn!(AnyForce<T>);

impl<T, K, V> Persist<T> for SeparableHnn<K, V>
where
    T: Scalar,
    K: DifferentiableEnergy<T> + Persist<T>,
    V: DifferentiableEnergy<T> + Persist<T>,
{
    const KIND: &'static str = "hnn_separable";

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

impl<T, V, C> Persist<T> for ConstrainedHnn<V, C, T>
where
    T: Scalar,
    V: DifferentiableEnergy<T> + Persist<T>,
    C: Constraint + Persist<T>,
{
    const KIND: &'static str = "hnn_constrained";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("velocities", self.inertia().form() == StateForm::Lagrangian)?;
        part.property("learned_masses", self.has_learned_masses())?;
        part.property("masses", self.log_masses().len())?;
        part.tensor("log_masses", &[self.log_masses().len()], self.log_masses())?;
        part.child("potential", self.potential())?;
        part.child("constraint", self.constraint())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let form = match part.property("velocities")? {
            true => StateForm::Lagrangian,
            false => StateForm::Canonical,
        };
        let potential = part.child::<T, V>("potential")?;
        let constraint = part.child::<T, C>("constraint")?;
        let logarithms = part.tensor("log_masses", &[part.property("masses")?])?;
        let model = Self::with_log_masses(potential, constraint, form, logarithms);
        let model = model.map_err(|e| part.fault(e))?;
        Ok(if part.property("learned_masses")? { model.with_learned_masses() } else { model })
    }
}

/// Points, and each rod: its begin, a fixed place or a point, its end, its length.
impl<T: Scalar, const D: usize, const N: usize, const C: usize> Persist<T> for Rods<D, N, C> {
    const KIND: &'static str = "rods";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        let place = |rod: &Rod<D>| match rod.from {
            End::Fixed(place) => (Some(place.to_vec()), None),
            End::Point(point) => (None, Some(point)),
        };
        let rods = self.rods().iter().map(|rod| (place(rod), rod.to, rod.length));
        part.property("points", N)?;
        part.property("rods", rods.collect::<Vec<_>>())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        type Saved = ((Option<Vec<f64>>, Option<usize>), usize, f64);
        let points = part.property::<usize>("points")?;
        if points != N {
            return Err(part.fault(format!("rods between {points} points, not {N}")));
        }
        let rods = part.property::<Vec<Saved>>("rods")?.into_iter().map(|(from, to, length)| {
            let from = match from {
                (Some(place), None) => End::Fixed(place.try_into().ok()?),
                (None, Some(point)) => End::Point(point),
                _ => return None,
            };
            Some(Rod { from, to, length })
        });
        let rods = rods.collect::<Option<Vec<_>>>().and_then(|rods| rods.try_into().ok());
        let rods = rods.ok_or_else(|| part.fault(format!("no {C} rods in {D} dimensions")))?;
        Self::new(rods).map_err(|e| part.fault(e))
    }
}

impl<T, L, Q> Persist<T> for Lnn<L, Q>
where
    T: Scalar,
    L: DifferentiableLagrangian<T> + Persist<T>,
    Q: GeneralisedForce<T> + Persist<T>,
{
    const KIND: &'static str = "lnn";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("rcond", self.rcond())?;
        part.child("lagrangian", self.lagrangian())?;
        part.child("force", self.force())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let lagrangian = part.child::<T, L>("lagrangian")?;
        let force = part.child::<T, Q>("force")?;
        let model = Self::forced(lagrangian, force).map_err(|e| part.fault(e))?;
        match part.property::<Option<f64>>("rcond")? {
            Some(rcond) => model.with_rcond(rcond).map_err(|e| part.fault(e)),
            None => Ok(model),
        }
    }
}

impl<T: Scalar> Persist<T> for Unforced {
    const KIND: &'static str = "unforced";

    fn write(&self, _part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        Ok(())
    }

    fn read(_part: &PartReader<'_>) -> Result<Self, ModelError> {
        Ok(Self)
    }
}

impl<T: Scalar> Persist<T> for InputPort {
    const KIND: &'static str = "input_port";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        let matrix = self.matrix();
        part.property("fitted", self.is_fitted())?;
        part.property("shape", [matrix.nrows(), matrix.ncols()])?;
        part.property("matrix", matrix.iter().collect::<Vec<_>>())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let (shape, entries) = (part.property::<[usize; 2]>("shape")?, part.property("matrix")?);
        let matrix = Array2::from_shape_vec(shape, entries).map_err(|e| part.fault(e))?;
        let port = Self::with_matrix(matrix).map_err(|e| part.fault(e))?;
        let fitted = part.property::<Option<bool>>("fitted")?.unwrap_or_default();
        Ok(if fitted { port.fitted() } else { port })
    }
}

impl<T: Scalar, N: DifferentiableMap<T> + Persist<T>> Persist<T> for StatePort<N> {
    const KIND: &'static str = "state_port";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("inputs", GeneralisedForce::<T>::inputs(self))?;
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let network = part.inner::<T, N>("network")?;
        Self::new(network, part.property("inputs")?).map_err(|e| part.fault(e))
    }
}

impl<T: Scalar, P: GeneralisedForce<T> + Persist<T>> Persist<T> for ExternalForce<P> {
    const KIND: &'static str = "external";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("harmonics", self.harmonics())?;
        part.inner("port", self.port())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let port = part.inner::<T, P>("port")?;
        Self::new(port, part.property("harmonics")?).map_err(|e| part.fault(e))
    }
}

impl<T: Scalar, F: DifferentiableMap<T> + Persist<T>> Persist<T> for FrictionForce<F> {
    const KIND: &'static str = "friction";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.inner("friction", self.friction())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        Ok(Self::new(part.inner::<T, F>("friction")?))
    }
}

impl<T, A, B> Persist<T> for Sum<A, B>
where
    T: Scalar,
    A: GeneralisedForce<T> + Persist<T>,
    B: GeneralisedForce<T> + Persist<T>,
{
    const KIND: &'static str = "sum";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.child("first", &self.0)?;
        part.child("second", &self.1)
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        Ok(Self(part.child::<T, A>("first")?, part.child::<T, B>("second")?))
    }
}

impl<T: Scalar, L: DifferentiableLagrangian<T> + Persist<T>> Persist<T> for KineticPrior<L> {
    const KIND: &'static str = "kinetic_prior";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("mass", self.mass())?;
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let mass = part.property("mass")?;
        Self::new(part.inner::<T, L>("network")?, mass).map_err(|e| part.fault(e))
    }
}

impl<T, N, V> Persist<T> for MechanicalLagrangian<N, V>
where
    T: Scalar,
    N: JacobianMap<T> + Persist<T>,
    V: DifferentiableEnergy<T> + Persist<T>,
{
    const KIND: &'static str = "mechanical";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("epsilon", self.epsilon())?;
        part.child("factor", self.factor())?;
        part.child("potential", self.potential())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let factor = part.child::<T, N>("factor")?;
        let potential = part.child::<T, V>("potential")?;
        let lagrangian = Self::new(factor, potential).map_err(|e| part.fault(e))?;
        lagrangian.with_epsilon(part.property("epsilon")?).map_err(|e| part.fault(e))
    }
}

impl<T: Scalar, N: Network<T> + Persist<T>> Persist<T> for Angles<N> {
    const KIND: &'static str = "angles";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("angles", self.angles())?;
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let network = part.inner::<T, N>("network")?;
        let angles: Vec<bool> = part.property("angles")?;
        Self::new(network, &angles).map_err(|e| part.fault(e))
    }
}

impl<T: Scalar, N: Network<T> + Persist<T>> Persist<T> for Scaled<N> {
    const KIND: &'static str = "scaled";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("mean", self.mean())?;
        part.property("size", self.size())?;
        part.property("outputs", self.outputs())?;
        part.inner("network", self.network())
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let network = part.inner::<T, N>("network")?;
        let (mean, size) = (part.property("mean")?, part.property("size")?);
        Self::new(network, mean, size, part.property("outputs")?).map_err(|e| part.fault(e))
    }
}

impl<T: Scalar> Persist<T> for FrictionLaw<T> {
    const KIND: &'static str = "friction_law";

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        part.property("terms", self.terms())?;
        part.property("units", self.units())?;
        part.property("non_negative", self.is_non_negative())?;
        part.tensor(
            "parameters",
            &[self.terms().len(), self.units().len() / self.terms().len()],
            self.parameters(),
        )
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        let terms: Vec<FrictionTerm> = part.property("terms")?;
        let units: Vec<f64> = part.property("units")?;
        let n = units.len() / terms.len().max(1);
        let theta = part.tensor("parameters", &[terms.len(), n])?;
        let is_non_negative = part.property("non_negative")?;
        Self::from_parameters(&terms, units, is_non_negative, theta).map_err(|e| part.fault(e))
    }
}
