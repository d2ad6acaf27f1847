//! How a model is trained.

use std::fmt;

use hnn_integrators::{DifferentiableField, Mode, Scalar, compiled_here};
use hnn_losses::Loss;

use crate::error::require;
use crate::fitting::{Fitted, Fitting};
use crate::run::Run;
use crate::{
    Adam, Checkpoint, EarlyStopping, MiniBatch, Observer, Optimiser, Schedule, TrainError,
    TrainingRecord,
};

/// Fits a model's parameters to a loss.
///
/// ```
/// use hnn_losses::DerivativeLoss;
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
/// use hnn_train::{Schedule, Trainer};
/// use ndarray::array;
/// let net = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 0);
/// let mut model = Hnn::new(net)?;
/// // Three states of the spring H = q^2 + p^2, and their derivatives (2p, -2q).
/// let x = array![[1.0, 0.0], [0.0, 0.5], [0.3, -0.4]];
/// let dx = array![[0.0, -2.0], [1.0, 0.0], [-0.8, -0.6]];
/// let t = array![0.0, 0.0, 0.0];
/// let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view())?;
/// let record = Trainer::new(200)
///     .with_schedule(Schedule::Cosine { from: 1e-2, to: 0.0 })
///     .fit(&mut model, &mut loss, None, &mut ())?;
/// assert!(record.final_loss() < 0.1 * record.steps[0].loss);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Trainer<T> {
    pub(crate) steps: usize,
    pub(crate) schedule: Schedule,
    pub(crate) optimiser: Box<dyn Optimiser<T>>,
    pub(crate) minibatch: Option<MiniBatch>,
    pub(crate) clip_norm: Option<f64>,
    pub(crate) averaging: Option<f64>,
    pub(crate) stopping: Option<EarlyStopping>,
    pub(crate) checkpoint: Option<Checkpoint>,
}

impl<T: Scalar> fmt::Debug for Trainer<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let optimiser = format_args!("{}({})", self.optimiser.name(), self.optimiser.settings());
        f.debug_struct("Trainer")
            .field("steps", &self.steps)
            .field("schedule", &self.schedule)
            .field("optimiser", &optimiser)
            .field("minibatch", &self.minibatch)
            .field("clip_norm", &self.clip_norm)
            .field("averaging", &self.averaging)
            .field("stopping", &self.stopping)
            .field("checkpoint", &self.checkpoint)
            .finish()
    }
}

impl<T: Scalar> Trainer<T> {
    /// `steps` full-batch steps of Adam at the constant rate 1e-3.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        Self {
            steps,
            schedule: Schedule::Constant(1e-3),
            optimiser: Box::new(Adam::default()),
            minibatch: None,
            clip_norm: None,
            averaging: None,
            stopping: None,
            checkpoint: None,
        }
    }

    /// The same with another learning-rate schedule.
    #[must_use]
    pub fn with_schedule(mut self, schedule: Schedule) -> Self {
        self.schedule = schedule;
        self
    }

    /// The same with another optimiser.
    #[must_use]
    pub fn with_optimiser(mut self, optimiser: impl Optimiser<T> + 'static) -> Self {
        self.optimiser = Box::new(optimiser);
        self
    }

    /// The same with mini-batches.
    #[must_use]
    pub fn with_minibatch(mut self, minibatch: MiniBatch) -> Self {
        self.minibatch = Some(minibatch);
        self
    }

    /// The same with gradients scaled down to a norm of at most `norm`.
    #[must_use]
    pub fn with_clipping(mut self, norm: f64) -> Self {
        self.clip_norm = Some(norm);
        self
    }

    /// The same with the model ending at (and validated with) an exponential moving average of
    /// its parameters, `mean = decay * mean + (1 - decay) * theta` after each step (Polyak
    /// averaging), the start's weight corrected for.
    #[must_use]
    pub fn with_averaging(mut self, decay: f64) -> Self {
        self.averaging = Some(decay);
        self
    }

    /// The same with early stopping. Needs a validation loss.
    #[must_use]
    pub fn with_early_stopping(mut self, stopping: EarlyStopping) -> Self {
        self.stopping = Some(stopping);
        self
    }

    /// The same with its state saved on the way, so that a run that was interrupted goes on.
    #[must_use]
    pub fn with_checkpoint(mut self, checkpoint: Checkpoint) -> Self {
        self.checkpoint = Some(checkpoint);
        self
    }

    /// Trains `model`; with a validation loss, the model ends with the parameters that were best
    /// by it (unless [`EarlyStopping::keep_best`] is off). A validation loss that is not finite
    /// counts as no improvement.
    ///
    /// # Errors
    /// If a setting makes no sense, the loss fails, a checkpoint cannot be written or resumed, or
    /// the training diverges: the loss, its gradient or a parameter is not finite, or the loss is
    /// not with the last parameters, or the validation loss never was. Where the loss fails or
    /// diverges, the model has the last parameters at which it was finite.
    pub fn fit<F: DifferentiableField<T>>(
        &mut self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
        validation: Option<&mut dyn Loss<T, F>>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        self.check()?;
        type Train<T> = fn(
            &mut Trainer<T>,
            &mut dyn Fitting<T>,
            &mut dyn Observer,
        ) -> Result<TrainingRecord, TrainError>;
        let train = compiled_here!(T => Train<T>, |trainer, problem, observer| {
            Run::new(trainer, problem, observer).and_then(Run::train)
        });
        let result = train(self, &mut Fitted { model, loss, validation }, observer);
        model.set_mode(Mode::Evaluation);
        result
    }

    /// What a run must have in common with the one it resumes, by name.
    pub(crate) fn settings(&self, num_params: usize) -> Vec<(String, String)> {
        let named = |name: &str, value: String| (name.to_owned(), value);
        vec![
            named("scalar type", T::NAME.to_owned()),
            named("number of parameters", num_params.to_string()),
            named("number of steps", self.steps.to_string()),
            named("schedule", format!("{:?}", self.schedule)),
            named("optimiser", self.optimiser.name().to_owned()),
            named("optimiser's settings", self.optimiser.settings()),
            named(
                "mini-batches",
                self.minibatch.as_ref().map_or_else(String::new, MiniBatch::settings),
            ),
            named("clipping", format!("{:?}", self.clip_norm)),
            named("averaging", format!("{:?}", self.averaging)),
            named("early stopping", format!("{:?}", self.stopping)),
        ]
    }

    fn check(&self) -> Result<(), TrainError> {
        self.schedule.check(self.steps)?;
        if let Some(norm) = self.clip_norm {
            require(norm > 0.0, "the gradient's largest norm", norm, "a positive number")?;
        }
        if let Some(decay) = self.averaging {
            require((0.0..1.0).contains(&decay), "the averaging decay", decay, "in [0, 1)")?;
        }
        Ok(())
    }
}
