//! What models are fitted to, and what they are judged by.

use std::num::NonZeroUsize;

use hnn_data::{DataSet, Recording, Role, Trajectory};
use hnn_integrators::{Between, RK4, Substeps, Tableau};
use hnn_models::Scales;
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use crate::IdentifyError;

/// Pieces with fewer rows have no derivatives.
pub(crate) const FEWEST: usize = 8;
/// Of every piece (or of the trials) so much is for training.
const TRAINING: f64 = 0.8;
/// From so many trials on, whole trials are held out.
const TRIALS: usize = 3;
/// Rows that are fitted to at most: stretches spread over the whole recording, of so many periods.
const ROWS: usize = 4000;
const LONGEST: f64 = 10.0;
/// Rows a period that are enough: smoothing has used them all.
const ENOUGH: f64 = 100.0;
/// A mean over this share of a window passes what a derivative by a polynomial over all of it does.
const BAND: f64 = 0.5;
/// Steps a period that Runge-Kutta's method takes at least, and steps from row to row at most.
const STEPS: f64 = 24.0;
const SUBSTEPS: usize = 8;
/// The width of dry friction, relative to the size of the velocities.
const FRICTION_WIDTH: f64 = 0.03;
/// Windows of held-out rows: at most, and at least, where that leaves them long enough.
const WINDOWS: usize = 24;
const FEWEST_WINDOWS: usize = 6;

/// Measured rows and what smoothing makes of them, row by row.
#[derive(Debug, Clone)]
pub(crate) struct Part {
    /// The states as they were measured; velocities that were not are the smoothed ones.
    pub(crate) measured: DataSet<f64>,
    /// Smoothed states, with derivatives.
    pub(crate) smooth: DataSet<f64>,
    /// Standard errors of the derivatives.
    pub(crate) errors: Array2<f64>,
    /// The inputs, as smooth as the derivatives of the velocities or momenta are.
    pub(crate) slow_inputs: Array2<f64>,
}

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
    /// Whether the velocities are those of the positions, and not those that were measured.
    pub(crate) has_better_velocities: bool,
    /// `1 / noise^2` of each coordinate, relative to the best one; 0 for those not measured.
    pub(crate) weights: Vec<f64>,
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
        let channels = &recording.report().channels;
        let of = |roles: &[Role]| {
            Vec::from_iter(channels.iter().filter(|channel| roles.contains(&channel.role)))
        };
        let positions = of(&[Role::Position, Role::Angle]);
        let (velocities, momenta) = (of(&[Role::Velocity]), of(&[Role::Momentum]));
        let degrees = positions.len();
        let rates = velocities.len() + momenta.len();
        let whole = rates == 0 || rates == degrees && (velocities.is_empty() || momenta.is_empty());
        if degrees == 0 || !whole || !of(&[Role::State]).is_empty() {
            let given = format!(
                "{degrees} positions, {} velocities, {} momenta and {} other coordinates",
                velocities.len(),
                momenta.len(),
                of(&[Role::State]).len()
            );
            let cure = "declare each coordinate as a position or an angle, and for all of them or for \
                        none a velocity or a momentum";
            return Err(IdentifyError::State { given, cure: cure.into() });
        }
        let (mut all, has_better_velocities) =
            Part::new(recording, degrees, !velocities.is_empty())?;
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
        if of(&[Role::Input]).is_empty() {
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
        let noise = |i: usize| {
            if has_better_velocities && i >= degrees {
                return None;
            }
            let channel = positions.iter().chain(&velocities).chain(&momenta).nth(i)?;
            let step = channel.step.unwrap_or(0.0) / 12f64.sqrt();
            // Numbers are never better than their own rounding.
            let rounding = 1e-9 * scales.size()[i];
            Some(channel.noise.unwrap_or(0.0).max(step).max(rounding))
        };
        let noises = Vec::from_iter((0..2 * degrees).map(noise));
        let relative = noises.iter().zip(scales.size()).filter_map(|(n, size)| Some((*n)? / size));
        let best = relative.fold(f64::INFINITY, f64::min);
        // Noise is seldom all that is wrong with a number: errors far below the rest are not believed.
        let weight = |(noise, size): (&Option<f64>, &f64)| {
            noise.map_or(0.0, |noise| (noise.max(10.0 * best * size) / best).powi(-2))
        };
        let weights = noises.iter().zip(scales.size()).map(weight).collect();
        let names = |list: &[&hnn_data::ChannelReport]| {
            // Without the unit in brackets.
            let bare = |name: &str| name.split('[').next().unwrap_or(name).trim().to_owned();
            Vec::from_iter(list.iter().map(|channel| bare(&channel.name)))
        };
        Ok(Self {
            train,
            all,
            check,
            test,
            whole,
            thinned,
            training_rows,
            degrees,
            angles: positions.iter().map(|channel| channel.role == Role::Angle).collect(),
            positions: names(&positions),
            inputs: names(&of(&[Role::Input])),
            has_momenta: !momenta.is_empty(),
            has_better_velocities,
            weights,
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

/// Half the widest of the windows from which derivatives of a recording are taken.
fn widest(recording: &Recording) -> f64 {
    let slopes = recording.report().channels.iter().flat_map(|channel| &channel.slopes);
    slopes.map(|slope| slope.half_width).fold(0.0, f64::max)
}

/// Means of the inputs around each row, weighted by parabolas of this half width.
fn averaged(data: &DataSet<f64>, half_width: f64) -> Array2<f64> {
    let mut means = Array2::zeros(data.inputs().dim());
    let mut first = 0;
    for one in data.iter() {
        for (row, t) in one.times.iter().enumerate() {
            let from = one.times.partition_point(|other| t - other >= half_width).min(row);
            let to = one.times.partition_point(|other| other - t < half_width).max(row + 1);
            let weight = |k: usize| 1.0 - ((one.times[k] - t) / half_width).powi(2);
            let weights =
                Array1::from_iter((from..to).map(|k| if k == row { 1.0 } else { weight(k) }));
            let mean = weights.dot(&one.inputs.slice(s![from..to, ..])) / weights.sum();
            means.row_mut(first + row).assign(&mean);
        }
        first += one.times.len();
    }
    means
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

impl Part {
    /// Of a recording with velocities those of the positions are taken where they are better known: a
    /// differentiated or filtered velocity is often worse than the encoder that it comes from.
    fn new(
        recording: &Recording,
        degrees: usize,
        has_velocities: bool,
    ) -> Result<(Self, bool), IdentifyError> {
        let mut found = recording.differentiate()?;
        let mut half_width = widest(recording);
        let mut is_better = false;
        if has_velocities {
            let alone = recording.positions()?;
            let positions = alone.differentiate()?;
            let velocities = s![.., degrees..];
            let size = |errors: &Array2<f64>| errors.slice(velocities).mapv(|e| e * e).sum();
            is_better = size(&positions.derivative_errors) < size(&found.derivative_errors);
            if is_better {
                (found, half_width) = (positions, widest(&alone));
            }
        }
        let mut measured = found.data.states().to_owned();
        let long = recording.pieces().filter(|(_, rows)| rows.times.len() >= FEWEST);
        let mut first = 0;
        for (_, rows) in long {
            let (count, columns) = rows.states.dim();
            let columns = if is_better { degrees } else { columns };
            let states = rows.states.slice(s![.., ..columns]);
            measured.slice_mut(s![first..first + count, ..columns]).assign(&states);
            first += count;
        }
        let measured = of_rows(&found.data, measured)?;
        let (smooth, errors) = (found.data, found.derivative_errors);
        let slow_inputs = averaged(&smooth, BAND * half_width);
        Ok((Self { measured, smooth, errors, slow_inputs }, is_better))
    }

    /// For training and for tests: whole trials where there are enough, else the last fifth of each
    /// piece. `trials` has the trial of each piece.
    fn split(&self, trials: &[usize]) -> Result<(Self, Self, String), IdentifyError> {
        let mut names = trials.to_vec();
        names.dedup();
        if names.len() >= TRIALS {
            let kept = ((names.len() as f64 * TRAINING) as usize).clamp(1, names.len() - 1);
            let first = trials.iter().filter(|trial| names[..kept].contains(trial)).count();
            let split = format!("the last {} of {} trials", names.len() - kept, names.len());
            let part = |range: std::ops::Range<usize>| self.pick(range.map(|piece| (piece, None)));
            return Ok((part(0..first)?, part(first..trials.len())?, split));
        }
        let lengths = self.measured.lengths();
        let cut = |len: usize| (len as f64 * TRAINING) as usize;
        let rows: usize =
            lengths.iter().map(|len| len - cut(*len)).filter(|rest| *rest >= FEWEST).sum();
        if rows == 0 {
            let (purpose, given) = ("hold a fifth of them out", self.measured.len());
            return Err(IdentifyError::TooFew { purpose, given, needed: 5 * FEWEST });
        }
        let all = || lengths.iter().copied().enumerate();
        let train = all().map(|(piece, len)| {
            let end = if len - cut(len) >= FEWEST { cut(len) } else { len };
            (piece, Some((0, end)))
        });
        let test = all().filter(|(_, len)| len - cut(*len) >= FEWEST);
        let test = test.map(|(piece, len)| (piece, Some((cut(len), len))));
        Ok((self.pick(train)?, self.pick(test)?, "the last fifth of each piece".into()))
    }

    /// Stretches of at most `rows` rows each; of as many, spread evenly, as `most` says of their number
    /// and that of all their rows.
    fn stretches(
        &self,
        rows: usize,
        most: impl Fn(usize, usize) -> usize,
    ) -> Result<Self, IdentifyError> {
        let mut all = Vec::new();
        for (piece, len) in self.measured.lengths().iter().copied().enumerate() {
            for begin in (0..len.saturating_sub(1)).step_by(rows.max(2) - 1) {
                let end = (begin + rows).min(len);
                if end - begin >= FEWEST.min(rows).min(len) {
                    all.push((piece, Some((begin, end))));
                }
            }
        }
        let count = all.len();
        let kept = count.min(most(count, self.measured.len()).max(1));
        self.pick((0..kept).map(|k| all[k * count / kept]))
    }

    /// Stretches of at most `rows` rows, as many as are fitted to.
    fn thinned(&self, rows: usize) -> Result<Self, IdentifyError> {
        self.stretches(rows, |count, all| if all <= ROWS { count } else { count * ROWS / all })
    }

    /// Of each piece every so many rows that they are so far apart, of one that would be too short all;
    /// and the most that one row stands for.
    fn every(&self, interval: f64) -> Result<(Self, usize), IdentifyError> {
        let mut most = 1;
        let picked = self.rows(|times| {
            let len = times.len();
            let spacing = (times[len - 1] - times[0]) / (len - 1).max(1) as f64;
            let stride = ((interval / spacing) as usize).max(1);
            let stride = if len / stride >= FEWEST { stride } else { 1 };
            most = most.max(stride);
            (Vec::from_iter((0..len).step_by(stride)), 0)
        })?;
        Ok((picked, most))
    }

    /// With the inputs of so much earlier in each row. The first rows of each piece have none and are left
    /// out, as are pieces that are then too short, with their `trials`.
    fn delayed(&self, delay: f64, trials: &mut Vec<usize>) -> Result<Self, IdentifyError> {
        let (mut longest, mut is_left) = (0.0_f64, Vec::new());
        let delayed = self.rows(|times| {
            longest = longest.max(times[times.len() - 1] - times[0]);
            let lag = times.partition_point(|t| t - times[0] < delay * (1.0 - 1e-9));
            let is_long = delay >= 0.0 && times.len() - lag >= FEWEST;
            is_left.push(is_long);
            (Vec::from_iter((lag..times.len()).filter(|_| is_long)), lag)
        });
        if !is_left.contains(&true) {
            return Err(IdentifyError::Delay { given: delay, longest });
        }
        let mut is_left = is_left.into_iter();
        trials.retain(|_| is_left.next() == Some(true));
        delayed
    }

    /// Some rows of each piece, with the inputs of so many rows before.
    fn rows(
        &self,
        mut pick: impl FnMut(&[f64]) -> (Vec<usize>, usize),
    ) -> Result<Self, IdentifyError> {
        let (mut measured, mut smooth) = (vec![], vec![]);
        let (mut kept, mut kept_before) = (vec![], vec![]);
        let mut first = 0;
        for (one, smoothed) in self.measured.iter().zip(self.smooth.iter()) {
            let (rows, lag) = pick(one.times);
            let before = Vec::from_iter(rows.iter().map(|row| row - lag));
            for (view, list) in [(one, &mut measured), (smoothed, &mut smooth)] {
                if rows.is_empty() {
                    continue;
                }
                list.push(Trajectory {
                    times: Vec::from_iter(rows.iter().map(|row| view.times[*row])),
                    states: view.states.select(Axis(0), &rows),
                    derivatives: view.derivatives.select(Axis(0), &rows),
                    inputs: view.inputs.select(Axis(0), &before),
                });
            }
            kept.extend(rows.iter().map(|row| first + row));
            kept_before.extend(before.iter().map(|row| first + row));
            first += one.times.len();
        }
        let errors = self.errors.select(Axis(0), &kept);
        let slow_inputs = self.slow_inputs.select(Axis(0), &kept_before);
        let [measured, smooth] = [measured, smooth].map(DataSet::new);
        Ok(Self { measured: measured?, smooth: smooth?, errors, slow_inputs })
    }

    fn pick(
        &self,
        places: impl Iterator<Item = (usize, Option<(usize, usize)>)>,
    ) -> Result<Self, IdentifyError> {
        let mut offsets = vec![0];
        for len in self.measured.lengths() {
            offsets.push(offsets[offsets.len() - 1] + len);
        }
        let (mut measured, mut smooth) = (vec![], vec![]);
        let (mut errors, mut slow_inputs) = (vec![], vec![]);
        for (piece, range) in places {
            let (begin, end) = range.unwrap_or((0, self.measured.lengths()[piece]));
            for (data, list) in [(&self.measured, &mut measured), (&self.smooth, &mut smooth)] {
                let Some(one) = data.trajectory(piece) else { continue };
                let rows = s![begin..end, ..];
                list.push(Trajectory {
                    times: one.times[begin..end].to_vec(),
                    states: one.states.slice(rows).to_owned(),
                    derivatives: one.derivatives.slice(rows).to_owned(),
                    inputs: one.inputs.slice(rows).to_owned(),
                });
            }
            let rows = s![offsets[piece] + begin..offsets[piece] + end, ..];
            errors.push(self.errors.slice(rows));
            slow_inputs.push(self.slow_inputs.slice(rows));
        }
        let joined = |parts: &[ArrayView2<'_, f64>], columns: usize| {
            ndarray::concatenate(Axis(0), parts).unwrap_or_else(|_| Array2::zeros((0, columns)))
        };
        let errors = joined(&errors, self.errors.ncols());
        let slow_inputs = joined(&slow_inputs, self.slow_inputs.ncols());
        let [measured, smooth] = [measured, smooth].map(DataSet::new);
        Ok(Self { measured: measured?, smooth: smooth?, errors, slow_inputs })
    }

    /// The errors of derivatives, none below a thousandth of the derivatives' size.
    pub(crate) fn sensible_errors(&self, rates: &[f64]) -> Array2<f64> {
        let least = Array1::from_iter(rates.iter().map(|rate| 1e-3 * rate));
        let mut errors = self.errors.clone();
        errors.zip_mut_with(&least, |error, least| *error = error.max(*least));
        errors
    }
}

/// The same trajectories with other states, without derivatives.
fn of_rows(data: &DataSet<f64>, states: Array2<f64>) -> Result<DataSet<f64>, IdentifyError> {
    let mut first = 0;
    let list = Vec::from_iter(data.iter().map(|one| {
        let rows = first..first + one.times.len();
        first = rows.end;
        Trajectory {
            inputs: one.inputs.to_owned(),
            ..Trajectory::states_only(one.times.to_vec(), states.slice(s![rows, ..]).to_owned())
        }
    }));
    Ok(DataSet::new(list)?)
}
