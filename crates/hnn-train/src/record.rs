//! What a training run leaves behind.

use std::fmt;
use std::io::Write;
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::{Evidence, TrainError};

/// Errors of twice the size that their noise has are no accident.
const FAR_ABOVE_NOISE: f64 = 4.0;

/// Why a run ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum StopReason {
    /// Its steps are done.
    #[default]
    Steps,
    /// The validation loss has not improved for as long as [`EarlyStopping`](crate::EarlyStopping)
    /// was patient.
    Validation,
    /// The observer said so.
    Observer,
    /// The gradient vanishes: a minimum (or a saddle).
    Gradient,
    /// The step vanishes beside the parameters.
    Step,
    /// What a step can still gain vanishes beside the loss.
    Reduction,
    /// No damping, however strong, gives a step that lowers the loss; nor does a line search find
    /// one.
    NothingBetter,
}

/// One step of a run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct StepRecord {
    /// The step, from 0.
    pub step: usize,
    /// The learning rate of its update; of least squares, the damping `lambda` of the step that was
    /// accepted.
    pub rate: f64,
    /// The loss before its update; of L-BFGS and least squares, after it.
    pub loss: f64,
    /// The value of each term of the loss, by name.
    pub terms: Vec<(String, f64)>,
    /// The norm of the gradient before clipping.
    pub gradient_norm: f64,
    /// The validation loss after its update, if one was taken.
    pub validation: Option<f64>,
}

/// A whole run.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub struct TrainingRecord {
    /// Its steps.
    pub steps: Vec<StepRecord>,
    /// Why it ended.
    pub stop: StopReason,
    /// The step whose parameters the model has now: the best one where there is a validation
    /// loss, the last one otherwise.
    pub kept_step: usize,
    /// How long it took, in seconds.
    pub seconds: f64,
    /// What is to be doubted about the result.
    #[serde(default)]
    pub warnings: Vec<String>,
    /// What the last step says about noise and prior, with
    /// [`LeastSquares::with_evidence`](crate::LeastSquares::with_evidence).
    pub evidence: Option<Evidence>,
}

/// The warnings, then how the run ended.
impl fmt::Display for TrainingRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.warnings.iter().try_for_each(|warning| writeln!(f, "warning: {warning}"))?;
        let (steps, loss) = (self.steps.len(), self.final_loss());
        write!(f, "{steps} steps in {:.1} s, to a loss of {loss:.3e}", self.seconds)?;
        let validation = self.steps.iter().find(|step| step.step == self.kept_step);
        match validation.and_then(|step| step.validation) {
            Some(loss) => write!(f, "; validation loss {loss:.3e} at step {}", self.kept_step),
            None => Ok(()),
        }
    }
}

impl TrainingRecord {
    /// Warns of the terms of the loss, of a name, that at the step that is kept are above those of a
    /// constant in place of the model, or far above those of the noise alone.
    pub(crate) fn compare(
        &mut self,
        name: &str,
        constants: &[(String, f64)],
        noise: &[(String, f64)],
    ) {
        let Some(kept) = self.steps.iter().find(|step| step.step == self.kept_step) else { return };
        let own = [(name.to_owned(), kept.loss)];
        let terms = if kept.terms.is_empty() { &own[..] } else { &kept.terms[..] };
        let of = |name: &str| terms.iter().find(|(term, _)| term == name).map(|(_, value)| *value);
        let beaten = constants.iter().filter_map(|(name, constant)| {
            let value = of(name).filter(|value| value > constant)?;
            Some(format!(
                "the model explains less than a constant would: its {name} loss is {value:.3e}, that of \
                 a constant {constant:.3e}; train longer or at another rate, and give \
                 the network the scales of its data"
            ))
        });
        let unexplained = noise.iter().filter_map(|(name, noise)| {
            let value = of(name).filter(|value| *value > FAR_ABOVE_NOISE * noise)?;
            Some(format!(
                "by the standard errors of its data a {name} loss of {noise:.1} is to be expected, and it is \
                 {value:.3e}: the model misses something, it is not yet trained, or the errors are \
                 {:.0} times larger than was said",
                (value / noise).sqrt()
            ))
        });
        self.warnings = beaten.chain(unexplained).collect();
    }

    /// Whether it ended before its last step.
    #[must_use]
    pub fn stopped_early(&self) -> bool {
        self.stop != StopReason::Steps
    }

    /// The loss at the last step (NaN if there was none).
    #[must_use]
    pub fn final_loss(&self) -> f64 {
        self.steps.last().map_or(f64::NAN, |step| step.loss)
    }

    /// Writes the steps as CSV: `step, rate, loss, one column a term, gradient_norm, validation`.
    ///
    /// The file is written as a whole or not at all.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn write_csv(&self, path: impl AsRef<Path>) -> Result<(), TrainError> {
        Ok(hnn_files::write(path, |file| self.csv(file).map_err(Into::into))?)
    }

    fn csv(&self, file: &mut dyn Write) -> csv::Result<()> {
        let mut csv = csv::Writer::from_writer(file);
        let terms = self.steps.first().map_or(&[][..], |step| &step.terms);
        let names = terms.iter().map(|(name, _)| name.as_str());
        let header = ["step", "rate", "loss"].into_iter().chain(names);
        csv.write_record(header.chain(["gradient_norm", "validation"]))?;
        for step in &self.steps {
            let values = step.terms.iter().map(|(_, value)| value.to_string());
            let head = [step.step.to_string(), step.rate.to_string(), step.loss.to_string()];
            let validation = step.validation.map(|v| v.to_string()).unwrap_or_default();
            let tail = [step.gradient_norm.to_string(), validation];
            csv.write_record(head.into_iter().chain(values).chain(tail))?;
        }
        Ok(csv.flush()?)
    }
}
