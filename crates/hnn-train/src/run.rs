//! The training loop of first-order methods.

use hnn_integrators::{Mode, Scalar};
use hnn_losses::RowSelection;

use crate::course::{Course, Kept, Plan};
use crate::fitting::Fitting;
use crate::state::{State, norm};
use crate::{MiniBatch, Observer, StepRecord, StopReason, TrainError, Trainer, TrainingRecord};

/// A run of a trainer.
pub(crate) struct Run<'a, T> {
    trainer: &'a mut Trainer<T>,
    course: Course<'a, T>,
    gradient: Vec<T>,
}

/// A loss and its gradient at one step.
struct Evaluation {
    loss: f64,
    terms: Vec<(String, f64)>,
    gradient_norm: f64,
}

impl<'a, T: Scalar> Run<'a, T> {
    /// At its begin, or where the run that it resumes was.
    pub(crate) fn new(
        trainer: &'a mut Trainer<T>,
        problem: &'a mut dyn Fitting<T>,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let num_params = problem.model().num_params();
        trainer.optimiser.start(num_params)?;
        let plan = Plan {
            steps: trainer.steps,
            stopping: trainer.stopping,
            checkpoint: trainer.checkpoint.clone(),
            settings: trainer.settings(num_params),
        };
        let course = Course::new(plan, problem, observer, trainer.averaging)?;
        let mut run = Self { trainer, course, gradient: vec![T::ZERO; num_params] };
        run.resume()?;
        Ok(run)
    }

    /// Trains to the end. Where the loss fails or diverges, the model gets the last parameters at
    /// which it was finite.
    pub(crate) fn train(mut self) -> Result<TrainingRecord, TrainError> {
        let result = self.steps();
        if let Err(TrainError::Diverged { .. } | TrainError::Loss { .. }) = result {
            self.course.problem.model().set_params(&self.course.state.last_finite)?;
        }
        result.map(|()| self.course.state.record)
    }

    fn steps(&mut self) -> Result<(), TrainError> {
        let mut ended = self.course.ended();
        let reason = loop {
            if let Some(reason) = ended {
                break reason;
            }
            ended = self.step()?;
            if ended.is_none() && self.course.is_save_due() {
                self.save()?;
            }
        };
        if self.course.keep(reason)? == Kept::Unseen {
            self.check_end()?;
        }
        if self.course.has_stepped() { self.save() } else { Ok(()) }
    }

    /// One update, validated where that is due. Says why it is the last one, if so.
    fn step(&mut self) -> Result<Option<StopReason>, TrainError> {
        let (step, steps) = (self.course.step_number(), self.course.steps());
        let Evaluation { loss, terms, gradient_norm } = self.evaluate(step)?;
        let rate = self.trainer.schedule.rate(step, steps);
        self.update(step, rate, loss, gradient_norm)?;
        let validation = self.course.validate(step)?;
        let record = StepRecord { step, rate, loss, terms, gradient_norm, validation };
        Ok(self.course.end_step(record))
    }

    /// The loss of the next batch; its gradient is in `self.gradient`.
    fn evaluate(&mut self, step: usize) -> Result<Evaluation, TrainError> {
        let selection = match &mut self.trainer.minibatch {
            Some(batches) => RowSelection::Rows(batches.next_rows()),
            None => RowSelection::All,
        };
        let problem = &mut *self.course.problem;
        problem.model().set_mode(Mode::Training { step: step as u64 });
        self.gradient.fill(T::ZERO);
        let value = problem
            .begin_step(step, self.trainer.steps)
            .and_then(|()| problem.value_and_gradient(selection, &mut self.gradient))
            .map_err(|source| TrainError::Loss { step, source })?;
        let gradient_norm = norm(&self.gradient);
        let evaluation = Evaluation { loss: value, terms: problem.terms(), gradient_norm };
        match evaluation.not_finite() {
            Some((what, value)) => Err(self.course.diverged(step, what, value)),
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
        let State { theta, last_finite, average, .. } = &mut self.course.state;
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
        Ok(self.course.problem.model().set_params(theta)?)
    }

    /// Looks whether the loss is finite after the last update, on the last batch.
    fn check_end(&mut self) -> Result<(), TrainError> {
        let step = self.course.step_number();
        let selection = match &self.trainer.minibatch {
            Some(batches) => RowSelection::Rows(batches.rows()),
            None => RowSelection::All,
        };
        let problem = &mut *self.course.problem;
        problem.model().set_mode(Mode::Evaluation);
        let value = problem.value(selection).map_err(|source| TrainError::Loss { step, source })?;
        if value.is_finite() {
            return Ok(());
        }
        Err(self.course.diverged(step, "the loss after the last update".to_owned(), value))
    }

    fn save(&mut self) -> Result<(), TrainError> {
        if !self.course.has_checkpoint() {
            return Ok(());
        }
        let mut optimiser = Vec::new();
        self.trainer.optimiser.save_state(&mut optimiser)?;
        self.course.save(optimiser, self.trainer.minibatch.as_ref().map(MiniBatch::draw))
    }

    /// Goes on from a saved state, if there is one of this run.
    fn resume(&mut self) -> Result<(), TrainError> {
        if self.course.has_checkpoint() {
            // An optimiser that cannot be saved says so now instead of in the middle of the run.
            self.trainer.optimiser.save_state(&mut Vec::new())?;
        }
        let Some(mut saved) = self.course.load()? else { return Ok(()) };
        if let Some(first) = saved.state.record.steps.first() {
            let now = self.evaluate(0)?;
            let before = (first.loss, first.gradient_norm);
            self.course.check_first(before, (now.loss, now.gradient_norm))?;
        }
        let mut optimiser = &saved.optimiser[..];
        self.trainer.optimiser.restore_state(&mut optimiser)?;
        let drawn = match (&mut self.trainer.minibatch, saved.draw.take()) {
            (Some(batches), Some(draw)) => batches.resume(draw),
            (batches, draw) => batches.is_none() && draw.is_none(),
        };
        let restored = optimiser.is_empty() && drawn;
        self.course.restore(saved, restored)
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
