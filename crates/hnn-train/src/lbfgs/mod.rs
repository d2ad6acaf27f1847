//! L-BFGS for full batches.

mod vector;

use std::cell::RefCell;
use std::time::Instant;

use argmin::core::{CostFunction, Error, Gradient, IterState, Problem, Solver, State};
use argmin::solver::linesearch::MoreThuenteLineSearch;
use argmin::solver::quasinewton::LBFGS;
use hnn_integrators::{FieldError, Mode, Parameters, Scalar, TooLarge, compiled_here};
use hnn_losses::{Loss, LossError, RowSelection};

use self::vector::Vector;
use crate::error::require;
use crate::fitting::{Fitted, Fitting};
use crate::state::norm;
use crate::{Control, Observer, Progress, StepRecord, StopReason, TrainError, TrainingRecord};

/// More remembered pairs of updates gain nothing.
const MOST_PAIRS: usize = 1000;
/// A line search that takes longer goes nowhere: a good one takes one or two.
const MOST_EVALUATIONS: usize = 100;

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
/// let record = Lbfgs::new(50).fit(&mut model, &mut loss, &mut ())?;
/// assert!(record.final_loss() < 1e-6);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Lbfgs {
    steps: usize,
    memory: usize,
}

type Method = LBFGS<MoreThuenteLineSearch<Vector, Vector, f64>, Vector, Vector, f64>;

impl Lbfgs {
    /// At most `steps` steps, with the last 10 pairs of updates remembered.
    #[must_use]
    pub fn new(steps: usize) -> Self {
        Self { steps, memory: 10 }
    }

    /// The same with another number of remembered pairs.
    #[must_use]
    pub fn with_memory(mut self, pairs: usize) -> Self {
        self.memory = pairs;
        self
    }

    /// Minimises the loss over the whole data set, until the steps are done, the gradient or the
    /// change of the loss vanishes, the line search finds nothing better, or the observer stops
    /// it. The model ends with the best parameters found. "Vanishes" is relative to the loss at the
    /// start, so that the units of the data do not matter.
    ///
    /// # Errors
    /// If a setting makes no sense, the loss fails, or the loss or its gradient is not finite at
    /// the start or where a line search looks. The model then has the best parameters found.
    pub fn fit<T: Scalar, F: Parameters<T>>(
        &self,
        model: &mut F,
        loss: &mut dyn Loss<T, F>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        type Run<T> = fn(
            &Lbfgs,
            &mut dyn Fitting<T>,
            &mut dyn Observer,
        ) -> Result<TrainingRecord, TrainError>;
        let problem = &mut Fitted { model, loss, validation: None };
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
        let model = problem.model();
        let pairs = self.memory.saturating_mul(model.num_params());
        let remedy = "remember fewer updates, such as 10";
        TooLarge::check("numbers in remembered pairs", pairs, 2 * size_of::<f64>(), remedy)?;
        model.set_mode(Mode::Evaluation);
        let mut theta = vec![T::ZERO; model.num_params()];
        model.copy_params(&mut theta)?;
        let start = theta.iter().map(|w| w.to_f64()).collect();
        let theta_bar = theta.clone();
        self.search(&mut Rounded { problem, theta, theta_bar }, start, observer)
    }

    /// Compiled once, whatever the numbers of the model.
    fn search(
        &self,
        problem: &mut dyn InDoubles,
        start: Vec<f64>,
        observer: &mut dyn Observer,
    ) -> Result<TrainingRecord, TrainError> {
        let mut objective = Objective::new(problem, &start);
        let mut record = match objective.begin(&start) {
            Ok(()) => {
                let shared = RefCell::new(objective);
                let record = self.minimise(&shared, start, observer);
                objective = shared.into_inner();
                record
            }
            Err(_) => TrainingRecord::default(),
        };
        let Objective { problem, best, failure, .. } = objective;
        problem.set_params(&best.theta)?;
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
            objective.borrow_mut().evaluations = 0;
            next = method.next_iter(&mut problem, state);
            let Ok((found, _)) = &mut next else { continue };
            found.increment_iter();
            record.steps.push(objective.borrow().best.record(record.steps.len()));
            let latest = &record.steps[record.steps.len() - 1];
            let theta = &objective.borrow().best.theta;
            let progress = Progress::new(latest, self.steps, begin.elapsed(), theta);
            let control = observer.on_step(&progress);
            if control == Control::Stop && record.steps.len() < self.steps {
                break StopReason::Observer;
            }
            // A line search that finds nothing better ends the run.
            if found.terminated() && record.steps.len() < self.steps {
                break StopReason::NothingBetter;
            }
        };
        record.kept_step = record.steps.len().saturating_sub(1);
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

/// A loss at the parameters of a model, in double precision.
trait InDoubles {
    /// Moves the model there, or as near as its numbers allow.
    fn set_params(&mut self, theta: &[f64]) -> Result<(), FieldError>;
    /// Where it was moved to last, and the norm.
    fn copy_params(&self, out: &mut [f64]) -> f64;
    /// The loss there. The gradient is kept.
    fn evaluate(&mut self) -> Result<f64, LossError>;
    /// The gradient, and its norm.
    fn copy_gradient(&self, out: &mut [f64]) -> f64;
    fn terms(&self) -> Vec<(String, f64)>;
    fn compare(&self, record: &mut TrainingRecord);
}

struct Rounded<'a, T> {
    problem: &'a mut dyn Fitting<T>,
    theta: Vec<T>,
    theta_bar: Vec<T>,
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

    fn terms(&self) -> Vec<(String, f64)> {
        self.problem.terms()
    }

    fn compare(&self, record: &mut TrainingRecord) {
        record.compare(self.problem.name(), &self.problem.constant_values());
    }
}

/// Copies numbers, and returns their norm.
fn copy<T: Scalar>(numbers: &[T], out: &mut [f64]) -> f64 {
    out.iter_mut().zip(numbers).for_each(|(out, x)| *out = x.to_f64());
    norm(numbers)
}

/// The loss as a function of the parameters, and what it has seen.
struct Objective<'a> {
    problem: &'a mut dyn InDoubles,
    /// The point of the last evaluation, as asked for and as the model has it, its value and its
    /// gradient: a method asks for the two one after the other.
    point: Vec<f64>,
    theta: Vec<f64>,
    value: f64,
    theta_bar: Vec<f64>,
    /// What the method sees as 1: the loss at the start.
    unit: f64,
    /// How many there were in this step.
    evaluations: usize,
    best: Best,
    failure: Option<Failure>,
}

/// Why a search ends before its time.
#[derive(Debug, Clone, thiserror::Error)]
enum Failure {
    #[error(transparent)]
    Loss(#[from] LossError),
    #[error("{what} is {value}")]
    NotFinite { what: &'static str, value: f64 },
    #[error("the line search finds nothing better")]
    NothingBetter,
}

/// The best point so far.
struct Best {
    theta: Vec<f64>,
    value: f64,
    gradient_norm: f64,
    terms: Vec<(String, f64)>,
}

impl Best {
    fn record(&self, step: usize) -> StepRecord {
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
    fn new(problem: &'a mut dyn InDoubles, start: &[f64]) -> Self {
        let [theta, theta_bar] = [start.to_vec(), vec![0.0; start.len()]];
        let best = Best {
            theta: theta.clone(),
            value: f64::INFINITY,
            gradient_norm: 0.0,
            terms: Vec::new(),
        };
        let (point, value, failure, evaluations) = (Vec::new(), 0.0, None, 0);
        let unit = 1.0;
        Self { problem, point, theta, value, theta_bar, unit, evaluations, best, failure }
    }

    /// Evaluates at the start, which sets the unit.
    fn begin(&mut self, start: &[f64]) -> Result<(), Failure> {
        self.evaluate(start)?;
        if self.value > 0.0 {
            self.unit = self.value;
        }
        Ok(())
    }

    /// What vanishes, the gradient or the change of the loss.
    fn converged(&self) -> StopReason {
        let is_flat = self.best.gradient_norm < f64::EPSILON.sqrt() * self.unit;
        if is_flat { StopReason::Gradient } else { StopReason::Reduction }
    }

    /// Evaluates at a point, unless that was the last one.
    fn evaluate(&mut self, point: &[f64]) -> Result<(), Failure> {
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
