//! The training loop.

use std::time::{Duration, Instant};

use hnn_integrators::{DifferentiableField, Mode, Scalar};
use hnn_losses::{Loss, Selection};

use crate::state::{Loaded, Saved, State, norm};
use crate::{
    Checkpoint, Control, MiniBatch, Observer, Progress, StepRecord, TrainError, Trainer,
    TrainingRecord,
};

/// A run of a trainer.
pub(crate) struct Run<'a, 'v, T, F> {
    trainer: &'a mut Trainer<T>,
    model: &'a mut F,
    loss: &'a mut dyn Loss<T, F>,
    validation: Option<&'v mut dyn Loss<T, F>>,
    observer: &'a mut dyn Observer,
    state: State<T>,
    gradient: Vec<T>,
    begin: Instant,
    /// How long the run took before it was interrupted.
    before: Duration,
}

/// A loss and its gradient at one step.
struct Evaluation {
    loss: f64,
    terms: Vec<(String, f64)>,
    gradient_norm: f64,
}

impl<'a, 'v, T: Scalar, F: DifferentiableField<T>> Run<'a, 'v, T, F> {
    /// At its begin, or where the run that it resumes was.
    pub(crate) fn new(
        trainer: &'a mut Trainer<T>,
        model: &'a mut F,
        loss: &'a mut dyn Loss<T, F>,
        validation: Option<&'v mut dyn Loss<T, F>>,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let begin = Instant::now();
        let mut theta = vec![T::ZERO; model.num_params()];
        model.copy_params(&mut theta)?;
        trainer.optimiser.start(theta.len())?;
        let gradient = vec![T::ZERO; theta.len()];
        let state = State::new(theta, trainer.averaging);
        let before = Duration::ZERO;
        let mut run =
            Self { trainer, model, loss, validation, observer, state, gradient, begin, before };
        if let Some(checkpoint) = run.trainer.checkpoint.clone() {
            // An optimiser that cannot be saved says so now instead of in the middle of the run.
            run.trainer.optimiser.save_state(&mut Vec::new())?;
            if let Some(saved) = checkpoint.load()? {
                run.resume(&checkpoint, saved)?;
            }
        }
        Ok(run)
    }

    /// Trains to the end. Where the loss fails or diverges, the model gets the last parameters at
    /// which it was finite.
    pub(crate) fn train(mut self) -> Result<TrainingRecord, TrainError> {
        let result = self.steps();
        if let Err(TrainError::Diverged { .. } | TrainError::Loss { .. }) = result {
            self.model.set_params(&self.state.last_finite)?;
        }
        result.map(|()| self.state.record)
    }

    fn steps(&mut self) -> Result<(), TrainError> {
        let (first, mut saved) = (self.step_number(), Instant::now());
        while !self.has_ended() {
            let control = self.step()?;
            if control == Control::Stop || self.has_ended() {
                break;
            }
            let step = self.step_number() - 1;
            if self.trainer.checkpoint.as_ref().is_some_and(|c| c.is_due(step, saved)) {
                self.save()?;
                saved = Instant::now();
            }
        }
        let has_stepped = self.step_number() > first;
        self.keep(has_stepped)?;
        if has_stepped { self.save() } else { Ok(()) }
    }

    /// The number of the step to come.
    fn step_number(&self) -> usize {
        self.state.record.steps.len()
    }

    fn has_ended(&self) -> bool {
        let patient = !self.state.best.waited_enough(&self.trainer.stopping());
        self.step_number() >= self.trainer.steps || !patient
    }

    fn elapsed(&self) -> Duration {
        self.before + self.begin.elapsed()
    }

    /// One update, validated where that is due.
    fn step(&mut self) -> Result<Control, TrainError> {
        let (step, steps) = (self.step_number(), self.trainer.steps);
        let Evaluation { loss, terms, gradient_norm } = self.evaluate(step)?;
        let rate = self.trainer.schedule.rate(step, steps);
        self.update(step, rate, loss, gradient_norm)?;
        let validation = self.validate(step)?;
        let record = StepRecord { step, rate, loss, terms, gradient_norm, validation };
        self.state.record.steps.push(record);
        let record = &self.state.record.steps[step];
        let progress = Progress::new(record, steps, self.elapsed(), &self.state.theta);
        Ok(self.observer.on_step(&progress))
    }

    /// The loss of the next batch; its gradient is in `self.gradient`.
    fn evaluate(&mut self, step: usize) -> Result<Evaluation, TrainError> {
        let selection = match &mut self.trainer.minibatch {
            Some(batches) => Selection::Rows(batches.next_rows()),
            None => Selection::All,
        };
        self.model.set_mode(Mode::Training { step: step as u64 });
        self.gradient.fill(T::ZERO);
        let loss = self
            .loss
            .begin_step(step, self.trainer.steps)
            .and_then(|()| {
                self.loss.value_and_gradient(self.model, selection, 1.0, &mut self.gradient)
            })
            .map_err(|source| TrainError::Loss { step, source })?;
        let gradient_norm = norm(&self.gradient);
        let evaluation = Evaluation { loss, terms: self.loss.terms(), gradient_norm };
        match evaluation.not_finite() {
            Some((what, value)) => Err(self.diverged(step, what, value)),
            None => Ok(evaluation),
        }
    }

    fn update(
        &mut self,
        step: usize,
        rate: f64,
        loss: f64,
        gradient_norm: f64,
    ) -> Result<(), TrainError> {
        let State { theta, last_finite, average, .. } = &mut self.state;
        last_finite.copy_from_slice(theta);
        if let Some(limit) = self.trainer.clip_norm.filter(|limit| gradient_norm > *limit) {
            let factor = T::from_f64(limit / gradient_norm);
            self.gradient.iter_mut().for_each(|g| *g *= factor);
        }
        self.trainer.optimiser.step(theta, &mut self.gradient, rate)?;
        if let Some(average) = average {
            average.update(theta);
        }
        let norm = norm(theta);
        if !norm.is_finite() {
            let what = "the norm of the updated parameters".to_owned();
            return Err(TrainError::Diverged { step, what, value: norm, last_finite: loss });
        }
        Ok(self.model.set_params(theta)?)
    }

    fn validate(&mut self, step: usize) -> Result<Option<f64>, TrainError> {
        let stopping = self.trainer.stopping();
        let is_due = (step + 1).is_multiple_of(stopping.every) || step + 1 == self.trainer.steps;
        let Some(validation) = self.validation.as_deref_mut().filter(|_| is_due) else {
            return Ok(None);
        };
        self.model.set_params(self.state.candidate())?;
        self.model.set_mode(Mode::Evaluation);
        let value = validation
            .value(self.model, Selection::All)
            .map_err(|source| TrainError::Loss { step, source })?;
        let State { theta, average, best, .. } = &mut self.state;
        let candidate = average.as_ref().map_or(&*theta, |average| &average.mean);
        best.update(&stopping, step, value, candidate);
        self.model.set_params(theta)?;
        Ok(Some(value))
    }

    /// Ends the run: the model gets the parameters that are kept, after a look at them.
    fn keep(&mut self, has_stepped: bool) -> Result<(), TrainError> {
        let count = self.step_number();
        let Some(last) = self.state.record.steps.last() else { return Ok(()) };
        let last_validation = last.validation;
        self.state.record.stopped_early = count < self.trainer.steps;
        self.state.record.kept_step = count - 1;
        if has_stepped {
            self.state.record.seconds = self.elapsed().as_secs_f64();
        }
        let best = &self.state.best;
        if best.loss.is_finite() && self.trainer.stopping().keep_best {
            self.state.record.kept_step = best.step;
            return Ok(self.model.set_params(&best.theta)?);
        }
        if best.loss.is_infinite() && self.state.record.steps.iter().any(|s| s.validation.is_some())
        {
            let value = last_validation.unwrap_or(f64::INFINITY);
            return Err(self.diverged(count - 1, "the validation loss".to_owned(), value));
        }
        self.model.set_params(self.state.candidate())?;
        if has_stepped && !last_validation.is_some_and(f64::is_finite) {
            self.check_end(count)?;
        }
        Ok(())
    }

    /// Looks whether the loss is finite after the last update, on the last batch.
    fn check_end(&mut self, step: usize) -> Result<(), TrainError> {
        let selection = match &self.trainer.minibatch {
            Some(batches) => Selection::Rows(batches.rows()),
            None => Selection::All,
        };
        self.model.set_mode(Mode::Evaluation);
        let value = self
            .loss
            .value(self.model, selection)
            .map_err(|source| TrainError::Loss { step, source })?;
        if value.is_finite() {
            return Ok(());
        }
        Err(self.diverged(step, "the loss after the last update".to_owned(), value))
    }

    fn diverged(&self, step: usize, what: String, value: f64) -> TrainError {
        let last_finite = self.state.record.final_loss();
        TrainError::Diverged { step, what, value, last_finite }
    }

    fn save(&mut self) -> Result<(), TrainError> {
        let Some(checkpoint) = &self.trainer.checkpoint else { return Ok(()) };
        self.state.record.seconds = self.elapsed().as_secs_f64();
        let (mut optimiser, mut loss) = (Vec::new(), Vec::new());
        self.trainer.optimiser.save_state(&mut optimiser)?;
        self.loss.save_state(&mut loss);
        checkpoint.save(&Saved {
            settings: self.trainer.settings(self.gradient.len()),
            state: &self.state,
            optimiser,
            loss,
            draw: self.trainer.minibatch.as_ref().map(MiniBatch::draw),
        })
    }

    /// Goes on from a saved state, if it is one of this run.
    fn resume(&mut self, checkpoint: &Checkpoint, saved: Loaded<T>) -> Result<(), TrainError> {
        let settings = self.trainer.settings(self.gradient.len());
        let other = settings.iter().zip(&saved.settings).find(|(ours, theirs)| ours != theirs);
        if let Some(((name, ours), (_, theirs))) = other {
            let reason =
                format!("its run had another {name}: {theirs:?}, and this one has {ours:?}");
            return Err(checkpoint.error(reason));
        }
        if let Some(first) = saved.state.record.steps.first() {
            let Evaluation { loss, gradient_norm, .. } = self.evaluate(0)?;
            let same = |a: f64, b: f64| (a - b).abs() <= 1e-3 * b.abs();
            if !same(loss, first.loss) || !same(gradient_norm, first.gradient_norm) {
                return Err(checkpoint.error(format!(
                    "its run began with a loss of {} and this one with {loss}: the first \
                     parameters, the loss or the data are others",
                    first.loss
                )));
            }
        }
        let (mut optimiser, mut loss) = (&saved.optimiser[..], &saved.loss[..]);
        self.trainer.optimiser.restore_state(&mut optimiser)?;
        self.loss
            .restore_state(&mut loss)
            .map_err(|source| TrainError::Loss { step: saved.state.record.steps.len(), source })?;
        let drawn = match (&mut self.trainer.minibatch, saved.draw) {
            (Some(batches), Some(draw)) => batches.resume(draw),
            (batches, draw) => batches.is_none() && draw.is_none(),
        };
        let all = optimiser.is_empty() && loss.is_empty() && drawn;
        if !(all && saved.state.fits(self.gradient.len())) {
            return Err(checkpoint.error("its state does not fit this run".to_owned()));
        }
        self.state = saved.state;
        self.before = Duration::try_from_secs_f64(self.state.record.seconds).unwrap_or_default();
        Ok(self.model.set_params(&self.state.theta)?)
    }
}

impl Evaluation {
    /// What is not finite, and its value.
    fn not_finite(&self) -> Option<(String, f64)> {
        let term = self.terms.iter().find(|(_, value)| !value.is_finite());
        let term = term.map(|(name, value)| (format!("the loss term \"{name}\""), *value));
        let others = [("the loss", self.loss), ("the norm of the gradient", self.gradient_norm)];
        let mut others = others.into_iter().filter(|(_, value)| !value.is_finite());
        term.or_else(|| others.next().map(|(what, value)| (what.to_owned(), value)))
    }
}
