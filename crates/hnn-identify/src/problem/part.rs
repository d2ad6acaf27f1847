//! Rows of a recording, measured and smoothed.

use std::ops::RangeInclusive;

use hnn_data::{DataSet, Recording, Trajectory};
use ndarray::{Array1, Array2, ArrayView2, Axis, s};

use super::FEWEST;
use crate::IdentifyError;

/// A mean over this share of a window passes what a derivative by a polynomial over all of it does.
const BAND: f64 = 0.5;
/// Measured velocities over slopes of the positions, where they are the same up to a calibration.
const GAINS: RangeInclusive<f64> = 0.8..=1.25;
/// The phase, in radians, by which velocities may be late: as much as weak forms of torques allow for.
const LATE: f64 = 0.02;

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
    /// The states without any smoothing: velocities that were not measured are differences of the positions.
    pub(crate) raw: Array2<f64>,
}

impl Part {
    /// Of a recording with velocities those of the positions are taken, and it is said why, where they are better known
    /// (a differentiated or filtered velocity is often worse than the encoder that it comes from), or where what
    /// was measured is no slope of the positions.
    pub(super) fn new(
        recording: &Recording,
        degrees: usize,
        has_velocities: bool,
    ) -> Result<(Self, Option<String>), IdentifyError> {
        let mut found = recording.differentiate()?;
        let mut half_width = widest(recording);
        let mut raw = unsmoothed(recording, degrees);
        let mut reason = None;
        if has_velocities {
            let alone = recording.positions()?;
            let positions = alone.differentiate()?;
            let velocities = s![.., degrees..];
            let size = |errors: &Array2<f64>| errors.slice(velocities).mapv(|e| e * e).sum();
            if let Some(wrong) = no_slope(&positions.data, raw.slice(velocities)) {
                raw = unsmoothed(&alone, degrees);
                reason = Some(wrong);
            } else if size(&positions.derivative_errors) < size(&found.derivative_errors) {
                reason = Some("noisier than the slopes of the positions".into());
            }
            if reason.is_some() {
                (found, half_width) = (positions, widest(&alone));
            }
        }
        let mut measured = found.data.states().to_owned();
        let columns = match reason {
            Some(_) => degrees,
            None => recording.dim(),
        };
        measured.slice_mut(s![.., ..columns]).assign(&raw.slice(s![.., ..columns]));
        let measured = of_rows(&found.data, measured)?;
        let (smooth, errors) = (found.data, found.derivative_errors);
        let slow_inputs = averaged(&smooth, BAND * half_width);
        Ok((Self { measured, smooth, errors, slow_inputs, raw }, reason))
    }

    /// Of each piece every so many rows that they are so far apart, of one that would be too short all;
    /// and the most that one row stands for.
    pub(super) fn every(&self, interval: f64) -> Result<(Self, usize), IdentifyError> {
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
    pub(super) fn delayed(
        &self,
        delay: f64,
        trials: &mut Vec<usize>,
    ) -> Result<Self, IdentifyError> {
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
        let raw = self.raw.select(Axis(0), &kept);
        let [measured, smooth] = [measured, smooth].map(DataSet::new);
        Ok(Self { measured: measured?, smooth: smooth?, errors, slow_inputs, raw })
    }

    pub(super) fn pick(
        &self,
        places: impl Iterator<Item = (usize, Option<(usize, usize)>)>,
    ) -> Result<Self, IdentifyError> {
        let mut offsets = vec![0];
        for len in self.measured.lengths() {
            offsets.push(offsets[offsets.len() - 1] + len);
        }
        let (mut measured, mut smooth) = (vec![], vec![]);
        let (mut errors, mut slow_inputs, mut raw) = (vec![], vec![], vec![]);
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
            raw.push(self.raw.slice(rows));
        }
        let joined = |parts: &[ArrayView2<'_, f64>], columns: usize| {
            ndarray::concatenate(Axis(0), parts).unwrap_or_else(|_| Array2::zeros((0, columns)))
        };
        let errors = joined(&errors, self.errors.ncols());
        let slow_inputs = joined(&slow_inputs, self.slow_inputs.ncols());
        let raw = joined(&raw, self.raw.ncols());
        let [measured, smooth] = [measured, smooth].map(DataSet::new);
        Ok(Self { measured: measured?, smooth: smooth?, errors, slow_inputs, raw })
    }

    /// The errors of derivatives, none below a thousandth of the derivatives' size.
    pub(crate) fn sensible_errors(&self, rates: &[f64]) -> Array2<f64> {
        let least = Array1::from_iter(rates.iter().map(|rate| 1e-3 * rate));
        let mut errors = self.errors.clone();
        errors.zip_mut_with(&least, |error, least| *error = error.max(*least));
        errors
    }
}

/// The states of all long pieces as they were measured, with differences over two steps for velocities that were not.
fn unsmoothed(recording: &Recording, degrees: usize) -> Array2<f64> {
    let long = recording.pieces().filter(|(_, rows)| rows.times.len() >= FEWEST);
    let mut numbers = Vec::new();
    for (_, rows) in long {
        let (count, columns) = rows.states.dim();
        for row in 0..count {
            let (before, after) = (row.saturating_sub(1), (row + 1).min(count - 1));
            let slope = |i: usize| {
                let moved = rows.states[[after, i]] - rows.states[[before, i]];
                moved / (rows.times[after] - rows.times[before])
            };
            let number = |i: usize| match i < columns {
                true => rows.states[[row, i]],
                false => slope(i - degrees),
            };
            numbers.extend((0..2 * degrees).map(number));
        }
    }
    let rows = numbers.len() / (2 * degrees);
    Array2::from_shape_fn((rows, 2 * degrees), |(row, i)| numbers[row * 2 * degrees + i])
}

/// Why measured velocities are not those of smoothed positions, if they are not: another size, or late, by what
/// their difference from the slopes has of the accelerations.
fn no_slope(positions: &DataSet<f64>, velocities: ArrayView2<'_, f64>) -> Option<String> {
    let degrees = velocities.ncols();
    let (slopes, accelerations) = (positions.states(), positions.derivatives());
    (0..degrees).find_map(|i| {
        let (s, v) = (slopes.column(degrees + i), velocities.column(i));
        let a = accelerations.column(degrees + i);
        let gain = s.dot(&v) / s.dot(&s);
        if gain.is_finite() && !GAINS.contains(&gain) {
            return Some(format!("not the slopes of the positions, but {gain:.3} times these"));
        }
        let late = (&s * gain - v).dot(&a) / (gain * a.dot(&a));
        let phase = late.abs() * (a.dot(&a) / s.dot(&s)).sqrt();
        (phase > LATE).then(|| match late > 0.0 {
            true => format!("{late:.2e} later than the slopes of the positions"),
            false => format!("{:.2e} earlier than the slopes of the positions", -late),
        })
    })
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
