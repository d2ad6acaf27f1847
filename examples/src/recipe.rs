//! How the models are trained.

use std::path::PathBuf;

use clap::Args;
use hnn_integrators::Scalar;
use hnn_models::{Activation, Architecture};
use hnn_train::{Adam, Checkpoint, MiniBatch, Schedule, Trainer, WeightDecay};
use serde::Serialize;

use crate::{Engine, ExampleError, OnEngine, Result};

/// Network and training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// Training steps of each model.
    pub steps: usize,
    /// Hidden layer sizes.
    pub hidden: Vec<usize>,
    /// Hidden layer sizes of friction networks.
    pub friction_hidden: Vec<usize>,
    /// Learning rate (the first one, where it decays).
    pub rate: f64,
    /// Whether the rate stays instead of falling to 0 by a cosine.
    pub constant_rate: bool,
    /// Points a batch; 0 for full batches.
    pub batch: usize,
    /// L2 weight decay, coupled as PyTorch's `weight_decay`.
    pub weight_decay: f64,
    /// Activation of the hidden layers.
    pub activation: Activation,
    /// The engine that trains: tch is libtorch, which needs feature `tch`.
    pub engine: Engine,
    /// Where engine tch computes: cpu, cuda, cuda:1, mps.
    pub device: String,
    /// Whether runs that were interrupted go on, instead of beginning anew.
    #[serde(skip)]
    pub resume: bool,
}

/// Options that change a recipe.
#[derive(Debug, Clone, Args)]
pub struct RecipeOptions {
    /// Training steps of each model.
    #[arg(long)]
    steps: Option<usize>,
    /// Hidden layer sizes, separated by commas.
    #[arg(long, value_delimiter = ',')]
    hidden: Option<Vec<usize>>,
    /// Hidden layer sizes of friction networks, separated by commas.
    #[arg(long, value_delimiter = ',')]
    friction_hidden: Option<Vec<usize>>,
    /// Learning rate (the first one, where it decays).
    #[arg(long)]
    rate: Option<f64>,
    /// Keep the learning rate constant instead of letting it fall to 0 by a cosine.
    #[arg(long)]
    constant_rate: bool,
    /// Points a batch; 0 for full batches.
    #[arg(long)]
    batch: Option<usize>,
    /// L2 weight decay, coupled as PyTorch's `weight_decay`.
    #[arg(long)]
    weight_decay: Option<f64>,
    /// Activation: tanh, softplus, sin, sigmoid or swish.
    #[arg(long, value_parser = activation)]
    activation: Option<Activation>,
    /// The engine that trains: tch is libtorch, which needs feature `tch`.
    #[arg(long, value_enum, default_value_t)]
    engine: Engine,
    /// Where engine tch computes: cpu, cuda, cuda:1, mps.
    #[arg(long, default_value = "cpu")]
    device: String,
    /// Go on from the checkpoints in the output folder, with the same other options as before:
    /// models that are trained are taken, the others reach the same numbers as without a break.
    #[arg(long)]
    resume: bool,
}

fn activation(name: &str) -> std::result::Result<Activation, String> {
    serde_json::from_value(name.into())
        .map_err(|_| "give tanh, softplus, sin, sigmoid or swish".to_owned())
}

impl RecipeOptions {
    /// The recipe with these options put in.
    #[must_use]
    pub fn change(&self, recipe: Recipe) -> Recipe {
        Recipe {
            steps: self.steps.unwrap_or(recipe.steps),
            hidden: self.hidden.clone().unwrap_or(recipe.hidden),
            friction_hidden: self.friction_hidden.clone().unwrap_or(recipe.friction_hidden),
            rate: self.rate.unwrap_or(recipe.rate),
            constant_rate: self.constant_rate || recipe.constant_rate,
            batch: self.batch.unwrap_or(recipe.batch),
            weight_decay: self.weight_decay.unwrap_or(recipe.weight_decay),
            activation: self.activation.unwrap_or(recipe.activation),
            engine: self.engine,
            device: self.device.clone(),
            resume: self.resume,
        }
    }
}

impl Recipe {
    /// For states without noise: a high rate that falls, hardly any weight decay.
    #[must_use]
    pub fn clean() -> Self {
        Self {
            steps: 6000,
            hidden: vec![100, 100],
            friction_hidden: vec![64, 64],
            rate: 2e-2,
            constant_rate: false,
            batch: 256,
            weight_decay: 1e-5,
            activation: Activation::Tanh,
            engine: Engine::Native,
            device: "cpu".to_owned(),
            resume: false,
        }
    }

    /// For noisy states: fewer and smaller steps and more weight decay, or the networks learn the
    /// noise.
    #[must_use]
    pub fn noisy() -> Self {
        Self {
            steps: 1500,
            rate: 1e-3,
            weight_decay: 1e-3,
            friction_hidden: vec![100, 100],
            ..Self::clean()
        }
    }

    /// The protocol of the reference experiments: 2-200-200-1, tanh, Adam at the constant rate
    /// 1e-3, weight decay 1e-4, 2001 full-batch steps.
    #[must_use]
    pub fn protocol() -> Self {
        Self {
            steps: 2001,
            hidden: vec![200, 200],
            friction_hidden: vec![200, 200],
            rate: 1e-3,
            constant_rate: true,
            batch: 0,
            weight_decay: 1e-4,
            activation: Activation::Tanh,
            engine: Engine::Native,
            device: "cpu".to_owned(),
            resume: false,
        }
    }

    /// Does a job with the networks of this recipe's engine.
    ///
    /// # Errors
    /// If the engine is not there, and whatever went wrong.
    pub fn on_engine<J: OnEngine>(&self, job: J) -> Result<J::Output> {
        self.engine.run(&self.device, job)
    }

    /// The shape of a network.
    ///
    /// # Errors
    /// If a hidden size is 0.
    pub fn architecture(&self, inputs: usize, outputs: usize) -> Result<Architecture> {
        self.layers(inputs, &self.hidden, outputs)
    }

    /// The shape of a friction network.
    ///
    /// # Errors
    /// If a hidden size is 0.
    pub fn friction_architecture(&self, inputs: usize, outputs: usize) -> Result<Architecture> {
        self.layers(inputs, &self.friction_hidden, outputs)
    }

    fn layers(&self, inputs: usize, hidden: &[usize], outputs: usize) -> Result<Architecture> {
        let sizes = [&[inputs], hidden, &[outputs]].concat();
        Ok(Architecture::new(&sizes)?.with_activation(self.activation))
    }

    /// The trainer, for a data set of so many rows; its run is saved every minute to the file
    /// `checkpoint`, from which a resumed one goes on.
    ///
    /// # Errors
    /// If an option makes no sense.
    pub fn trainer<T: Scalar>(
        &self,
        rows: usize,
        seed: u64,
        checkpoint: PathBuf,
    ) -> Result<Trainer<T>> {
        if self.steps == 0 {
            let reason = "a model needs at least one training step".to_owned();
            return Err(ExampleError::Option { option: "--steps", reason });
        }
        let schedule = if self.constant_rate {
            Schedule::Constant(self.rate)
        } else {
            Schedule::Cosine { from: self.rate, to: 0.0 }
        };
        let adam = Adam::default().with_decay(WeightDecay::Coupled(self.weight_decay));
        let trainer = Trainer::new(self.steps)
            .with_schedule(schedule)
            .with_optimiser(adam)
            .with_checkpoint(Checkpoint::new(checkpoint).resuming(self.resume));
        if self.batch > 0 && self.batch < rows {
            return Ok(trainer.with_minibatch(MiniBatch::points(rows, self.batch, seed)?));
        }
        Ok(trainer)
    }
}
