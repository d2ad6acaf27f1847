//! How the models are trained.

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use hnn_integrators::Scalar;
use hnn_models::{Activation, Architecture};
use hnn_train::{
    Adam, Checkpoint, EvidenceRule, LeastSquares, MiniBatch, Schedule, Trainer, WeightDecay,
};
use serde::Serialize;

use crate::{Engine, ExampleError, OnEngine, Result};

/// What trains the models.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Optimiser {
    /// Levenberg-Marquardt on all data at once, in f64.
    LeastSquares,
    /// Adam, in f32.
    Adam,
}

impl Optimiser {
    /// The name in options and tables.
    #[must_use]
    pub fn label(self) -> &'static str {
        match self {
            Self::LeastSquares => "least squares",
            Self::Adam => "Adam",
        }
    }
}

/// Network and training.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Recipe {
    /// What trains the models.
    pub optimiser: Optimiser,
    /// Training steps of each model.
    pub steps: usize,
    /// Hidden layer sizes.
    pub hidden: Vec<usize>,
    /// Hidden layer sizes of friction networks.
    pub friction_hidden: Vec<usize>,
    /// Learning rate (the first one, where it decays); of least squares, the first damping.
    pub rate: f64,
    /// Whether the rate stays instead of falling to 0 by a cosine.
    pub constant_rate: bool,
    /// Points a batch; 0 for full batches.
    pub batch: usize,
    /// L2 weight decay, coupled as PyTorch's `weight_decay`.
    pub weight_decay: f64,
    /// Whether least squares estimate noise and weight decay from the data.
    pub evidence: bool,
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
    /// What trains the models [default: least-squares where the example has it, adam with
    /// --protocol and engine tch].
    #[arg(long, value_enum)]
    optimiser: Option<Optimiser>,
    /// Training steps of each model.
    #[arg(long)]
    steps: Option<usize>,
    /// Hidden layer sizes, separated by commas.
    #[arg(long, value_delimiter = ',')]
    hidden: Option<Vec<usize>>,
    /// Hidden layer sizes of friction networks, separated by commas.
    #[arg(long, value_delimiter = ',')]
    friction_hidden: Option<Vec<usize>>,
    /// Learning rate (the first one, where it decays); of least squares, the first damping.
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
    /// The optimiser, of an example that has both; `protocol` is Adam's.
    #[must_use]
    pub fn optimiser(&self, protocol: bool) -> Optimiser {
        let native = self.engine == Engine::Native && !protocol;
        self.optimiser.unwrap_or(if native { Optimiser::LeastSquares } else { Optimiser::Adam })
    }

    /// The recipe with these options put in.
    ///
    /// # Errors
    /// If an option asks for what the recipe's optimiser does not do.
    pub fn change(&self, recipe: Recipe) -> Result<Recipe> {
        let label = recipe.optimiser.label();
        let refuse = |option, reason| Err(ExampleError::Option { option, reason });
        if self.optimiser.is_some_and(|asked| asked != recipe.optimiser) {
            return refuse("--optimiser", format!("with the other options this trains by {label}"));
        }
        if recipe.optimiser == Optimiser::LeastSquares {
            if self.constant_rate {
                return refuse("--constant-rate", format!("{label} choose their own damping"));
            }
            if self.batch.is_some_and(|batch| batch > 0) {
                let reason =
                    format!("{label} take all points at once; leave it out, or --optimiser adam");
                return refuse("--batch", reason);
            }
            if recipe.evidence && self.weight_decay.is_some() {
                let reason = format!("{label} estimate it here; leave it out, or --optimiser adam");
                return refuse("--weight-decay", reason);
            }
        }
        Ok(Recipe {
            optimiser: recipe.optimiser,
            evidence: recipe.evidence,
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
        })
    }
}

impl Recipe {
    /// Least squares for states without noise: small networks suffice.
    #[must_use]
    pub fn least_squares() -> Self {
        Self {
            optimiser: Optimiser::LeastSquares,
            steps: 50,
            hidden: vec![24, 24],
            friction_hidden: vec![16, 16],
            rate: 1e-3,
            batch: 0,
            weight_decay: 0.0,
            ..Self::clean()
        }
    }

    /// Least squares for noisy states: smaller networks, noise and weight decay by evidence.
    #[must_use]
    pub fn noisy_least_squares() -> Self {
        Self {
            steps: 60,
            hidden: vec![14, 14],
            friction_hidden: vec![8, 8],
            evidence: true,
            ..Self::least_squares()
        }
    }

    /// The same for a pendulum: of its noisy states sines have by far the larger evidence.
    #[must_use]
    pub fn noisy_pendulum() -> Self {
        Self { activation: Activation::Sin, ..Self::noisy_least_squares() }
    }

    /// Adam for states without noise: a high rate that falls, hardly any weight decay.
    #[must_use]
    pub fn clean() -> Self {
        Self {
            optimiser: Optimiser::Adam,
            evidence: false,
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

    /// Adam for noisy states: fewer and smaller steps and more weight decay, or the networks learn the
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

    /// The same for a run that only shows that everything works: so many steps of Adam at most, or
    /// a few of least squares.
    #[must_use]
    pub fn quick(self, adam_steps: usize) -> Self {
        let most = if self.optimiser == Optimiser::Adam { adam_steps } else { 8 };
        Self { steps: self.steps.min(most), ..self }
    }

    /// The protocol of the reference experiments: 2-200-200-1, tanh, Adam at the constant rate
    /// 1e-3, weight decay 1e-4, 2001 full-batch steps.
    #[must_use]
    pub fn protocol() -> Self {
        Self {
            optimiser: Optimiser::Adam,
            evidence: false,
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

    /// The least squares, whose run is saved every minute to the file `checkpoint`, from which a
    /// resumed one goes on.
    ///
    /// # Errors
    /// If there are no steps.
    pub fn solver(&self, steps: usize, checkpoint: PathBuf) -> Result<LeastSquares> {
        check_steps(steps)?;
        let solver = LeastSquares::new(steps)
            .with_damping(self.rate)
            .with_checkpoint(Checkpoint::new(checkpoint).with_resume(self.resume));
        if self.evidence {
            return Ok(solver.with_evidence(EvidenceRule::default()));
        }
        Ok(solver)
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
        check_steps(self.steps)?;
        let schedule = if self.constant_rate {
            Schedule::Constant(self.rate)
        } else {
            Schedule::Cosine { from: self.rate, to: 0.0 }
        };
        let adam = Adam::default().with_decay(WeightDecay::Coupled(self.weight_decay));
        let trainer = Trainer::new(self.steps)
            .with_schedule(schedule)
            .with_optimiser(adam)
            .with_checkpoint(Checkpoint::new(checkpoint).with_resume(self.resume));
        if self.batch > 0 && self.batch < rows {
            return Ok(trainer.with_minibatch(MiniBatch::points(rows, self.batch, seed)?));
        }
        Ok(trainer)
    }
}

fn check_steps(steps: usize) -> Result<()> {
    if steps > 0 {
        return Ok(());
    }
    let reason = "a model needs at least one training step".to_owned();
    Err(ExampleError::Option { option: "--steps", reason })
}
