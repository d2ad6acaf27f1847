//! What was found.

use std::fmt::{self, Display, Formatter};

use hnn_data::Report;

use crate::delay::delay;
use crate::problem::Problem;
use crate::score::{mean, std_error};
use crate::{Candidate, IdentifyError, Model};

/// Differences of such a share of the motion are none, or of such a share of the least error.
const NEGLIGIBLE: f64 = 1e-4;
const SIMILAR: f64 = 0.03;
/// Rollouts that miss more than this share of the motion explain it badly.
const BAD: f64 = 0.3;

/// Noise of the inputs of so large a share of their size biases models that take them for exact.
const NOISY: f64 = 0.1;
/// What was left out, as a heading.
pub(crate) const LEFT_OUT: &str = "Left out, not to be told from 0 or negligible";

/// Fitted models, from the simplest to the largest, what they are worth on rows that no fit has seen, and
/// which one the data support. It prints itself, warnings first.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Identification {
    /// What the recording holds, and what it allows.
    pub report: Report,
    /// The models, those with the fewest parameters first.
    pub candidates: Vec<Candidate>,
    /// What to be careful about.
    pub warnings: Vec<String>,
    best: usize,
    pub(crate) model: Option<Candidate>,
    pub(crate) problem: Problem,
}

impl Identification {
    pub(crate) fn new(
        report: Report,
        problem: Problem,
        mut candidates: Vec<Candidate>,
        failures: Vec<(String, String)>,
    ) -> Result<Self, IdentifyError> {
        // Of as many numbers, those that noise in the inputs does not bias come first.
        let is_noisy = problem.input_noise > NOISY;
        candidates.sort_by_key(|candidate| {
            let is_biased = is_noisy && !matches!(candidate.model, Model::Torques(_));
            (candidate.model.num_params(), is_biased)
        });
        let usable = candidates.iter().any(|candidate| candidate.score.mean().is_finite());
        if !usable {
            let first = failures
                .first()
                .map_or("no model can be integrated over the held-out rows".into(), |f| {
                    format!("{}: {}", f.0, f.1)
                });
            let candidates = candidates.len() + failures.len();
            return Err(IdentifyError::NothingFits { candidates, first });
        }
        let best = simplest(&candidates);
        let mut found = Self { report, candidates, warnings: vec![], best, model: None, problem };
        found.warn(&failures);
        Ok(found)
    }

    /// The model to use: [`best`](Self::best), fitted to all rows. (Its score is not known; that of `best`
    /// is what is known about it.)
    #[must_use]
    pub fn model(&self) -> &Candidate {
        self.model.as_ref().unwrap_or(self.best())
    }

    /// The simplest model that predicts the held-out rows as well as any, within one standard error of
    /// the difference; fitted to the rows that were not held out.
    #[must_use]
    pub fn best(&self) -> &Candidate {
        &self.candidates[self.best]
    }

    /// A model by its name.
    #[must_use]
    pub fn candidate(&self, name: &str) -> Option<&Candidate> {
        self.candidates.iter().find(|candidate| candidate.name == name)
    }

    /// How rows were held out.
    #[must_use]
    pub fn split(&self) -> &str {
        &self.problem.split
    }

    fn warn(&mut self, failures: &[(String, String)]) {
        let mut warnings = Vec::new();
        let best = self.best();
        let error = best.score.mean();
        if error > 1.0 {
            warnings.push(
                "no model predicts the held-out rows better than their mean would: nothing has been identified. \
                 See the report on noise and rates; inputs that are not in the file move the system too"
                .into(),
);
        } else if error > BAD {
            warnings.push(format!(
                "the best model misses {:.0} % of the motion over {}: more or longer trials, or an input that is \
                 not in the file, may be what is missing",
                100.0 * error,
                self.window()
            ));
        }
        let windows = best.score.windows.len();
        if windows < 5 {
            warnings.push(format!(
                "only {windows} held-out windows: the differences between models are not known well"
            ));
        }
        let p = &self.problem;
        if p.thinned > 1 {
            warnings.push(format!(
                "fitted to one row of {}, after smoothing: a hundred rows a period are enough",
                p.thinned
            ));
        }
        if p.training_rows > p.train.measured.len() {
            warnings.push(format!(
                "fitted to {} of {} rows, in stretches spread over the recording",
                p.train.measured.len(),
                p.training_rows
            ));
        }
        if let Ok(Some(delay)) = delay(p) {
            warnings.push(format!(
                "the inputs seem to act {delay:.2e} later than they are logged: take them so by \
                 `with_input_delay({delay:.2e})`, of the example `--delay {delay:.2e}`"
            ));
        }
        if p.input_noise > NOISY {
            warnings.push(format!(
                "the noise of the inputs is {:.0} % of their size: it makes the inertia too large, and its standard error too small, in all \
                 models that take inputs for exact, which inverse dynamics does not",
                100.0 * p.input_noise
            ));
        }
        if let Some(reason) = &p.wrong_velocities {
            warnings.push(format!(
                "the measured velocities are {reason}: slopes of the positions are used in their place"
            ));
        }
        if p.has_momenta {
            warnings.push("laws of motion are fitted to velocities alone: of momenta, declared as such, there \
                           are formulas and networks".into());
        } else if p.degrees > 1 {
            warnings.push("of several positions with velocities there are no Hamiltonian models: these need \
                           momenta, which an inertia that changes with the position makes others than \
                           velocities".into());
        }
        for (name, error) in failures {
            warnings.push(format!("{name} could not be fitted: {error}"));
        }
        self.warnings = warnings;
    }

    fn window(&self) -> String {
        let lengths = self.problem.test.measured.iter();
        let length =
            lengths.map(|one| one.times[one.times.len() - 1] - one.times[0]).fold(0.0, f64::max);
        format!("{length:.3} time units")
    }

    /// The table as rows of cells, the heads first.
    pub(crate) fn table(&self) -> Vec<[String; 7]> {
        let heads =
            ["model", "numbers", "error", "+-", "whole", "one step", "+-"].map(String::from);
        let rows = self.candidates.iter().map(|candidate| {
            let score = &candidate.score;
            let percent = |x: f64| match x.is_finite() {
                true => format!("{:.3} %", 100.0 * x),
                false => "diverges".into(),
            };
            [
                candidate.name.clone(),
                candidate.model.num_params().to_string(),
                percent(score.mean()),
                if score.windows.len() > 1 { percent(score.std_error()) } else { "unknown".into() },
                percent(mean(&score.whole)),
                percent(mean(&score.steps)),
                percent(std_error(&score.steps)),
            ]
        });
        std::iter::once(heads).chain(rows).collect()
    }

    /// What the columns of the table are.
    pub(crate) fn legend(&self) -> String {
        format!(
            "Held out: {}. Errors are root mean squares over the motion's size, so that 100 % is what a constant \
             would do: of rollouts over {} windows of {}, with the standard error of their mean; of one rollout \
             over all held-out rows of a piece; and of the change from one smoothed row to the next, over the size \
             of that change.{}",
            self.problem.split,
            self.problem.test.measured.num_trajectories(),
            self.window(),
            match self.problem.delay {
                0.0 => String::new(),
                delay => format!(" Inputs act {delay} later than they are logged."),
            }
        )
    }

    /// What the data say of the best model.
    pub(crate) fn verdict(&self) -> Vec<String> {
        let best = self.best();
        let mut lines = vec![format!("Supported by the data: {}", best.name)];
        let lowest = lowest(&self.candidates);
        if lowest != self.best {
            let other = &self.candidates[lowest];
            lines.push(format!(
                "({} has the lowest error, {:.3} %, within a standard error of the difference)",
                other.name,
                100.0 * other.score.mean()
            ));
        }
        lines.push("Fitted to all rows:".into());
        lines.extend(
            self.model().formula.iter().flat_map(|formula| formula.lines().map(str::to_owned)),
        );
        lines
    }
}

fn lowest(candidates: &[Candidate]) -> usize {
    let errors = candidates.iter().map(|candidate| candidate.score.mean()).enumerate();
    errors.min_by(|a, b| a.1.total_cmp(&b.1)).map_or(0, |(index, _)| index)
}

/// The first one (of sorted ones) whose windows are as good as those of the best within a standard error
/// of the mean difference.
fn simplest(candidates: &[Candidate]) -> usize {
    let lowest = lowest(candidates);
    let least = &candidates[lowest].score.windows;
    let as_good = candidates.iter().position(|candidate| {
        let pairs = candidate.score.windows.iter().zip(least);
        let differences = Vec::from_iter(pairs.map(|(a, b)| a - b));
        let excess = mean(&differences);
        let negligible = NEGLIGIBLE + SIMILAR * mean(least);
        excess.is_finite() && excess <= std_error(&differences).max(negligible)
    });
    as_good.unwrap_or(lowest).min(lowest)
}

impl Display for Identification {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        for warning in &self.warnings {
            writeln!(f, "! {warning}")?;
        }
        let table = self.table();
        let widths: [usize; 7] = std::array::from_fn(|column| {
            table.iter().map(|row| row[column].chars().count()).max().unwrap_or(0)
        });
        for row in &table {
            let cells =
                row.iter().zip(widths).enumerate().map(|(column, (cell, width))| match column {
                    0 => format!("{cell:<width$}"),
                    _ => format!("{cell:>width$}"),
                });
            writeln!(f, "{}", Vec::from_iter(cells).join("  ").trim_end())?;
        }
        writeln!(f, "{}", self.legend())?;
        for line in self.verdict() {
            writeln!(f, "{line}")?;
        }
        let best = self.model();
        for constant in best.constants.iter().chain(&best.by_input) {
            writeln!(f, "  {constant}")?;
        }
        if !best.dropped.is_empty() {
            writeln!(f, "{LEFT_OUT}:")?;
        }
        best.dropped.iter().try_for_each(|constant| writeln!(f, "  {constant}"))?;
        best.doubts.iter().try_for_each(|doubt| writeln!(f, "? {doubt}"))
    }
}
