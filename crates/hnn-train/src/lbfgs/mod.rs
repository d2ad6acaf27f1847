//! L-BFGS for full batches.

mod objective;
mod vector;

use std::cell::RefCell;
use std::time::Instant;

use argmin::core::{CostFunction, Error, Gradient, IterState, Problem, Solver, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use hnn_integrators::{Mode, Parameters, Scalar, TooLarge, compiled_here};
use hnn_losses::Loss;

use self::objective::{Failure, InDoubles, Objective, Rounded};
use self::vector::Vector;
use crate::error::require;
use crate::fitting::{Fitted, Fitting};
use crate::{Control, EarlyStopping, Observer, Progress, StopReason, TrainError, TrainingRecord};

/// More remembered pairs of updates gain nothing.
const MOST_PAIRS: usize = 1000;

/// Limited-memory BFGS (Liu and Nocedal 1989) with More and Thuente's line search, of the crate
/// `argmin`: for full batches of smooth, deterministic losses, where it converges in far fewer
/// steps than a first-order method. The model is in evaluation mode (no dropout).
///
/// A step is one search direction; it evaluates the loss and its gradient a few times. The
/// method's own arithmetic is in `f64`.
///
/// ```
/// use hnn_losses::DerivativeLoss;
/// use hnn_models::{Architecture, Hnn, Initialisation, Mlp};
/// use hnn_train::Lbfgs;
/// use ndarray::array;
/// let net = Mlp::<f64>::new(Architecture::new(&[2, 16, 1])?, Initialisation::Orthogonal, 0);
/// let mut model = Hnn::new(net)?;
/// let x = array![[1.0, 0.0], [0.0, 0.5], [0.3, -0.4]];
/// let dx = array![[0.0, -2.0], [1.0, 0.0], [-0.8, -0.6]];
/// let t = array![0.0, 0.0, 0.0];
/// let mut loss = DerivativeLoss::new(t.view(), x.view(), dx.view())?;
/// let record = Lbfgs::new(50).fit(&mut model, &mut loss, None, &mut ())?;
/// assert!(record.final_loss() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lbfgs {
    steps: usize,
    memory: usize,
    stopping: Option<EarlyStopping>,
}

type Method = LBFGS<MoreThuenteLineSearch<Vector, Vector, f64>, Vector, Vector, f64>;

impl Lbfgs {
    /// At most `steps` steps, with the last 10 pairs of updates remembered.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        Self { steps, memory: 10, stopping: None }
    }

    /// The same with another number of remembered pairs.
    #[must_use]
    pub fn with_memory(mut self, pairs: usize) -> Self {
        self.memory = pairs;
        self
    }

    /// The same with early stopping. Needs a validation loss.
    #[must_use]
    pub fn with_early_stopping(mut self, stopping: EarlyStopping) -> Self {
        self.stopping = Some(stopping);
        self
    }

    /// Minimises the loss over the whole data set, until the steps are done, the gradient or the
    /// change of the loss vanishes, the line search finds nothing better, or the observer stops
    /// it. "Vanishes" is relative to the loss at the start, so that the units of the data do not
    /// matter.
    ///
    /// The model ends with the best parameters found; with a validation loss, with those that were
    /// best by it, as in [`Trainer::fit`](crate::Trainer::fit). The last ones are always validated.
    ///
    /// # Errors
    /// If a setting makes no sense, the loss fails, the loss or its gradient is not finite at the
    /// start or where a line search looks, or the validation loss never is. The model then has the
    /// best parameters found.
    pub fn fit<T: Scalar, F: Parameters<T>>(
        &self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
        validation: Option<&mut dyn Loss<T, F>>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        type Run<T> = fn(
            &Lbfgs,
            &mut dyn Fitting<T>,
            &mut dyn Observer,
        ) -> Result<TrainingRecord, TrainError>;
        let problem = &mut Fitted { model, loss, validation };
        compiled_here!(T => Run<T>, Lbfgs::run)(self, problem, observer)
    }

    fn run<T: Scalar>(
        &self,
        problem: &mut dyn Fitting<T>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        let sensible = (1..=MOST_PAIRS).contains(&self.memory);
        let pairs = "L-BFGS's number of remembered pairs";
        require(sensible, pairs, self.memory, "from 1 to 1000, such as 10")?;
        let rule = self.stopping.unwrap_or(EarlyStopping::NEVER);
        rule.check()?;
        if self.stopping.is_some() && !problem.has_validation() {
            return Err(TrainError::NoValidation);
        }
        let model = problem.model();
        let pairs = self.memory.saturating_mul(model.num_params());
        let remedy = "remember fewer updates, such as 10";
        TooLarge::check("numbers in remembered pairs", pairs, 2 * size_of::<f64>(), remedy)?;
        model.set_mode(Mode::Evaluation);
        let mut theta = vec![T::ZERO; model.num_params()];
        model.copy_params(&mut theta)?;
        let start = theta.iter().map(|w| w.to_f64()).collect();
        let theta_bar = theta.clone();
        self.search(rule, &mut Rounded { problem, theta, theta_bar }, start, observer)
    }

    /// Compiled once, whatever the numbers of the model.
    fn search(
        &self,
        rule: EarlyStopping,
        problem: &mut dyn InDoubles,
        start: Vec<f64>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        let mut objective = Objective::new(rule, problem, &start);
        let mut record = match objective.begin(&start) {
            Ok(()) => {
                let shared = RefCell::new(objective);
                let record = self.minimise(&shared, start, observer);
                objective = shared.into_inner();
                record
            }
            Err(_) => TrainingRecord::default(),
        };
        objective.validate_last(&mut record);
        let kept_step = objective.keep()?;
        record.kept_step = kept_step.unwrap_or(record.steps.len().saturating_sub(1));
        let Objective { problem, best, failure, .. } = objective;
        problem.compare(&mut record);
        let (step, last_finite) = (record.steps.len(), best.value);
        match failure {
            Some(Failure::Loss(source)) => Err(TrainError::Loss { step, source }),
            Some(Failure::NotFinite { what, value }) => {
                let what = what.to_owned();
                Err(TrainError::Diverged { step, what, value, last_finite })
            }
            Some(Failure::NothingBetter) | None => Ok(record),
        }
    }

    fn minimise(
        &self,
        objective: &RefCell<Objective<'_>>,
        start: Vec<f64>,
        observer: &mut dyn Observer,
    ) -> TrainingRecord {
        let begin = Instant::now();
        let mut method: Method = LBFGS::new(MoreThuenteLineSearch::new(), self.memory);
        let mut problem = Problem::new(Shared(objective));
        let mut record = TrainingRecord::default();
        let mut next = method.init(&mut problem, IterState::new().param(Vector(start)));
        record.stop = loop {
            // The objective keeps the reason of an error.
            let Ok((state, _)) = next else { break StopReason::NothingBetter };
            if record.steps.len() >= self.steps {
                break StopReason::Steps;
            }
            if ended(&mut method, &problem, &state) {
                break objective.borrow().converged();
            }
            if objective.borrow().waited_enough() {
                break StopReason::Validation;
            }
            objective.borrow_mut().evaluations = 0;
            next = method.next_iter(&mut problem, state);
            let Ok((found, _)) = &mut next else { continue };
            found.increment_iter();
            let mut step = objective.borrow().best.record(record.steps.len());
            let Ok(validation) = objective.borrow_mut().validate_if_due(step.step) else {
                break StopReason::NothingBetter;
            };
            step.validation = validation;
            let theta = &objective.borrow().best.theta;
            let progress = Progress::new(&step, self.steps, begin.elapsed(), theta);
            let control = observer.on_step(&progress);
            record.steps.push(step);
            if control == Control::Stop && record.steps.len() < self.steps {
                break StopReason::Observer;
            }
            // A line search that finds nothing better ends the run.
            if found.terminated() && record.steps.len() < self.steps {
                break StopReason::NothingBetter;
            }
        };
        record.seconds = begin.elapsed().as_secs_f64();
        record
    }
}

/// Whether the gradient, or the last change of the loss, vanishes.
fn ended<O, S>(method: &mut Method, _: &Problem<O>, state: &S) -> bool
where
    S: State,
    Method: Solver<O, S>,
{
    method.terminate(state).terminated()
}

/// What `argmin` sees.
struct Shared<'a, 'b>(&'b RefCell<Objective<'a>>);

impl Shared<'_, '_> {
    fn at<R>(&self, x: &[f64], read: impl Fn(&Objective<'_>) -> R) -> Result<R, Error> {
        let mut objective = self.0.borrow_mut();
        objective.evaluate(x)?;
        Ok(read(&objective))
    }
}

impl CostFunction for Shared<'_, '_> {
    type Param = Vector;
    type Output = f64;

    fn cost(&self, Vector(x): &Vector) -> Result<f64, Error> {
        self.at(x, |objective| objective.value / objective.unit)
    }
}

impl Gradient for Shared<'_, '_> {
    type Param = Vector;
    type Gradient = Vector;

    fn gradient(&self, Vector(x): &Vector) -> Result<Vector, Error> {
        let scaled = |of: &Objective<'_>| of.theta_bar.iter().map(|g| g / of.unit).collect();
        self.at(x, scaled).map(Vector)
    }
}
