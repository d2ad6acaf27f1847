//! A fitted model and how well it does.

use std::fmt::{self, Display, Formatter};
use std::path::{Path, PathBuf};

use hnn_integrators::VectorField;
use hnn_models::{
    Angles, Baseline, Dissipative, Hnn, InputPort, Lnn, MechanicalLagrangian, Mlp, Persist, Scaled,
    Sum,
};
use hnn_sparse::{SparseHamiltonian, SparseLagrangian};

use crate::{IdentifyError, Law, Score};

/// Friction `-R(x) dq/dt` by a network, and fitted gains of the inputs.
pub(crate) type LearnedForce = Sum<Dissipative<Scaled<Angles<Mlp<f64>>>>, InputPort>;

/// The Hamiltonian network of an identification: an energy, friction `-R(x) dq/dt`, and fitted gains of
/// the inputs.
pub type HnnModel = Hnn<Scaled<Angles<Mlp<f64>>>, LearnedForce>;

/// The Lagrangian network of an identification: a mass matrix and a potential, both of the positions,
/// friction `-R(x) dq/dt`, and fitted gains of the inputs. Where a gain is fitted, all of it is known up
/// to a common factor.
pub type LnnModel =
    Lnn<Scaled<MechanicalLagrangian<Angles<Mlp<f64>>, Angles<Mlp<f64>>>>, LearnedForce>;

/// The baseline of an identification.
pub type BaselineModel = Baseline<Scaled<Angles<Mlp<f64>>>>;

/// A fitted model.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Model {
    /// A law with constants.
    Law(Law),
    /// A formula.
    Formula(Box<SparseHamiltonian>),
    /// A Lagrangian and frictions, found out of the inputs.
    Torques(Box<SparseLagrangian>),
    /// A Hamiltonian network with friction and inputs.
    Hnn(Box<HnnModel>),
    /// A Lagrangian network with friction and inputs.
    Lnn(Box<LnnModel>),
    /// A network without physics.
    Baseline(Box<BaselineModel>),
}

impl Model {
    /// The model as a field: `dx/dt = f(t, x, u)`, `x` the positions, then the velocities (or momenta).
    #[must_use]
    pub fn field(&self) -> &dyn VectorField<f64> {
        match self {
            Self::Law(law) => law,
            Self::Formula(formula) => formula.as_ref(),
            Self::Torques(lagrangian) => lagrangian.as_ref(),
            Self::Hnn(hnn) => hnn.as_ref(),
            Self::Lnn(lnn) => lnn.as_ref(),
            Self::Baseline(baseline) => baseline.as_ref(),
        }
    }

    /// How many numbers were fitted.
    #[must_use]
    pub fn num_params(&self) -> usize {
        use hnn_integrators::Parameters;
        match self {
            Self::Law(law) => law.num_params(),
            Self::Formula(formula) => formula.terms().len(),
            Self::Torques(lagrangian) => lagrangian.coefficients().len(),
            Self::Hnn(hnn) => hnn.num_params(),
            Self::Lnn(lnn) => lnn.num_params(),
            Self::Baseline(baseline) => baseline.num_params(),
        }
    }

    /// Writes the model into a folder, and says which file it is: JSON for laws and formulas, safetensors
    /// for networks.
    ///
    /// # Errors
    /// If the file cannot be written.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<PathBuf, IdentifyError> {
        let extension = match self {
            Self::Law(_) | Self::Formula(_) | Self::Torques(_) => "json",
            Self::Hnn(_) | Self::Lnn(_) | Self::Baseline(_) => "safetensors",
        };
        let path = folder.as_ref().join("model").with_extension(extension);
        match self {
            Self::Law(law) => law.save(&path)?,
            Self::Formula(formula) => formula.save(&path)?,
            Self::Torques(lagrangian) => lagrangian.save(&path)?,
            Self::Hnn(hnn) => hnn.save(&path)?,
            Self::Lnn(lnn) => lnn.save(&path)?,
            Self::Baseline(baseline) => baseline.save(&path)?,
        }
        Ok(path)
    }
}

/// A constant and its standard error.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Constant {
    /// What it multiplies.
    pub name: String,
    /// Its value, in the recording's units.
    pub value: f64,
    /// Its standard error.
    pub error: f64,
}

impl Display for Constant {
    /// With as many digits as the standard error has a meaning for.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        let Self { name, value, error } = self;
        if !(*error > 0.0 && error.is_finite()) {
            return write!(f, "{name}: {value:.4e}");
        }
        let digits = (1.0 - error.log10().floor()).clamp(0.0, 300.0) as usize;
        if digits > 8 || value.abs() >= 1e6 {
            return write!(f, "{name}: {value:.4e} +- {error:.1e}");
        }
        write!(f, "{name}: {value:.digits$} +- {error:.digits$}")
    }
}

/// A fitted model, what is known about it, and how well it predicts rows that it has not seen.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Candidate {
    /// Its name.
    pub name: String,
    /// The model.
    pub model: Model,
    /// Its constants, where it has some with a meaning.
    pub constants: Vec<Constant>,
    /// The same in units of the input, of one degree of freedom with one input: the inertia, and the
    /// forces.
    pub by_input: Vec<Constant>,
    /// Constants that the data do not tell from 0 or that are negligible, as they were before they were left out.
    pub dropped: Vec<Constant>,
    /// What else the data do not tell: other laws that explain them as well.
    pub doubts: Vec<String>,
    /// Its formula, where it has one.
    pub formula: Option<String>,
    /// How well it predicts.
    pub score: Score,
    /// Seconds that the fit took.
    pub seconds: f64,
}

impl Candidate {
    pub(crate) fn new(name: &str, model: Model) -> Self {
        Self {
            name: name.into(),
            model,
            constants: vec![],
            by_input: vec![],
            dropped: vec![],
            doubts: vec![],
            formula: None,
            score: Score::default(),
            seconds: 0.0,
        }
    }
}
