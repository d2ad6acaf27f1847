//! Training the models, and what they are afterwards.

use std::path::Path;

use hnn_data::DataSet;
use hnn_integrators::{
    DifferentiableField, FieldError, Scalar, VectorField, Workspace, coordinate_major,
};
use hnn_losses::L2Penalty;
use hnn_models::{
    Baseline, DifferentiableMap, Dissipative, FrictionForce, Hnn, Initialisation, Keep, Mlp,
    Persist,
};
use hnn_systems::Hamiltonian;
use hnn_train::{Observer, TrainingRecord};
use ndarray::{Array2, ArrayView2};

use crate::band::{self, Drawn};
use crate::{Field, Kind, Networks, Objective, OnEngine, Optimiser, Recipe, Result};

/// A trained model, in `f64` for evaluation.
pub enum Learned {
    /// See [`Kind::Baseline`].
    Baseline(Baseline<Mlp<f64>>),
    /// See [`Kind::Hnn`].
    Hnn(Hnn<Mlp<f64>>),
    /// See [`Kind::HnnFriction`].
    Friction(Hnn<Mlp<f64>, FrictionForce<Mlp<f64>>>),
    /// See [`Kind::HnnDissipative`].
    Dissipative(Hnn<Mlp<f64>, FrictionForce<Dissipative<Mlp<f64>>>>),
}

impl Learned {
    /// Reads a model file.
    ///
    /// # Errors
    /// If the file holds no model of this kind.
    pub fn load(kind: Kind, path: &Path) -> Result<Self> {
        Ok(match kind {
            Kind::Baseline => Self::Baseline(Persist::load(path)?),
            Kind::Hnn => Self::Hnn(Persist::load(path)?),
            Kind::HnnFriction => Self::Friction(Persist::load(path)?),
            Kind::HnnDissipative => Self::Dissipative(Persist::load(path)?),
        })
    }

    /// Its field.
    #[must_use]
    pub fn field(&self) -> &dyn VectorField<f64> {
        match self {
            Self::Baseline(model) => model,
            Self::Hnn(model) => model,
            Self::Friction(model) => model,
            Self::Dissipative(model) => model,
        }
    }

    /// Its field, as a value of its own.
    #[must_use]
    pub fn into_field(self) -> Box<dyn VectorField<f64>> {
        match self {
            Self::Baseline(model) => Box::new(model),
            Self::Hnn(model) => Box::new(model),
            Self::Friction(model) => Box::new(model),
            Self::Dissipative(model) => Box::new(model),
        }
    }

    /// Its energy, where it has one.
    #[must_use]
    pub fn hamiltonian(&self) -> Option<&dyn Hamiltonian<f64>> {
        match self {
            Self::Baseline(_) => None,
            Self::Hnn(model) => Some(model),
            Self::Friction(model) => Some(model),
            Self::Dissipative(model) => Some(model),
        }
    }

    /// Its friction at states of shape (B, 2), where it has one.
    ///
    /// # Errors
    /// If the engine fails.
    pub fn friction(&self, x: ArrayView2<'_, f64>) -> Result<Option<Vec<f64>>, FieldError> {
        match self {
            Self::Baseline(_) | Self::Hnn(_) => Ok(None),
            Self::Friction(model) => forces(model.force().friction(), x).map(Some),
            Self::Dissipative(model) => forces(model.force().friction(), x).map(Some),
        }
    }
}

fn forces(
    friction: &impl DifferentiableMap<f64>,
    x: ArrayView2<'_, f64>,
) -> Result<Vec<f64>, FieldError> {
    let mut force = vec![0.0; x.nrows()];
    let keep = Keep::Nothing(&mut Workspace::default());
    friction.eval(x.nrows(), &coordinate_major(x), &mut force, keep)?;
    Ok(force)
}

/// Trains a model on `train`, and saves it: a [`Training`] without a band.
///
/// # Errors
/// As [`Training::run`].
pub fn learn(
    kind: Kind,
    recipe: &Recipe,
    objective: Objective,
    seed: u64,
    train: &DataSet<f64>,
    path: &Path,
    observer: &mut dyn Observer,
) -> Result<TrainingRecord> {
    Training { kind, recipe, objective, seed, train, path, drawn: None }.run(observer)
}

/// A model to be trained.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// Which model.
    pub kind: Kind,
    /// Its networks, and how they are trained.
    pub recipe: &'a Recipe,
    /// By which loss.
    pub objective: Objective,
    /// Of the first weights.
    pub seed: u64,
    /// The data.
    pub train: &'a DataSet<f64>,
    /// The file of the trained model; the checkpoints of its run lie beside it.
    pub path: &'a Path,
    /// The rollout about which a fit by evidence has a [`band`](crate::band()).
    pub drawn: Option<Drawn<'a>>,
}

impl Training<'_> {
    /// Trains it, and saves it.
    ///
    /// # Errors
    /// If the recipe makes no sense, the training diverges, or a file cannot be written.
    pub fn run(self, observer: &mut dyn Observer) -> Result<TrainingRecord> {
        self.recipe.on_engine(Job { training: self, observer })
    }
}

/// Steps of least squares on a loss that leads to another one.
const FIRST_STEPS: usize = 20;

struct Job<'a> {
    training: Training<'a>,
    observer: &'a mut dyn Observer,
}

impl OnEngine for Job<'_> {
    type Output = TrainingRecord;

    fn run<N: Networks<f32> + Networks<f64>>(self, engine: &N) -> Result<TrainingRecord> {
        match self.training.recipe.optimiser {
            Optimiser::LeastSquares => self.train::<f64, N>(engine),
            Optimiser::Adam => self.train::<f32, N>(engine),
        }
    }
}

impl Job<'_> {
    fn train<T: Scalar, N: Networks<T>>(self, engine: &N) -> Result<TrainingRecord> {
        let dim = self.training.train.dim();
        let energy = || engine.energy(self.network(1, 1, false)?);
        match self.training.kind {
            Kind::Baseline => {
                let derivatives = engine.map(self.network(dim, 0, false)?)?;
                self.fit(Baseline::new(derivatives)?)
            }
            Kind::Hnn => {
                let energy = energy()?;
                self.fit(Hnn::new(energy)?)
            }
            Kind::HnnFriction => {
                let friction = engine.map(self.network(dim / 2, 2, false)?)?;
                let model = Hnn::with_friction(energy()?, friction)?;
                self.fit(model)
            }
            Kind::HnnDissipative => {
                // With an output bias a constant R is within easy reach, and where there are no
                // data the network falls back on one.
                let n = dim / 2;
                let entries = engine.map(self.network(n * (n + 1) / 2, 2, true)?)?;
                let model = Hnn::with_friction(energy()?, Dissipative::new(entries)?)?;
                self.fit(model)
            }
        }
    }

    /// A network with its first weights. Its seed depends on its role, so that models that share
    /// a part start from the same.
    fn network<T: Scalar>(&self, outputs: usize, role: u64, output_bias: bool) -> Result<Mlp<T>> {
        let dim = self.training.train.dim();
        let architecture = match role {
            2 => self.training.recipe.friction_architecture(dim, outputs)?,
            _ => self.training.recipe.architecture(dim, outputs)?,
        };
        let architecture = architecture.with_output_bias(output_bias);
        Ok(Mlp::new(architecture, Initialisation::Orthogonal, 1000 * role + self.training.seed))
    }

    /// Trains a model, and saves it.
    fn fit<T, F>(self, mut model: F) -> Result<TrainingRecord>
    where
        T: Scalar,
        F: DifferentiableField<T> + Persist<T>,
    {
        let path = self.training.path;
        let (record, deviations) = self.fit_field::<T>(&mut model)?;
        model.save(path)?;
        band::save(deviations.as_ref(), path)?;
        Ok(record)
    }

    /// Trains a model's field, with the standard deviations of its band: compiled once for all models.
    fn fit_field<T: Scalar>(
        self,
        mut model: Field<'_, T>,
    ) -> Result<(TrainingRecord, Option<Array2<f64>>)> {
        let Training { recipe, objective, path, .. } = self.training;
        let train = self.training.train.cast::<T>()?;
        let mut loss = objective.loss(&train)?;
        let checkpoint = path.with_extension("checkpoint");
        if recipe.optimiser == Optimiser::Adam {
            let mut trainer = recipe.trainer(train.len(), self.training.seed, checkpoint)?;
            return Ok((trainer.fit(&mut model, &mut loss, None, self.observer)?, None));
        }
        let steps = recipe.steps.min(FIRST_STEPS);
        for (stage, first) in objective.first(&train)?.iter_mut().enumerate() {
            let solver =
                recipe.solver(steps, path.with_extension(format!("{stage}.checkpoint")))?;
            solver.fit(&mut model, first, None, &mut ())?;
        }
        if recipe.weight_decay > 0.0 {
            loss = loss.plus(recipe.weight_decay / 2.0, L2Penalty::new())?;
        }
        let solver = recipe.solver(recipe.steps, checkpoint)?;
        let record = solver.fit(&mut model, &mut loss, None, self.observer)?;
        let (Some(evidence), Some(drawn)) = (&record.evidence, self.training.drawn) else {
            return Ok((record, None));
        };
        let posterior = solver.posterior(&mut model, &mut loss, Some(evidence))?;
        let deviations = drawn.deviations(&posterior, &model)?;
        Ok((record, Some(deviations)))
    }
}
