//! The training loop.

use std::time::Instant;

use hnn_integrators::{DifferentiableField, Mode, Scalar};
use hnn_losses::{Loss, Selection};

use crate::early_stopping::Best;
use crate::error::require;
use crate::{
    Adam, Control, EarlyStopping, MiniBatch, Observer, Optimiser, Progress, Schedule, StepRecord,
    TrainError, TrainingRecord,
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
    steps: usize,
    schedule: Schedule,
    optimiser: Box<dyn Optimiser<T>>,
    minibatch: Option<MiniBatch>,
    clip_norm: Option<f64>,
    averaging: Option<f64>,
    stopping: EarlyStopping,
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
            stopping: EarlyStopping { patience: usize::MAX, ..EarlyStopping::default() },
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
        self.stopping = stopping;
        self
    }

    /// Trains `model`; with a validation loss, the model ends with the parameters that were best
    /// by it (unless [`EarlyStopping::keep_best`] is off).
    ///
    /// # Errors
    /// If a setting makes no sense, the loss fails, or the training diverges. The model then has
    /// the last parameters at which the loss was finite.
    pub fn fit<F: DifferentiableField<T>>(
        &mut self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
        validation: Option<&mut dyn Loss<T, F>>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        let result = self.run(model, loss, validation, observer);
        model.set_mode(Mode::Evaluation);
        result
    }

    fn run<F: DifferentiableField<T>>(
        &mut self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
        mut validation: Option<&mut dyn Loss<T, F>>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        self.check()?;
        let begin = Instant::now();
        let mut theta = vec![T::ZERO; model.num_params()];
        model.copy_params(&mut theta)?;
        let mut gradient = vec![T::ZERO; theta.len()];
        let mut last_finite = theta.clone();
        let mut average = self.averaging.map(|decay| Average::new(decay, theta.len()));
        let mut best = Best::new();
        let mut record = TrainingRecord::default();
        self.optimiser.start(theta.len())?;

        for step in 0..self.steps {
            let selection = match &mut self.minibatch {
                Some(batches) => Selection::Rows(batches.next_rows()),
                None => Selection::All,
            };
            model.set_mode(Mode::Training { step: step as u64 });
            loss.begin_step(step, self.steps)
                .map_err(|source| TrainError::Loss { step, source })?;
            gradient.fill(T::ZERO);
            let value = loss
                .value_and_gradient(model, selection, 1.0, &mut gradient)
                .map_err(|source| TrainError::Loss { step, source })?;
            let norm = gradient.iter().map(|g| (*g * *g).to_f64()).sum::<f64>().sqrt();
            let terms = loss.terms();
            if let Err(diverged) = check_finite(step, value, &terms, norm, &record) {
                model.set_params(&last_finite)?;
                return Err(diverged);
            }
            last_finite.copy_from_slice(&theta);
            if let Some(limit) = self.clip_norm.filter(|limit| norm > *limit) {
                let factor = T::from_f64(limit / norm);
                gradient.iter_mut().for_each(|g| *g *= factor);
            }
            let rate = self.schedule.rate(step, self.steps);
            self.optimiser.step(&mut theta, &mut gradient, rate);
            model.set_params(&theta)?;
            if let Some(average) = &mut average {
                average.update(&theta);
            }

            let mut done = false;
            let mut validated = None;
            let due = (step + 1) % self.stopping.every == 0 || step + 1 == self.steps;
            if let Some(validation) = validation.as_deref_mut().filter(|_| due) {
                let candidate = average.as_ref().map_or(&theta[..], Average::value);
                model.set_params(candidate)?;
                model.set_mode(Mode::Evaluation);
                let value = validation
                    .value(model, Selection::All)
                    .map_err(|source| TrainError::Loss { step, source })?;
                done = best.update(&self.stopping, step, value, candidate);
                model.set_params(&theta)?;
                validated = Some(value);
            }
            record.steps.push(StepRecord {
                step,
                rate,
                loss: value,
                terms,
                gradient_norm: norm,
                validation: validated,
            });
            let latest = &record.steps[record.steps.len() - 1];
            let progress = Progress { record: latest, steps: self.steps, elapsed: begin.elapsed() };
            done |= observer.on_step(&progress) == Control::Stop;
            if done {
                record.stopped_early = step + 1 < self.steps;
                break;
            }
        }

        record.kept_step = record.steps.len().saturating_sub(1);
        if self.stopping.keep_best && best.loss.is_finite() {
            record.kept_step = best.step;
            model.set_params(&best.theta)?;
        } else if let Some(average) = average.filter(|_| !record.steps.is_empty()) {
            model.set_params(average.value())?;
        }
        record.seconds = begin.elapsed().as_secs_f64();
        Ok(record)
    }

    fn check(&self) -> Result<(), TrainError> {
        self.schedule.check()?;
        if let Some(norm) = self.clip_norm {
            require(norm > 0.0, "the gradient's largest norm", norm, "a positive number")?;
        }
        if let Some(decay) = self.averaging {
            require((0.0..1.0).contains(&decay), "the averaging decay", decay, "in [0, 1)")?;
        }
        require(self.stopping.every > 0, "the validation interval", 0, "at least 1 step")?;
        let fraction = self.stopping.min_improvement;
        require((0.0..1.0).contains(&fraction), "the least improvement", fraction, "in [0, 1)")
    }
}

/// An exponential moving average of the parameters.
struct Average<T> {
    decay: f64,
    steps: i32,
    /// The running mean with the start's weight corrected for.
    mean: Vec<T>,
}

impl<T: Scalar> Average<T> {
    fn new(decay: f64, num_params: usize) -> Self {
        Self { decay, steps: 0, mean: vec![T::ZERO; num_params] }
    }

    fn update(&mut self, theta: &[T]) {
        self.steps += 1;
        // The weight of the newest parameters in the bias-corrected mean.
        let newest = (1.0 - self.decay) / (1.0 - self.decay.powi(self.steps));
        let newest = T::from_f64(newest);
        for (mean, theta) in self.mean.iter_mut().zip(theta) {
            *mean += newest * (*theta - *mean);
        }
    }

    fn value(&self) -> &[T] {
        &self.mean
    }
}

fn check_finite(
    step: usize,
    value: f64,
    terms: &[(String, f64)],
    norm: f64,
    record: &TrainingRecord,
) -> Result<(), TrainError> {
    let term = terms.iter().find(|(_, value)| !value.is_finite());
    let (what, value) = match term {
        Some((name, value)) => (format!("the loss term \"{name}\""), *value),
        None if !value.is_finite() => ("the loss".to_owned(), value),
        None if !norm.is_finite() => ("the norm of the gradient".to_owned(), norm),
        None => return Ok(()),
    };
    Err(TrainError::Diverged { step, what, value, last_finite: record.final_loss() })
}
