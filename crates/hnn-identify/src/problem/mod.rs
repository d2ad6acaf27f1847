//! What models are fitted to, and what they are judged by.

mod channels;
mod held_out;
mod part;

use std::num::NonZeroUsize;

use hnn_data::{Recording, Role};
use hnn_integrators::{Between, RK4, Substeps, Tableau};
use hnn_models::Scales;

use self::channels::Channels;
pub(crate) use self::part::Part;
use crate::IdentifyError;

/// Pieces with fewer rows have no derivatives.
pub(crate) const FEWEST: usize = 8;
/// Stretches that are fitted to have so many periods at most.
const LONGEST: f64 = 10.0;
/// Rows a period that are enough: smoothing has used them all.
const ENOUGH: f64 = 100.0;
/// Steps a period that Runge-Kutta's method takes at least, and steps from row to row at most.
const STEPS: f64 = 24.0;
const SUBSTEPS: usize = 8;
/// The width of dry friction, relative to the size of the velocities.
const FRICTION_WIDTH: f64 = 0.03;
/// Windows of held-out rows: at most, and at least, where that leaves them long enough.
const WINDOWS: usize = 24;
const FEWEST_WINDOWS: usize = 6;

/// A recording, ready for fits.
#[derive(Debug, Clone)]
pub(crate) struct Problem {
    pub(crate) train: Part,
    /// Windows of the rows for training.
    pub(crate) check: Part,
    /// Windows of held-out rows.
    pub(crate) test: Part,
    /// The held-out rows, uncut.
    pub(crate) whole: Part,
    /// All rows, those held out included.
    all: Part,
    /// One row of so many is kept.
    pub(crate) thinned: usize,
    /// Rows for training, those included that were left out as too many.
    pub(crate) training_rows: usize,
    pub(crate) degrees: usize,
    pub(crate) angles: Vec<bool>,
    pub(crate) positions: Vec<String>,
    pub(crate) inputs: Vec<String>,
    /// Whether the second half of a state are momenta, in units of their own.
    pub(crate) has_momenta: bool,
    /// Why the velocities are those of the positions, and not those that were measured, if they are.
    pub(crate) wrong_velocities: Option<String>,
    /// `1 / noise^2` of each coordinate, relative to the best one; 0 for those not measured.
    pub(crate) weights: Vec<f64>,
    /// Noise over size of the noisiest input.
    pub(crate) input_noise: f64,
    pub(crate) between: Between,
    /// How much later than they were logged the inputs act.
    pub(crate) delay: f64,
    /// What goes from row to row.
    pub(crate) method: Substeps<Tableau>,
    pub(crate) scales: Scales,
    /// How long the motion takes to repeat, or to change by its own size.
    pub(crate) period: f64,
    /// How rows were held out.
    pub(crate) split: String,
}

impl Problem {
    pub(crate) fn new(
        recording: &Recording,
        between: Between,
        delay: f64,
    ) -> Result<Self, IdentifyError> {
        let channels = Channels::of(recording)?;
        let degrees = channels.positions.len();
        let (mut all, wrong_velocities) =
            Part::new(recording, degrees, !channels.velocities.is_empty())?;
        let long = recording.pieces().filter(|(_, rows)| rows.times.len() >= FEWEST);
        let mut trials = Vec::from_iter(long.map(|(trial, _)| trial));
        if delay != 0.0 {
            all = all.delayed(delay, &mut trials)?;
        }
        let scales = Scales::new(all.smooth.states(), all.smooth.derivatives())?
            .with_inputs(all.smooth.inputs())?;
        let period = period(&scales, degrees);
        // Inputs may jump from row to row; free motion does not.
        let mut thinned = 1;
        if channels.inputs.is_empty() {
            (all, thinned) = all.every(period / ENOUGH)?;
        }
        let longest = longest_step(&all) * STEPS / period;
        let substeps = (longest.ceil() as usize).clamp(1, SUBSTEPS);
        let method = Substeps::new(RK4, NonZeroUsize::new(substeps).unwrap_or(NonZeroUsize::MIN));
        let (train, whole, split) = all.split(&trials)?;
        let training_rows = train.measured.len();
        let rows = |time: f64, part: &Part| (time / span(part)).ceil().max(2.0) as usize + 1;
        let share = whole.measured.len() / FEWEST_WINDOWS;
        let window = rows(3.0 * period, &whole).min(share).max(FEWEST);
        let test = whole.stretches(window, |_, _| WINDOWS)?;
        let check = train.stretches(window, |_, _| WINDOWS)?;
        let train = train.thinned(rows(LONGEST * period, &train))?;
        let weights = channels.weights(scales.size(), wrong_velocities.is_some());
        let input_noise = channels.input_noise(all.smooth.inputs());
        Ok(Self {
            train,
            all,
            check,
            test,
            whole,
            thinned,
            training_rows,
            degrees,
            angles: channels.positions.iter().map(|c| c.role == Role::Angle).collect(),
            positions: channels::names(&channels.positions),
            inputs: channels::names(&channels.inputs),
            has_momenta: !channels.momenta.is_empty(),
            wrong_velocities,
            weights,
            input_noise,
            between,
            delay,
            method,
            scales,
            period,
            split,
        })
    }

    /// The same with all rows to fit to.
    pub(crate) fn with_all_rows(self) -> Result<Self, IdentifyError> {
        let (steps, training_rows) = (self.steps(LONGEST * self.period), self.all.measured.len());
        let train = self.all.thinned(steps + 1)?;
        Ok(Self { train, training_rows, ..self })
    }

    /// The width within which dry friction is smooth: a number of one digit.
    pub(crate) fn friction_width(&self, degree: usize) -> f64 {
        let width = FRICTION_WIDTH * self.scales.size()[self.degrees + degree];
        let decade = 10f64.powi(width.log10().floor() as i32);
        (width / decade).round() * decade
    }

    /// The number of steps of the training rows that take so long.
    pub(crate) fn steps(&self, time: f64) -> usize {
        (time / self.step()).round().max(1.0) as usize
    }

    /// The mean time between the training rows, of the longest piece.
    pub(crate) fn step(&self) -> f64 {
        let one = self.train.measured.iter().max_by_key(|one| one.times.len());
        one.map_or(1.0, |one| {
            (one.times[one.times.len() - 1] - one.times[0]) / (one.times.len() - 1).max(1) as f64
        })
    }
}

/// The mean time between rows.
fn span(part: &Part) -> f64 {
    let times = part.measured.iter().map(|one| one.times[one.times.len() - 1] - one.times[0]);
    let steps = part.measured.len() - part.measured.num_trajectories();
    times.sum::<f64>() / steps.max(1) as f64
}

/// The longest time from a row to the next.
fn longest_step(part: &Part) -> f64 {
    let steps = part.measured.iter().flat_map(|one| one.times.windows(2));
    steps.map(|pair| pair[1] - pair[0]).fold(0.0, f64::max)
}

/// `2 pi` times how long a position takes for its own size.
fn period(scales: &Scales, degrees: usize) -> f64 {
    let times = (0..degrees).map(|i| scales.size()[i] / scales.rate()[i]);
    std::f64::consts::TAU * times.fold(f64::INFINITY, f64::min)
}
