//! What every training run does, whatever moves the parameters: it validates, tells the observer,
//! saves, goes on from what is saved, and ends with the parameters that are kept.

use std::time::{Duration, Instant};

use hnn_integrators::{Mode, Scalar};
use hnn_losses::RowShare;

use crate::fitting::Fitting;
use crate::minibatch::Draw;
use crate::state::{Loaded, Saved, State};
use crate::{
    Checkpoint, Control, EarlyStopping, Observer, Progress, StepRecord, StopReason, TrainError,
};

/// What a run is asked to do.
pub(crate) struct Plan {
    pub(crate) steps: usize,
    pub(crate) stopping: Option<EarlyStopping>,
    pub(crate) checkpoint: Option<Checkpoint>,
    /// What it must have in common with the run it resumes, by name.
    pub(crate) settings: Vec<(String, String)>,
}

impl Plan {
    /// When to validate, and to stop.
    fn rule(&self) -> EarlyStopping {
        self.stopping.unwrap_or(EarlyStopping::NEVER)
    }
}

/// A run on its way.
pub(crate) struct Course<'a, T> {
    pub(crate) problem: &'a mut dyn Fitting<T>,
    observer: &'a mut dyn Observer,
    pub(crate) state: State<T>,
    plan: Plan,
    begin: Instant,
    /// How long the run took before it was interrupted.
    before: Duration,
    saved: Instant,
    has_stepped: bool,
}

impl<'a, T: Scalar> Course<'a, T> {
    /// At its begin.
    pub(crate) fn new(
        plan: Plan,
        problem: &'a mut dyn Fitting<T>,
        observer: &'a mut dyn Observer,
        averaging: Option<f64>,
    ) -> Result<Self, TrainError> {
        if plan.stopping.is_some() && !problem.has_validation() {
            return Err(TrainError::NoValidation);
        }
        if let Some(checkpoint) = &plan.checkpoint {
            checkpoint.check()?;
        }
        plan.rule().check()?;
        let begin = Instant::now();
        let mut theta = vec![T::ZERO; problem.model().num_params()];
        problem.model().copy_params(&mut theta)?;
        let (state, before) = (State::new(theta, averaging), Duration::ZERO);
        let (saved, has_stepped) = (begin, false);
        Ok(Self { problem, observer, state, plan, begin, before, saved, has_stepped })
    }

    /// Number of steps planned.
    pub(crate) fn steps(&self) -> usize {
        self.plan.steps
    }

    /// The number of the step to come.
    pub(crate) fn step_number(&self) -> usize {
        self.state.record.steps.len()
    }

    pub(crate) fn has_checkpoint(&self) -> bool {
        self.plan.checkpoint.is_some()
    }

    /// Why there is no step to come, if so.
    pub(crate) fn ended(&self) -> Option<StopReason> {
        if self.step_number() >= self.plan.steps {
            return Some(StopReason::Steps);
        }
        self.state.best.waited_enough(&self.plan.rule()).then_some(StopReason::Validation)
    }

    fn elapsed(&self) -> Duration {
        self.before + self.begin.elapsed()
    }

    /// Ends a step: takes it down, and says why there is no further one, if so.
    pub(crate) fn end_step(&mut self, record: StepRecord) -> Option<StopReason> {
        self.has_stepped = true;
        self.state.record.steps.push(record);
        let elapsed = self.elapsed();
        let State { record, theta, .. } = &self.state;
        let latest = &record.steps[record.steps.len() - 1];
        let control =
            self.observer.on_step(&Progress::new(latest, self.plan.steps, elapsed, theta));
        self.ended().or(self.on_any_rank(control == Control::Stop).then_some(StopReason::Observer))
    }

    /// Whether something is so here, or on another rank: what one of them decides, all of them do.
    fn on_any_rank(&self, here: bool) -> bool {
        self.problem.row_share().map_or(here, |share| share.any(here))
    }

    /// The validation loss after step `step`, where one is due.
    pub(crate) fn validate(&mut self, step: usize) -> Result<Option<f64>, TrainError> {
        let rule = self.plan.rule();
        let is_due = (step + 1).is_multiple_of(rule.every) || step + 1 == self.plan.steps;
        if !(is_due && self.problem.has_validation()) {
            return Ok(None);
        }
        let model = self.problem.model();
        model.set_params(self.state.candidate())?;
        model.set_mode(Mode::Evaluation);
        let value = self.problem.validation();
        let Some(value) = value.map_err(|source| TrainError::Loss { step, source })? else {
            return Ok(None);
        };
        let State { theta, average, best, .. } = &mut self.state;
        let candidate = average.as_ref().map_or(&*theta, |average| &average.mean);
        best.update(&rule, step, value, candidate);
        self.problem.model().set_params(theta)?;
        Ok(Some(value))
    }

    /// Ends the run: the model gets the parameters that are kept. They are in need of a look if
    /// nothing has said yet that the loss is finite with them.
    pub(crate) fn keep(&mut self, reason: StopReason) -> Result<Kept, TrainError> {
        let kept = self.keep_parameters(reason)?;
        let (constants, noise) = (self.problem.constant_values(), self.problem.noise_values());
        self.state.record.compare(self.problem.name(), &constants, &noise);
        Ok(kept)
    }

    fn keep_parameters(&mut self, reason: StopReason) -> Result<Kept, TrainError> {
        let count = self.step_number();
        self.state.record.stop = reason;
        let Some(last) = self.state.record.steps.last() else { return Ok(Kept::Seen) };
        let last_validation = last.validation;
        self.state.record.kept_step = count - 1;
        if self.has_stepped {
            self.state.record.seconds = self.elapsed().as_secs_f64();
        }
        let best = &self.state.best;
        if best.loss.is_finite() && self.plan.rule().keep_best {
            self.state.record.kept_step = best.step;
            self.problem.model().set_params(&best.theta)?;
            return Ok(Kept::Seen);
        }
        if best.loss.is_infinite() && self.state.record.steps.iter().any(|s| s.validation.is_some())
        {
            let value = last_validation.unwrap_or(f64::INFINITY);
            return Err(self.diverged(count - 1, "the validation loss".to_owned(), value));
        }
        self.problem.model().set_params(self.state.candidate())?;
        let is_seen = !self.has_stepped || last_validation.is_some_and(f64::is_finite);
        Ok(if is_seen { Kept::Seen } else { Kept::Unseen })
    }

    pub(crate) fn diverged(&self, step: usize, what: String, value: f64) -> TrainError {
        let last_finite = self.state.record.final_loss();
        TrainError::Diverged { step, what, value, last_finite }
    }

    /// Whether the state should be saved now, after a step.
    pub(crate) fn is_save_due(&self) -> bool {
        let step = self.step_number().saturating_sub(1);
        let Some(checkpoint) = &self.plan.checkpoint else { return false };
        self.on_any_rank(checkpoint.is_due(step, self.saved))
    }

    /// Whether something has happened that is not saved.
    pub(crate) fn has_stepped(&self) -> bool {
        self.has_stepped
    }

    /// Saves the state, with that of the method.
    pub(crate) fn save(
        &mut self,
        optimiser: Vec<f64>,
        draw: Option<&Draw>,
    ) -> Result<(), TrainError> {
        let Some(checkpoint) = &self.plan.checkpoint else { return Ok(()) };
        self.state.record.seconds = self.elapsed().as_secs_f64();
        let mut loss = Vec::new();
        self.problem.save_state(&mut loss);
        let settings = self.plan.settings.clone();
        let saved = Saved { settings, state: &self.state, optimiser, loss, draw };
        on_first_rank(self.problem.row_share(), || checkpoint.save(&saved))?;
        self.saved = Instant::now();
        Ok(())
    }

    /// What is saved of this run, if it goes on.
    pub(crate) fn load(&self) -> Result<Option<Loaded<T>>, TrainError> {
        let Some(checkpoint) = &self.plan.checkpoint else { return Ok(None) };
        let share = self.problem.row_share();
        let mut bytes = on_first_rank(share, || checkpoint.read())?.flatten();
        if let Some(share) = share {
            // A file that is there is not empty.
            let given = share.ranks().gather(&bytes.unwrap_or_default());
            bytes = given.into_iter().next().filter(|bytes| !bytes.is_empty());
        }
        let Some(bytes) = bytes else { return Ok(None) };
        let saved: Loaded<T> = checkpoint.parse(&bytes)?;
        let pairs = self.plan.settings.iter().zip(&saved.settings);
        let other = pairs.into_iter().find(|(ours, theirs)| ours != theirs);
        if let Some(((name, ours), (_, theirs))) = other {
            return Err(self.unfit(format!(
                "its run had another {name}: {theirs:?}, and this one has {ours:?}"
            )));
        }
        Ok(Some(saved))
    }

    /// Checks that a saved run began as this one does, by the loss and its gradient's norm.
    pub(crate) fn check_first(
        &self,
        before: (f64, f64),
        now: (f64, f64),
    ) -> Result<(), TrainError> {
        let same = |a: f64, b: f64| (a - b).abs() <= 1e-3 * b.abs();
        if same(now.0, before.0) && same(now.1, before.1) {
            return Ok(());
        }
        let (before, now) = (before.0, now.0);
        Err(self.unfit(format!(
            "its run began with a loss of {before} and this one with {now}: the first parameters, \
             the loss or the data are others"
        )))
    }

    /// Goes on from a saved state. The method's has been taken by `restored`, which says whether
    /// it fits.
    pub(crate) fn restore(&mut self, saved: Loaded<T>, restored: bool) -> Result<(), TrainError> {
        let mut loss = &saved.loss[..];
        self.problem
            .restore_state(&mut loss)
            .map_err(|source| TrainError::Loss { step: saved.state.record.steps.len(), source })?;
        if !(restored && loss.is_empty() && saved.state.fits(self.state.theta.len())) {
            return Err(self.unfit("its state does not fit this run".to_owned()));
        }
        self.state = saved.state;
        self.before = Duration::try_from_secs_f64(self.state.record.seconds).unwrap_or_default();
        Ok(self.problem.model().set_params(&self.state.theta)?)
    }

    /// A saved run is not this one.
    fn unfit(&self, reason: String) -> TrainError {
        let path = self.plan.checkpoint.as_ref().map(|c| c.path().to_owned()).unwrap_or_default();
        TrainError::Checkpoint { path, reason }
    }
}

/// Has the first rank do what is done once, where there are several. An error of it is one of all.
fn on_first_rank<R>(
    share: Option<&RowShare>,
    work: impl FnOnce() -> Result<R, TrainError>,
) -> Result<Option<R>, TrainError> {
    let Some(share) = share else { return work().map(Some) };
    let done = if share.ranks().rank() == 0 { work().map(Some) } else { Ok(None) };
    let agreed = share.agree(done.as_ref().map(|_| ()));
    let done = done?;
    agreed.map_err(|source| TrainError::Loss { step: 0, source })?;
    Ok(done)
}

/// Whether a loss has said that the parameters that are kept are good for a finite value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kept {
    Seen,
    Unseen,
}
