//! The trials of a step.

use hnn_integrators::Scalar;
use hnn_losses::{LossError, RowSelection};

use super::damping::Damping;
use super::fit::{Fit, Value, rows};
use super::linear::Damped;
use super::rows::Read;
use crate::course::Course;
use crate::{StopReason, TrainError};

/// Failures of a step after which what it promises says nothing about a minimum any more: strong
/// damping makes any step small.
const FEW: usize = 10;

/// A point that may be accepted.
#[derive(Debug, Default)]
pub(super) struct Trial<T> {
    step: Vec<f64>,
    theta: Vec<T>,
    locals: Vec<T>,
    /// Why the loss could not be evaluated.
    failure: Option<LossError>,
}

/// What became of a step.
pub(super) struct Outcome {
    /// The damping of the last trial.
    pub(super) lambda: f64,
    /// The fraction of the objective that was gained.
    pub(super) gain: f64,
    /// Why there is nothing more to gain, if so.
    pub(super) converged: Option<StopReason>,
}

impl<T: Scalar> Fit<'_, T> {
    /// Looks for a damping with which a step is accepted.
    pub(super) fn improve(&mut self) -> Result<Outcome, TrainError> {
        let rounding = T::EPSILON.to_f64();
        let tolerances = self.settings.tolerances;
        let (objective, unit) = (self.at.objective, self.linear.unit());
        let first = Damping::new(self.settings.damping * unit);
        let mut damping = self.damping.unwrap_or(first);
        if self.linear.cosine(objective) <= tolerances.gradient.max(rounding) {
            self.damping = Some(damping);
            let converged = Some(StopReason::Gradient);
            return Ok(Outcome { lambda: damping.lambda, gain: 0.0, converged });
        }
        let small = tolerances.reduction.max(rounding) * objective;
        let mut failures = 0;
        let mut all_errors = true;
        let (gain, converged) = loop {
            let solved = self.solve(damping.lambda)?;
            let promise = self.linear.promise(damping.lambda, &self.trial.step);
            let trial = if solved && promise > 0.0 { self.try_step()? } else { None };
            let is_short = solved && self.is_short(tolerances.step.max(rounding));
            let promises_little = solved && promise <= small;
            all_errors &= solved && self.trial.failure.is_some();
            if let Some(value) = trial.filter(|value| value.objective < objective) {
                let lambda = damping.lambda;
                let gain = objective - value.objective;
                damping.accept(unit);
                self.accept(value)?;
                let converged = if is_short {
                    Some(StopReason::Step)
                } else {
                    (promises_little && gain <= small).then_some(StopReason::Reduction)
                };
                self.damping = Some(damping);
                return Ok(Outcome { lambda, gain: gain / objective, converged });
            }
            failures += 1;
            if is_short || promises_little {
                let few = if is_short { StopReason::Step } else { StopReason::Reduction };
                break (0.0, if failures <= FEW { few } else { StopReason::NothingBetter });
            }
            if !damping.reject(unit) {
                break (0.0, StopReason::NothingBetter);
            }
        };
        self.return_to_accepted()?;
        if let (true, Some(source)) = (all_errors, self.trial.failure.take()) {
            return Err(TrainError::Loss { step: self.course.step_number(), source });
        }
        self.damping = Some(damping);
        Ok(Outcome { lambda: damping.lambda, gain, converged: Some(converged) })
    }

    /// The step with this damping; false if there is none. The model is at the accepted point.
    fn solve(&mut self, lambda: f64) -> Result<bool, TrainError> {
        let weights = self.weights();
        let step = self.course.step_number();
        self.trial.failure = None;
        let Self { equations, linear, trial, theta, .. } = self;
        trial.step.resize(theta.len() + self.layout.num_locals(), 0.0);
        let mut rows = rows(&mut self.course, &self.layout, &weights, &mut self.buffer);
        let damped = Damped { prior: weights.prior, theta, linear, lambda };
        equations
            .solve(&mut rows, &damped, &mut trial.step)
            .map_err(|source| TrainError::Loss { step, source })
    }

    /// Whether the step is short beside the unknowns, in the measure in which it is kept short.
    fn is_short(&self, tolerance: f64) -> bool {
        let unknowns = self.theta.iter().copied().chain(self.locals.iter().map(|x| x.to_f64()));
        let pairs = unknowns.zip(&self.trial.step).zip(&self.linear.scale);
        let (size, length) = pairs
            .fold((0.0, 0.0), |(size, length), ((x, s), d)| (size + d * x * x, length + d * s * s));
        length.sqrt() <= tolerance * size.sqrt()
    }

    /// The value at the end of the step, if there is one; the model returns where it was.
    fn try_step(&mut self) -> Result<Option<Value>, TrainError> {
        let value = self.try_unknowns();
        self.return_to_accepted()?;
        value
    }

    fn try_unknowns(&mut self) -> Result<Option<Value>, TrainError> {
        let Trial { step, theta, locals, .. } = &mut self.trial;
        let (of_theta, of_locals) = step.split_at(self.theta.len());
        theta.clear();
        theta.extend(self.theta.iter().zip(of_theta).map(|(w, s)| T::from_f64(w + s)));
        locals.clear();
        let moved = self.locals.iter().zip(of_locals);
        locals.extend(moved.map(|(x, s)| T::from_f64(x.to_f64() + s)));
        if !theta.iter().chain(&*locals).all(|x| x.is_finite()) {
            return Ok(None);
        }
        self.course.problem.model().set_params(theta)?;
        let value = self.course.problem.set_locals(locals).and_then(|()| self.evaluate());
        match value {
            Ok(value) => Ok(Some(value).filter(|value| value.objective.is_finite())),
            Err(error) => {
                self.trial.failure = Some(error);
                Ok(None)
            }
        }
    }

    /// The value at the trial, where the model is.
    fn evaluate(&mut self) -> Result<Value, LossError> {
        if self.estimates.is_none() {
            let loss = self.course.problem.value(RowSelection::All)?;
            return Ok(Value { loss, objective: loss });
        }
        let weights = self.weights();
        let mut rows = rows(&mut self.course, &self.layout, &weights, &mut self.buffer);
        rows.each(Read::Values, &mut |_| ())?;
        let theta_square = self.trial.theta.iter().map(|w| w.to_f64().powi(2)).sum();
        Ok(self.weighted(&weights, theta_square))
    }

    /// Moves to the trial.
    fn accept(&mut self, value: Value) -> Result<(), TrainError> {
        self.at = value;
        self.course.state.theta.copy_from_slice(&self.trial.theta);
        self.locals.copy_from_slice(&self.trial.locals);
        self.return_to_accepted()
    }

    /// Puts the model and the locals where they were accepted.
    pub(super) fn return_to_accepted(&mut self) -> Result<(), TrainError> {
        let Course { problem, state, .. } = &mut self.course;
        problem.model().set_params(&state.theta)?;
        let step = state.record.steps.len();
        problem.set_locals(&self.locals).map_err(|source| TrainError::Loss { step, source })
    }
}
