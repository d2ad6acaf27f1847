//! Training the models, made of the networks of whichever engine trains them.

use std::path::Path;

use hnn_data::DataSet;
use hnn_examples::{Field, Networks, OnEngine, Optimiser, Recipe, Result};
use hnn_integrators::{DifferentiableField, Scalar};
use hnn_losses::{DerivativeLoss, ErrorMeasure};
use hnn_models::{
    Angles, Baseline, Hnn, Initialisation, KineticPrior, Lnn, MechanicalLagrangian, Mlp, Persist,
};
use hnn_train::{Observer, TrainingRecord};

use crate::Kind;

/// The two positions are angles: all networks that know it see their cosines and sines.
const ANGLES: [bool; 4] = [true, true, false, false];

/// Weights of the derivatives: all; or those alone that a Lagrangian says anything about.
const ALL: [f64; 4] = [1.0; 4];
const ACCELERATIONS: [f64; 4] = [0.0, 0.0, 1.0, 1.0];

/// A model to be trained on the derivatives.
#[derive(Debug, Clone, Copy)]
pub struct Training<'a> {
    /// Which model.
    pub kind: Kind,
    /// Whether a baseline and a Hamiltonian network see the angles as they are.
    pub plain: bool,
    /// Its networks, and how they are trained.
    pub recipe: &'a Recipe,
    /// Seed of the weights and the mini-batches.
    pub seed: u64,
    /// States and derivatives.
    pub train: &'a DataSet<f64>,
    /// How errors of the derivatives are measured.
    pub measure: ErrorMeasure,
    /// The largest norm of a gradient, if there is one.
    pub clip: Option<f64>,
    /// The file of the trained model; the checkpoint of its run lies beside it.
    pub path: &'a Path,
}

impl Training<'_> {
    /// Trains it, and saves it.
    ///
    /// # Errors
    /// If the recipe makes no sense, the engine is not there, the training diverges, or a file cannot be
    /// written.
    pub fn run(self, observer: &mut dyn Observer) -> Result<TrainingRecord> {
        self.recipe.on_engine(Job { training: self, observer })
    }
}

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
        let energy = |inputs| engine.energy(self.network(inputs, 1, 1)?);
        match self.training.kind {
            Kind::Baseline if self.training.plain => {
                let model = Baseline::new(engine.map(self.network(4, 4, 0)?)?)?;
                self.fit(model, ALL)
            }
            Kind::Baseline => {
                let network = Angles::new(engine.map(self.network(6, 4, 0)?)?, &ANGLES)?;
                self.fit(Baseline::new(network)?, ALL)
            }
            Kind::Hnn if self.training.plain => {
                let model = Hnn::new(energy(4)?)?;
                self.fit(model, ALL)
            }
            Kind::Hnn => {
                let model = Hnn::new(Angles::new(energy(6)?, &ANGLES)?)?;
                self.fit(model, ALL)
            }
            Kind::Lnn => {
                let network = Angles::new(energy(6)?, &ANGLES)?;
                self.fit(Lnn::new(KineticPrior::new(network, 1.0)?)?, ACCELERATIONS)
            }
            Kind::Mechanical => {
                let factor = engine.map(self.network(4, 3, 2)?)?;
                let potential = engine.energy(self.network(4, 1, 3)?)?;
                let lagrangian = MechanicalLagrangian::new(factor, potential)?;
                self.fit(Lnn::new(Angles::new(lagrangian, &ANGLES)?)?, ACCELERATIONS)
            }
        }
    }

    /// A network with its first weights; roles have seeds of their own.
    fn network<T: Scalar>(&self, inputs: usize, outputs: usize, role: u64) -> Result<Mlp<T>> {
        let architecture = self.training.recipe.architecture(inputs, outputs)?;
        let seed = 1000 * role + self.training.seed;
        Ok(Mlp::new(architecture, Initialisation::Orthogonal, seed))
    }

    /// Trains a model on the derivatives of the coordinates with a weight, and saves it.
    fn fit<T, F>(self, mut model: F, weights: [f64; 4]) -> Result<TrainingRecord>
    where
        T: Scalar,
        F: DifferentiableField<T> + Persist<T>,
    {
        let path = self.training.path;
        let record = self.fit_field::<T>(&mut model, weights)?;
        model.save(path)?;
        Ok(record)
    }

    fn fit_field<T: Scalar>(
        self,
        mut model: Field<'_, T>,
        weights: [f64; 4],
    ) -> Result<TrainingRecord> {
        let Training { recipe, seed, measure, clip, path, .. } = self.training;
        let train = self.training.train.cast::<T>()?;
        let mut loss =
            DerivativeLoss::<T>::new(train.times().into(), train.states(), train.derivatives())?
                .with_error_measure(measure)?
                .with_coordinate_weights(&weights)?;
        let checkpoint = path.with_extension("checkpoint");
        if recipe.optimiser == Optimiser::LeastSquares {
            let solver = recipe.solver(recipe.steps, checkpoint)?;
            return Ok(solver.fit(&mut model, &mut loss, None, self.observer)?);
        }
        let mut trainer = recipe.trainer(train.len(), seed, checkpoint)?;
        if let Some(norm) = clip {
            trainer = trainer.with_clipping(norm);
        }
        Ok(trainer.fit(&mut model, &mut loss, None, self.observer)?)
    }
}
