//! A run of least squares.

use hnn_integrators::Scalar;
use hnn_losses::{LossError, ResidualLayout, RowSelection};

use super::LeastSquares;
use super::damping::Damping;
use super::equations::Equations;
use super::estimates::Estimates;
use super::evidence::Evidence;
use super::linear::{Linear, Weights, square};
use super::rows::{Buffer, Rows};
use super::trials::Trial;
use crate::course::{Course, Plan};
use crate::fitting::Fitting;
use crate::optimiser::take;
use crate::{Observer, StepRecord, StopReason, TrainError, TrainingRecord};

/// The least variance of a residual that is estimated, in units of the mean square at the start.
const LEAST_VARIANCE: f64 = 1e-30;

pub(super) struct Fit<'a, T> {
    pub(super) settings: &'a LeastSquares,
    pub(super) course: Course<'a, T>,
    pub(super) layout: ResidualLayout,
    pub(super) equations: Equations,
    pub(super) buffer: Buffer<T>,
    pub(super) linear: Linear,
    /// None before the first step.
    pub(super) damping: Option<Damping>,
    /// The loss and its gradient's norm at the start.
    start: (f64, f64),
    pub(super) estimates: Option<Estimates>,
    /// The parameters and locals that are accepted.
    pub(super) theta: Vec<f64>,
    pub(super) locals: Vec<T>,
    pub(super) at: Value,
    pub(super) trial: Trial<T>,
}

/// What a point is worth.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Value {
    /// The loss.
    pub(super) loss: f64,
    /// What falls: the loss, or its terms weighted by the noise.
    pub(super) objective: f64,
}

impl<'a, T: Scalar> Fit<'a, T> {
    /// At its begin, or where the run that it resumes was.
    pub(super) fn new(
        settings: &'a LeastSquares,
        problem: &'a mut dyn Fitting<T>,
        observer: &'a mut dyn Observer,
    ) -> Result<Self, TrainError> {
        let num_params = problem.model().num_params();
        let plan = Plan {
            steps: settings.steps,
            stopping: settings.stopping,
            checkpoint: settings.checkpoint.clone(),
            settings: settings.settings::<T>(num_params),
        };
        let course = Course::new(plan, problem, observer, None)?;
        let layout = course
            .problem
            .begin_step(0, settings.steps)
            .and_then(|()| course.problem.residual_layout())
            .map_err(|source| TrainError::Loss { step: 0, source })?;
        let equations = Equations::new::<T>(settings, num_params, &layout)?;
        let buffer = Buffer::new(equations.rows_bytes());
        let rule = settings.evidence.clone();
        let estimates = rule.map(|rule| Estimates::new(rule, &layout)).transpose()?;
        let mut fit = Self {
            settings,
            course,
            layout,
            equations,
            buffer,
            linear: Linear::default(),
            damping: None,
            start: (0.0, 0.0),
            estimates,
            theta: Vec::new(),
            locals: Vec::new(),
            at: Value::default(),
            trial: Trial::default(),
        };
        fit.copy_locals().map_err(|source| TrainError::Loss { step: 0, source })?;
        fit.resume()?;
        Ok(fit)
    }

    /// Fits to the end. Whatever goes wrong, the model has the last parameters that were accepted.
    pub(super) fn run(mut self) -> Result<TrainingRecord, TrainError> {
        match self.steps() {
            Ok(()) => Ok(self.course.state.record),
            Err(error) => {
                // Should this fail too, the first error says why.
                self.return_to_accepted().ok();
                Err(error)
            }
        }
    }

    fn steps(&mut self) -> Result<(), TrainError> {
        let mut ended = self.ended_before().or(self.course.ended());
        let reason = loop {
            if let Some(reason) = ended {
                break reason;
            }
            ended = self.step()?;
            if ended.is_none() && self.course.is_save_due() {
                self.save()?;
            }
        };
        if self.course.has_stepped() && self.estimates.is_some() {
            self.linearise()?;
            self.course.state.record.evidence = self.evidence()?;
        }
        self.course.keep(reason)?;
        if self.course.has_stepped() { self.save() } else { Ok(()) }
    }

    /// Why the run that is resumed needs no further step, if so.
    fn ended_before(&self) -> Option<StopReason> {
        use StopReason::{Gradient, NothingBetter, Reduction, Step};
        let stop = self.course.state.record.stop;
        matches!(stop, Gradient | NothingBetter | Reduction | Step).then_some(stop)
    }

    /// One accepted step. Says why it is the last one, if so.
    fn step(&mut self) -> Result<Option<StopReason>, TrainError> {
        let step = self.course.step_number();
        let failed = |source| TrainError::Loss { step, source };
        self.course.problem.begin_step(step, self.settings.steps).map_err(failed)?;
        self.linearise()?;
        if self.estimates.as_ref().is_some_and(Estimates::is_due) {
            self.estimate()?;
        }
        let gradient_norm = self.gradient_norm();
        if step == 0 {
            self.start = (self.at.loss, gradient_norm);
        }
        let mut outcome = self.improve()?;
        if let Some(estimates) = &mut self.estimates {
            estimates.count(outcome.gain);
            // Converged is what stays so when noise and prior are estimated once more.
            if outcome.converged.is_some() {
                self.linearise()?;
                if !self.estimate()? {
                    outcome.converged = None;
                }
            }
        }
        let terms = self.terms()?;
        let validation = self.course.validate(step)?;
        let (rate, loss) = (outcome.lambda, self.at.loss);
        let record = StepRecord { step, rate, loss, terms, gradient_norm, validation };
        let ended = self.course.end_step(record);
        Ok(outcome.converged.or(ended))
    }

    /// Reads the residuals and their rows at the accepted point.
    fn linearise(&mut self) -> Result<(), TrainError> {
        let step = self.course.step_number();
        let failed = |source| TrainError::Loss { step, source };
        let Course { problem, state, .. } = &mut self.course;
        let layout = problem.residual_layout().map_err(failed)?;
        if layout != self.layout {
            // A curriculum has gone on.
            self.equations = Equations::new::<T>(self.settings, state.theta.len(), &layout)?;
            self.buffer = Buffer::new(self.equations.rows_bytes());
            self.layout = layout;
        }
        self.copy_locals().map_err(failed)?;
        let Course { problem, state, .. } = &mut self.course;
        self.theta.clear();
        self.theta.extend(state.theta.iter().map(|w| w.to_f64()));
        self.at.loss = problem.value(RowSelection::All).map_err(failed)?;
        self.require_finite("the value", self.at.loss)?;
        let weights = self.weights();
        let Self { equations, linear, .. } = self;
        let mut rows = rows(&mut self.course, &self.layout, &weights, &mut self.buffer);
        equations.linearise(&mut rows, &self.theta, linear).map_err(failed)?;
        linear.rescale(self.settings.scaling);
        let size = square(&linear.gradient) + linear.diagonal.iter().sum::<f64>();
        self.require_finite("the size of the gradient and of the rows", size)?;
        self.at.objective = self.at.loss;
        if self.estimates.is_some() {
            let value = self.weighted(&weights, square(&self.theta));
            self.check_squares(value.loss)?;
            self.at.objective = value.objective;
        }
        Ok(())
    }

    /// The value of the squares that were read last.
    pub(super) fn weighted(&self, weights: &Weights, theta_square: f64) -> Value {
        let squares = self.buffer.squares().iter().enumerate();
        let plain: f64 = squares.map(|(term, square)| square / weights.of_term(term)).sum();
        let weighted: f64 = self.buffer.squares().iter().sum();
        Value {
            loss: plain + self.layout.prior * theta_square,
            objective: weighted + weights.prior * theta_square,
        }
    }

    fn copy_locals(&mut self) -> Result<(), LossError> {
        self.locals.resize(self.layout.num_locals(), T::ZERO);
        self.course.problem.copy_locals(&mut self.locals)
    }

    pub(super) fn weights(&self) -> Weights {
        let estimated = self.estimates.as_ref().and_then(|estimates| estimates.weights.clone());
        estimated.unwrap_or(Weights::plain(self.layout.prior))
    }

    fn require_finite(&self, what: &'static str, value: f64) -> Result<(), TrainError> {
        if value.is_finite() {
            return Ok(());
        }
        let (step, loss) = (self.course.step_number(), self.course.problem.name().to_owned());
        Err(TrainError::NotFinite { step, loss, what, value })
    }

    /// Evidence takes the loss for a sum of squares.
    fn check_squares(&self, squares: f64) -> Result<(), TrainError> {
        let value = self.at.loss;
        if (squares - value).abs() <= 1e-3 * value.abs() {
            return Ok(());
        }
        Err(TrainError::NotSquares { loss: self.course.problem.name().to_owned(), value, squares })
    }

    /// The norm of the gradient by the parameters.
    fn gradient_norm(&self) -> f64 {
        2.0 * square(&self.linear.gradient[..self.theta.len()]).sqrt()
    }

    /// The value of each term at the accepted point.
    fn terms(&mut self) -> Result<Vec<(String, f64)>, TrainError> {
        let step = self.course.step_number();
        let problem = &mut self.course.problem;
        if !problem.terms().is_empty() {
            // The last evaluation may have been one of a trial that failed.
            problem.value(RowSelection::All).map_err(|source| TrainError::Loss { step, source })?;
        }
        Ok(problem.terms())
    }

    /// What the point that was read last says about noise and prior.
    fn evidence(&mut self) -> Result<Option<Evidence>, TrainError> {
        let weights = self.weights();
        let step = self.course.step_number();
        let Equations::Normal(normal) = &mut self.equations else { return Ok(None) };
        let mut rows = rows(&mut self.course, &self.layout, &weights, &mut self.buffer);
        Evidence::new(normal, &mut rows, &self.theta)
            .map_err(|source| TrainError::Loss { step, source })
    }

    /// Estimates noise and prior at the point that was read last, and reads it with them. Whether
    /// they stayed as they were.
    fn estimate(&mut self) -> Result<bool, TrainError> {
        let Some(evidence) = self.evidence()? else { return Ok(true) };
        let least = LEAST_VARIANCE * self.start.0 / self.layout.total() as f64;
        let Some(estimates) = &mut self.estimates else { return Ok(true) };
        let settled = estimates.update(&evidence, &self.theta, least);
        // The damping keeps its share of the Hessian.
        let before = self.linear.unit();
        self.linear.scale.fill(0.0);
        self.linearise()?;
        if let Some(damping) = &mut self.damping {
            damping.lambda *= self.linear.unit() / before;
        }
        Ok(settled)
    }

    fn save(&mut self) -> Result<(), TrainError> {
        let mut state = vec![self.start.0, self.start.1];
        let damping = self.damping.unwrap_or(Damping::new(self.settings.damping));
        state.extend([damping.lambda, damping.growth, self.linear.scale.len() as f64]);
        state.extend(&self.linear.scale);
        if let Some(estimates) = &self.estimates {
            estimates.save(&mut state);
        }
        self.course.save(state, None)
    }

    /// Goes on from a saved state, if there is one of this run.
    fn resume(&mut self) -> Result<(), TrainError> {
        let Some(saved) = self.course.load()? else { return Ok(()) };
        self.linearise()?;
        let now = (self.at.loss, self.gradient_norm());
        let mut state = &saved.optimiser[..];
        let restored = self.restore(&mut state).is_ok() && state.is_empty();
        if restored && !saved.state.record.steps.is_empty() {
            self.course.check_first(self.start, now)?;
        }
        self.course.restore(saved, restored)?;
        let step = self.course.step_number();
        self.copy_locals().map_err(|source| TrainError::Loss { step, source })
    }

    fn restore(&mut self, state: &mut &[f64]) -> Result<(), TrainError> {
        let [loss, gradient, lambda, growth, scale] =
            take(state, 5)?.try_into().unwrap_or([0.0; 5]);
        self.start = (loss, gradient);
        self.damping = Some(Damping { lambda, growth });
        self.linear.scale = take(state, scale as usize)?.to_vec();
        match &mut self.estimates {
            Some(estimates) => estimates.restore(state),
            None => Ok(()),
        }
    }
}

/// The rows of a run's loss, at the parameters that its model has.
pub(super) fn rows<'r, T: Scalar>(
    course: &'r mut Course<'_, T>,
    layout: &'r ResidualLayout,
    weights: &'r Weights,
    buffer: &'r mut Buffer<T>,
) -> Rows<'r, T> {
    let num_params = course.state.theta.len();
    Rows { problem: &mut *course.problem, layout, weights, num_params, buffer }
}
