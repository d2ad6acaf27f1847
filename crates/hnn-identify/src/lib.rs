//! From a recording to an honest model: fits what applies, judges all on rows held out, says which one
//! the data support and what they cannot tell.
//!
//! ```
//! use hnn_data::Recording;
//! use hnn_identify::identify;
//! # let t = Vec::from_iter((0..400).map(|k| 0.02 * f64::from(k)));
//! # let q = Vec::from_iter(t.iter().map(|t: &f64| 0.7 * (-0.05 * t).exp() * (3.0 * t).cos()));
//! // Times and angles of something that swings.
//! let recording = Recording::from_columns([("t", &t[..]), ("q", &q)]).time("t").position("q").load()?;
//! let found = identify(&recording)?;
//! println!("{found}");
//! let best = found.best();
//! # assert_eq!(best.name, "oscillator, all supported terms");
//! assert!(best.score.mean() < 0.01); // 1 % of the motion's size, over windows that no fit has seen
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! [`Identify`] has the settings; an [`Identification`] prints itself, and
//! [writes](Identification::write) a page with its report, table, formula, figures and model file.
//!
//! # Features
//!
//! | feature | default | what it adds |
//! |---|---|---|
//! | `plots` | yes | figures in the page of an identification |
//! | `serde` | no | settings, reports, results and data sets are `Serialize` and `Deserialize`; what has rules is checked on its way in |

mod candidate;
mod delay;
mod error;
mod fit;
mod identification;
mod law;
mod page;
mod problem;
mod score;

use std::time::Instant;

use hnn_data::Recording;
use hnn_integrators::Between;

pub use self::candidate::{BaselineModel, Candidate, Constant, HnnModel, LnnModel, Model};
pub use self::error::IdentifyError;
use self::fit::Recipe;
pub use self::identification::Identification;
pub use self::law::{Feature, Law, LawResiduals};
use self::problem::Problem;
pub use self::score::Score;

/// Identifies with the default settings: [`Identify::run`].
///
/// ```
/// use hnn_data::Recording;
/// use hnn_identify::identify;
/// // Four rows support no model.
/// let columns = [("t", &[0.0, 0.1, 0.2, 0.3][..]), ("q", &[0.0, 0.1, 0.3, 0.2])];
/// let recording = Recording::from_columns(columns).time("t").position("q").load()?;
/// assert!(identify(&recording).is_err());
/// # Ok::<(), hnn_data::DataError>(())
/// ```
///
/// # Errors
/// As [`Identify::run`].
pub fn identify(recording: &Recording) -> Result<Identification, IdentifyError> {
    Identify::default().run(recording)
}

/// How to identify.
///
/// ```
/// use hnn_identify::Identify;
/// let settings = Identify::default().without_networks().with_input_delay(0.02);
/// let expected = "Identify { between: Linear, delay: 0.02, networks: false, seed: 0 }";
/// assert_eq!(format!("{settings:?}"), expected);
/// ```
#[derive(Debug, Clone)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Identify {
    between: Between,
    delay: f64,
    networks: bool,
    seed: u64,
}

impl Default for Identify {
    /// Inputs in straight lines from row to row, that act at once; all models, seed 0.
    fn default() -> Self {
        Self { between: Between::Linear, delay: 0.0, networks: true, seed: 0 }
    }
}

impl Identify {
    /// The same with inputs that go so from row to row: held, as those of a digital controller are, or
    /// linear.
    ///
    /// ```
    /// use hnn_identify::Identify;
    /// use hnn_integrators::Between;
    /// let digital = Identify::default().with_inputs_between(Between::Held);
    /// assert!(format!("{digital:?}").contains("Held"));
    /// ```
    #[must_use]
    pub fn with_inputs_between(self, between: Between) -> Self {
        Self { between, ..self }
    }

    /// The same with inputs that act so much later than they are logged, as commands do that go through a
    /// driver, in units of the recording's time. Models are then those of the inputs as they arrive.
    ///
    /// ```
    /// # use hnn_data::Recording;
    /// use hnn_identify::{Identify, IdentifyError};
    /// # let t = Vec::from_iter((0..200).map(|k| 0.05 * f64::from(k)));
    /// # let q = Vec::from_iter(t.iter().map(|t: &f64| (2.0 * t).cos()));
    /// # let u = vec![0.0; 200];
    /// # let columns = [("t", &t[..]), ("q", &q), ("u", &u)];
    /// # let recording = Recording::from_columns(columns).time("t").position("q").input("u").load()?;
    /// // A recording of ten seconds has no inputs from a minute ago.
    /// let late = Identify::default().with_input_delay(60.0).run(&recording);
    /// assert!(matches!(late, Err(IdentifyError::Delay { .. })));
    /// # Ok::<(), hnn_data::DataError>(())
    /// ```
    #[must_use]
    pub fn with_input_delay(self, delay: f64) -> Self {
        Self { delay, ..self }
    }

    /// The same with laws and formulas alone: no networks.
    ///
    /// ```
    /// use hnn_identify::Identify;
    /// assert!(format!("{:?}", Identify::default().without_networks()).contains("networks: false"));
    /// ```
    #[must_use]
    pub fn without_networks(self) -> Self {
        Self { networks: false, ..self }
    }

    /// The same with another seed of the networks' first weights.
    ///
    /// ```
    /// use hnn_identify::Identify;
    /// assert!(format!("{:?}", Identify::default().with_seed(3)).contains("seed: 3"));
    /// ```
    #[must_use]
    pub fn with_seed(self, seed: u64) -> Self {
        Self { seed, ..self }
    }

    /// Fits, judges and compares.
    ///
    /// Whole trials are held out where there are three or more, else the last fifth of each piece; no fit
    /// that is judged sees them. The best model is then fitted to all rows. (Smoothing, from which the starts of rollouts and warm starts come, is that of all rows.)
    /// Laws and formulas have trajectories as their last word, so that noise in the states does not bias
    /// them, with unknown starts of all windows; networks have noise and prior by evidence.
    ///
    /// ```
    /// use hnn_data::Recording;
    /// use hnn_identify::{Identify, Model};
    /// # let t = Vec::from_iter((0..200).map(|k| 0.05 * f64::from(k)));
    /// # let q = Vec::from_iter(t.iter().map(|t: &f64| (-0.1 * t).exp() * (2.0 * t).cos()));
    /// // Something that swings.
    /// let recording = Recording::from_columns([("t", &t[..]), ("q", &q)]).time("t").position("q").load()?;
    /// let found = Identify::default().without_networks().run(&recording)?;
    /// assert!(matches!(found.best().model, Model::Law(_) | Model::Formula(_)));
    /// assert!(found.best().score.mean() < 0.01); // of the motion's size
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    /// If the channels are no positions with all velocities, all momenta or neither, rows are too few, the
    /// delay of the inputs leaves none, or no model can be fitted. A model that cannot is left out, and said so among the warnings.
    pub fn run(&self, recording: &Recording) -> Result<Identification, IdentifyError> {
        let problem = Problem::new(recording, self.between, self.delay)?;
        let pendulum = problem.angles.contains(&true);
        let canonical = problem.has_momenta || problem.degrees == 1;
        let mut fits: Vec<(&str, Fit<'_>)> = Vec::new();
        if !problem.has_momenta {
            let laws = [Recipe::Oscillator, Recipe::Pendulum, Recipe::Supported];
            for recipe in laws.into_iter().filter(|r| pendulum || *r != Recipe::Pendulum) {
                fits.push((recipe.name(&problem), Box::new(move |p| fit::law(p, recipe))));
            }
        }
        if canonical {
            fits.push(("sparse formula", Box::new(fit::formula)));
        }
        if !problem.has_momenta && problem.inputs.len() == problem.degrees {
            fits.push(("inverse dynamics", Box::new(fit::torques)));
        }
        if self.networks {
            if canonical {
                fits.push(("HNN with friction", Box::new(|p| fit::hnn(p, self.seed))));
            }
            if !problem.has_momenta {
                fits.push(("LNN with friction", Box::new(|p| fit::lnn(p, self.seed))));
            }
            fits.push(("baseline network", Box::new(|p| fit::baseline(p, self.seed))));
        }
        let (mut candidates, mut failures) = (Vec::new(), Vec::new());
        for (name, fit) in &fits {
            let begin = Instant::now();
            match fit(&problem) {
                Ok(mut candidate) => {
                    candidate.seconds = begin.elapsed().as_secs_f64();
                    candidate.score = Score::of(candidate.model.field(), &problem);
                    candidates.push(candidate);
                }
                Err(error) => failures.push(((*name).to_owned(), error.to_string())),
            }
        }
        let mut found =
            Identification::new(recording.report().clone(), problem, candidates, failures)?;
        // What the constants are is said by all rows.
        let best = found.best().name.clone();
        if let Some((_, fit)) = fits.iter().find(|(name, _)| *name == best) {
            let all = found.problem.clone().with_all_rows()?;
            found.model = fit(&all).ok();
        }
        Ok(found)
    }
}

/// A fit of one model.
type Fit<'a> = Box<dyn Fn(&Problem) -> Result<Candidate, IdentifyError> + 'a>;
