//! How the models are trained.

use clap::Args;
use hnn_models::{Activation, Architecture};
use hnn_train::{Adam, MiniBatch, Schedule, Trainer, WeightDecay};
use serde::Serialize;

use crate::{ExampleError, Result};

/// Network and training options.
#[derive(Debug, Clone, Args, Serialize)]
pub struct Recipe {
    /// Training steps of each model.
    #[arg(long, default_value_t = 2001)]
    pub steps: usize,
    /// Hidden layer sizes, separated by commas.
    #[arg(long, value_delimiter = ',', default_value = "200,200")]
    pub hidden: Vec<usize>,
    /// Learning rate (the first one, where it decays).
    #[arg(long, default_value_t = 1e-3)]
    pub rate: f64,
    /// Keep the learning rate constant instead of letting it fall to 0 by a cosine.
    #[arg(long)]
    pub constant_rate: bool,
    /// Points a batch; 0 for full batches.
    #[arg(long, default_value_t = 0)]
    pub batch: usize,
    /// L2 weight decay, coupled as PyTorch's `weight_decay`.
    #[arg(long, default_value_t = 1e-4)]
    pub weight_decay: f64,
    /// Decay of the running average of the weights; 0 for none.
    #[arg(long, default_value_t = 0.0)]
    pub averaging: f64,
    /// Activation: tanh, softplus, sin, sigmoid or swish.
    #[arg(long, default_value = "tanh", value_parser = activation)]
    pub activation: Activation,
}

fn activation(name: &str) -> std::result::Result<Activation, String> {
    serde_json::from_value(name.into())
        .map_err(|_| "give tanh, softplus, sin, sigmoid or swish".to_owned())
}

impl Recipe {
    /// The protocol of the reference experiments: 2-200-200-1, tanh, Adam at the constant rate
    /// 1e-3, weight decay 1e-4, 2001 full-batch steps.
    #[must_use]
    pub fn protocol() -> Self {
        Self {
            steps: 2001,
            hidden: vec![200, 200],
            rate: 1e-3,
            constant_rate: true,
            batch: 0,
            weight_decay: 1e-4,
            averaging: 0.0,
            activation: Activation::Tanh,
        }
    }

    /// The shape of a network.
    ///
    /// # Errors
    /// If a hidden size is 0.
    pub fn architecture(&self, inputs: usize, outputs: usize) -> Result<Architecture> {
        let sizes = [&[inputs], &self.hidden[..], &[outputs]].concat();
        Ok(Architecture::new(&sizes)?.with_activation(self.activation))
    }

    /// The trainer, for a data set of so many rows.
    ///
    /// # Errors
    /// If an option makes no sense.
    pub fn trainer(&self, rows: usize, seed: u64) -> Result<Trainer<f32>> {
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
        let mut trainer = Trainer::new(self.steps).with_schedule(schedule).with_optimiser(adam);
        if self.batch > 0 && self.batch < rows {
            trainer = trainer.with_minibatch(MiniBatch::points(rows, self.batch, seed)?);
        }
        if self.averaging > 0.0 {
            trainer = trainer.with_averaging(self.averaging);
        }
        Ok(trainer)
    }
}
