//! Models of whatever kind a file holds.

mod energy;
mod force;
mod lagrangian;
mod map;
mod part;

use std::fmt;
use std::sync::Arc;

use hnn_integrators::{At, FieldError, Scalar, VectorField, Workspace};
use hnn_systems::Hamiltonian;

pub(crate) use energy::AnyEnergy;
pub(crate) use force::AnyForce;
pub(crate) use lagrangian::AnyLagrangian;
pub(crate) use map::AnyMap;

use self::part::Part;
use crate::{
    Baseline, FrictionForce, Hnn, Lnn, ModelError, PartReader, PartWriter, Persist, SeparableHnn,
};

/// The model that a file holds, whatever its kind: for programs that run models and need not know
/// their types, such as simulators and controllers.
///
/// It is evaluated by the same code as the model that was saved, for one state or a batch, and is shared
/// by threads without a copy of its weights. An evaluation allocates nothing once its
/// [`Workspace`] has grown, which is a thread's own.
///
/// Any model of this crate's own parts is read: a baseline, an HNN with its forces, a separable HNN, a Lagrangian
/// network, of perceptrons, scaled or with angles, and of energies of many bodies. (One exception: a
/// [`MechanicalLagrangian`](crate::MechanicalLagrangian) whose mass matrix sees other coordinates than its potential.)
///
/// ```
/// use hnn_integrators::{At, VectorField, Workspace};
/// use hnn_models::{AnyModel, Architecture, Hnn, Initialisation, InputPort, Mlp, Persist};
/// # let folder = tempfile::tempdir()?;
/// # let path = folder.path().join("model.safetensors");
/// let network = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 1);
/// let model = Hnn::forced(network, InputPort::new(1))?;
/// model.save(&path)?;
///
/// let any = AnyModel::<f64>::load(&path)?;
/// assert_eq!((any.kind(), any.dim(), any.inputs()), ("hnn_forced", 2, 1));
/// let (at, x, mut dx) = (At { t: &[0.0], u: &[0.5] }, [0.3, -0.2], [0.0; 2]);
/// let mut workspace = Workspace::default();
/// any.eval(at, &x, &mut dx, &mut workspace)?;
/// let (mut energy, mut gradient) = ([0.0], [0.0; 2]);
/// if let Some(h) = any.hamiltonian() {
///     h.energy(&x, &mut energy, &mut workspace)?;
///     h.energy_gradient(1, &x, &mut gradient, &mut workspace)?;
/// }
/// assert_eq!(dx, [gradient[1], 0.5 - gradient[0]]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct AnyModel<T: Scalar> {
    model: Arc<dyn Model<T>>,
}

impl<T: Scalar> AnyModel<T> {
    /// The kind of model, as its file calls it: `"baseline"`, `"hnn"`, `"hnn_friction"`, `"hnn_forced"`,
    /// `"hnn_separable"` or `"lnn"`.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        self.model.kind()
    }

    /// The model with its energy; none of a baseline, which has no energy.
    #[must_use]
    pub fn hamiltonian(&self) -> Option<&dyn Hamiltonian<T>> {
        self.model.hamiltonian()
    }
}

/// A model of any kind, as an object.
trait Model<T: Scalar>: Part<T> + VectorField<T> {
    fn hamiltonian(&self) -> Option<&dyn Hamiltonian<T>>;
}

impl<T: Scalar> Model<T> for Baseline<AnyMap<T>> {
    fn hamiltonian(&self) -> Option<&dyn Hamiltonian<T>> {
        None
    }
}

/// Those that have an energy.
macro_rules! hamiltonians {
    ($($model:ty),+) => {
        $(impl<T: Scalar> Model<T> for $model {
            fn hamiltonian(&self) -> Option<&dyn Hamiltonian<T>> {
                Some(self)
            }
        })+
    };
}

type AnyHnn<T> = Hnn<AnyEnergy<T>>;
type AnyHnnFriction<T> = Hnn<AnyEnergy<T>, FrictionForce<AnyMap<T>>>;
type AnyHnnForced<T> = Hnn<AnyEnergy<T>, AnyForce<T>>;
type AnySeparable<T> = SeparableHnn<AnyEnergy<T>, AnyEnergy<T>>;
type AnyLnn<T> = Lnn<AnyLagrangian<T>, AnyForce<T>>;

hamiltonians!(AnyHnn<T>, AnyHnnFriction<T>, AnyHnnForced<T>, AnySeparable<T>, AnyLnn<T>);

impl<T: Scalar> Persist<T> for AnyModel<T> {
    const KIND: &'static str = "model of any kind";

    fn kind(&self) -> &'static str {
        self.model.kind()
    }

    fn reads(_kind: &str) -> bool {
        true
    }

    fn write(&self, part: &mut PartWriter<'_>) -> Result<(), ModelError> {
        self.model.write(part)
    }

    fn read(part: &PartReader<'_>) -> Result<Self, ModelError> {
        fn model<T: Scalar, M>(part: &PartReader<'_>) -> Result<AnyModel<T>, ModelError>
        where
            M: Persist<T> + Model<T> + 'static,
        {
            Ok(AnyModel { model: Arc::new(M::read(part)?) })
        }
        match part.kind() {
            "baseline" => model::<T, Baseline<AnyMap<T>>>(part),
            "hnn" => model::<T, AnyHnn<T>>(part),
            "hnn_friction" => model::<T, AnyHnnFriction<T>>(part),
            "hnn_forced" => model::<T, AnyHnnForced<T>>(part),
            "hnn_separable" => model::<T, AnySeparable<T>>(part),
            "lnn" => model::<T, AnyLnn<T>>(part),
            kind => Err(part.fault(format!(
                "it holds a part of kind {kind:?}, which is no field of its own: load it as the type that was saved"
            ))),
        }
    }
}

impl<T: Scalar> VectorField<T> for AnyModel<T> {
    fn dim(&self) -> usize {
        self.model.dim()
    }

    fn inputs(&self) -> usize {
        self.model.inputs()
    }

    fn eval(
        &self,
        at: At<'_, T>,
        x: &[T],
        dx: &mut [T],
        workspace: &mut Workspace<T>,
    ) -> Result<(), FieldError> {
        self.model.eval(at, x, dx, workspace)
    }

    fn block_len(&self) -> usize {
        self.model.block_len()
    }
}

impl<T: Scalar> fmt::Debug for AnyModel<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [dim, inputs] = [self.model.dim(), self.model.inputs()];
        f.debug_struct("AnyModel")
            .field("kind", &self.kind())
            .field("dim", &dim)
            .field("inputs", &inputs)
            .finish()
    }
}
