//! Learning-rate schedules.

use crate::TrainError;
use crate::error::require;

/// The learning rate over the steps of a run.
///
/// ```
/// use hnn_train::Schedule;
/// let schedule = Schedule::Cosine { from: 1e-3, to: 0.0 };
/// assert_eq!(schedule.rate(0, 100), 1e-3);
/// assert!((schedule.rate(50, 100) - 5e-4).abs() < 1e-12);
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Schedule {
    /// The same rate throughout.
    Constant(f64),
    /// Half a cosine from one rate to another (Loshchilov and Hutter 2017).
    Cosine {
        /// The first rate.
        from: f64,
        /// The last rate.
        to: f64,
    },
    /// Geometric, from one rate to another.
    Exponential {
        /// The first rate.
        from: f64,
        /// The last rate.
        to: f64,
    },
    /// Constant, then multiplied by `factor` every `every` steps.
    Step {
        /// The first rate.
        from: f64,
        /// What the rate is multiplied by.
        factor: f64,
        /// Number of steps between two changes.
        every: usize,
    },
}

impl Schedule {
    /// The rate at step `step` (from 0) of a run of `steps`; after it, the last one.
    #[must_use]
    pub fn rate(&self, step: usize, steps: usize) -> f64 {
        let fraction = (step as f64 / steps.max(1) as f64).min(1.0);
        match *self {
            Self::Constant(rate) => rate,
            Self::Cosine { from, to } => {
                to + 0.5 * (from - to) * (1.0 + (std::f64::consts::PI * fraction).cos())
            }
            Self::Exponential { from, to } => from * (to / from).powf(fraction),
            Self::Step { from, factor, every } => from * factor.powf((step / every.max(1)) as f64),
        }
    }

    /// Checks the settings, for a run of so many steps.
    pub(crate) fn check(&self, steps: usize) -> Result<(), TrainError> {
        let positive = |rate: f64| rate > 0.0 && rate.is_finite();
        let check = |rate| require(positive(rate), "the learning rate", rate, "a positive number");
        match *self {
            Self::Constant(rate) => check(rate)?,
            Self::Cosine { from, to } => {
                check(from)?;
                require(to >= 0.0 && to.is_finite(), "the last learning rate", to, "at least 0")?;
            }
            Self::Exponential { from, to } => check(from).and_then(|()| check(to))?,
            Self::Step { from, factor, every } => {
                check(from)?;
                require(positive(factor), "the schedule's factor", factor, "a positive number")?;
                require(every > 0, "the schedule's interval", every, "at least 1 step")?;
            }
        }
        // Schedules are monotone.
        let last = self.rate(steps.saturating_sub(1), steps);
        require(last.is_finite(), "the schedule's last learning rate", last, "a finite number")
    }
}
