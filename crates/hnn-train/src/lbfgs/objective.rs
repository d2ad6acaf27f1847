//! The loss as what L-BFGS minimises.

use hnn_integrators::{FieldError, Scalar};
use hnn_losses::{LossError, RowSelection};

use crate::early_stopping::{self, EarlyStopping};
use crate::fitting::Fitting;
use crate::state::norm;
use crate::{StepRecord, StopReason, TrainingRecord};

/// A line search that takes longer goes nowhere: a good one takes one or two.
const MOST_EVALUATIONS: usize = 100;

/// A loss at the parameters of a model, in double precision.
pub(super) trait InDoubles {
    /// Moves the model there, or as near as its numbers allow.
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError>;
    /// Where it was moved to last, and the norm.
    fn copy_params(&self, out: &mut [f64]) -> f64;
    /// The loss there. The gradient is kept.
    fn evaluate(&mut self) -> Result<f64, LossError>;
    /// The gradient, and its norm.
    fn copy_gradient(&self, out: &mut [f64]) -> f64;
    /// The validation loss where it was moved to last, if there is one.
    fn validation(&mut self) -> Result<Option<f64>, LossError>;
    fn terms(&self) -> Vec<(String, f64)>;
    fn compare(&self, record: &mut TrainingRecord);
}

/// A problem in numbers of another type.
pub(super) struct Rounded<'a, T> {
    pub(super) problem: &'a mut dyn Fitting<T>,
    pub(super) theta: Vec<T>,
    pub(super) theta_bar: Vec<T>,
}

impl<T: Scalar> InDoubles for Rounded<'_, T> {
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError> {
        self.theta.iter_mut().zip(theta).for_each(|(w, x)| *w = T::from_f64(*x));
        self.problem.model().set_params(&self.theta)
    }

    fn copy_params(&self, out: &mut [f64]) -> f64 {
        copy(&self.theta, out)
    }

    fn evaluate(&mut self) -> Result<f64, LossError> {
        self.theta_bar.fill(T::ZERO);
        self.problem.value_and_gradient(RowSelection::All, &mut self.theta_bar)
    }

    fn copy_gradient(&self, out: &mut [f64]) -> f64 {
        copy(&self.theta_bar, out)
    }

    fn validation(&mut self) -> Result<Option<f64>, LossError> {
        self.problem.validation()
    }

    fn terms(&self) -> Vec<(String, f64)> {
        self.problem.terms()
    }

    fn compare(&self, record: &mut TrainingRecord) {
        let (constants, noise) = (self.problem.constant_values(), self.problem.noise_values());
        record.compare(self.problem.name(), &constants, &noise);
    }
}

/// Copies numbers, and returns their norm.
fn copy<T: Scalar>(numbers: &[T], out: &mut [f64]) -> f64 {
    out.iter_mut().zip(numbers).for_each(|(out, x)| *out = x.to_f64());
    norm(numbers)
}

/// The loss as a function of the parameters, and what it has seen.
pub(super) struct Objective<'a> {
    pub(super) problem: &'a mut dyn InDoubles,
    /// The point of the last evaluation, as asked for and as the model has it, its value and its
    /// gradient: a method asks for the two one after the other.
    point: Vec<f64>,
    theta: Vec<f64>,
    pub(super) value: f64,
    pub(super) theta_bar: Vec<f64>,
    /// What the method sees as 1: the loss at the start.
    pub(super) unit: f64,
    /// How many there were in this step.
    pub(super) evaluations: usize,
    pub(super) best: Best,
    /// When to validate, and to stop.
    rule: EarlyStopping,
    /// The best parameters by the validation loss.
    validated: early_stopping::Best<f64>,
    pub(super) failure: Option<Failure>,
}

/// Why a search ends before its time.
#[derive(Debug, Clone, thiserror::Error)]
pub(super) enum Failure {
    #[error(transparent)]
    Loss(#[from] LossError),
    #[error("{what} is {value}")]
    NotFinite { what: &'static str, value: f64 },
    #[error("the line search finds nothing better")]
    NothingBetter,
}

/// The best point so far.
pub(super) struct Best {
    pub(super) theta: Vec<f64>,
    pub(super) value: f64,
    gradient_norm: f64,
    terms: Vec<(String, f64)>,
}

impl Best {
    pub(super) fn record(&self, step: usize) -> StepRecord {
        StepRecord {
            step,
            rate: 1.0,
            loss: self.value,
            terms: self.terms.clone(),
            gradient_norm: self.gradient_norm,
            validation: None,
        }
    }
}

impl<'a> Objective<'a> {
    pub(super) fn new(rule: EarlyStopping, problem: &'a mut dyn InDoubles, start: &[f64]) -> Self {
        let [theta, theta_bar] = [start.to_vec(), vec![0.0; start.len()]];
        let best = Best {
            theta: theta.clone(),
            value: f64::INFINITY,
            gradient_norm: 0.0,
            terms: Vec::new(),
        };
        let (point, value, failure, evaluations) = (Vec::new(), 0.0, None, 0);
        let (unit, validated) = (1.0, early_stopping::Best::new());
        Self {
            problem,
            point,
            theta,
            value,
            theta_bar,
            unit,
            evaluations,
            best,
            rule,
            validated,
            failure,
        }
    }

    /// Evaluates at the start, which sets the unit.
    pub(super) fn begin(&mut self, start: &[f64]) -> Result<(), Failure> {
        self.evaluate(start)?;
        if self.value > 0.0 {
            self.unit = self.value;
        }
        Ok(())
    }

    /// What vanishes, the gradient or the change of the loss.
    pub(super) fn converged(&self) -> StopReason {
        let is_flat = self.best.gradient_norm < f64::EPSILON.sqrt() * self.unit;
        if is_flat { StopReason::Gradient } else { StopReason::Reduction }
    }

    /// Whether the patience with the validation loss is at an end.
    pub(super) fn waited_enough(&self) -> bool {
        self.validated.waited_enough(&self.rule)
    }

    /// The validation loss after a step, where one is due.
    pub(super) fn validate_if_due(&mut self, step: usize) -> Result<Option<f64>, Failure> {
        let is_due = (step + 1).is_multiple_of(self.rule.every);
        if is_due { self.validate(step) } else { Ok(None) }
    }

    /// Validates the last step of a run that has not failed, if it is not yet.
    pub(super) fn validate_last(&mut self, record: &mut TrainingRecord) {
        let has_failed = !matches!(self.failure, None | Some(Failure::NothingBetter));
        let Some(last) = record.steps.last_mut().filter(|_| !has_failed) else { return };
        if last.validation.is_none() {
            // The objective keeps the reason of an error.
            last.validation = self.validate(last.step).unwrap_or_default();
        }
        if let Some(value) = last.validation.filter(|_| self.validated.loss.is_infinite()) {
            self.failure = Some(Failure::NotFinite { what: "the validation loss", value });
        }
    }

    fn validate(&mut self, step: usize) -> Result<Option<f64>, Failure> {
        let result = self.problem.set_params(&self.best.theta).map_err(LossError::from);
        let value = result.and_then(|()| self.problem.validation()).map_err(|source| {
            self.failure = Some(Failure::Loss(source.clone()));
            Failure::Loss(source)
        })?;
        if let Some(value) = value {
            self.validated.update(&self.rule, step, value, &self.best.theta);
        }
        Ok(value)
    }

    /// The model gets the best parameters, by the validation loss if there is one. Returns their step, in
    /// this case.
    pub(super) fn keep(&mut self) -> Result<Option<usize>, FieldError> {
        let by_validation = self.validated.loss.is_finite() && self.rule.keep_best;
        let theta = if by_validation { &self.validated.theta } else { &self.best.theta };
        self.problem.set_params(theta)?;
        Ok(by_validation.then_some(self.validated.step))
    }

    /// Evaluates at a point, unless that was the last one.
    pub(super) fn evaluate(&mut self, point: &[f64]) -> Result<(), Failure> {
        if self.point == point {
            return Ok(());
        }
        let result = self.evaluate_anew(point);
        self.failure = result.as_ref().err().cloned();
        result
    }

    fn evaluate_anew(&mut self, point: &[f64]) -> Result<(), Failure> {
        self.point.clear();
        self.evaluations += 1;
        if self.evaluations > MOST_EVALUATIONS {
            return Err(Failure::NothingBetter);
        }
        self.problem.set_params(point).map_err(LossError::from)?;
        self.value = self.problem.evaluate()?;
        let gradient_norm = self.problem.copy_gradient(&mut self.theta_bar);
        let parameters_norm = self.problem.copy_params(&mut self.theta);
        for (what, value) in [
            ("the loss", self.value),
            ("the norm of the gradient", gradient_norm),
            ("the norm of the parameters", parameters_norm),
        ] {
            if !value.is_finite() {
                return Err(Failure::NotFinite { what, value });
            }
        }
        self.point.extend_from_slice(point);
        if self.value < self.best.value {
            self.best.value = self.value;
            self.best.theta.copy_from_slice(&self.theta);
            self.best.gradient_norm = gradient_norm;
            self.best.terms = self.problem.terms();
        }
        Ok(())
    }
}
