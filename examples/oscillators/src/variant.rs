//! One way to train a model.

use std::path::Path;

use hnn_data::DataSet;
use hnn_integrators::{DifferentiableField, RK4};
use hnn_losses::{DerivativeLoss, JointLoss, TotalLoss, TrajectoryLoss, Window};
use hnn_models::{Baseline, Hnn, Initialisation, Mlp, Persist};
use hnn_train::{EarlyStopping, Observer, TrainingRecord};
use ndarray::ArrayView1;

use hnn_examples::{Field, Kind, LossKind, Networks, Objective, OnEngine, Recipe, Result, learn};

/// How fast fitted starts move.
const START_RATE: f64 = 0.05;

/// A trajectory loss beside the derivative loss.
#[derive(Debug, Clone)]
pub struct TrajectoryTerm {
    /// Its weight.
    pub alpha: f64,
    /// The window from each fraction of the steps on.
    pub stages: Vec<(f64, Window)>,
    /// Whether the states that windows begin at are fitted as well, and the derivatives compared
    /// along the windows instead of at the measured states: multiple shooting.
    pub shooting: bool,
}

impl TrajectoryTerm {
    /// One window throughout.
    #[must_use]
    pub fn new(alpha: f64, window: Window) -> Self {
        Self::growing(alpha, &[window])
    }

    /// One window after the other, each for an equal share of the training.
    #[must_use]
    pub fn growing(alpha: f64, windows: &[Window]) -> Self {
        let share = |index| index as f64 / windows.len() as f64;
        let stages = windows.iter().enumerate().map(|(index, window)| (share(index), *window));
        Self { alpha, stages: stages.collect(), shooting: false }
    }

    /// The same as multiple shooting.
    #[must_use]
    pub fn shooting(self) -> Self {
        Self { shooting: true, ..self }
    }
}

/// One way to train a model.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The name in `results.json`.
    pub key: String,
    /// The name in tables and figures.
    pub label: String,
    /// Whether a plain network learns the field itself, instead of an HNN.
    pub baseline: bool,
    /// The trajectory loss, if any.
    pub trajectory: Option<TrajectoryTerm>,
    /// Dropout rate of the hidden units.
    pub dropout: f64,
    /// Weight decay, if not the recipe's.
    pub weight_decay: Option<f64>,
    /// Early stopping on the validation loss.
    pub stopping: Option<EarlyStopping>,
    /// Least squares instead of Adam: the recipe, and what the model is compared with.
    pub least_squares: Option<(Recipe, Objective)>,
}

impl Variant {
    /// An HNN, trained on derivatives alone.
    #[must_use]
    pub fn hnn(key: &str, label: &str) -> Self {
        Self {
            key: key.to_owned(),
            label: label.to_owned(),
            baseline: false,
            trajectory: None,
            dropout: 0.0,
            weight_decay: None,
            stopping: None,
            least_squares: None,
        }
    }

    /// The plain HNN.
    #[must_use]
    pub fn plain() -> Self {
        Self::hnn("hnn", "HNN")
    }

    /// A network that learns the field itself.
    #[must_use]
    pub fn network() -> Self {
        Self { baseline: true, ..Self::hnn("baseline", "baseline") }
    }

    /// An HNN with a trajectory loss.
    #[must_use]
    pub fn with_trajectory(key: &str, label: &str, trajectory: TrajectoryTerm) -> Self {
        Self { trajectory: Some(trajectory), ..Self::hnn(key, label) }
    }

    /// An HNN by least squares: with a recipe for noisy states on whole trajectories from fitted starts.
    #[must_use]
    pub fn least_squares(noisy: Option<Recipe>) -> Self {
        let least_squares = match noisy {
            Some(recipe) => (recipe, Objective::new(LossKind::FittedTrajectory)),
            None => (Recipe::least_squares(), Objective::new(LossKind::Derivative)),
        };
        let plain = Self::hnn("hnn_least_squares", "HNN by least squares");
        Self { least_squares: Some(least_squares), ..plain }
    }

    /// Which model is trained.
    pub(super) fn kind(&self) -> Kind {
        if self.baseline { Kind::Baseline } else { Kind::Hnn }
    }

    /// Trains a model, and saves it.
    pub(super) fn train(
        &self,
        recipe: &Recipe,
        seed: u64,
        (train, validation): &(DataSet<f64>, DataSet<f64>),
        path: &Path,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord> {
        if let Some((own, objective)) = &self.least_squares {
            let steps = own.steps.min(recipe.steps);
            let own = Recipe { steps, resume: recipe.resume, ..own.clone() };
            return learn(self.kind(), &own, *objective, seed, train, path, observer);
        }
        let (train, validation) = (&train.cast()?, &validation.cast()?);
        recipe.on_engine(Job { variant: self, recipe, seed, train, validation, path, observer })
    }
}

struct Job<'a> {
    variant: &'a Variant,
    recipe: &'a Recipe,
    seed: u64,
    train: &'a DataSet<f32>,
    validation: &'a DataSet<f32>,
    path: &'a Path,
    observer: &'a mut dyn Observer,
}

impl OnEngine for Job<'_> {
    type Output = TrainingRecord;

    fn run<N: Networks<f32> + Networks<f64>>(self, engine: &N) -> Result<Self::Output> {
        let outputs = if self.variant.baseline { 2 } else { 1 };
        let architecture = self.recipe.architecture(2, outputs)?;
        let network = Mlp::<f32>::new(architecture, Initialisation::Orthogonal, self.seed)
            .with_dropout(self.variant.dropout, self.seed)?;
        if self.variant.baseline {
            return self.fit(Baseline::new(engine.map(network)?)?);
        }
        self.fit(Hnn::new(engine.energy(network)?)?)
    }
}

impl Job<'_> {
    fn loss<'f>(&self) -> Result<TotalLoss<f32, Field<'f, f32>>> {
        let train = self.train;
        let Some(term) = &self.variant.trajectory else {
            return Ok(TotalLoss::new(derivative(train)?));
        };
        let trajectory =
            TrajectoryLoss::new(RK4, Window::Steps(1), train)?.with_curriculum(&term.stages)?;
        if term.shooting {
            let weight = 1.0 / term.alpha;
            let trajectory = trajectory
                .with_fitted_starts(START_RATE)?
                .with_derivatives(weight, train.derivatives())?;
            return Ok(TotalLoss::empty().plus(term.alpha, trajectory)?);
        }
        Ok(TotalLoss::new(JointLoss::new(derivative(train)?, term.alpha, trajectory)?))
    }

    /// Trains a model, and saves it.
    fn fit<F>(self, mut model: F) -> Result<TrainingRecord>
    where
        F: DifferentiableField<f32> + Persist<f32>,
    {
        let path = self.path;
        let record = self.fit_field(&mut model)?;
        model.save(path)?;
        Ok(record)
    }

    fn fit_field(self, mut model: Field<'_, f32>) -> Result<TrainingRecord> {
        let mut loss = self.loss()?;
        let mut recipe = self.recipe.clone();
        recipe.weight_decay = self.variant.weight_decay.unwrap_or(recipe.weight_decay);
        let never =
            EarlyStopping { patience: usize::MAX, keep_best: false, ..EarlyStopping::default() };
        let stopping = self.variant.stopping.unwrap_or(never);
        let checkpoint = self.path.with_extension("checkpoint");
        let trainer = recipe.trainer(self.train.len(), self.seed, checkpoint)?;
        let mut trainer = trainer.with_early_stopping(stopping);
        let mut validation = derivative(self.validation)?;
        Ok(trainer.fit(&mut model, &mut loss, Some(&mut validation), self.observer)?)
    }
}

fn derivative(data: &DataSet<f32>) -> Result<DerivativeLoss<f32>> {
    Ok(DerivativeLoss::new(ArrayView1::from(data.times()), data.states(), data.derivatives())?)
}
